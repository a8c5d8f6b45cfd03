package socket_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// Faults of the catalogue under bulk data both ways. The survived ones lose and
// double nothing. The others may end the connection with an error; what was
// read until then is what was sent, as far as it goes. Where a prompt was lost
// the modem counts on behind the failure, and what is sent to find its place
// goes to the peer as the rest of the piece: see the package comment.
var (
	survived = []string{"F06", "F11", "F12", "F16", "F20", "F23", "F28", "F29", "F30", "F31", "F34", "F104", "F106", "F74", "F79"}
	honest   = []string{"F02", "F03", "F04", "F07", "F13", "F14", "F15", "F17", "F18", "F19", "F22", "F26", "F27", "F40", "F41", "F42", "F105"}
)

// largestPiece is the most that a dialect sends in one piece.
const largestPiece = 1500

func TestFaultsUnderBulkData(t *testing.T) {
	for _, id := range slices.Concat(survived, honest) {
		for _, d := range dialects {
			t.Run(fmt.Sprintf("%s/%v", id, d.ours), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { bulkUnder(t, id, newRig(t, d.ours, d.theirs, nil)) })
			})
		}
	}
}

func bulkUnder(t *testing.T, id string, r *rig) {
	const size = 20_000
	c, far := r.connect("tcp")
	end := time.Now().Add(20 * time.Minute)
	c.SetDeadline(end)
	far.SetDeadline(end)
	clear, err := r.fake.Inject(fakemodem.Fault{ID: id, Times: 3, For: 3 * time.Second})
	require.NoError(t, err)
	var all sync.WaitGroup
	whole := slices.Contains(survived, id)
	read := func(way string, from io.Reader, seed int) {
		want, _ := io.ReadAll(random(seed, size))
		got, err := io.ReadAll(io.LimitReader(from, size))
		right := 0
		for right < len(got) && got[right] == want[right] {
			right++
		}
		foreign := len(got) - right
		if way == "up" && !whole && foreign <= largestPiece {
			foreign = 0
		}
		if foreign > 0 || whole && len(got) < size {
			t.Errorf("%s: %d octets, %v; %d of them right", way, len(got), err, right)
		}
	}
	all.Go(func() {
		if _, err := io.Copy(c, random(0, size)); err != nil && whole {
			t.Error(err)
		}
	})
	all.Go(func() { io.Copy(far, random(1, size)) })
	all.Go(func() { read("up", far, 0) })
	all.Go(func() { read("down", c, 1) })
	all.Wait()
	clear()
	err = c.Close()
	require.NoError(t, far.Close())
	if whole {
		require.NoError(t, err)
		require.Zero(t, r.fake.OpenSockets())
	}
}

// F17: u-blox tells behind the OK what it took. It is not sent again.
func TestF17WhatWasTakenIsToldBehindTheOK(t *testing.T) {
	for _, d := range dialects[3:5] {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, d.ours, d.theirs, nil)
			c, far := r.connect("tcp")
			_, err := r.fake.Inject(fakemodem.Fault{ID: "F17", On: "+USOWR", Times: 2})
			require.NoError(t, err)
			exchange(t, c, far, 5000)
		})
	}
}

// F19: an ERROR behind the data leaves in doubt whether it was sent. It is not
// sent again in smaller pieces, and the write fails.
func TestF19ErrorBehindTheDataIsNotSentAgain(t *testing.T) {
	for d, name := range map[int]string{1: "+CIPSEND", 2: "+QISEND", 3: "+USOWR"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, dialects[d].ours, dialects[d].theirs, nil)
			c, far := r.connect("tcp")
			_, err := r.fake.Inject(fakemodem.Fault{ID: "F19", On: name, Times: 1})
			require.NoError(t, err)
			piece := bytes.Repeat([]byte("1234567890"), 100)
			go func() {
				_, err := c.Write(piece)
				if err == nil {
					t.Error("in doubt is no success")
				}
				c.Close()
			}()
			got, _ := io.ReadAll(far)
			require.LessOrEqual(t, len(got), len(piece))
			require.True(t, bytes.HasPrefix(piece, got))
		})
	}
}

// F30, F31: busy is not gone. The same is asked again later.
func TestF30BusyIsNotGone(t *testing.T) {
	for _, id := range []string{"F30", "F31"} {
		each(t, &socket.Config{PollInterval: time.Second}, func(t *testing.T, r *rig) {
			c, far := r.connect("tcp")
			_, err := r.fake.Inject(fakemodem.Fault{ID: id, Times: 4})
			require.NoError(t, err)
			exchange(t, c, far, 5000)
			require.NoError(t, c.Close())
		})
	}
}
