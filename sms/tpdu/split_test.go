package tpdu_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// Around each length at which one more part is needed, with 8- and 16-bit
// references, with ports, and with an escaped character or a surrogate pair
// that would lie across the boundary.
func TestSplitAroundEachBoundary(t *testing.T) {
	ports := &tpdu.Ports{Destination: 2948, Source: 9200, Wide: true}
	for _, kind := range []struct {
		name          string
		unit, wide    string // a character of one unit and one of two
		config        tpdu.SplitConfig
		alone, concat int // units in a message of one part, in each of several
	}{
		{"GSM 7-bit", "x", "€", tpdu.SplitConfig{}, 160, 153},
		{"GSM 7-bit, 16-bit reference", "x", "€", tpdu.SplitConfig{Wide: true}, 160, 152},
		{"GSM 7-bit with ports", "x", "€", tpdu.SplitConfig{Ports: ports}, 152, 146},
		{"GSM 7-bit, single shift", "x", "Ş", tpdu.SplitConfig{Single: tpdu.AllLanguages}, 155, 149},
		{"GSM 7-bit, locking shift", "ş", "[", tpdu.SplitConfig{Locking: tpdu.AllLanguages}, 155, 149},
		{"UCS-2", "ж", "😀", tpdu.SplitConfig{}, 70, 67},
		{"UCS-2, 16-bit reference", "ж", "😀", tpdu.SplitConfig{Wide: true}, 70, 66},
		{"UCS-2 with ports", "ж", "😀", tpdu.SplitConfig{Ports: ports}, 66, 64},
	} {
		t.Run(kind.name, func(t *testing.T) {
			for _, length := range []int{0, 1, kind.alone - 1, kind.alone, kind.alone + 1, kind.concat - 1, kind.concat, kind.concat + 1, 2*kind.concat - 1, 2 * kind.concat, 2*kind.concat + 1, 3 * kind.concat} {
				checkSplit(t, kind.config, strings.Repeat(kind.unit, length), length, kind.alone, kind.concat, kind.wide)
				for _, at := range []int{0, kind.alone - 2, kind.alone - 1, kind.concat - 2, kind.concat - 1, kind.concat, 2*kind.concat - 1} {
					if at+2 > length {
						continue
					}
					text := strings.Repeat(kind.unit, at) + kind.wide + strings.Repeat(kind.unit, length-at-2)
					checkSplit(t, kind.config, text, length, kind.alone, kind.concat, kind.wide)
				}
			}
		})
	}
}

// checkSplit checks the number of parts, that none is too large, that no
// character is torn, and that the text comes back.
func checkSplit(t *testing.T, c tpdu.SplitConfig, text string, units, alone, concat int, wide string) {
	t.Helper()
	parts, err := tpdu.Split(text, &c)
	require.NoError(t, err)
	plainHeader := parts.Single == tpdu.DefaultLanguage && c.Single != 0 // no shift needed: more room
	if !plainHeader {
		want := 1
		if units > alone {
			want = wantedParts(text, concat, wide)
		}
		require.Equal(t, want, parts.Len(), "%d units", units)
	}
	var joined strings.Builder
	for i := range parts.Len() {
		u := parts.At(i)
		one, err := u.AppendText(nil, parts.DCS(tpdu.NoClass))
		require.NoError(t, err)
		require.NotContains(t, string(one), "\uFFFD")
		joined.Write(one)
		where, ok := u.Header.Concat()
		require.Equal(t, parts.Len() > 1, ok)
		if ok {
			require.Equal(t, tpdu.Concat{Reference: c.Reference, Wide: c.Wide, Total: uint8(parts.Len()), Part: uint8(i + 1)}, where)
		}
		submit := tpdu.Submit{Destination: address(t, "+491"), DCS: parts.DCS(tpdu.Class1), UserData: u}
		b, err := submit.AppendBinary(nil)
		require.NoError(t, err)
		var back tpdu.Submit
		require.NoError(t, back.Decode(b))
		again, err := back.AppendText(nil)
		require.NoError(t, err)
		require.Equal(t, string(one), string(again))
	}
	require.Equal(t, text, joined.String())
}

// wantedParts fills parts one character at a time; wide ones take two units.
func wantedParts(text string, limit int, wide string) int {
	n, used := 1, 0
	for _, r := range text {
		units := 1
		if string(r) == wide {
			units = 2
		}
		if used+units > limit {
			n, used = n+1, 0
		}
		used += units
	}
	return n
}

func TestSplitData(t *testing.T) {
	for _, test := range []struct{ octets, parts, wide int }{{0, 1, 1}, {1, 1, 1}, {139, 1, 1}, {140, 1, 1}, {141, 2, 2}, {266, 2, 2}, {267, 2, 3}, {268, 2, 3}, {269, 3, 3}} {
		data := make([]byte, test.octets)
		for i := range data {
			data[i] = byte(i)
		}
		for _, wide := range []bool{false, true} {
			parts, err := tpdu.SplitData(data, &tpdu.SplitConfig{Wide: wide})
			require.NoError(t, err)
			require.Equal(t, tpdu.Octets, parts.Alphabet)
			want := test.parts
			if wide {
				want = test.wide
			}
			require.Equal(t, want, parts.Len(), "%d octets", test.octets)
			var joined []byte
			for i := range parts.Len() {
				joined = append(joined, parts.At(i).Body...)
			}
			require.Equal(t, string(data), string(joined))
		}
	}
}

