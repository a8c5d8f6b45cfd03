package sms

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// outState is how far a message in the outbox is.
type outState uint8

const (
	outQueued  outState = iota // no part is with the modem
	outSending                 // a part may have gone to the modem
	outDone                    // its result is known and has to be told
)

// outItem is the record of a message.
type outItem struct {
	ID        uint64        `json:"id"`
	Message   Message       `json:"message"`
	Priority  int           `json:"priority,omitempty"`
	Expires   time.Time     `json:"expires"`
	State     outState      `json:"state"`
	Reference *uint16       `json:"reference,omitempty"` // of its parts, once it has several and one was sent
	Parts     []PartReceipt `json:"parts,omitempty"`
	Outcome   Outcome       `json:"outcome,omitempty"`
	Failure   string        `json:"failure,omitempty"`
	Expired   bool          `json:"expired,omitempty"`
	Invalid   bool          `json:"invalid,omitempty"`

	after   time.Time // of a message that was refused for now
	tracked *tracked  // of the last try in this program
}

// holdReference keeps the reference of a long message for it, as long as it is
// in the outbox.
func (i *outItem) holdReference(s *Service) {
	if i.Reference != nil {
		s.references.hold(i.Message.To, *i.Reference)
	}
}

// follow finds what was reported of a message since it was sent by another
// program, and has reports matched to it again.
func (i *outItem) follow(s *Service) {
	if i.reported() {
		i.tracked = s.reports.resume(i)
	}
}

// reported tells whether reports of what was sent may come.
func (i *outItem) reported() bool { return i.Message.StatusReport && len(i.Parts) > 0 }

// fate is the outcome of a message that is given up.
func (i *outItem) fate() Outcome {
	for _, p := range i.Parts {
		if p.Outcome == InDoubt {
			return InDoubt
		}
	}
	return NotSent
}

func (i *outItem) result() OutboxResult {
	r := OutboxResult{ID: i.ID, Message: i.Message, Outcome: i.Outcome, Receipt: Receipt{ID: i.ID, Parts: i.Parts, tracked: i.tracked}}
	outcome := ErrNotSent
	if i.Outcome == InDoubt {
		outcome = ErrInDoubt
	}
	switch {
	case i.Expired:
		r.Err = fmt.Errorf("%w: %w: %s", outcome, ErrExpired, i.Failure)
	case i.Invalid:
		r.Err = fmt.Errorf("%w: %s", ErrInvalidMessage, i.Failure)
	case i.Outcome != Sent:
		r.Err = fmt.Errorf("%w: %s", outcome, i.Failure)
	}
	return r
}

// move writes a message in a new state.
func (o *Outbox) move(item *outItem, to outState) error {
	o.mu.Lock()
	item.State = to
	if to == outDone {
		item.after = time.Time{} // to be told at once
	}
	o.mu.Unlock()
	return o.save(item)
}

func (o *Outbox) save(item *outItem) error {
	value, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("sms: a record of the outbox: %w", err)
	}
	return o.store.Commit([]Change{{bucketOutbox, item.key(), value}})
}

func (i *outItem) key() []byte { return binary.BigEndian.AppendUint64(nil, i.ID) }
