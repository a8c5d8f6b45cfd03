// Package sms sends and receives short messages over a modem, so that none is
// lost and none is doubled without a word.
//
// A Service stands on an at.Commander: an engine on a line, a channel of the
// multiplexer, a session. Service.Send sends a Message and tells the outcome
// of each part: sent, not sent, or in doubt (ErrInDoubt); it never sends
// anything twice by itself. Service.Receive hands over what arrives and
// deletes it from the modem only after the handler returned nil. Parts tells
// beforehand how many parts a text makes.
//
// A Store (OpenStore) keeps what must survive a restart: unfinished long
// messages, what was received, references, receipts. An Outbox keeps messages on
// disk until they are sent. Receipt.Wait waits for status reports, and
// Report.Message tells which message a report is about, also if that was sent
// before a restart; Service.Receipt finds it again. Config.OnEvent
// gets what an unattended machine should note: full storages, lost
// notifications, silence. Cell broadcast messages go to Config.OnBroadcast.
// For USSD see package ussd.
//
// The modem is used in PDU mode (3GPP TS 27.005 clause 4); the codec is
// package tpdu. Modems that know text mode alone are used in it
// (Quirks.TextMode); what it has no form for is ErrTextMode before anything is
// written. All waits have the caller's context and limits from Config.
package sms
