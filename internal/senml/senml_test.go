package senml

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

// section6 is the CBOR example of RFC 8428 section 6, octet for octet.
const section6 = "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a" +
	"22fb41d303a15b00106223614120050067766f6c7461676501615602fb405e066666666666" +
	"a3006763757272656e74062402fb3ff3333333333333" +
	"a3006763757272656e74062302fb3ff4cccccccccccd" +
	"a3006763757272656e74062202fb3ff6666666666666" +
	"a3006763757272656e74062102f93e00" +
	"a3006763757272656e74062002fb3ff999999999999a" +
	"a3006763757272656e74060002fb3ffb333333333333"

func TestDecodeExampleOfTheRFC(t *testing.T) {
	b, err := hex.DecodeString(section6)
	require.NoError(t, err)
	p, err := Decode(b)
	require.NoError(t, err)
	got, err := p.Resolve(time.Now())
	require.NoError(t, err)
	require.Len(t, got, 7)
	require.Equal(t, "urn:dev:ow:10e2073a0108006:voltage", got[0].Name)
	require.Equal(t, "V", got[0].Unit)
	require.InDelta(t, 120.1, *got[0].Value, 1e-9)
	require.Equal(t, "urn:dev:ow:10e2073a0108006:current", got[1].Name)
	require.Equal(t, "A", got[1].Unit, "the base unit")
	require.Equal(t, 5*time.Second, got[6].Time.Sub(got[1].Time))
	require.Equal(t, int64(1276020076), got[6].Time.Unix())
}

func TestRoundTrip(t *testing.T) {
	taken := time.Date(2026, 7, 1, 12, 0, 0, 250e6, time.UTC)
	p := Pack{Number("load", "/", 0.5), Text("state", "ok"), Flag("door", false), {Name: "raw", Data: []byte{1, 2}}}
	p[0].BaseName = "urn:dev:mac:0024befffe804ff1:"
	p[0].BaseTime = At(taken)
	b, err := Encode(p)
	require.NoError(t, err)
	require.Less(t, len(b), 100, "one short message")
	back, err := Decode(b)
	require.NoError(t, err)
	require.Equal(t, p, back)
	got, err := back.Resolve(time.Now())
	require.NoError(t, err)
	require.Equal(t, taken, got[3].Time.UTC())
	require.False(t, *got[2].Bool)
}

func TestInvalid(t *testing.T) {
	nan, one := math.NaN(), 1.0
	for name, p := range map[string]Pack{
		"no records":             {},
		"no name":                {{Value: &one}},
		"no value":               {{Name: "a"}},
		"two values":             {{Name: "a", Value: &one, String: new(string)}},
		"a name with a blank":    {Number("a b", "", 1)},
		"a name begun by a mark": {Number("-a", "", 1)},
		"not a number":           {{Name: "a", Value: &nan}},
		"an unknown version":     {{BaseVersion: 11, Name: "a", Value: &one}},
		"versions that differ":   {{BaseVersion: 10, Name: "a", Value: &one}, {BaseVersion: 5, Name: "a", Value: &one}},
		"a time out of reach":    {{Name: "a", Value: &one, Time: 1e12}},
	} {
		_, err := Encode(p)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	long := Pack{Number(strings.Repeat("a", MaxName+1), "", 1)}
	_, err := Encode(long)
	require.ErrorIs(t, err, ErrLimit)
	_, err = Encode(make(Pack, MaxRecords+1))
	require.ErrorIs(t, err, ErrLimit)
}

func TestBaseFields(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := Pack{
		{BaseName: "a/", BaseValue: 20, BaseUnit: "Cel", Name: "x", Value: new(float64)},
		{Name: "y", Time: -5}, // the base value alone
		{BaseName: "b/", Name: "z", Unit: "K", Value: new(float64)},
	}
	got, err := p.Resolve(now)
	require.NoError(t, err)
	require.Equal(t, 20.0, *got[0].Value)
	require.Equal(t, "a/y", got[1].Name)
	require.Equal(t, 20.0, *got[1].Value)
	require.Equal(t, now.Add(-5*time.Second), got[1].Time, "below 2^28 a time counts from now")
	require.Equal(t, "K", got[2].Unit)
	require.Equal(t, "b/z", got[2].Name)
}

func TestLabelsThatMustBeUnderstood(t *testing.T) {
	encode := func(label any) []byte {
		b, err := cbor.Marshal([]map[any]any{{0: "a", 2: 1, label: "x"}})
		require.NoError(t, err)
		return b
	}
	_, err := Decode(encode("note"))
	require.NoError(t, err, "others are passed over")
	_, err = Decode(encode(99))
	require.NoError(t, err, "others are passed over")
	_, err = Decode(encode("note_"))
	require.ErrorIs(t, err, ErrInvalid)
}

func TestDecodeIsBounded(t *testing.T) {
	_, err := Decode(make([]byte, MaxSize+1))
	require.ErrorIs(t, err, ErrLimit)
	_, err = Decode([]byte{0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) // 2^63-1 records
	require.ErrorIs(t, err, ErrInvalid)
	b, _ := hex.DecodeString(section6)
	for n := range b {
		_, err := Decode(b[:n])
		require.ErrorIs(t, err, ErrInvalid, "cut after %d octets", n)
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := hex.DecodeString(section6)
	f.Add(b)
	f.Add([]byte{0x81, 0xa2, 0x00, 0x61, 0x61, 0x02, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(p)
		if err != nil {
			return // beyond MaxSize when written our way
		}
		back, err := Decode(again)
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}
