package session

import (
	"slices"

	"github.com/telemodem/telemodem/at"
)

// stats are the counts of all engines on the line. It is called when these are
// in their places: once the unit is in use, or has been closed.
func (u *unit) stats() (sum at.Stats) {
	engines := []*at.Modem{u.modem, u.data, u.owner, u.notices}
	for i, engine := range engines {
		if engine != nil && !slices.Contains(engines[:i], engine) {
			sum = plus(sum, engine.Stats())
		}
	}
	return sum
}

func plus(a, b at.Stats) at.Stats {
	return at.Stats{
		Noise:        a.Noise + b.Noise,
		Overlong:     a.Overlong + b.Overlong,
		Late:         a.Late + b.Late,
		StrayResults: a.StrayResults + b.StrayResults,
		Lost:         a.Lost + b.Lost,
		LostBodies:   a.LostBodies + b.LostBodies,
		Losses:       a.Losses + b.Losses,
		Reboots:      a.Reboots + b.Reboots,
	}
}
