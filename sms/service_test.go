package sms_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

func verifyNoLeaks(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a modem on a network, with a Service on it and a phone to talk to.
type bench struct {
	network *fakemodem.Network
	fake    *fakemodem.Modem
	modem   *at.Modem
	service *sms.Service
	phone   *fakemodem.Phone
}

func newBench(t *testing.T, cfg *sms.Config) *bench { return benchOn(t, fakemodem.SIM800, cfg) }

func benchOn(t *testing.T, kind *fakemodem.Personality, cfg *sms.Config) *bench {
	network := fakemodem.NewNetwork(nil)
	fake := network.NewModem(kind)
	modem := at.New(fake.Line(), nil)
	t.Cleanup(func() {
		modem.Close()
		network.Close()
	})
	return &bench{network, fake, modem, sms.New(modem, cfg), network.Phone("+15555550123")}
}

// receive runs Receive until the test ends and gives what the handler gets.
func (b *bench) receive(t *testing.T, handler func(sms.Incoming) error) <-chan sms.Incoming {
	arrived := make(chan sms.Incoming, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.service.Receive(ctx, func(_ context.Context, in sms.Incoming) error {
			if handler != nil {
				if err := handler(in); err != nil {
					return err
				}
			}
			arrived <- in
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	return arrived
}

// bubble runs a test on a simulated clock; its clean-ups run inside.
func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

func TestSendText(t *testing.T) {
	for _, test := range []struct {
		name, text string
		parts      int
	}{
		{"GSM 7-bit", "Level 3.2 m, pump on [ok] €", 1},
		{"UCS-2", "Уровень 3,2 м 🚰", 1},
		{"long", strings.Repeat("Level 3.2 m. ", 40), 4},
		{"long UCS-2", strings.Repeat("Уровень ", 20), 3},
		{"160 characters", strings.Repeat("a", 160), 1},
		{"161 characters", strings.Repeat("a", 161), 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: test.text})
				require.NoError(t, err)
				require.Len(t, receipt.Parts, test.parts)
				for _, p := range receipt.Parts {
					require.Equal(t, sms.Sent, p.Outcome)
				}
				got, err := b.phone.Receive(t.Context())
				require.NoError(t, err)
				require.Equal(t, test.text, got.Text)
				require.Equal(t, b.fake.Number(), got.From)
			})
		})
	}
}

// Numbers of every kind reach the network as they are.
func TestRecipients(t *testing.T) {
	for _, test := range []struct {
		to, wire string // TP-DA
		named    bool
	}{
		{to: "+4915112345678", wire: "0D91945111325476F8"},
		{to: "015112345678", wire: "0C81101521436587"},
		{to: "4567", wire: "04815476"},
		{to: "*100#", wire: "05811A00FB"},
		{to: "PUMP", wire: "07D0D06A130A", named: true},
	} {
		t.Run(test.to, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				var entered []byte
				defer b.fake.Watch(func(x fakemodem.Trace) {
					if x.Direction == fakemodem.FromHost && !bytes.HasPrefix(x.Data, []byte("AT")) {
						entered = append(entered, x.Data...)
					}
				})()
				_, _ = b.service.Send(t.Context(), sms.Message{To: test.to, Named: test.named, Text: "x"})
				require.Contains(t, string(entered), "000100"+test.wire)
			})
		})
	}
}

func TestSendDataToAPort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		other := b.network.NewModem(fakemodem.SIM800)
		otherModem := at.New(other.Line(), nil)
		defer otherModem.Close()
		receiver := bench{b.network, other, otherModem, sms.New(otherModem, nil), nil}
		arrived := receiver.receive(t, nil)
		data := []byte{0, 0x1a, 0x1b, '\r', '\n', 0xff}
		_, err := b.service.Send(t.Context(), sms.Message{To: other.Number(), Data: data, Ports: &tpdu.Ports{Destination: 5683, Source: 5683}})
		require.NoError(t, err)
		in := <-arrived
		require.NoError(t, in.Err)
		require.Equal(t, data, in.Data)
		require.Equal(t, uint16(5683), in.Ports.Destination)
		require.Equal(t, b.fake.Number(), in.From)
	})
}

// Promise 5: a message leaves the modem only after the handler returned nil.
func TestPromise5DeletedOnlyAfterTheHandler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		refusals := 2
		arrived := b.receive(t, func(sms.Incoming) error {
			require.NotEmpty(t, b.fake.Messages("SM"), "the message is still in the modem")
			if refusals--; refusals >= 0 {
				return errors.New("disk full")
			}
			return nil
		})
		require.NoError(t, b.phone.Send(b.fake.Number(), "report now"))
		in := <-arrived
		require.Equal(t, "report now", in.Text)
		require.Equal(t, b.phone.Number(), in.From)
		time.Sleep(time.Second)
		require.Empty(t, b.fake.Messages("SM"))
		require.Empty(t, arrived, "once is enough")
	})
}

func TestReceiveLongMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		arrived := b.receive(t, nil)
		text := strings.Repeat("a long story, ", 60)
		require.NoError(t, b.phone.Send(b.fake.Number(), text))
		require.Equal(t, text, (<-arrived).Text)
		time.Sleep(time.Second)
		require.Empty(t, b.fake.Messages("SM"))
	})
}

func TestReceiveWhatLayThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		require.NoError(t, b.phone.Send(b.fake.Number(), "sent before we came"))
		time.Sleep(time.Minute)
		require.Equal(t, "sent before we came", (<-b.receive(t, nil)).Text)
	})
}

// A modem that has lost its settings announces nothing: Reset has them made again,
// and what has come meanwhile read, without waiting for a sweep.
func TestResetHasReceiveLook(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{SweepInterval: -1})
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		_, err := b.modem.Exec(t.Context(), "+CNMI=0,0,0,0,0")
		require.NoError(t, err)
		require.NoError(t, b.phone.Send(b.fake.Number(), "unannounced"))
		time.Sleep(time.Hour)
		require.Empty(t, arrived)
		b.service.Reset()
		time.Sleep(10 * time.Second)
		require.Equal(t, "unannounced", (<-arrived).Text)
		require.NoError(t, b.phone.Send(b.fake.Number(), "announced again"))
		time.Sleep(10 * time.Second)
		require.Equal(t, "announced again", (<-arrived).Text)
	})
}

func TestSecondReceiveIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.receive(t, nil)
		synctest.Wait()
		require.ErrorIs(t, b.service.Receive(t.Context(), nil), sms.ErrBusy)
	})
}

func TestStatusReport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		arrived := b.receive(t, nil)
		receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "did it arrive?", StatusReport: true})
		require.NoError(t, err)
		in := <-arrived
		require.NotNil(t, in.Report)
		require.True(t, in.Report.Status.Delivered())
		require.Equal(t, receipt.Parts[0].Reference, in.Report.Reference)
		require.Equal(t, b.phone.Number(), in.Report.To)
	})
}

// Promise 9: bad input is an error before anything is written to the modem.
func TestPromise9BadMessages(t *testing.T) {
	for name, m := range map[string]sms.Message{
		"no recipient":       {Text: "x"},
		"injected command":   {To: "123\"\rAT+CFUN=0", Text: "x"},
		"letters":            {To: "pump", Text: "x"},
		"too many digits":    {To: strings.Repeat("1", 21), Text: "x"},
		"text and data":      {To: "123", Text: "x", Data: []byte("y")},
		"broken UTF-8":       {To: "123", Text: "\xff"},
		"too long":           {To: "123", Text: strings.Repeat("x", 153*255+1)},
		"bad service centre": {To: "123", Text: "x", ServiceCentre: "\r"},
		"a long name":        {To: "pumpingstation", Named: true, Text: "x"},
		"two validities":     {To: "123", Text: "x", Validity: time.Hour, ValidUntil: time.Now()},
		"waiting data":       {To: "123", Data: []byte("x"), Waiting: &tpdu.Waiting{}},
		"waiting class":      {To: "123", Text: "x", Class: tpdu.Class1, Waiting: &tpdu.Waiting{}},
		"discarded UCS-2":    {To: "123", Text: "ы", Waiting: &tpdu.Waiting{Active: true}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				written := 0
				defer b.fake.Watch(func(fakemodem.Trace) { written++ })()
				_, err := b.service.Send(t.Context(), m)
				require.ErrorIs(t, err, sms.ErrInvalidMessage)
				_, err = sms.Parts(m)
				require.ErrorIs(t, err, sms.ErrInvalidMessage)
				require.Zero(t, written)
			})
		})
	}
}

// Promise 4: refused before the network took it is not sent; silence behind
// the text is in doubt.
func TestPromise4Outcomes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{SendTimeout: time.Minute})
		require.NoError(t, b.service.Setup(t.Context()))
		m := sms.Message{To: b.phone.Number(), Text: "once"}

		b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result { return fakemodem.CMS(310) })
		receipt, err := b.service.Send(t.Context(), m)
		require.ErrorIs(t, err, sms.ErrNotSent)
		require.NotErrorIs(t, err, sms.ErrInDoubt)
		require.Equal(t, sms.NotSent, receipt.Parts[0].Outcome)
		var cms at.CMSError
		require.ErrorAs(t, err, &cms)
		require.Equal(t, 310, cms.Code)
	})
}

func TestPartsSaysWhy(t *testing.T) {
	plan, err := sms.Parts(sms.Message{To: "123", Text: strings.Repeat("x", 150) + "ы" + strings.Repeat("x", 9)})
	require.NoError(t, err)
	require.Equal(t, 3, plan.Parts)
	require.Equal(t, tpdu.UCS2, plan.Alphabet)
	require.Equal(t, 'ы', plan.Forced.Rune)
}
