package cmux

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// options are the framings that every pair test runs with.
var options = map[string]Config{
	"basic":        {N1: 31},
	"basic long":   {N1: 127, LongLength: true},
	"basic 1509":   {N1: 1509},
	"advanced":     {Option: Advanced, N1: 64},
	"UI frames":    {N1: 31, UI: true},
	"negotiated":   {N1: 100, Negotiate: true},
	"convergence2": {N1: 64, Negotiate: true, Channels: map[int]ChannelConfig{1: {ConvergenceLayer: 2}, 2: {ConvergenceLayer: 2}, 3: {ConvergenceLayer: 2}}},
}

// noise returns n octets that any framing has trouble with.
func noise(seed int64, n int) []byte {
	p := make([]byte, n)
	r := rand.New(rand.NewSource(seed))
	r.Read(p)
	for i := range p {
		if r.Intn(8) == 0 {
			p[i] = []byte{basicFlag, advancedFlag, escape, 0x11, 0x13, 0x03, 0xEF}[r.Intn(7)]
		}
	}
	return p
}

// pair starts both roles on a wire and ends them with the test.
func pair(t *testing.T, cfg Config, shape func(*direction)) (host, modem *Mux, hostLine, modemLine *wireEnd) {
	t.Helper()
	hostLine, modemLine = newWire(shape)
	host, modem = New(hostLine, &cfg), Serve(modemLine, &cfg)
	t.Cleanup(func() {
		host.Close()
		modem.Close()
		hostLine.Close()
		modemLine.Close()
	})
	return host, modem, hostLine, modemLine
}

// join opens one channel and returns both ends.
func join(t *testing.T, host, modem *Mux, dlci int) (h, m *Channel) {
	t.Helper()
	h, err := host.Open(t.Context(), dlci)
	require.NoError(t, err)
	m, err = modem.Accept(t.Context())
	require.NoError(t, err)
	require.Equal(t, dlci, m.DLCI())
	return h, m
}

// TestCleanLineKeepsEveryByte: whatever pieces the line passes, each channel's bytes
// arrive in order, both ways at once, and the line comes back for plain AT.
func TestCleanLineKeepsEveryByte(t *testing.T) {
	for name, cfg := range options {
		for _, piece := range []int{1, 7, 32, 1 << 20} {
			t.Run(fmt.Sprintf("%s/%d", name, piece), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					host, modem, _, _ := pair(t, cfg, func(d *direction) { d.piece = piece })
					var all sync.WaitGroup
					for dlci := 1; dlci <= 3; dlci++ {
						h, m := join(t, host, modem, dlci)
						for i, way := range [][2]*Channel{{h, m}, {m, h}} {
							data := noise(int64(dlci*2+i), 6000)
							all.Go(func() {
								n, err := way[0].Write(data)
								if n != len(data) || err != nil {
									t.Errorf("write: %d, %v", n, err)
								}
							})
							all.Go(func() {
								got := make([]byte, len(data))
								way[1].SetReadDeadline(time.Now().Add(time.Hour))
								if n, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, data) {
									t.Errorf("DLCI %d: %d octets, %v", way[1].dlci, n, err)
								}
							})
						}
					}
					all.Wait()
					require.Zero(t, host.Stats().Damaged)
					require.NoError(t, host.Close())
					<-modem.Done()
					require.ErrorIs(t, modem.Err(), ErrClosedByPeer)
					go io.WriteString(host.Line(), "AT\r")
					got := make([]byte, 3)
					_, err := io.ReadFull(modem.Line(), got)
					require.NoError(t, err)
					require.Equal(t, "AT\r", string(got), "after CLD the line is plain again")
				})
			})
		}
	}
}

// TestOpenHonoursContext: nobody answers.
func TestOpenHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newWire(nil)
		defer b.Close()
		go io.Copy(io.Discard, b)
		m := New(a, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := m.Open(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = m.Open(t.Context(), 1)
		require.ErrorIs(t, err, ErrNoAnswer)
		require.Error(t, m.Close())
	})
}
