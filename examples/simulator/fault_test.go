package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

func TestParseFaults(t *testing.T) {
	for text, want := range map[string][]fakemodem.Fault{
		"F23":                           {{ID: "F23"}},
		"f23":                           {{ID: "F23"}},
		"F23,F43":                       {{ID: "F23"}, {ID: "F43"}},
		"F23, F43 ":                     {{ID: "F23"}, {ID: "F43"}},
		"F22:delay=3s:on=+CSQ:times=-1": {{ID: "F22", Delay: 3 * time.Second, On: "+CSQ", Times: -1}},
		"F68:in=1m:for=2m:after=3:probability=0.5:count=4:code=5": {{
			ID: "F68", In: time.Minute, For: 2 * time.Minute, After: 3, Probability: 0.5, Count: 4, Code: 5}},
		"F24:text=+CIPRXGET: 1,5,F23":     {{ID: "F24", Text: "+CIPRXGET: 1,5"}, {ID: "F23"}},
		"F24:text=+CIPRXGET: 1,5":         {{ID: "F24", Text: "+CIPRXGET: 1,5"}},
		`F13:text=\r\n>:\r\n`:             {{ID: "F13", Text: "\r\n>:\r\n"}},
		`F01:text=\x00"\xFF`:              {{ID: "F01", Text: "\x00\"\xff"}},
		"F32:on=+CGACT:code=3,F40:for=1s": {{ID: "F32", On: "+CGACT", Code: 3}, {ID: "F40", For: time.Second}},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := parseFaults(text)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
	for text, says := range map[string]string{
		"":                    "no fault",
		"F23,":                "no fault",
		"F23,F0":              `no fault "F0"`,
		"F22:":                "name=value",
		"F22:delay":           "name=value",
		"F22:speed=3":         "delay",
		"F22:delay=-3s":       "negative",
		"F22:count=-1":        "negative",
		"F22:count=many":      "count",
		"F22:probability=2":   "between 0 and 1",
		"F22:probability=NaN": "between 0 and 1",
		`F22:text=\q`:         "backslash",
	} {
		t.Run("bad "+text, func(t *testing.T) {
			_, err := parseFaults(text)
			require.ErrorContains(t, err, says)
		})
	}
}
