package session

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFileLedgerKeepsClimbs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := FileLedger(path)
	climbs, err := l.Load()
	require.NoError(t, err, "there is none at first")
	require.Empty(t, climbs)
	now := time.Now().UTC().Round(0)
	want := []Climb{{RungRestart, now.Add(-time.Hour)}, {RungPower, now}, {RungAttach, now}, {RungRadio, now}}
	for range 2 {
		require.NoError(t, l.Save(want))
		climbs, err = l.Load()
		require.NoError(t, err)
		require.Equal(t, want, climbs)
	}
	_, err = os.Stat(path + ".new")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestFileLedgerThatIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	for text, bad := range map[string]bool{
		"": true, "[": true, "{}": true, `[{"rung":"power","at":"yesterday"}]`: true,
		"[]": false, "null": false, `[{"rung":"prayer","at":"2026-01-01T00:00:00Z"}]`: false,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		climbs, err := FileLedger(path).Load()
		require.Equal(t, bad, err != nil, text)
		require.Empty(t, climbs)
	}
	require.NoError(t, os.WriteFile(path, make([]byte, maxLedger+1), 0o600))
	_, err := FileLedger(path).Load()
	require.ErrorContains(t, err, "octets")
	require.Error(t, FileLedger(filepath.Join(path, "below a file")).Save(nil))
}

// What an earlier process has spent counts, also if the clock was ahead then.
func TestLadderRecallsWhatWasSpent(t *testing.T) {
	now := time.Now()
	var l ladder
	l.recall(now, []Climb{
		{RungPower, now.Add(-25 * time.Hour)}, // over
		{RungPower, now.Add(-50 * time.Minute)}, {RungPower, now.Add(300 * time.Hour)},
		{RungReopen, now}, {Rung(99), now}, // without a budget
	})
	require.Len(t, l.climbs(), 2)
	budget, _ := l.budgets.of(RungPower)
	require.False(t, l.spent.allows(RungPower, budget, now), "two an hour")
	require.True(t, l.spent.allows(RungPower, budget, now.Add(time.Hour)))
	require.Equal(t, 2, l.resets)
	require.Equal(t, now, l.reset)
	require.False(t, l.mayReset(now.Add(29*time.Minute)), "the gap goes on")
	require.True(t, l.mayReset(now.Add(30*time.Minute)))
}
