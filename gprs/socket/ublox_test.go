package socket_test

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// The form of USOCO that does not wait leaves the line to others.
func TestConnectingLeavesTheLineFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, socket.UBlox, fakemodem.SocketsUblox, nil)
		r.fake.SetSocketFaults(fakemodem.SocketFaults{SlowNames: time.Minute})
		dialled := make(chan error, 1)
		go func() {
			_, err := r.stack.DialContext(t.Context(), "tcp", "gateway.example:7")
			dialled <- err
		}()
		time.Sleep(time.Second)
		start := time.Now()
		_, err := at.Exec(t.Context(), r.modem, "+CSQ")
		require.NoError(t, err)
		c, err := r.stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
		require.NoError(t, err, "another connection is made meanwhile")
		require.Less(t, time.Since(start), time.Second)
		require.NoError(t, <-dialled)
		require.NoError(t, c.Close())
	})
}

// Firmware that does not know the parameter gets the form that waits, and a
// refusal for another reason is not asked twice.
func TestConnectingFallsBackToTheFormThatWaits(t *testing.T) {
	for code, want := range map[int][]string{4: {`0,"203.0.113.9",7,1`, `0,"203.0.113.9",7`}, 50: {`0,"203.0.113.9",7,1`, `0,"203.0.113.9",7`}, 3: {`0,"203.0.113.9",7,1`}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, socket.UBlox, fakemodem.SocketsUblox, nil)
			var asked []string
			r.fake.OnCommand("+USOCO", func(c *fakemodem.Call) fakemodem.Result {
				asked = append(asked, c.Text)
				if len(c.Args()) > 3 {
					return fakemodem.CME(code)
				}
				return fakemodem.Default
			})
			_, err := r.stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
			require.Equal(t, want, asked)
			if len(want) == 1 {
				require.ErrorIs(t, err, socket.ErrRefused)
				require.ErrorIs(t, err, at.CMEError{Code: code})
				require.Zero(t, r.fake.OpenSockets())
				return
			}
			require.NoError(t, err)
		})
	}
}

// The caller leaves while the modem makes the socket: its number is heard all
// the same and does not stay in use.
func TestNumberOfACallerWhoLeftIsClosed(t *testing.T) {
	for _, d := range dialects[3:5] {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, d.ours, d.theirs, nil)
			r.fake.OnCommand("+USOCR", func(*fakemodem.Call) fakemodem.Result {
				time.Sleep(3 * time.Second)
				return fakemodem.Default
			})
			for range 3 * d.ids {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_, err := r.stack.DialContext(ctx, "tcp", "203.0.113.9:7")
				cancel()
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
			time.Sleep(time.Minute)
			require.Zero(t, r.fake.OpenSockets())
		})
	}
}

// A number that was lost, since the answer did not come, is found when the
// numbers run out; those in use are left alone.
func TestLostNumbersAreFound(t *testing.T) {
	for _, d := range dialects[3:5] {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, d.ours, d.theirs, nil)
			c, far := r.connect("tcp")
			for range d.ids - 1 {
				_, err := at.Exec(t.Context(), r.modem, "+USOCR=6") // nobody keeps the number
				require.NoError(t, err)
			}
			require.Equal(t, d.ids, r.fake.OpenSockets())
			r.connect("tcp")
			require.Equal(t, 2, r.fake.OpenSockets())
			go io.WriteString(far, "still here")
			got := make([]byte, len("still here"))
			_, err := io.ReadFull(c, got)
			require.NoError(t, err)
			require.Equal(t, "still here", string(got))
		})
	}
}

// The profile is data: it is set, activated, asked for and deactivated by its
// number, and the secrets in it are in no error.
func TestProfiles(t *testing.T) {
	for _, profile := range []int{0, 3, 6} {
		synctest.Test(t, func(t *testing.T) {
			r := newModem(t, fakemodem.SocketsUbloxPSD)
			cfg := &socket.Config{Profile: profile, APN: "internet", User: "meter", Password: "secret"}
			stack, err := socket.Open(t.Context(), r.modem, socket.UBloxPSD, cfg)
			require.NoError(t, err)
			res, err := at.Exec(t.Context(), r.modem, fmt.Sprintf("+UPSND=%d,8", profile))
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("+UPSND: %d,8,1", profile), res.Info[0].Text)
			c, err := stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
			require.NoError(t, err)

			r.fake.Deactivate(profile + 1)
			<-stack.Done()
			require.ErrorIs(t, stack.Err(), socket.ErrContextLost)
			_, err = c.Read(make([]byte, 1))
			require.ErrorIs(t, err, socket.ErrContextLost)
			require.NoError(t, stack.Close())

			again, err := socket.Open(t.Context(), r.modem, socket.UBloxPSD, cfg)
			require.NoError(t, err)
			require.NoError(t, again.Close())
			res, err = at.Exec(t.Context(), r.modem, fmt.Sprintf("+UPSND=%d,8", profile))
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("+UPSND: %d,8,0", profile), res.Info[0].Text, "Close brings it down")

			r.fake.SetSocketFaults(fakemodem.SocketFaults{ActivateFail: 1})
			again, err = socket.Open(t.Context(), r.modem, socket.UBloxPSD, cfg)
			require.NoError(t, err, "once it is cured")
			require.NoError(t, again.Close())
			r.fake.SetSocketFaults(fakemodem.SocketFaults{ActivateFail: 9})
			_, err = socket.Open(t.Context(), r.modem, socket.UBloxPSD, cfg)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := newModem(t, fakemodem.SocketsUbloxPSD)
		for _, profile := range []int{-1, 7} {
			_, err := socket.Open(t.Context(), r.modem, socket.UBloxPSD, &socket.Config{Profile: profile})
			require.ErrorIs(t, err, at.ErrInvalid)
		}
	})
}

// Some firmware answers the activation before it is done, some never gets there.
func TestProfileThatComesUpLate(t *testing.T) {
	for _, looks := range []int32{4, 1000} {
		synctest.Test(t, func(t *testing.T) {
			r := newModem(t, fakemodem.SocketsUbloxPSD)
			var n atomic.Int32
			r.fake.OnCommand("+UPSND", func(c *fakemodem.Call) fakemodem.Result {
				if n.Add(1) <= looks {
					return fakemodem.Answer("+UPSND: 0,8,0")(c)
				}
				return fakemodem.Default
			})
			_, err := socket.Open(t.Context(), r.modem, socket.UBloxPSD, nil)
			if looks == 4 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, socket.ErrContextLost)
		})
	}
}
