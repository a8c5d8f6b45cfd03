package session_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
)

// sendAll begins to send numbered messages to a phone, one call after the other,
// without waiting for the end of any.
func sendAll(bank *session.Bank, phone *fakemodem.Phone, n int) *sync.WaitGroup {
	var sending sync.WaitGroup
	for i := range n {
		sending.Go(func() { bank.Send(context.Background(), message(phone, fmt.Sprint(i))) })
		synctest.Wait()
	}
	return &sending
}

// Messages to one recipient come in the order of the calls, also when the first is
// refused for a while, or waits for a modem, or loses the one that it has.
func TestBankKeepsTheOrder(t *testing.T) {
	const n = 20
	for name, trouble := range map[string]func(*fakemodem.Network, []*fakemodem.Modem){
		"refused for a while": func(_ *fakemodem.Network, fakes []*fakemodem.Modem) {
			for _, fake := range fakes {
				fake.Inject(fakemodem.Fault{ID: "F33", Code: 500, Times: 2})
			}
		},
		"no modem is fit": func(network *fakemodem.Network, fakes []*fakemodem.Modem) {
			for _, fake := range fakes {
				fake.Inject(fakemodem.Fault{ID: "F95", Delay: 10 * time.Second})
			}
			synctest.Wait()
		},
		"modems are lost": func(_ *fakemodem.Network, fakes []*fakemodem.Modem) {
			for i, fake := range fakes {
				fake.Inject(fakemodem.Fault{ID: "F95", In: time.Duration(3+10*i) * time.Second, Delay: 10 * time.Second})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				bank, fakes := openBank(t, network, nil, 2)
				fit(t, bank, 2)
				phone := network.Phone("+15555550199")
				trouble(network, fakes)
				sendAll(bank, phone, n).Wait()
				last := -1
				for _, m := range phone.Inbox() {
					var i int
					fmt.Sscan(m.Text, &i)
					require.Greater(t, i, last)
					last = i
				}
				require.Equal(t, n-1, last)
			})
		})
	}
}

// Who gives up waiting for his turn goes at once, and holds up nobody.
func TestBankTurnIsGivenUp(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 1)
		fit(t, bank, 1)
		phone := network.Phone("+15555550199")
		fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 30 * time.Second, Times: 1})
		slow := sendAll(bank, phone, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := bank.Send(ctx, message(phone, "impatient"))
		requireNotSent(t, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		_, err = bank.Send(t.Context(), message(phone, "patient"))
		require.NoError(t, err)
		require.Zero(t, statusOf(t, bank, "a").NotSent, "no modem was asked")
		slow.Wait()
		require.Len(t, phone.Inbox(), 2)
	})
}

// Whoever waits for his turn is let go by Close.
func TestBankCloseEndsTheWaitForATurn(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 1)
		fit(t, bank, 1)
		phone := network.Phone("+15555550199")
		fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 30 * time.Second})
		sending := sendAll(bank, phone, 10)
		require.NoError(t, bank.Close())
		sending.Wait()
		require.LessOrEqual(t, len(phone.Inbox()), 1)
	})
}
