package gprs

import (
	"context"
	"time"

	"github.com/telemodem/telemodem/at"
)

// clockReading is what the modem's clock showed, and when.
type clockReading struct {
	shown time.Time
	at    time.Time // with the host's monotonic clock
}

// Clock reads the modem's clock. A time that is not to be believed is an
// error, see ClockWindow; a jump since the last reading is told in
// NetworkTime.Step. It is a hint: networks are wrong about the time more often
// than one would think, so prefer NTP or a server's date where there is data.
func (r *Radio) Clock(ctx context.Context) (NetworkTime, error) {
	t, err := firstLine(ctx, r, r.quirks.clockCommand(), func(line string) (NetworkTime, error) {
		return ParseClock(line, r.quirks.Clock, r.cfg.Window)
	})
	if err != nil {
		return NetworkTime{}, err
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.clock.at.IsZero() {
		t.Step = t.Time.Sub(r.clock.shown) - now.Sub(r.clock.at)
	}
	r.clock = clockReading{shown: t.Time, at: now}
	return t, nil
}

// EnableNetworkTime lets the network set the modem's clock and zone (+CTZU,
// 3GPP TS 27.007 clause 8.40). A modem that cannot says so in the error.
func (r *Radio) EnableNetworkTime(ctx context.Context) error {
	_, err := r.patient(ctx, at.Command{Text: "+CTZU=1"})
	return err
}