func TestSplitSaysWhatForcedUCS2(t *testing.T) {
	parts, err := tpdu.Split("ok ° and ж", nil)
	require.NoError(t, err)
	require.Equal(t, tpdu.UCS2, parts.Alphabet)
	require.Equal(t, &tpdu.UnencodableError{Rune: '°', Offset: 3, Alphabet: tpdu.GSM7}, parts.Forced)
	parts, err = tpdu.Split("Şğ ж", &tpdu.SplitConfig{Single: tpdu.AllLanguages})
	require.NoError(t, err)
	require.Equal(t, 'ж', parts.Forced.Rune, "the allowed tables have the others")
	parts, err = tpdu.Split("Şक", &tpdu.SplitConfig{Locking: tpdu.AllLanguages})
	require.NoError(t, err)
	require.Equal(t, 'Ş', parts.Forced.Rune, "each has a table, but none has both")
	var missing *tpdu.UnencodableError
	_, err = tpdu.Split("ж", &tpdu.SplitConfig{Encoding: tpdu.OnlyGSM7})
	require.ErrorAs(t, err, &missing)
	parts, err = tpdu.Split("plain", &tpdu.SplitConfig{Encoding: tpdu.OnlyUCS2})
	require.NoError(t, err)
	require.Equal(t, tpdu.UCS2, parts.Alphabet)
	require.Nil(t, parts.Forced)
}

func TestSplitRefuses(t *testing.T) {
	for _, encoding := range []tpdu.Encoding{tpdu.Automatic, tpdu.OnlyGSM7, tpdu.OnlyUCS2} {
		_, err := tpdu.Split("a\xff", &tpdu.SplitConfig{Encoding: encoding})
		require.ErrorIs(t, err, tpdu.ErrNotUTF8, "%d", encoding)
	}
	_, err := tpdu.Split(strings.Repeat("x", 161), &tpdu.SplitConfig{MaxParts: 1})
	require.ErrorIs(t, err, tpdu.ErrTooManyParts)
	_, err = tpdu.Split(strings.Repeat("x", 255*153), nil)
	require.NoError(t, err)
	_, err = tpdu.Split(strings.Repeat("x", 255*153+1), nil)
	require.ErrorIs(t, err, tpdu.ErrTooManyParts)
	_, err = tpdu.Split("x", &tpdu.SplitConfig{Header: tpdu.Header{1, 5}})
	require.ErrorIs(t, err, tpdu.ErrHeader)
	_, err = tpdu.Split("x", &tpdu.SplitConfig{Header: tpdu.AppendElement(nil, 0xa0, make([]byte, 130)...)})
	require.ErrorIs(t, err, tpdu.ErrTooLong)
}

func TestPartsAreUsedAgain(t *testing.T) {
	var p tpdu.Parts
	for i, text := range []string{strings.Repeat("long ", 100), "жж", "", "short", strings.Repeat("ж", 300)} {
		require.NoError(t, p.Split(text, nil))
		require.Equal(t, text, textOf(t, &p), fmt.Sprint(i))
	}
	out := make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = p.Split("Pressure 4.2 bar", nil)
		submit := tpdu.Submit{UserData: p.At(0)}
		out, _ = submit.AppendBinary(out[:0])
		var back tpdu.Submit
		_ = back.Decode(out)
		out, _ = back.AppendText(out)
		_ = p.Split("давление", nil)
	}))
}

// Poor senders tear characters; the text is put together all the same.
func TestTornCharactersAreJoined(t *testing.T) {
	var text tpdu.TextDecoder
	out, err := text.Append(nil, 0, &tpdu.UserData{Body: tpdu.AppendPacked(nil, []byte{'a', 0x1b}, 0), Septets: 2})
	require.NoError(t, err)
	out, err = text.Append(out, 0, &tpdu.UserData{Body: tpdu.AppendPacked(nil, []byte{0x65, 'b'}, 0), Septets: 2})
	require.NoError(t, err)
	require.Equal(t, "a€b", string(text.Finish(out)))
	out, err = text.Append(nil, 8, &tpdu.UserData{Body: []byte{0, 'a', 0xd8, 0x3d}})
	require.NoError(t, err)
	out, err = text.Append(out, 8, &tpdu.UserData{Body: []byte{0xde, 0x00, 0, 'b', 0xdc, 0, 0xd8, 0, 0, 'c', 0xd8}})
	require.NoError(t, err)
	require.Equal(t, "a😀b\uFFFD\uFFFDc\uFFFD", string(text.Finish(out)))
	_, err = text.Append(nil, 4, &tpdu.UserData{})
	require.ErrorIs(t, err, tpdu.ErrNotText)
	_, err = text.Append(nil, 0x20, &tpdu.UserData{})
	require.ErrorIs(t, err, tpdu.ErrCompressed)
}
