package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// What Bank.Send says of a message is so, whatever happens to the modems: sent is
// once, not sent is never, in doubt is once or never. Here modems misbehave, come
// and go all the time.
func TestPromise4BankTellsTheTruth(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) { truth(t, network, rand.New(rand.NewPCG(seed, 4))) })
		})
	}
}

// misfortunes are what happens to a modem while it sends. None has an answer come
// so late that another line is open by then: who reads that one cannot know whose
// it is.
var misfortunes = []fakemodem.Fault{
	{ID: "F95", Delay: 20 * time.Second}, // the port goes and comes
	{ID: "F18", On: "+CMGS"},             // its answer is lost
	{ID: "F33", Code: 50},                // refuses
	{ID: "F33", Code: 500, Times: 2},     // refuses for a while
	{ID: "F93", On: "+CMGS"},             // restarts in the midst
	{ID: "F94"},                          // restarts without a word
	{ID: "F99", Text: "tx"},              // is deaf until it is restarted
}

func truth(t *testing.T, network *fakemodem.Network, dice *rand.Rand) {
	const modems, senders = 4, 12
	bank, fakes := openBank(t, network, &session.BankConfig{Attempts: -1}, modems)
	fit(t, bank, modems)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
	defer cancel()
	said := make(map[string]error)
	var mu sync.Mutex
	var busy sync.WaitGroup
	for i := range senders {
		busy.Go(func() {
			phone := network.Phone(fmt.Sprintf("+155555503%02d", i))
			for n := 0; ctx.Err() == nil; n++ {
				text := fmt.Sprintf("%d of %d", n, i)
				if i < 3 {
					text += " " + fmt.Sprintf("%0200d", n) // in two parts
				}
				_, err := bank.Send(ctx, message(phone, text))
				mu.Lock()
				said[text] = err
				mu.Unlock()
				time.Sleep(20 * time.Second)
			}
		})
	}
	for ctx.Err() == nil {
		time.Sleep(time.Duration(dice.IntN(60)) * time.Second)
		i := dice.IntN(modems)
		name := string(rune('a' + i))
		if dice.IntN(8) > 0 {
			fakes[i].Inject(misfortunes[dice.IntN(len(misfortunes))])
			continue
		}
		busy.Go(func() { // taken out in the midst, and put back
			leave, cut := context.WithTimeout(t.Context(), 10*time.Second)
			defer cut()
			bank.Remove(leave, name)
			bank.Add(named(name, fakes[i]))
		})
	}
	busy.Wait()
	require.NoError(t, bank.Close())
	time.Sleep(time.Hour)
	came := make(map[string]int)
	for i := range senders {
		for _, m := range network.Phone(fmt.Sprintf("+155555503%02d", i)).Inbox() {
			came[m.Text]++
		}
	}
	outcomes := make(map[string]int)
	for text, err := range said {
		switch {
		case err == nil:
			outcomes["sent"]++
			require.Equal(t, 1, came[text], text)
		case errors.Is(err, sms.ErrInDoubt):
			outcomes["in doubt"]++
			require.LessOrEqual(t, came[text], 1, "%s: %v", text, err)
		default:
			outcomes["not sent"]++
			requireNotSent(t, err)
			require.Zero(t, came[text], "%s: %v", text, err)
		}
	}
	t.Log(outcomes)
	require.Greater(t, outcomes["sent"], 1000)
	require.NotZero(t, outcomes["in doubt"])
}
