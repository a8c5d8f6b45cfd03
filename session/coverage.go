package session

import (
	"context"
	"time"

	"github.com/telemodem/telemodem/gprs"
)

// packetPatience is how long coverage for data is waited for until data calls
// that fail are taken for the modem's fault all the same: a modem that is stuck
// outside the packet service looks no other, and detaching and attaching is what
// helps it.
const packetPatience = 30 * time.Minute

// coverage is what is known of the packet service while data calls fail; the
// zero value again as soon as the modem tells of packet service, or a call comes
// up. It belongs to the goroutine of run.
type coverage struct {
	missed time.Time // the first call that failed for lack of it; zero: none has
}

// waits notes the registration at a failed data call, and tells whether coverage
// is to be waited for.
func (c *coverage) waits(r gprs.Registration, now time.Time) bool {
	if r.Packet || !tellsPacket(r) {
		c.missed = time.Time{}
		return false
	}
	if c.missed.IsZero() {
		c.missed = now
	}
	return now.Sub(c.missed) < packetPatience
}

// tellsPacket tells whether the modem knows any packet domain (+CGREG, +CEREG,
// +C5GREG): else that none is registered means nothing.
func tellsPacket(r gprs.Registration) bool {
	for d, domain := range r.Domains {
		if gprs.Domain(d) != gprs.DomainCS && !domain.At.IsZero() {
			return true
		}
	}
	return false
}

// awaitsPacket asks the modem whether it has packet service, after a data call
// that failed.
func (s *Session) awaitsPacket() bool {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	now, err := s.radio.Registration(ctx)
	if err != nil {
		now = s.radio.Steady()
	}
	waits := s.coverage.waits(now, time.Now())
	if waits {
		s.log.Info("session: no data, and no packet service: coverage is waited for", "since", s.coverage.missed, "registration", now.String())
	}
	return waits
}
