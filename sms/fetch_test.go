package sms_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// deafLine is a line that loses notifications of messages while it is deaf.
type deafLine struct {
	*fakemodem.Line
	deaf atomic.Bool
}

func (d *deafLine) Read(p []byte) (int, error) {
	n, err := d.Line.Read(p)
	if d.deaf.Load() && bytes.Contains(p[:n], []byte("+CMTI")) {
		copy(p[:n], bytes.Repeat([]byte("\r\n"), n/2+1))
	}
	return n, err
}

// deafBench is a bench whose line can lose notifications.
func deafBench(t *testing.T, cfg *sms.Config) (*bench, *deafLine) {
	b := newBench(t, cfg)
	b.modem.Close()
	line := &deafLine{Line: b.fake.Line()}
	b.modem = at.New(line, nil)
	t.Cleanup(func() { b.modem.Close() })
	b.service = sms.New(b.modem, cfg)
	return b, line
}

// commands collects the command lines that the modem gets.
func (b *bench) commands(t *testing.T) (taken func() []string) {
	var mu sync.Mutex
	var lines []string
	t.Cleanup(b.fake.Watch(func(x fakemodem.Trace) {
		if line := string(x.Data); x.Direction == fakemodem.FromHost && strings.HasPrefix(line, "AT") {
			mu.Lock()
			lines = append(lines, strings.TrimSpace(line))
			mu.Unlock()
		}
	}))
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { lines = nil }()
		return lines
	}
}

// A message that was announced takes two command lines, and the modem's count
// in the first tells whether there is more to look for.
func TestCommandsOfReceiving(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, line := deafBench(t, nil)
		arrived := b.receive(t, nil)
		time.Sleep(time.Second)
		taken := b.commands(t)
		send := func(text string) { require.NoError(t, b.phone.Send(b.fake.Number(), text)) }
		for i := range 3 {
			send(fmt.Sprint("one ", i))
			next(t, arrived)
			time.Sleep(time.Second)
			require.Equal(t, []string{"AT+CPMS?;+CMGR=1", "AT+CMGD=1"}, taken())
		}

		line.deaf.Store(true)
		send("not announced")
		time.Sleep(time.Second)
		line.deaf.Store(false)
		require.Empty(t, taken())
		send("announced")
		require.Equal(t, "not announced", next(t, arrived).Text, "found with the next one")
		require.Equal(t, "announced", next(t, arrived).Text)
		time.Sleep(time.Second)
		require.Equal(t, []string{"AT+CPMS?;+CMGR=2", "AT+CPMS?", "AT+CMGF=0", "AT+CMGL=4", "AT+CMGD=1", "AT+CMGD=2", "AT+CPMS?"}, taken())

		b.fake.Emit(`+CMTI: "ME",2`) // once more
		time.Sleep(time.Second)
		require.Equal(t, []string{"AT+CPMS?;+CMGR=2"}, taken(), "it was deleted before")
		b.fake.Emit(`+CMTI: "ME",7`)
		time.Sleep(time.Second)
		require.Contains(t, taken(), "AT+CMGL=4", "nothing is known of it")
		synctest.Wait()
		require.Empty(t, arrived)
	})
}

// What was not announced is found within the interval of sweeps, however many
// others are announced meanwhile, even if the modem does not count it.
func TestSweepsGoOnWhileMessagesCome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, line := deafBench(t, nil)
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		_, err := b.fake.Inject(fakemodem.Fault{ID: "F48", Times: -1, Count: 1})
		require.NoError(t, err)
		line.deaf.Store(true)
		require.NoError(t, b.phone.Send(b.fake.Number(), "not announced"))
		time.Sleep(time.Second)
		line.deaf.Store(false)
		began, found := time.Now(), false
		for i := 0; !found; i++ {
			require.NoError(t, b.phone.Send(b.fake.Number(), fmt.Sprint("traffic ", i)))
			found = next(t, arrived).Text == "not announced"
			time.Sleep(50 * time.Second)
		}
		require.Less(t, time.Since(began), 6*time.Minute)
	})
}

// Faults F44, F48 and F102: what a single reading cannot have is fetched by a
// listing at once.
func TestWhatASlotDoesNotShow(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, b *bench){
		"another storage is selected": func(t *testing.T, b *bench) {
			_, err := b.modem.Exec(t.Context(), `+CPMS="SM","ME","ME"`)
			require.NoError(t, err)
		},
		"text mode": func(t *testing.T, b *bench) {
			_, err := b.modem.Exec(t.Context(), "+CMGF=1")
			require.NoError(t, err)
		},
		"no joined commands": func(_ *testing.T, b *bench) {
			b.fake.OnCommand("+CMGR", func(*fakemodem.Call) fakemodem.Result { return fakemodem.CMS(302) })
		},
		"no counts": func(_ *testing.T, b *bench) {
			b.fake.OnCommand("+CPMS", func(c *fakemodem.Call) fakemodem.Result {
				if c.Op == fakemodem.Read {
					return fakemodem.CMS(302)
				}
				return fakemodem.Default
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				spoil(t, b)
				began := time.Now()
				require.NoError(t, b.phone.Send(b.fake.Number(), "here"))
				require.Equal(t, "here", next(t, arrived).Text)
				require.Less(t, time.Since(began), 10*time.Second)
				time.Sleep(time.Second)
				require.Empty(t, b.fake.Messages("ME"))
			})
		})
	}
}
