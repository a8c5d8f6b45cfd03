package sms_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// listener has a Service that listens to the identifiers 50 and 4370 to 4379.
func listener(t *testing.T, kind *fakemodem.Personality) (b *bench, heard <-chan sms.Broadcast, events map[sms.EventKind]int) {
	got, events := make(chan sms.Broadcast, 100), make(map[sms.EventKind]int)
	return benchOn(t, kind, &sms.Config{
		Broadcasts:  []sms.BroadcastRange{{First: 50, Last: 50}, {First: 4370, Last: 4379}},
		OnBroadcast: func(b sms.Broadcast) { got <- b },
		OnEvent:     func(e sms.Event) { events[e.Kind]++ },
	}), got, events
}

// On GSM each page comes by itself, on LTE all come in one.
func TestBroadcast(t *testing.T) {
	for name, text := range map[string]string{
		"one page":      "Flood warning for the lower valley.",
		"several pages": strings.Repeat("Leave the lower valley now. ", 20),
		"93 characters": strings.Repeat("a", 93),
		"94 characters": strings.Repeat("a", 94),
		"15 pages":      strings.Repeat("a", 15*93),
		"UCS-2":         strings.Repeat("Наводнение. ", 12),
	} {
		for kind, pages := range map[*fakemodem.Personality]bool{fakemodem.SIM800: true, fakemodem.EC25: false} {
			t.Run(name+" on "+kind.Model, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b, heard, _ := listener(t, kind)
					arrived := b.receive(t, nil)
					time.Sleep(time.Minute)
					for range 3 { // the network repeats it
						b.network.Cell().Broadcast(0x4010, 4371, text)
						b.network.Cell().Broadcast(0x4010, 51, "nobody asked")
						time.Sleep(time.Minute)
					}
					require.Len(t, heard, 1)
					got := <-heard
					require.NoError(t, got.Err)
					require.Equal(t, text, got.Text)
					require.Contains(t, []string{"en", ""}, got.Language)
					require.Equal(t, uint16(0x4010), got.Serial)
					require.Equal(t, uint16(4371), got.Identifier)
					if !pages {
						require.Len(t, got.Pages, 1)
					}
					b.network.Cell().Broadcast(0x4011, 4371, "update")
					require.Equal(t, "update", (<-heard).Text)
					require.Empty(t, arrived, "it is no short message")
				})
			})
		}
	}
}

func TestBroadcastAfterAReboot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, heard, _ := listener(t, fakemodem.SIM800)
		b.receive(t, nil)
		time.Sleep(time.Minute)
		b.fake.Reset()
		time.Sleep(10 * time.Minute)
		b.network.Cell().Broadcast(1, 50, "still here")
		require.Equal(t, "still here", (<-heard).Text)
	})
}

// A page that never comes, a page that makes no sense, and hostile ones.
func TestBroadcastBadPages(t *testing.T) {
	page := func(serial, parameter string) string {
		return "+CBM: 88\r\n" + serial + "1113" + "01" + parameter + strings.Repeat("31", 82)
	}
	whole := func(kind, pages string, octets int, used byte) string {
		return kind + "1113" + "0001" + "01" + pages + strings.Repeat("31", octets) + fmt.Sprintf("%02X", used)
	}
	for name, test := range map[string]struct {
		line string
		want string // of the error
	}{
		"a page is missing": {page("0001", "12"), sms.ErrIncomplete.Error()},
		"page 3 of 2":       {page("0001", "32"), "page 3 of 2"},
		"too short":         {"+CBM: 6\r\n000111130111", "6 octets"},
		"too long":          {"+CBM: 89\r\n" + whole("01", "01", 81, 1), "89 octets, for 1 pages it must have 90"},
		"another type":      {"+CBM: 90\r\n" + whole("02", "01", 82, 1), "type 2"},
		"no pages":          {"+CBM: 90\r\n" + whole("01", "00", 82, 0), "0 pages"},
		"16 pages":          {"+CBM: 90\r\n" + whole("01", "10", 82, 1), "16 pages"},
		"fewer pages":       {"+CBM: 90\r\n" + whole("01", "02", 82, 1), "90 octets, for 2 pages it must have 173"},
		"a longer page":     {"+CBM: 90\r\n" + whole("01", "01", 82, 83), "page 1 of a cell broadcast message has 83 octets"},
		"half an octet":     {"+CBM: 7\r\n0001111301111", "odd length"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b, heard, _ := listener(t, fakemodem.SIM800)
				b.receive(t, nil)
				time.Sleep(time.Minute)
				b.fake.Emit(test.line)
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Len(t, heard, 1)
				got := <-heard
				require.ErrorContains(t, got.Err, test.want)
				require.Len(t, got.Pages, 1, "nothing is lost")
			})
		})
	}
}

func TestBroadcastRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, _, events := listener(t, fakemodem.SIM800)
		b.fake.OnCommand("+CSCB", func(*fakemodem.Call) fakemodem.Result { return fakemodem.CMS(303) })
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		require.NoError(t, b.phone.Send(b.fake.Number(), "messages come all the same"))
		require.Equal(t, "messages come all the same", (<-arrived).Text)
		require.Equal(t, 1, events[sms.EventBroadcastRefused])
	})
}
