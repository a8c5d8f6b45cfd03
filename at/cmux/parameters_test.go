package cmux

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCommandText: the forms that real drivers send.
func TestCommandText(t *testing.T) {
	ms := time.Millisecond
	for want, p := range map[string]Parameters{
		"AT+CMUX=0":                      {},
		"AT+CMUX=1":                      {Option: Advanced},
		"AT+CMUX=0,0,5,127,10,3,30,10,2": {Speed: 115200, N1: 127, T1: 100 * ms, N2: 3, T2: 300 * ms, T3: 10 * time.Second, K: 2}, // oFono quectel
		"AT+CMUX=0,0,5,127":              {Speed: 115200, N1: 127},                                                                // A76xx, HL7800
		"AT+CMUX=0,0,,1509":              {N1: 1509},                                                                              // SARA
		"AT+CMUX=0,0,,1509,10,3,30":      {N1: 1509, T1: 100 * ms, N2: 3, T2: 300 * ms},                                           // XMM
		"AT+CMUX=0,0,8,127,10,3,30,10,2": {Speed: 921600, N1: 127, T1: 100 * ms, N2: 3, T2: 300 * ms, T3: 10 * time.Second, K: 2}, // BG95
	} {
		got, err := p.Command()
		if want == "AT+CMUX=1" {
			want = "AT+CMUX=1,0"
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
		back, err := ParseCommand(got)
		require.NoError(t, err)
		require.Equal(t, p, back)
	}
	for _, p := range []Parameters{{Speed: 12345}, {Option: 7}, {Subset: 9}, {N1: 1 << 20}, {N1: -1}} {
		_, err := p.Command()
		require.Error(t, err, "%+v", p)
	}
	for _, text := range []string{"", "AT+CMUX?", "AT+CMUX=a", "AT+CMUX=0,0,99", "AT+CMUX=0,0,0,0,0,0,0,0,0,0", "AT+CMUX=-1"} {
		_, err := ParseCommand(text)
		require.Error(t, err, text)
	}
}

// TestRanges: answers to AT+CMUX=?.
func TestRanges(t *testing.T) {
	r, err := ParseRanges("+CMUX: (0),(0),(1-6),(16-1510),(1-255),(0-100),(2-255),(1-255),(1-7)\r\n") // SIM800
	require.NoError(t, err)
	require.True(t, r.Option.Has(0))
	require.False(t, r.Option.Has(1))
	require.Equal(t, Range{{16, 1510}}, r.N1)
	require.Equal(t, Range{{1, 7}}, r.K)
	p := Parameters{Option: Advanced, Subset: 2, N1: 4000, T1: 9 * time.Second}.Within(r)
	require.Equal(t, Parameters{N1: 1510, T1: 2550 * time.Millisecond}, p)

	r, err = ParseRanges("+CMUX: (0,1),0,,(1-128)")
	require.NoError(t, err)
	require.True(t, r.Option.Has(1))
	require.True(t, r.Speed.Has(99), "what is not said is not forbidden")
	require.Equal(t, 128, r.N1.Nearest(500))
	require.Empty(t, r.K)

	for _, bad := range []string{"", "OK", "+CMUX: (x)", "+CMUX: (5-1)", "+CMUX: (0)(0)", "+CMUX: (99999999999999999999)"} {
		_, err := ParseRanges(bad)
		require.Error(t, err, bad)
	}
}

// FuzzParameters: nothing panics, and what is understood is written back the same.
func FuzzParameters(f *testing.F) {
	f.Add("+CMUX: (0),(0),(1-6),(16-1510),(1-255),(0-100),(2-255),(1-255),(1-7)")
	f.Add("AT+CMUX=0,0,5,127,10,3,30,10,2")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseRanges(text); err == nil {
			Parameters{N1: 127, Speed: 115200}.Within(r)
		}
		p, err := ParseCommand(text)
		if err != nil {
			return
		}
		if command, err := p.Command(); err == nil {
			again, err := ParseCommand(command)
			require.NoError(t, err)
			require.Equal(t, p, again)
		}
	})
}
