package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Ledger keeps what recovery has cost while the process is not there, so that a
// program that is started again and again, for instance because it crashes,
// does not begin with new budgets each time. FileLedger is one.
type Ledger interface {
	// Load returns what was saved last; nothing, without an error, at first.
	Load() ([]Climb, error)
	// Save keeps the climbs of the last 24 hours; it is called before a rung
	// with a budget is climbed.
	Save(climbs []Climb) error
}

// Climb is a rung with a budget that was climbed.
type Climb struct {
	Rung Rung
	At   time.Time
}

// FileLedger returns the ledger in a file of its own. The file is replaced as a
// whole, so that a loss of power leaves the old one or the new one.
func FileLedger(path string) Ledger { return fileLedger(path) }

type fileLedger string

// entry is a Climb on disk, with a name that outlives changes of the constants.
type entry struct {
	Rung string    `json:"rung"`
	At   time.Time `json:"at"`
}

var ledgerNames = map[Rung]string{RungAttach: "attach", RungRadio: "radio", RungRestart: "restart", RungPower: "power"}

// maxLedger bounds what is read, in octets: a day's climbs are a hundredth of it.
const maxLedger = 1 << 20

// Load implements Ledger. Entries that nobody knows are left out.
func (f fileLedger) Load() ([]Climb, error) {
	info, err := os.Stat(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Size() > maxLedger {
		err = fmt.Errorf("%s has %d octets", string(f), info.Size())
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(string(f))
	}
	var entries []entry
	if err == nil {
		err = json.Unmarshal(text, &entries)
	}
	if err != nil {
		return nil, fmt.Errorf("session: the ledger of recovery: %w", err)
	}
	var climbs []Climb
	for _, e := range entries {
		for rung, name := range ledgerNames {
			if e.Rung == name {
				climbs = append(climbs, Climb{rung, e.At})
			}
		}
	}
	return climbs, nil
}

// Save implements Ledger.
func (f fileLedger) Save(climbs []Climb) error {
	entries := make([]entry, 0, len(climbs))
	for _, c := range climbs {
		entries = append(entries, entry{ledgerNames[c.Rung], c.At.UTC()})
	}
	text, err := json.Marshal(entries)
	if err == nil {
		err = f.replace(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("session: the ledger of recovery: %w", err)
	}
	return nil
}

// replace writes a new file beside the old one and puts it in its place.
func (f fileLedger) replace(text []byte) error {
	beside := string(f) + ".new"
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(beside, string(f))
}

// loadLedger takes over what earlier processes have spent. A ledger that cannot
// be read is no reason to leave a modem alone.
func (s *Session) loadLedger() {
	if s.cfg.Ledger == nil {
		return
	}
	climbs, err := s.cfg.Ledger.Load()
	if err != nil {
		s.log.Error("session: recovery begins with new budgets", "err", err)
	}
	s.ladder.recall(time.Now(), climbs)
}

// saveLedger keeps what the climb that is to come adds.
func (s *Session) saveLedger() {
	if s.cfg.Ledger == nil {
		return
	}
	if err := s.cfg.Ledger.Save(s.ladder.climbs()); err != nil {
		s.log.Error("session: this step of recovery will be forgotten with the process", "err", err)
	}
}

// recall enters climbs of an earlier process. A clock that was ahead then does
// not hold a rung back for longer than its budget; the gaps between resets go on.
func (l *ladder) recall(now time.Time, climbs []Climb) {
	for _, c := range climbs {
		if _, ok := l.budgets.of(c.Rung); !ok || now.Sub(c.At) >= 24*time.Hour {
			continue
		}
		at := c.At
		if at.After(now) {
			at = now
		}
		l.spent[c.Rung] = append(l.spent[c.Rung], at)
		if !c.Rung.resets() {
			continue
		}
		if at.After(l.reset) {
			l.reset = at
		}
		if now.Sub(at) < time.Hour {
			l.resets++
		}
	}
}

// climbs lists what is on the account.
func (l *ladder) climbs() (list []Climb) {
	for rung, times := range l.spent {
		for _, at := range times {
			list = append(list, Climb{Rung(rung), at})
		}
	}
	return list
}
