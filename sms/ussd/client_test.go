package ussd_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms/ussd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask runs f with a client whose network gives replies in turn.
func ask(t *testing.T, cfg *ussd.Config, replies []string, f func(t *testing.T, c *ussd.Client, asked func() []string)) {
	synctest.Test(t, func(t *testing.T) {
		network := fakemodem.NewNetwork(nil)
		defer network.Close()
		fake := network.NewModem(fakemodem.SIM800)
		modem := at.New(fake.Line(), nil)
		defer modem.Close()
		asked := make(chan string, 10)
		fake.OnCommand("+CUSD", func(c *fakemodem.Call) fakemodem.Result {
			asked <- c.Text
			if len(replies) > 0 && strings.HasPrefix(c.Text, "1,") {
				reply := replies[0]
				replies = replies[1:]
				time.AfterFunc(3*time.Second, func() { fake.Emit(reply) })
			}
			return fakemodem.OK
		})
		f(t, ussd.New(modem, cfg), func() (all []string) {
			for len(asked) > 0 {
				all = append(all, <-asked)
			}
			return all
		})
	})
}

func TestRequestTexts(t *testing.T) {
	for _, test := range []struct {
		name, line, text string
		cfg              *ussd.Config
	}{
		{"plain", `+CUSD: 0,"Balance 3.20",15`, "Balance 3.20", nil},
		{"UCS-2", `+CUSD: 0,"04110430043B0430043D0441",72`, "Баланс", nil},
		{"UCS-2 as an ASR1802 says it", `+CUSD: 0,"0411",17`, "Б", nil},
		{"quotes inside", `+CUSD: 0,"say "yes"",15`, `say "yes"`, nil},
		{"packed", `+CUSD: 0,"E8329BFD06",15`, "hello", &ussd.Config{Packed: true}},
		{"no text", `+CUSD: 0`, "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			ask(t, test.cfg, []string{test.line}, func(t *testing.T, c *ussd.Client, _ func() []string) {
				reply, err := c.Request(t.Context(), "*100#")
				require.NoError(t, err)
				require.NoError(t, reply.Err)
				require.Equal(t, test.text, reply.Text)
				require.False(t, reply.More)
			})
		})
	}
}

func TestSession(t *testing.T) {
	ask(t, nil, []string{`+CUSD: 1,"1 balance 2 help",15`, `+CUSD: 1,"more?",15`}, func(t *testing.T, c *ussd.Client, asked func() []string) {
		_, err := c.Answer(t.Context(), "1")
		require.ErrorIs(t, err, ussd.ErrNoSession)
		reply, err := c.Request(t.Context(), "*100#")
		require.NoError(t, err)
		require.True(t, reply.More)
		_, err = c.Answer(t.Context(), "1\"\rAT+CFUN=0")
		require.ErrorIs(t, err, ussd.ErrInvalid)
		reply, err = c.Answer(t.Context(), "1")
		require.NoError(t, err)
		require.Equal(t, "more?", reply.Text)
		require.NoError(t, c.Cancel(t.Context()))
		require.NoError(t, c.Cancel(t.Context()), "twice does no harm")
		require.Equal(t, []string{`1,"*100#",15`, `1,"1",15`, "2"}, asked())
	})
}

func TestFailures(t *testing.T) {
	ask(t, nil, []string{`+CUSD: 4`}, func(t *testing.T, c *ussd.Client, asked func() []string) {
		for _, code := range []string{"", "x", "*100#\r", strings.Repeat("1", 21)} {
			_, err := c.Request(t.Context(), code)
			require.ErrorIs(t, err, ussd.ErrInvalid)
		}
		_, err := c.Request(t.Context(), "*999#")
		var status *ussd.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, ussd.NotSupported, status.Status)
		_, err = c.Request(t.Context(), "*100#")
		require.ErrorIs(t, err, ussd.ErrNoReply)
		require.Equal(t, "2", asked()[2], "the session is given up")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Request(ctx, "*100#")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
