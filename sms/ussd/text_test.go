package ussd

import (
	"testing"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	for _, line := range []string{`+CUSD: 0,"x",15`, `+CUSD: 1,"0411",72`, `+CUSD: "`, `+CUSD: 2,"E8329BFD06",0`} {
		f.Add(line, "GSM", true)
	}
	f.Fuzz(func(t *testing.T, line, set string, packed bool) {
		if r := parse(line, set, packed); r.Err == nil && !utf8.ValidString(r.Text) {
			t.Errorf("%q gives a text that is no UTF-8", line)
		}
	})
}
