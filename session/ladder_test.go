package session

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/port"
)

func anything(Rung) bool { return true }

func except(left ...Rung) func(Rung) bool {
	return func(r Rung) bool {
		for _, l := range left {
			if r == l {
				return false
			}
		}
		return true
	}
}

// Each failure comes a minute after the one before it.
func TestLadderClimbsFromTheCheapest(t *testing.T) {
	const reopen, radio, restart, power, attach = RungReopen, RungRadio, RungRestart, RungPower, RungAttach
	for _, c := range []struct {
		name    string
		trouble trouble
		can     func(Rung) bool
		want    []Rung
	}{
		{"deaf", troubleDeaf, anything, []Rung{reopen, reopen, restart, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, power}},
		{"deaf, and nobody has a hand on the power", troubleDeaf, except(power),
			[]Rung{reopen, reopen, restart, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, restart}},
		{"deaf, and no restart", troubleDeaf, except(restart), []Rung{reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, power}},
		{"sick", troubleSick, anything, []Rung{reopen, radio, restart, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, power}},
		{"gone", troubleGone, anything, []Rung{reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, power}},
		{"busy", troubleBusy, anything, []Rung{reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen, reopen}},
		{"no data", troubleData, anything, []Rung{reopen, reopen, attach, reopen, radio, reopen, reopen, reopen, reopen, reopen, restart}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l ladder
			now := time.Now()
			for i, want := range c.want {
				rung, exhausted := l.next(now, c.trouble, c.can)
				l.climb(now, rung)
				require.Equal(t, want, rung, "failure %d", i+1)
				require.Zero(t, exhausted)
				now = now.Add(time.Minute)
			}
		})
	}
}

// The gaps between resets grow, whatever else is the matter, until all was well
// for a while.
func TestLadderLetsAModemStart(t *testing.T) {
	l := ladder{budgets: Budgets{Restart: Budget{1000, 1000}, Power: Budget{1000, 1000}}}
	now := time.Now()
	var resets []time.Time
	for range 24 * 60 * 6 { // a failure every ten seconds, for a day
		rung, _ := l.next(now, troubleDeaf, anything)
		l.climb(now, rung)
		if rung.resets() {
			resets = append(resets, now)
		}
		now = now.Add(10 * time.Second)
	}
	for i, want := range []time.Duration{10 * time.Minute, 30 * time.Minute, time.Hour, time.Hour, time.Hour} {
		require.Equal(t, want, resets[i+1].Sub(resets[i]), "gap %d", i)
	}
	require.LessOrEqual(t, len(resets), 26)
	l.calm()
	for range 3 {
		rung, _ := l.next(now, troubleDeaf, anything)
		l.climb(now, rung)
	}
	require.Equal(t, now, l.reset, "the first one after a calm may come at once")
}

// A budget that is spent holds the rung back, which is told once, and it comes
// again when an hour or a day has passed.
func TestLadderKeepsItsBudgets(t *testing.T) {
	l := ladder{budgets: Budgets{Power: Budget{1, 3}}}
	now := time.Now()
	var power []time.Time
	told := 0
	for range 3 * 24 * 60 {
		rung, exhausted := l.next(now, troubleDeaf, except(RungRestart))
		l.climb(now, rung)
		if rung == RungPower {
			power = append(power, now)
		}
		if exhausted != 0 {
			require.Equal(t, RungPower, exhausted)
			told++
		}
		now = now.Add(time.Minute)
	}
	require.Len(t, power, 9, "three in each of three days")
	require.Equal(t, 1, told)
	require.GreaterOrEqual(t, power[1].Sub(power[0]), time.Hour)
	require.GreaterOrEqual(t, power[3].Sub(power[0]), 24*time.Hour)
}

func TestNegativeBudgetIsNever(t *testing.T) {
	l := ladder{budgets: Budgets{Power: Budget{Hour: -1}, Restart: Budget{Day: -1}}}
	now := time.Now()
	for range 24 * 60 {
		rung, _ := l.next(now, troubleDeaf, anything)
		require.Equal(t, RungReopen, rung)
		now = now.Add(time.Minute)
	}
}

func TestTroubleOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want trouble
	}{
		{&openError{errors.New("no such device")}, troubleGone},
		{fmt.Errorf("x: %w", &openError{&port.BusyError{Port: "COM5"}}), troubleBusy},
		{fmt.Errorf("%w: %w", at.ErrLineGone, io.EOF), troubleGone},
		{&at.CommandError{Err: at.ErrNoAnswer}, troubleDeaf},
		{fmt.Errorf("%w: +++ was not answered", at.ErrDataMode), troubleDeaf},
		{&at.CommandError{Err: at.CMEError{Code: 13}}, troubleSick},
		{fmt.Errorf("session: %w", errAbsent), troubleNoSIM},
	} {
		require.Equal(t, c.want, troubleOf(c.err), c.err)
	}
}

func TestEveryRungHasAName(t *testing.T) {
	seen := make(map[string]bool)
	for r := RungProbe; r < numRungs; r++ {
		require.NotEmpty(t, r.String())
		require.False(t, seen[r.String()], r)
		seen[r.String()] = true
	}
	require.Equal(t, "Rung(0)", Rung(0).String())
	require.Equal(t, "Rung(99)", Rung(99).String())
}

// Gaps and budgets go by the climb, not by the choice, which a pause parts.
func TestLadderCountsFromTheClimb(t *testing.T) {
	l := ladder{budgets: Budgets{Restart: Budget{Hour: 1}}}
	chosen := time.Now()
	for range 2 {
		l.next(chosen, troubleDeaf, anything)
	}
	rung, _ := l.next(chosen, troubleDeaf, anything)
	require.Equal(t, RungRestart, rung)
	require.True(t, l.mayReset(chosen), "not climbed yet")
	climbed := chosen.Add(25 * time.Minute)
	l.climb(climbed, rung)
	require.False(t, l.mayReset(climbed.Add(10*time.Minute-1)))
	require.True(t, l.mayReset(climbed.Add(10*time.Minute)))
	require.False(t, l.spent.allows(RungRestart, Budget{1, 24}, chosen.Add(time.Hour)))
	require.True(t, l.spent.allows(RungRestart, Budget{1, 24}, climbed.Add(time.Hour)))
	l.climb(climbed, RungReopen)
	require.Len(t, l.climbs(), 1, "what has no budget is not counted")
}
