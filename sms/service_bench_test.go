package sms_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// The benchmarks of the service compare it, in one run, with the sum of what no
// program can do without: the AT round trips that the job takes, by at.Modem on
// an in-memory line to a fake modem whose network takes no time, and the codec.
// They report the service's time as so many times that sum (x-bare).

// instant is a network that takes no time.
func instant(b *testing.B) *fakemodem.Network {
	network := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingInstant})
	b.Cleanup(func() { network.Close() })
	return network
}

func newModem(b *testing.B, network *fakemodem.Network) (modem *at.Modem, number string) {
	fake := network.NewModem(fakemodem.SIM800)
	modem = at.New(fake.Line(), nil)
	b.Cleanup(func() { modem.Close() })
	return modem, fake.Number()
}

const benchText = "Level 3.2 m, pump on"

func BenchmarkSend(b *testing.B) {
	for _, w := range []struct{ name, text string }{
		{"one part", benchText},
		{"ten parts", strings.Repeat("Level 3.2 m, pump on. ", 70)[:1530]},
	} {
		b.Run(w.name, func(b *testing.B) {
			network := instant(b)
			modem, _ := newModem(b, network)
			ctx := context.Background()
			service := sms.New(modem, nil)
			require.NoError(b, service.Setup(ctx))
			network.SMSC().Configure(fakemodem.SMSCConfig{Loss: 1}) // nobody has to read them
			m := sms.Message{To: "+15555550123", Text: w.text}
			send := func() {
				if _, err := service.Send(ctx, m); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				send()
			}
			took := fastest(send, func() {
				if err := bareSend(ctx, modem, m); err != nil {
					b.Fatal(err)
				}
			})
			b.ReportMetric(took[0]/took[1], "x-bare")
		})
	}
}

// bareSend sends a message without any care.
func bareSend(ctx context.Context, modem *at.Modem, m sms.Message) error {
	to, err := tpdu.ParseAddress(m.To)
	if err != nil {
		return err
	}
	parts, err := tpdu.Split(m.Text, &tpdu.SplitConfig{Reference: 7, Wide: true})
	if err != nil {
		return err
	}
	submit := tpdu.Submit{Destination: to, DCS: parts.DCS(tpdu.NoClass)}
	for i := range parts.Len() {
		submit.UserData = parts.At(i)
		octets, err := submit.AppendBinary(nil)
		if err != nil {
			return err
		}
		_, err = modem.Command(ctx, at.Command{
			Text:   "+CMGS=" + strconv.Itoa(len(octets)),
			Prompt: &at.Prompt{Data: tpdu.AppendHex(nil, tpdu.Address{}, octets), End: []byte{0x1A}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkReceive takes one message after the other from a phone: announced by
// +CMTI, read, handed over and deleted. The sum has the commands that the
// service sends; x-least has only the two without which a message cannot be had.
func BenchmarkReceive(b *testing.B) {
	network := instant(b)
	phone := network.Phone("+15555550123")
	modem, number := newModem(b, network)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	count := 0
	send := func(number string) (text string) { // two equal ones in a second would be repeats
		count++
		text = benchText + strconv.Itoa(count)
		require.NoError(b, phone.Send(number, text))
		return text
	}
	arrived, ended := make(chan sms.Incoming, 1), make(chan error, 1)
	go func() {
		ended <- sms.New(modem, nil).Receive(ctx, func(_ context.Context, in sms.Incoming) error {
			arrived <- in
			return nil
		})
	}()
	receive := func() {
		if text := send(number); text != (<-arrived).Text {
			b.Fatal("another message")
		}
	}
	receive() // the modem is set up now
	other, otherNumber := newModem(b, network)
	require.NoError(b, sms.New(other, nil).Setup(ctx))
	announced := make(chan string, 1)
	defer other.Handle("+CMTI", func(n at.Notification) { announced <- n.Line[strings.LastIndexByte(n.Line, ',')+1:] })()
	bare := func(commands ...string) func() {
		return func() {
			text := send(otherNumber)
			index := <-announced
			for _, command := range commands {
				if err := bareReceive(ctx, other, strings.ReplaceAll(command, "N", index), text); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	for b.Loop() {
		receive()
	}
	took := fastest(receive, bare("+CPMS?;+CMGR=N", "+CMGD=N"), bare("+CMGR=N", "+CMGD=N"))
	b.ReportMetric(took[0]/took[1], "x-bare")
	b.ReportMetric(took[0]/took[2], "x-least")
	cancel()
	<-ended
}

// bareReceive sends a command and decodes what it reads.
func bareReceive(ctx context.Context, modem *at.Modem, command, want string) error {
	resp, err := modem.Command(ctx, at.Command{Text: command, Body: func(line string) at.Body {
		return at.Body{Lines: strings.Count(line, "+CMGR:")}
	}})
	if err != nil {
		return err
	}
	for _, info := range resp.Info {
		if info.Body == nil {
			continue
		}
		_, octets, err := tpdu.DecodeHex(nil, info.Body)
		if err != nil {
			return err
		}
		var d tpdu.Deliver
		if err := d.Decode(octets); err != nil {
			return err
		}
		if text, err := d.AppendText(nil); err != nil || string(text) != want {
			return fmt.Errorf("%q: %w", text, err)
		}
	}
	return nil
}

// fastest runs works by turns and returns the time of each one's fastest round.
func fastest(works ...func()) []float64 {
	best := make([]float64, len(works))
	for round := range 20 {
		for i, work := range works {
			runtime.GC()
			begin := time.Now()
			for range 100 {
				work()
			}
			if took := float64(time.Since(begin)); round == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	return best
}
