package socket_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// Promise 3: sockets and the Stack are closed in due time although the modem says
// nothing any more, while a Read and a Write wait; the error names what may be open.
func TestPromise3CloseWhileTheModemIsSilent(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		first, _ := r.connect("tcp")
		second, _ := r.connect("tcp")
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F40"})
		require.NoError(t, err)
		ended := make(chan error, 2)
		go func() { _, err := first.Write(make([]byte, 5000)); ended <- err }()
		go func() { _, err := second.Read(make([]byte, 1)); ended <- err }()
		time.Sleep(time.Second)
		start := time.Now()
		require.Error(t, first.Close())
		require.Error(t, second.Close())
		require.Error(t, <-ended)
		require.Error(t, <-ended)
		require.Less(t, time.Since(start), 5*time.Minute)
		start = time.Now()
		err = r.stack.Close()
		require.ErrorContains(t, err, "numbers [0 1]")
		require.Less(t, time.Since(start), 10*time.Minute)
	})
}

// A Write that its deadline ends says how much the modem has taken or will take:
// what a program sends behind that is neither a gap nor a repetition.
func TestWritesThatDeadlinesEnd(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		payload, _ := io.ReadAll(random(3, 20_000))
		got := make(chan []byte, 1)
		go func() {
			all, _ := io.ReadAll(far)
			got <- all
		}()
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F22", Times: -1, Delay: 300 * time.Millisecond})
		require.NoError(t, err)
		dice := rand.New(rand.NewPCG(1, 2))
		cut := 0
		for rest := payload; len(rest) > 0; {
			require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Duration(dice.IntN(600))*time.Millisecond)))
			n, err := c.Write(rest[:min(len(rest), 1+dice.IntN(3000))])
			rest = rest[n:]
			if errors.Is(err, os.ErrDeadlineExceeded) {
				cut++
				continue
			}
			require.NoError(t, err)
		}
		require.Greater(t, cut, 5)
		require.NoError(t, c.SetWriteDeadline(time.Time{}))
		_, err = c.Write([]byte("."))
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.True(t, bytes.Equal(append(payload, '.'), <-got))
	})
}

// A peer that closes behind more than the program has read, and more than is held
// for it, is heard to the end.
func TestPeerClosesBehindUnreadData(t *testing.T) {
	each(t, &socket.Config{PollInterval: time.Hour}, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		start := time.Now()
		const size = 200_000
		go func() {
			io.Copy(far, random(4, size))
			far.Close()
		}()
		want, _ := io.ReadAll(random(4, size))
		time.Sleep(10 * time.Minute)
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "%d octets", len(got))
		require.Less(t, time.Since(start), 15*time.Minute, "what is read makes room at once")
		require.NoError(t, c.Close())
		require.Zero(t, r.fake.OpenSockets())
	})
}

// The fate of a piece that was on its way when a deadline ended its Write is told
// by the next call, which sends nothing, and by no other.
func TestThePieceBehindADeadlineIsToldOnce(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		c, err := r.stack.ListenPacket(t.Context(), "udp", ":5000")
		require.NoError(t, err)
		synctest.Wait() // it has looked for data
		r.fake.SetSocketFaults(fakemodem.SocketFaults{MaxPiece: 3})
		_, err = r.fake.Inject(fakemodem.Fault{ID: "F22", Times: 1, Delay: 2 * time.Second})
		require.NoError(t, err)
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := c.WriteTo([]byte("first"), udpAddr(r, 5000))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, len("first"), n, "it cannot be taken back")
		r.fake.SetSocketFaults(fakemodem.SocketFaults{})
		require.NoError(t, c.SetWriteDeadline(time.Time{}))
		n, err = c.WriteTo([]byte("second"), udpAddr(r, 5000))
		require.ErrorIs(t, err, socket.ErrSendFailed)
		require.Zero(t, n)
		_, err = c.WriteTo([]byte("third"), udpAddr(r, 5000))
		require.NoError(t, err)
		got := make([]byte, 20)
		n, _, err = c.ReadFrom(got)
		require.NoError(t, err)
		require.Equal(t, "third", string(got[:n]))
	})
}
