package socket_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// A modem that chooses the numbers may give one again that we have not closed yet,
// because it has let the socket go by itself: what ends then is not the new one.
func TestANumberThatTheModemGaveAgain(t *testing.T) {
	for _, d := range dialects[3:5] {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, d.ours, d.theirs, nil)
				old, far := r.connect("tcp")
				far.Close()
				_, err := old.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF)
				_, err = at.Exec(t.Context(), r.modem, "+USOCL=0") // as if by itself
				require.NoError(t, err)
				c, away := r.connect("tcp")
				require.Equal(t, old.LocalAddr(), c.LocalAddr())
				require.NoError(t, old.Close())
				echoes(t, c, away)
				require.NoError(t, c.Close())
				require.Zero(t, r.fake.OpenSockets())
			})
		})
	}
}

// So it may when we have not heard yet that the old one is gone.
func TestANumberThatTheModemGaveAgainUnheard(t *testing.T) {
	for _, d := range dialects[3:5] {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, d.ours, d.theirs, nil)
				old, _ := r.connect("tcp")
				_, err := at.Exec(t.Context(), r.modem, "+USOCL=0")
				require.NoError(t, err)
				c, away := r.connect("tcp")
				require.Equal(t, old.LocalAddr(), c.LocalAddr())
				_, err = old.Read(make([]byte, 1))
				require.Error(t, err)
				require.NotErrorIs(t, err, io.EOF)
				_, err = old.Write([]byte("not for this one"))
				require.Error(t, err)
				old.Close()
				time.Sleep(time.Minute)
				echoes(t, c, away)
			})
		})
	}
}

// interrupted is a Commander whose line goes and comes back, as that of a session.
type interrupted struct {
	at.Commander
	gone atomic.Bool
}

func (i *interrupted) Command(ctx context.Context, cmd at.Command) (at.Response, error) {
	if i.gone.Load() {
		return at.Response{}, &at.CommandError{Command: "AT" + cmd.Text, Err: at.ErrLineGone}
	}
	return i.Commander.Command(ctx, cmd)
}

// A line that is gone proves no close: the modem may have the socket open when the
// line is back, and its number is free when that has closed it.
func TestALineThatIsGoneProvesNoClose(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newModem(t, d.theirs)
				line := &interrupted{Commander: r.modem}
				var err error
				r.stack, err = socket.Open(t.Context(), line, d.ours, nil)
				require.NoError(t, err)
				t.Cleanup(func() { r.stack.Close() })
				all := make([]net.Conn, d.ids)
				for i := range all {
					all[i], _ = r.connect("tcp")
				}
				synctest.Wait() // they have looked for data
				line.gone.Store(true)
				require.Error(t, all[0].Close())
				line.gone.Store(false)
				require.Equal(t, d.ids, r.fake.OpenSockets())
				time.Sleep(time.Minute)
				require.Equal(t, d.ids-1, r.fake.OpenSockets())
				c, far := r.connect("tcp")
				echoes(t, c, far)
			})
		})
	}
}

// F17: what was taken is told behind the OK; of several sockets that write at
// once, each hears its own word, and nothing arrives twice.
func TestF17SeveralSocketsWrite(t *testing.T) {
	for _, d := range dialects[3:5] {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, d.ours, d.theirs, nil)
				_, err := r.fake.Inject(fakemodem.Fault{ID: "F17", On: "+USOWR", Times: -1})
				require.NoError(t, err)
				var writing sync.WaitGroup
				for i := range 4 {
					c, far := r.connect("tcp")
					var want bytes.Buffer
					got := make(chan []byte, 1)
					go func() {
						all, _ := io.ReadAll(far)
						got <- all
					}()
					writing.Go(func() {
						for n := range 50 {
							fmt.Fprintf(io.MultiWriter(&want, c), "socket %d line %d\n", i, n)
						}
						c.Close()
						if all := <-got; !bytes.Equal(want.Bytes(), all) {
							t.Errorf("socket %d: %d octets in place of %d", i, len(all), want.Len())
						}
					})
				}
				writing.Wait()
			})
		})
	}
}

// The bare word that a socket was closed in the place of the answer to a dial: it
// was about another one if the connection comes up.
func TestTelitBareCloseInsideADial(t *testing.T) {
	t.Run("it comes up", func(t *testing.T) {
		for _, busy := range []time.Duration{0, 40 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				r := newTelit(t, true, nil)
				first, away := r.connect("tcp")
				done := r.inside("#SD", "NO CARRIER")
				connecting := time.Now().Add(busy)
				r.fake.OnCommand("#SS", func(c *fakemodem.Call) fakemodem.Result {
					if done.Load() && time.Now().Before(connecting) {
						return fakemodem.Answer("#SS: 1,0", "#SS: 2,7,10.64.0.2,1024,203.0.113.9,7")(c)
					}
					return fakemodem.Default
				})
				away.Close()
				c, far := r.connect("tcp")
				require.True(t, done.Load())
				require.False(t, time.Now().Before(connecting))
				require.Less(t, time.Since(connecting), 5*time.Second)
				_, err := first.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF)
				echoes(t, c, far)
				require.NoError(t, c.Close())
				require.NoError(t, first.Close())
				require.Zero(t, r.fake.OpenSockets())
			})
		}
	})
	t.Run("it does not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newTelit(t, true, nil)
			done := r.inside("#SD", "NO CARRIER")
			start := time.Now()
			_, err := r.stack.DialContext(t.Context(), "tcp", "nowhere.example:7")
			require.ErrorIs(t, err, socket.ErrRefused)
			require.True(t, done.Load())
			require.Less(t, time.Since(start), time.Minute)
			c, far := r.connect("tcp")
			echoes(t, c, far)
		})
	})
	t.Run("it never says", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newTelit(t, true, &socket.Config{OpenTimeout: 30 * time.Second})
			r.inside("#SD", "NO CARRIER")
			r.fake.OnCommand("#SS", fakemodem.Answer("#SS: 1,7,10.64.0.2,1024,203.0.113.9,7"))
			start := time.Now()
			_, err := r.stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
			require.Error(t, err)
			require.Less(t, time.Since(start), time.Minute)
			(<-r.peers).Close()
			time.Sleep(time.Minute)
			require.Zero(t, r.fake.OpenSockets())
		})
	})
}
