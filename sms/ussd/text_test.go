package ussd

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// What goes into +CUSD, in each character set.
func TestEncode(t *testing.T) {
	for _, test := range []struct {
		text, set string
		packed    bool
		argument  string
		dcs       int
	}{
		{"*100#", "GSM", false, "*100#", 15},
		{"*100#", "IRA", false, "*100#", 15},
		{"hello", "GSM", true, "E8329BFD06", 15},
		{"hello", "HEX", false, "68656C6C6F", 15},
		{"1", "UCS2", false, "0031", 15},
		{"Б", "UCS2", false, "0411", 72},
		{"Б", "GSM", false, "", 0},
		{"Б", "HEX", false, "", 0},
		{"", "UCS2", false, "", 0},
		{"a\xff", "UCS2", false, "", 0},
		{strings.Repeat("Б", 80), "UCS2", false, strings.Repeat("0411", 80), 72},
		{strings.Repeat("Б", 81), "UCS2", false, "", 0},
		{strings.Repeat("a", 182), "GSM", false, strings.Repeat("a", 182), 15},
		{strings.Repeat("a", 183), "GSM", false, "", 0},
		{"1\"\rAT", "GSM", false, "", 0},
		{"1\"\rAT", "UCS2", false, "00310022000D00410054", 15},
	} {
		argument, dcs, err := encode(test.text, test.set, test.packed)
		require.Equal(t, test.dcs == 0, err != nil, "%q in %s", test.text, test.set)
		require.Equal(t, test.argument, argument, "%q in %s", test.text, test.set)
		require.Equal(t, test.dcs, dcs, "%q in %s", test.text, test.set)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, line, set string, packed bool) {
		if r := parse(line, set, packed); r.Err == nil && !utf8.ValidString(r.Text) {
			t.Errorf("%q gives a text that is no UTF-8", line)
		}
	})
}
