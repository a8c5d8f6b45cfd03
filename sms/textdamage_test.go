package sms_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// spoiledLine changes what comes from the modem once: behind a marker, it leaves
// octets out or puts some in.
type spoiledLine struct {
	*fakemodem.Line
	marker string
	at     int    // octets behind the marker
	lost   int    // octets left out there
	gained string // put in there
	done   bool
	rest   []byte
}

func (s *spoiledLine) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		buf := make([]byte, 4096)
		n, err := s.Line.Read(buf)
		if err != nil {
			return 0, err
		}
		s.rest = s.spoil(buf[:n])
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *spoiledLine) spoil(b []byte) []byte {
	i := bytes.Index(b, []byte(s.marker))
	from := i + s.at
	if s.done || i < 0 || from+s.lost > len(b) {
		return b
	}
	s.done = true
	return append(append(append([]byte(nil), b[:from]...), s.gained...), b[from+s.lost:]...)
}

// Faults F04, F08 and F28 in text mode: a body that lost or gained octets is
// longer or shorter than announced, and is read again.
func TestTextModeDamagedBody(t *testing.T) {
	const text = "Level 3.2 m, pump 4 on"
	for _, charset := range charsets {
		body := map[bool]string{true: fmt.Sprintf("%04X", 'L'), false: "Level"}[charset == "UCS2"]
		size := len(text)
		if charset == "UCS2" {
			size *= 4
		}
		for _, spoiled := range []struct {
			lost   int
			gained string
		}{{1, ""}, {2, ""}, {3, ""}, {4, ""}, {5, ""}, {8, ""}, {12, ""}, {0, "0"}, {0, "00"}, {0, "0041"}, {0, "\r\nRING\r\n"}} {
			t.Run(fmt.Sprintf("%s %d lost, %d gained", charset, spoiled.lost, len(spoiled.gained)), func(t *testing.T) {
				for at := 0; at+spoiled.lost <= size; at += 1 + size/7 {
					bubble(t, func(t *testing.T) {
						require.Equal(t, text, receivedThrough(t, charset, text, &spoiledLine{
							marker: body, at: at, lost: spoiled.lost, gained: spoiled.gained,
						}), "at %d", at)
					})
				}
			})
		}
	}
}

// receivedThrough is the text that arrives by a spoiled line, once.
func receivedThrough(t *testing.T, charset, text string, line *spoiledLine) string {
	b := textBench(t, charset)
	b.modem.Close()
	line.Line = b.fake.Line()
	b.modem = at.New(line, nil)
	defer b.modem.Close()
	b.service = sms.New(b.modem, &sms.Config{Quirks: sms.Quirks{TextMode: true, CharacterSet: charset}})
	stop := b.receiveUntil(t)
	time.Sleep(time.Minute)
	require.NoError(t, b.phone.Send(b.fake.Number(), text))
	in := next(t, stop.arrived)
	require.True(t, line.done)
	require.NoError(t, in.Err)
	time.Sleep(time.Hour)
	synctest.Wait()
	require.Empty(t, stop.arrived)
	require.Empty(t, b.fake.Messages("ME"))
	stop.cancel()
	return in.Text
}

// A text that ends as if the line had lost some of it is taken as it is when it
// is read the same way again and again.
func TestTextModeEndsLikeAnAnswer(t *testing.T) {
	for _, text := range []string{"line\r\n", "line\r", "\r\nOK\r\n", "\r\n+CMGL: 1,\"REC READ\"", strings.Repeat("\r\n", 5)} {
		for _, charset := range charsets {
			bubble(t, func(t *testing.T) {
				b := textBench(t, charset)
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				began := time.Now()
				require.NoError(t, b.phone.Send(b.fake.Number(), text))
				in := next(t, arrived)
				require.NoError(t, in.Err)
				require.Equal(t, text, in.Text)
				require.Less(t, time.Since(began), time.Minute)
			})
		}
	}
}
