// Package ussd asks the network by unstructured supplementary services (3GPP
// TS 22.090; AT+CUSD, TS 27.007 clause 7.15): *100# for a balance, and menus.
//
// Client.Request sends a code and waits for the Reply. If Reply.More is true
// the network waits for Client.Answer, or for Client.Cancel.
package ussd
