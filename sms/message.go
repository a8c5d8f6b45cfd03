package sms

import (
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// Message is a short message to be sent. To and one of Text and Data are
// needed.
type Message struct {
	// To is the number: "+4915112345678", a national number as one dials it, or
	// a short code; at most 20 of 0-9, *, #, a, b and c.
	To string
	// Named says that To is a name in place of a number: at most 11 characters
	// of the GSM alphabet (TS 23.040 clause 9.1.2.5). Few networks take one.
	Named bool
	// Text is the text, in UTF-8. One part carries 160 characters of the GSM
	// alphabet or 70 others; longer texts are sent as several parts.
	Text string
	// Data is 8-bit data in place of a text; one part carries 140 octets, or
	// 133 with Ports.
	Data []byte

	// Ports addresses an application on the receiver; nil means none.
	Ports *tpdu.Ports
	// Encoding is how the text is coded; zero chooses GSM 7-bit where it
	// suffices, else UCS-2.
	Encoding tpdu.Encoding
	// Locking and Single are the national language tables of TS 23.038 Annex A
	// that the receiver is known to read; zero means none.
	Locking, Single tpdu.Languages
	// Class is the message class; zero means none.
	Class tpdu.Class
	// Validity is how long the network keeps trying, rounded up to what the
	// standard can say: from 5 min to 63 weeks. Zero leaves it to the network.
	Validity time.Duration
	// ValidUntil is when the network stops trying, in place of Validity, to the
	// second. The zero Time is none.
	ValidUntil time.Time
	// Waiting makes the message an indication that something waits for the
	// receiver, or does not any more (TS 23.038 clause 4); nil means none. Such
	// a message is no data and has no class.
	Waiting *tpdu.Waiting
	// Indications tell of several kinds, and how many wait (TS 23.040 clause
	// 9.2.3.24.2). They take room in each part.
	Indications []tpdu.Indication
	// StatusReport asks the network to tell what became of each part.
	StatusReport bool
	// ReplyPath offers the receiver our service centre for its answer.
	ReplyPath bool
	// ProtocolID is TP-PID (TS 23.040 clause 9.2.3.9); zero is a plain message.
	ProtocolID tpdu.PID
	// InDoubt is what to do when it stays unknown whether a part was sent.
	InDoubt DoubtPolicy
	// ServiceCentre is the number of a service centre in place of the one that
	// the SIM holds.
	ServiceCentre string
}

// longestValidity is the longest that a network is told (TS 23.040 clause
// 9.2.3.12.1), and ample for what is told as a date.
const longestValidity = 63 * 7 * 24 * time.Hour

// validity is how long the message is in flight; zero if the network says so.
func (m *Message) validity(now time.Time) time.Duration {
	if m.ValidUntil.IsZero() {
		return min(m.Validity, longestValidity)
	}
	return min(max(m.ValidUntil.Sub(now), time.Second), longestValidity)
}

// Plan tells what sending a message will cost.
type Plan struct {
	// Parts is how many messages the network will count.
	Parts int
	// Alphabet is what they are coded in.
	Alphabet tpdu.Alphabet
	// Forced is the character that made a text UCS-2, nil if none did: a text
	// without it takes about half the parts.
	Forced *tpdu.UnencodableError
}

// Parts tells beforehand how many parts a message makes and why. The error is
// ErrInvalidMessage for what Send would refuse.
func Parts(m Message) (Plan, error) {
	d, err := cut(m, 0)
	if err != nil {
		return Plan{}, err
	}
	return Plan{Parts: d.parts.Len(), Alphabet: d.parts.Alphabet, Forced: d.parts.Forced}, nil
}
