package session

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// What is remembered of turns goes with the last who has or wants one.
func TestPromise8TurnsLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bank, err := OpenBank(nil)
		require.NoError(t, err)
		defer bank.Close()
		give, err := bank.takeTurn(t.Context(), "+15555550199")
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		go bank.takeTurn(ctx, "+15555550199")
		synctest.Wait()
		require.Equal(t, 2, bank.turns["+15555550199"].calls)
		cancel()
		synctest.Wait()
		require.Equal(t, 1, bank.turns["+15555550199"].calls)
		give()
		require.Empty(t, bank.turns)
	})
}
