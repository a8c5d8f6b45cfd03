package session

import "time"

// restTime is how long a modem that did not get a message off stands behind the
// others: its SIM may be out of credit, its cell congested.
const restTime = 5 * time.Minute

// choose returns the modem for a message to a recipient, and counts the message
// as its own; nil if none is fit but those that are left out. The modem that the
// recipient knows comes first, then who did not refuse lately, who has the least
// to do, and whom it was longest ago. The lock is held.
func (b *Bank) choose(to string, without map[string]bool) *member {
	able := func(m *member) bool {
		if m == nil || without[m.name] {
			return false
		}
		status := m.session.Status()
		return m.unfit(&status) == ""
	}
	best := b.members[b.homes.of(to)]
	if !able(best) {
		best = nil
		now := time.Now()
		for _, m := range b.members {
			if able(m) && (best == nil || m.before(best, now)) {
				best = m
			}
		}
	}
	if best == nil {
		return nil
	}
	b.chosen++
	best.chosen = b.chosen
	best.outstanding++
	return best
}

// before tells which of two modems is to be preferred.
func (m *member) before(n *member, now time.Time) bool {
	if rests, other := m.rests.After(now), n.rests.After(now); rests != other {
		return other
	}
	if m.outstanding != n.outstanding {
		return m.outstanding < n.outstanding
	}
	if m.chosen != n.chosen {
		return m.chosen < n.chosen
	}
	return m.name < n.name
}
