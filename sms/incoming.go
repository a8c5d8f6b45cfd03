package sms

import (
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// Incoming is a message, or a report, that has arrived.
type Incoming struct {
	// ID is the same whenever the same message is handed over again: after an
	// error of the handler, or when the program was killed before it was noted
	// that the handler had returned.
	ID string
	// From is who sent it: a number, with + if it is international, or a name.
	From string
	// Sent is when the service centre took it (TP-SCTS); the zero Time if the
	// stamp makes no sense.
	Sent time.Time
	// Arrived is when the last part of it was read from the modem, by this
	// machine's clock: the stamps of service centres can be days wrong, and
	// jump. It is the zero Time for what was given up unfinished.
	Arrived time.Time
	// Text is the text, unless the message carries 8-bit data.
	Text string
	// Data is the 8-bit data; nil for a text.
	Data []byte
	// Ports are the application ports that it is addressed to; nil if none.
	Ports *tpdu.Ports
	// Class is the message class.
	Class tpdu.Class
	// ProtocolID is TP-PID; zero is a plain message. Messages that a phone would
	// not show, such as tpdu.ShortMessageType0, are handed over too.
	ProtocolID tpdu.PID
	// ReplyPath says that an answer may go through the sender's service centre.
	ReplyPath bool
	// Waiting says that something waits for the user or does not any more, by
	// the data coding scheme; nil if it does not say so. Indications say it by
	// the header, each with a count.
	Waiting     *tpdu.Waiting
	Indications []tpdu.Indication
	// Report is what became of a message of ours; nil for an ordinary message.
	Report *Report
	// TPDUs are the parts as they came, without the service centre's address.
	TPDUs [][]byte
	// Err says why a message could not be read; then only TPDUs holds it, in
	// hexadecimal as the modem gave it if even that could not be read.
	Err error
}

// Report is a status report (TS 23.040 clause 9.2.2.3).
type Report struct {
	// Message is the Receipt.ID of the message of ours that this is about, also
	// if that was sent before a restart, and Part which part of it, from 1. Both
	// are zero if it belongs to none that is followed (see Service.Receipt).
	Message uint64
	Part    int
	// Reference is TP-MR of the part, To the recipient.
	Reference byte
	To        string
	// Status is what happened, at Discharge.
	Status    tpdu.Status
	Discharge time.Time
}
