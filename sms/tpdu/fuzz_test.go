package tpdu_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// FuzzDecode: no octets make the decoder panic; what it accepts and can write
// again reads the same the second time.
func FuzzDecode(f *testing.F) {
	for _, p := range knownPDUs {
		_, b, err := tpdu.DecodeHex(nil, p.hex)
		require.NoError(f, err)
		f.Add(byte(p.direction), b)
	}
	f.Fuzz(func(t *testing.T, direction byte, b []byte) {
		d := tpdu.Direction(direction & 1)
		m, err := tpdu.Decode(d, b)
		if err != nil {
			var fault *tpdu.Error
			require.ErrorAs(t, err, &fault)
			require.True(t, 0 <= fault.Offset && fault.Offset <= len(b))
			return
		}
		number, text := far(m)
		require.True(t, utf8.ValidString(text))
		require.LessOrEqual(t, len(text), 4*255)
		again, err := m.AppendBinary(nil)
		if err != nil {
			return // such as more user data than a TPDU of the type may have
		}
		back, err := tpdu.Decode(d, again)
		require.NoError(t, err)
		number2, text2 := far(back)
		require.Equal(t, number, number2)
		require.Equal(t, text, text2)
		last, err := back.AppendBinary(nil)
		require.NoError(t, err)
		require.Equal(t, again, last)
	})
}

// FuzzHex: no line of a modem makes the PDU decoder panic.
func FuzzHex(f *testing.F) {
	f.Fuzz(func(t *testing.T, line string) {
		smsc, b, err := tpdu.DecodeHex(nil, line)
		if err != nil {
			return
		}
		smsc2, b2, err := tpdu.DecodeHex(nil, tpdu.AppendHex(nil, smsc, b))
		require.NoError(t, err)
		require.Equal(t, smsc.String(), smsc2.String())
		require.Equal(t, len(b), len(b2))
	})
}

// FuzzSplit: every text comes back from its parts, each of which fits.
func FuzzSplit(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, locking, single uint16, how byte) {
		c := &tpdu.SplitConfig{Locking: tpdu.Languages(locking), Single: tpdu.Languages(single), Wide: how&1 != 0, Encoding: tpdu.Encoding(how >> 1 % 3)}
		if how&8 != 0 {
			c.Ports = &tpdu.Ports{Destination: uint16(how), Wide: how&16 != 0}
		}
		parts, err := tpdu.Split(text, c)
		if err != nil {
			return
		}
		require.Equal(t, text, textOf(t, parts))
		for i := range parts.Len() {
			submit := tpdu.Submit{DCS: parts.DCS(tpdu.NoClass), UserData: parts.At(i)}
			_, err := submit.AppendBinary(nil)
			require.NoError(t, err)
		}
	})
}

// FuzzReassemble: whatever comes, the bounds hold, the books balance, and a
// message is complete only with all its parts.
func FuzzReassemble(f *testing.F) {
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 400)]
		r := tpdu.NewReassembler(&tpdu.ReassemblerConfig{MaxSets: 6, MaxPerSender: 3, MaxOctets: 120, MaxAge: 50 * time.Second})
		now := start
		for i := 0; i+1 < len(script); i += 2 {
			now = now.Add(time.Duration(script[i]>>4) * time.Second)
			r.Expire(now)
			from := []string{"+491", "+492", "+493", "+494"}[script[i]>>2&3]
			c := tpdu.Concat{Reference: uint16(script[i] & 3), Total: script[i+1] >> 4, Part: script[i+1] & 15}
			body := make([]byte, 1+int(script[i])%20)
			body[0] = script[i+1]
			result, err := r.Add(now, address(t, from), c, body)
			require.Equal(t, c.Part == 0 || c.Part > c.Total, err != nil)
			if result.Status == tpdu.Complete {
				require.Len(t, result.Parts, int(c.Total))
				for part, tpdu := range result.Parts {
					require.Equal(t, byte(part+1), tpdu[0]&15)
				}
			}
			octets, sets, senders := 0, 0, make(map[tpdu.Address]int)
			for set := range r.All() {
				sets++
				senders[set.From]++
				require.LessOrEqual(t, senders[set.From], 3)
				require.Less(t, now.Sub(set.First), 50*time.Second)
				for _, p := range set.Parts {
					octets += len(p.TPDU)
				}
			}
			require.Equal(t, r.Len(), sets)
			require.Equal(t, r.Octets(), octets)
			require.LessOrEqual(t, sets, 6)
			require.LessOrEqual(t, octets, 120)
		}
	})
}
