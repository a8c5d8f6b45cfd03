package socket_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// exhaust lets fifty writes fail by a fault of the prompt, in turn with and
// without a Close of the program, and wants every number of the modem free then.
func exhaust(t *testing.T, id string) {
	each(t, &socket.Config{PromptGap: -1}, func(t *testing.T, r *rig) {
		for i := range 50 {
			c, far := r.connectInTime()
			go io.Copy(io.Discard, far)
			clear, err := r.fake.Inject(fakemodem.Fault{ID: id, Times: 1})
			require.NoError(t, err)
			n, err := c.Write(bytes.Repeat([]byte("1234567890"), 1+i%5*20))
			clear()
			require.ErrorIs(t, err, at.ErrNoAnswer, "round %d", i)
			require.Zero(t, n)
			_, err = c.Read(make([]byte, 1))
			require.ErrorIs(t, err, at.ErrNoAnswer, "the connection has failed with that cause")
			if i%2 == 0 {
				c.Close() // may say that the modem has not confirmed it yet
			}
		}
		time.Sleep(15 * time.Minute) // the modem counts what the engine sends to find its place
		require.Zero(t, r.fake.OpenSockets())
		for range dialectOf(t).ids {
			r.connect("tcp")
		}
		require.NoError(t, r.stack.Close())
		require.Zero(t, r.fake.OpenSockets())
	})
}

// connectInTime connects as soon as a number is free.
func (r *rig) connectInTime() (net.Conn, net.Conn) {
	r.t.Helper()
	for range 20 {
		c, err := r.stack.DialContext(r.t.Context(), "tcp", "203.0.113.9:7")
		if err == nil {
			return c, <-r.peers
		}
		require.True(r.t, errors.Is(err, socket.ErrNoSocket) || errors.Is(err, at.ErrNoAnswer), "%v", err)
		time.Sleep(time.Minute)
	}
	r.t.Fatal("no number becomes free")
	return nil, nil
}

func TestF14NumbersAreUsableAgain(t *testing.T) { exhaust(t, "F14") }

func TestF15NumbersAreUsableAgain(t *testing.T) { exhaust(t, "F15") }

// closings are the commands that close a socket.
var closings = map[string]string{"SIM800": "+CIPCLOSE", "SIM7600": "+CIPCLOSE", "Quectel": "+QICLOSE", "u-blox": "+USOCL", "u-blox with profiles": "+USOCL", "Telit": "#SH"}

// onClose lets fn answer the commands that close a socket.
func (r *rig) onClose(fn func(*fakemodem.Call) fakemodem.Result) {
	r.fake.OnCommand(closings[ours(r.t).String()], func(call *fakemodem.Call) fakemodem.Result {
		if call.Op != fakemodem.Set {
			return fakemodem.Default
		}
		return fn(call)
	})
}

// A close that the modem refuses for now is none: the number stays in use until
// it has been closed.
func TestF30RefusedCloseKeepsTheNumber(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, _ := r.connect("tcp")
		var busy atomic.Bool
		busy.Store(true)
		r.onClose(func(*fakemodem.Call) fakemodem.Result {
			if busy.Load() {
				return fakemodem.CME(14)
			}
			return fakemodem.Default
		})
		require.ErrorContains(t, c.Close(), "not confirmed")
		for range dialectOf(t).ids - 1 {
			r.connect("tcp")
		}
		_, err := r.stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
		require.ErrorIs(t, err, socket.ErrNoSocket)
		busy.Store(false)
		time.Sleep(3 * time.Minute)
		r.connect("tcp")
	})
}

// A close that is refused since there is nothing to close is as good as one.
func TestRefusedCloseOfNothing(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		require.NoError(t, far.Close())
		_, err := io.ReadAll(c)
		require.NoError(t, err)
		r.fake.Deactivate(1) // takes every socket along
		r.onClose(func(*fakemodem.Call) fakemodem.Result { return fakemodem.CME(3) })
		require.NoError(t, c.Close())
	})
}

// What cannot be closed is named by the Stack's Close, which ends in time; what
// the end of the service takes along is not.
func TestCloseOfTheStackNamesWhatIsLeft(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		for range dialectOf(t).ids {
			r.connect("tcp")
		}
		var answers atomic.Bool
		r.onClose(func(*fakemodem.Call) fakemodem.Result {
			if answers.Load() {
				return fakemodem.Default
			}
			return fakemodem.Silent
		})
		start := time.Now()
		err := r.stack.Close()
		require.Less(t, time.Since(start), 3*time.Minute, "not half a minute for each")
		if r.fake.OpenSockets() == 0 {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, "[0 1 2 3 4 5 6]", "u-blox without profiles has no service to close")
		require.Equal(t, 7, r.fake.OpenSockets())

		answers.Store(true)
		r.stack, err = socket.Open(t.Context(), r.modem, ours(t), nil)
		require.NoError(t, err)
		require.Zero(t, r.fake.OpenSockets(), "the next run closes them")
	})
}
