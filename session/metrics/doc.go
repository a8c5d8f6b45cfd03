// Package metrics shows sessions, banks of modems and telemetry links to
// Prometheus.
//
// New returns one collector for all of them; a registry takes one, so give it
// everything that the process has:
//
//	registry.MustRegister(metrics.New(metrics.Sources{
//		Banks:     []*session.Bank{bank},
//		Endpoints: []*telemetry.Endpoint{endpoint},
//	}))
//
// # What a scrape costs
//
// It reads what is known already and asks no modem, so it takes as long with a
// modem that hangs as with one that works. Nothing is counted here: all counters
// are those of their sources, and begin anew with them. A source that is closed
// goes on to tell its last state; a modem that is removed from its bank is gone
// with the next scrape.
//
// # Names and labels
//
// What begins with telemodem_modem_ has the label modem: Session.Name. Names
// that are the same are told apart by "#2", "#3" behind the later ones, which move
// up when an earlier one goes: give each modem a name of its own.
// What begins with telemodem_link_ has the labels endpoint and peer, and
// telemodem_path_ a label path as well: the names of the configuration. The other
// labels are state, rung and outcome, with the few values that these have in
// package session. No number of a telephone or a card and no text of a message is
// in any of them. The help text of each metric says what it is.
//
// A level of the signal that the modem has not told is left out, rather than 0.
package metrics
