package flow

import (
	"math"
	"time"
)

// The constants of RFC 8289 section 4.4, for lines of a modem: the interval is
// the longest usual round trip, that of GPRS, and the target a tenth of it.
const (
	codelInterval = 2 * time.Second
	codelTarget   = 200 * time.Millisecond

	// So many full packets may wait however long they take, where RFC 8289
	// section 5.4 has one: at 40 kbit/s each takes 300 ms, and fewer in
	// flight would let the line run dry.
	codelLeast = 4

	// longestWait is the age at which a packet is of no use to anybody. It
	// bounds by time what a sender that heeds no loss can queue.
	longestWait = 10 * time.Second
)

// codel chooses the packets of one lane that are dropped, so that their sender
// slows down: the algorithm of RFC 8289 section 5. The zero value is ready.
type codel struct {
	above       time.Time // when the wait will have been too long for an interval; zero while it is not
	dropping    bool
	next        time.Time // of the next drop
	count, last int       // drops in this and the previous time of dropping
}

// drops tells whether a packet is to be dropped that has waited so long; full
// tells whether more than codelLeast packets wait with it.
func (c *codel) drops(waited time.Duration, full bool, now time.Time) bool {
	if waited > longestWait {
		return true
	}
	if waited < codelTarget || !full {
		c.above, c.dropping = time.Time{}, false
		return false
	}
	if c.above.IsZero() {
		c.above = now.Add(codelInterval)
	}
	switch {
	case now.Before(c.above):
		c.dropping = false
		return false
	case !c.dropping:
		since := c.count - c.last
		c.dropping, c.count = true, 1
		if since > 1 && now.Sub(c.next) < 16*codelInterval { // RFC 8289 section 5.5: soon again, so as hard as before
			c.count = since
		}
		c.last = c.count
		c.next = now
	case now.Before(c.next):
		return false
	default:
		c.count++
	}
	c.next = c.next.Add(time.Duration(float64(codelInterval) / math.Sqrt(float64(c.count))))
	return true
}
