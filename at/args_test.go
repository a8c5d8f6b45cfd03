package at

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArgs(t *testing.T) {
	d := ParseArgs("+CREG", `+CREG: 2,1,"1816","D04E"`) // SIM800
	require.Equal(t, []int{2, 1, 0x1816, 0xD04E, -1}, []int{d.Int(), d.Int(), d.OptHex(), d.OptHex(), d.OptHex()})
	require.NoError(t, d.Err())
	require.False(t, d.More())

	d = ParseArgs("+CGREG", `+CGREG:002,001,"18d8","ffff"`)
	require.Equal(t, []int{2, 1, 0x18D8, 0xFFFF}, []int{d.Int(), d.Int(), d.Hex(), d.Hex()})
	require.NoError(t, d.Err())

	d = ParseArgs("+CREG", "+CREG: 2,,")
	require.Equal(t, []int{2, -1, -1, -1}, []int{d.Int(), d.OptInt(), d.OptHex(), d.OptInt()})
	require.NoError(t, d.Err())

	d = ParseArgs("+COPS", `+COPS: (2,"a,b","op","26201",0),,(0-4),"",x y`)
	require.Equal(t, `(2,"a,b","op","26201",0)`, d.String())
	require.Equal(t, "", d.OptString())
	d.Skip(1)
	require.True(t, d.More())
	require.Equal(t, "", d.String(), "an empty string in quotes is there")
	require.Equal(t, "x y", d.String())
	require.Equal(t, "", d.OptString())
	require.NoError(t, d.Err())
}

func TestArgsFaults(t *testing.T) {
	for line, want := range map[string]string{
		"+CREG: 2,x":                    `+CREG argument 2: "x" is not a number`,
		"+CREG: 2":                      "+CREG argument 2: is missing",
		"+CREG:":                        "+CREG argument 1: is missing",
		"+CREG: (0-2),1":                `+CREG argument 1: "(0-2)" is not a number`,
		"+CREG: 1,2,zz":                 `+CREG argument 3: "zz" is not a hexadecimal number`,
		"+CSQ: 1,2":                     `+CREG: the line is "+CSQ: 1,2"`,
		"+CREG: 1,2,1,2,3,4":            "",
		"+CREG: 99999999999999999999,1": `+CREG argument 1: "99999999999999999999" is not a number`,
	} {
		d := ParseArgs("+CREG", line)
		d.Int()
		d.Int()
		d.OptHex()
		if want == "" {
			require.NoError(t, d.Err())
			continue
		}
		require.EqualError(t, d.Err(), want)
		require.Zero(t, d.Int(), "after a fault")
		require.False(t, d.More())
		require.EqualError(t, d.Err(), want, "the first one stays")
	}
	require.EqualError(t, Response{}.Args("+CREG").Err(), "+CREG: the answer has no such line")
}

func TestNames(t *testing.T) {
	names := func(text string) (all []string) {
		for text != "" {
			var p part
			if p, text = nextPart(text); p.name != "" {
				all = append(all, p.name)
			}
		}
		return all
	}
	for text, want := range map[string][]string{
		"+CSQ": {"+CSQ"}, "+creg=2;+CREG?": {"+CREG", "+CREG"}, "E0+CPMS?": {"+CPMS"}, "E0;&D2;+CMEE=1": {"+CMEE"},
		"D*99***1#": nil, "D123;": nil, "&F": nil, "": nil, `+CPBW=1,"a;b+c",129;+CSQ`: {"+CPBW", "+CSQ"},
		"^SYSCFG?": {"^SYSCFG"}, "S3=13": nil, ";;": nil,
	} {
		require.Equal(t, want, names(text), text)
	}
	require.True(t, hasName([]byte("+CMT: 1"), "+CMT"))
	require.True(t, hasName([]byte("+CMT"), "+CMT"))
	require.False(t, hasName([]byte("+CMTI: 1"), "+CMT"))
	require.Equal(t, "+CREG?;+CSQ", Join("+CREG?", "+CSQ"))
}
