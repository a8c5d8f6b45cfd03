package fakemodem

import (
	"fmt"
	"time"
)

// clock is the modem's calendar. Before the network has given the time it
// stands at the maker's beginning of time.
type clock struct {
	offset time.Duration // from the time package's clock
	zone   int           // quarter hours east of UTC
	set    bool
	skew   time.Duration // by a fault
}

func init() {
	add(table{
		"+CCLK": {run: calendar},
		"+CTZR": {run: func(c *Call) Result { return keepValue(c, Parameter{Preset: "0", Test: "(0-2)"}) }, own: true},
	})
}

// network takes the time from the network (NITZ, 3GPP TS 22.042).
func (k *clock) network(m *Modem) {
	k.set, k.offset = true, 0
	now := k.now()
	if fn := m.kind.Messages.NITZ; fn != nil {
		for _, line := range fn(now) {
			m.notify(line)
		}
	}
	switch m.params["+CTZR"] {
	case "1":
		m.notify(fmt.Sprintf("+CTZV: %+03d", k.zone))
	case "2":
		m.notify(fmt.Sprintf(`+CTZE: "%+03d",0,"%s"`, k.zone, now.UTC().Format("2006/01/02,15:04:05")))
	}
}

func (k *clock) now() time.Time {
	return time.Now().UTC().Add(k.offset + k.skew + time.Duration(k.zone)*15*time.Minute)
}

// calendar is AT+CCLK (3GPP TS 27.007 clause 8.15).
func calendar(c *Call) Result {
	k := &c.m.clock
	if c.Op != Set {
		c.Info(fmt.Sprintf(`+CCLK: "%s%+03d"`, k.shown(c.m), k.zone))
		return OK
	}
	text := c.text(0, "")
	if len(text) < 17 {
		return CME(cmeInvalidParam)
	}
	t, err := time.Parse("06/01/02,15:04:05", text[:17])
	if err != nil {
		return CME(cmeInvalidParam)
	}
	k.set, k.offset = true, 0
	k.offset = t.Sub(k.now())
	return OK
}

// shown is the calendar's time; without network time it counts from 2004.
func (k *clock) shown(m *Modem) string {
	t := k.now()
	if !k.set {
		t = time.Date(2004, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Since(m.started))
	}
	return t.Format("06/01/02,15:04:05")
}
