package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

func ignore(context.Context, string, sms.Incoming) error { return nil }

// desk takes messages, and keeps who brought which.
type desk struct {
	mu     sync.Mutex
	texts  map[string][]string // by modem
	refuse map[string]int      // texts that are refused so often first
}

func newDesk() *desk { return &desk{texts: make(map[string][]string), refuse: make(map[string]int)} }

func (d *desk) take(_ context.Context, modem string, in sms.Incoming) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse[in.Text] > 0 {
		d.refuse[in.Text]--
		return errors.New("the disk is full")
	}
	d.texts[modem] = append(d.texts[modem], in.Text)
	return nil
}

func (d *desk) of(modem string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.texts[modem]
}

func receive(t *testing.T, bank *session.Bank, d *desk) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var receiving sync.WaitGroup
	receiving.Go(func() { require.ErrorIs(t, bank.Receive(ctx, d.take), context.Canceled) })
	stop = func() {
		cancel()
		receiving.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// Messages come from all modems, those that lie there already and those of a
// modem that is added later, each under the name of its modem.
func TestBankReceivesFromAll(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		phone := network.Phone("+15555550199")
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		require.NoError(t, phone.Send(fakes[0].Number(), "was there"))
		time.Sleep(10 * time.Second)
		d := newDesk()
		stop := receive(t, bank, d)
		require.NoError(t, phone.Send(fakes[1].Number(), "came"))
		late := network.NewModem(fakemodem.SIM800)
		require.NoError(t, bank.Add(named("late", late)))
		fit(t, bank, 3)
		require.NoError(t, phone.Send(late.Number(), "came to the late one"))
		time.Sleep(time.Minute)
		require.Equal(t, []string{"was there"}, d.of("a"))
		require.Equal(t, []string{"came"}, d.of("b"))
		require.Equal(t, []string{"came to the late one"}, d.of("late"))
		require.Equal(t, 1, statusOf(t, bank, "late").Received)
		require.ErrorIs(t, bank.Receive(t.Context(), ignore), sms.ErrBusy)
		stop()
		require.NoError(t, phone.Send(fakes[1].Number(), "between two calls"))
		stop = receive(t, bank, d)
		time.Sleep(time.Minute)
		require.Equal(t, []string{"came", "between two calls"}, d.of("b"))
		stop()
	})
}

// A message that the handler refuses stays with the modem and comes again; that
// holds up no other modem (promise 5).
func TestPromise5BankDeletesOnlyWhatWasTaken(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		phone := network.Phone("+15555550199")
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		d := newDesk()
		d.refuse["hard"] = 3
		receive(t, bank, d)
		time.Sleep(10 * time.Second)
		require.NoError(t, phone.Send(fakes[0].Number(), "hard"))
		time.Sleep(3 * time.Second)
		require.Len(t, fakes[0].Messages("SM"), 1, "not taken, not deleted")
		require.Zero(t, statusOf(t, bank, "a").Received)
		require.NoError(t, phone.Send(fakes[1].Number(), "easy"))
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{"easy"}, d.of("b"))
		time.Sleep(5 * time.Minute)
		require.Equal(t, []string{"hard"}, d.of("a"))
		require.Empty(t, fakes[0].Messages("SM"))
		require.Equal(t, 1, statusOf(t, bank, "a").Received)
	})
}

// brokenStore fails until it is mended.
type brokenStore struct {
	mu     sync.Mutex
	broken bool
	failed int
}

func (b *brokenStore) fault() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		b.failed++
		return errors.New("the disk is gone")
	}
	return nil
}
func (b *brokenStore) Commit([]sms.Change) error                        { return b.fault() }
func (b *brokenStore) Load(string, func(key, value []byte) error) error { return b.fault() }
func (b *brokenStore) faults() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}
func (b *brokenStore) set(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

// The store of one modem fails: that is told under its name and tried again, and
// the others go on.
func TestBankReceivesBesideABrokenStore(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		phone := network.Phone("+15555550199")
		bank, fakes := openBank(t, network, nil, 1)
		store := &brokenStore{broken: true}
		fake := network.NewModem(fakemodem.SIM800)
		cfg := named("broken", fake)
		cfg.SMS.Store = store
		require.NoError(t, bank.Add(cfg))
		fit(t, bank, 2)
		d := newDesk()
		receive(t, bank, d)
		require.NoError(t, phone.Send(fakes[0].Number(), "one"))
		require.NoError(t, phone.Send(fake.Number(), "two"))
		time.Sleep(30 * time.Second)
		require.Equal(t, []string{"one"}, d.of("a"))
		require.ErrorContains(t, statusOf(t, bank, "broken").ReceiveErr, "the disk is gone")
		require.LessOrEqual(t, store.faults(), 3, "it is tried again after a minute, no sooner")
		require.NoError(t, statusOf(t, bank, "a").ReceiveErr)
		store.set(false)
		time.Sleep(2 * time.Minute)
		require.Equal(t, []string{"two"}, d.of("broken"))
		require.NoError(t, statusOf(t, bank, "broken").ReceiveErr)
	})
}

// A modem is removed while messages are being received: its goroutine ends, the
// others stay.
func TestBankRemoveEndsReceiving(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		phone := network.Phone("+15555550199")
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		d := newDesk()
		receive(t, bank, d)
		time.Sleep(10 * time.Second)
		require.NoError(t, bank.Remove(t.Context(), "a"))
		require.NoError(t, phone.Send(fakes[0].Number(), "for nobody"))
		require.NoError(t, phone.Send(fakes[1].Number(), "for b"))
		time.Sleep(time.Minute)
		require.Empty(t, d.of("a"))
		require.Equal(t, []string{"for b"}, d.of("b"))
		require.NoError(t, bank.Add(named("a", fakes[0])))
		time.Sleep(time.Minute)
		require.Equal(t, []string{"for nobody"}, d.of("a"))
	})
}

// Remove and Close wait for a handler that does not look at its context.
func TestBankWaitsForTheHandler(t *testing.T) {
	for name, end := range map[string]func(*session.Bank) error{
		"Remove": func(b *session.Bank) error { return b.Remove(context.Background(), "a") },
		"Close":  func(b *session.Bank) error { return b.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				bank, fakes := openBank(t, network, nil, 1)
				fit(t, bank, 1)
				entered, left := make(chan struct{}), make(chan struct{})
				var receiving sync.WaitGroup
				ctx, cancel := context.WithCancel(t.Context())
				receiving.Go(func() {
					bank.Receive(ctx, func(context.Context, string, sms.Incoming) error {
						close(entered)
						time.Sleep(time.Minute)
						close(left)
						return nil
					})
				})
				require.NoError(t, network.Phone("+15555550199").Send(fakes[0].Number(), "long to read"))
				<-entered
				require.NoError(t, end(bank))
				select {
				case <-left:
				default:
					t.Error("the handler is still running")
				}
				cancel()
				receiving.Wait()
			})
		})
	}
}

// Receive returns when its handlers have.
func TestBankReceiveWaitsForTheHandler(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		require.NoError(t, network.Phone("+15555550199").Send(fakes[0].Number(), "long to read"))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		left := false
		err := bank.Receive(ctx, func(context.Context, string, sms.Incoming) error {
			cancel()
			time.Sleep(time.Minute)
			left = true
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.True(t, left)
	})
}
