package sms

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// Every coding group of 3GPP TS 23.038 clause 5.
func TestBroadcastCoding(t *testing.T) {
	for _, test := range []struct {
		dcs      byte
		alphabet tpdu.Alphabet
		language string
		coded    bool
		err      error
	}{
		{dcs: 0x00, language: "de"}, {dcs: 0x01, language: "en"}, {dcs: 0x0E, language: "pl"}, {dcs: 0x0F},
		{dcs: 0x10, coded: true}, {dcs: 0x11, alphabet: tpdu.UCS2, coded: true}, {dcs: 0x12},
		{dcs: 0x20, language: "cs"}, {dcs: 0x24, language: "is"}, {dcs: 0x25}, {dcs: 0x30}, {dcs: 0x80},
		{dcs: 0x40}, {dcs: 0x48, alphabet: tpdu.UCS2}, {dcs: 0x59, alphabet: tpdu.UCS2},
		{dcs: 0x44, err: tpdu.ErrNotText}, {dcs: 0x60, err: tpdu.ErrCompressed},
		{dcs: 0x90, err: tpdu.ErrNotText}, {dcs: 0xD0, err: tpdu.ErrNotText}, {dcs: 0xE0, err: tpdu.ErrNotText},
		{dcs: 0xF0}, {dcs: 0xF4, err: tpdu.ErrNotText},
	} {
		alphabet, language, coded, err := broadcastCoding(test.dcs)
		require.ErrorIs(t, err, test.err, "%#x", test.dcs)
		require.Equal(t, test.alphabet, alphabet, "%#x", test.dcs)
		require.Equal(t, test.language, language, "%#x", test.dcs)
		require.Equal(t, test.coded, coded, "%#x", test.dcs)
	}
}

// The language in front of the text is taken off it.
func TestBroadcastLanguageInFront(t *testing.T) {
	head := []byte{0, 1, 0, 50, 0x10, 0x11}
	page := tpdu.AppendPacked(head, []byte("sv\rVarning\r\r\r"), 0)
	got := new(broadcasts).add(time.Time{}, page)
	require.Equal(t, "sv", got[0].Language)
	require.Equal(t, "Varning", got[0].Text)

	page, err := hex.DecodeString("000100321111" + "733B" + "0056007200000000")
	require.NoError(t, err)
	got = new(broadcasts).add(time.Time{}, page)
	require.Equal(t, "sv", got[0].Language)
	require.Equal(t, "Vr", got[0].Text)
}

// The form of UMTS (3GPP TS 23.041 clause 9.4.2.2): as many octets of each page
// count as it says, and what follows the last page does not.
func TestBroadcastOfUMTS(t *testing.T) {
	page := func(used int, text string) []byte {
		body := tpdu.AppendPacked(nil, []byte(text), 0)
		body = append(body, bytes.Repeat([]byte{0xFF}, pageBody-len(body))...)
		return append(body, byte(used))
	}
	whole := append([]byte{1, 0x11, 0x13, 0x40, 0x10, 0x01, 2}, page(14, "Leave the valley")...)
	whole = append(whole, page(7, " now!!!!")...)
	for _, more := range []string{"", "behind it"} {
		got := new(broadcasts).add(time.Time{}, append(slices.Clip(whole), more...))
		require.Len(t, got, 1)
		require.NoError(t, got[0].Err)
		require.Equal(t, uint16(0x4010), got[0].Serial)
		require.Equal(t, uint16(0x1113), got[0].Identifier)
		require.Equal(t, "en", got[0].Language)
		require.Equal(t, "Leave the valley now!!!!", got[0].Text)
	}
	// It takes the place of pages that came one by one before.
	var b broadcasts
	require.Empty(t, b.add(time.Time{}, []byte{0x40, 0x10, 0x11, 0x13, 0x01, 0x12, 0x31}))
	require.Len(t, b.add(time.Time{}, whole), 1)
	require.Empty(t, b.unmade)
	require.Empty(t, b.add(time.Time{}, whole), "a repetition")
}

// A flood of first pages cannot exhaust memory, and nothing of it is lost.
func TestBroadcastsAreBounded(t *testing.T) {
	var b broadcasts
	now, given := time.Unix(0, 0), 0
	const flood = 1000
	for i := range flood {
		page := make([]byte, pageOctets)
		page[0], page[1], page[5] = byte(i>>8), byte(i), 0x12
		given += len(b.add(now, page))
		page = append([]byte(nil), page...)
		page[2], page[5] = 1, 0x11
		done := b.add(now, page)
		require.NotEmpty(t, done)
		given += len(done)
		require.LessOrEqual(t, len(b.unmade), maxUnmade)
		require.LessOrEqual(t, len(b.heard), maxHeard)
		now = now.Add(time.Millisecond)
	}
	given += len(b.expire(now.Add(broadcastAge)))
	require.Equal(t, 2*flood, given, "each was told, whole or not")
	require.Empty(t, b.unmade)
}

func FuzzBroadcast(f *testing.F) {
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var b broadcasts
		told := b.add(time.Unix(0, 0), first)
		told = append(told, b.add(time.Unix(1, 0), second)...)
		for _, m := range append(told, b.expire(time.Unix(1e9, 0))...) {
			if m.Err == nil && !utf8.ValidString(m.Text) {
				t.Errorf("%q is no UTF-8", m.Text)
			}
		}
	})
}
