package cmux

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func unhex(s string) []byte {
	p, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return p
}

// frames are whole frames by the standard's rules; those with a source are known from
// real lines or from other implementations.
var frames = []struct {
	name string
	code codec
	f    frame
	wire string
}{
	{"SABM on DLCI 0", codec{}, frame{0, true, sabm, true, nil}, "F9 03 3F 01 1C F9"},
	{"UA on DLCI 0", codec{}, frame{0, true, ua, true, nil}, "F9 03 73 01 D7 F9"},
	{"SABM on DLCI 1", codec{}, frame{1, true, sabm, true, nil}, "F9 07 3F 01 DE F9"},
	{"UA on DLCI 1", codec{}, frame{1, true, ua, true, nil}, "F9 07 73 01 15 F9"},
	{"close-down, oFono", codec{}, frame{0, true, uih, false, unhex("C3 01")}, "F9 03 EF 05 C3 01 F2 F9"},
	{"close-down with P, ubxlib", codec{}, frame{0, true, uih, true, unhex("C3 01")}, "F9 03 FF 05 C3 01 E7 F9"},
	{"DISC on DLCI 1", codec{}, frame{1, true, disc, true, nil}, "F9 07 53 01 3F F9"},
	{"DM on DLCI 2 from the modem", codec{}, frame{2, true, dm, true, nil}, "F9 0B 1F 01 73 F9"},
	{"AT on DLCI 1", codec{}, frame{1, true, uih, false, []byte("AT\r")}, "F9 07 EF 07 41 54 0D D3 F9"},
	{"OK on DLCI 1 from the modem", codec{}, frame{1, false, uih, false, []byte("OK")}, "F9 05 EF 05 4F 4B 51 F9"},
	{"UI has all octets under the FCS", codec{}, frame{1, true, ui, false, []byte("AT\r")}, "F9 07 03 07 41 54 0D 44 F9"},
	{"two-octet length", codec{long: true}, frame{1, true, uih, false, []byte("A")}, "F9 07 EF 02 00 41 D6 F9"},
	{"flag octets in the information", codec{}, frame{1, true, uih, false, unhex("F9 F9")}, "F9 07 EF 05 F9 F9 30 F9"},
	{"advanced SABM on DLCI 0", codec{option: Advanced}, frame{0, true, sabm, true, nil}, "7E 03 3F FC 7E"},
	{"advanced transparency", codec{option: Advanced}, frame{1, true, uih, false, unhex("7E 7D 11 13")},
		"7E 07 EF 7D 5E 7D 5D 7D 31 7D 33 05 7E"},
}

// TestFramesByteExact: both ways.
func TestFramesByteExact(t *testing.T) {
	for _, c := range frames {
		t.Run(c.name, func(t *testing.T) {
			wire := unhex(c.wire)
			require.Equal(t, hex.EncodeToString(wire), hex.EncodeToString(c.code.append(nil, c.f)), "encoding")
			d := decoder{option: c.code.option, max: 64}
			d.feed(wire)
			f, ev := d.next()
			require.Equal(t, gotFrame, ev)
			require.Equal(t, fmt.Sprint(c.f), fmt.Sprint(f), "decoding")
			for n := range len(wire) - 1 {
				d := decoder{option: c.code.option, max: 64}
				d.feed(wire[:n])
				_, ev := d.next()
				require.Equal(t, noEvent, ev, "a frame cut at %d is no frame", n)
			}
		})
	}
}

// TestLengthOctets: the step from one octet to two (clause 5.2.1.5).
func TestLengthOctets(t *testing.T) {
	for n, head := range map[int]string{0: "01", 1: "03", 127: "ff", 128: "0001", 1509: "ca0b", 32767: "feff"} {
		wire := codec{}.append(nil, frame{dlci: 1, cr: true, control: uih, info: make([]byte, n)})
		require.Equal(t, head, hex.EncodeToString(wire[3:3+len(head)/2]), "length %d", n)
		d := decoder{max: maxLong}
		d.feed(wire)
		f, ev := d.next()
		require.Equal(t, gotFrame, ev)
		require.Len(t, f.info, n)
	}
}

// events runs a stream through a decoder in pieces and writes what comes out.
func events(option Option, stream []byte, piece int) string {
	d := decoder{option: option, max: 64}
	var out strings.Builder
	for len(stream) > 0 {
		n := min(piece, len(stream))
		d.feed(stream[:n])
		stream = stream[n:]
		for {
			f, ev := d.next()
			if ev == noEvent {
				break
			}
			switch ev {
			case gotFrame:
				fmt.Fprintf(&out, "[%d %02X %x]", f.dlci, byte(f.control), f.info)
			case gotDamage:
				out.WriteString("!")
			case gotOversize:
				out.WriteString("+")
			}
		}
	}
	return out.String()
}

// TestEverySplitGivesTheSame: however the octets come, flags shared or repeated,
// with garbage between, the frames are the same.
func TestEverySplitGivesTheSame(t *testing.T) {
	streams := map[string]struct {
		option       Option
		stream, want string
	}{
		"flags shared":             {Basic, "F9 03 73 01 D7 F9 07 73 01 15 F9", "[0 63 ][1 63 ]"},
		"flags repeated":           {Basic, "F9 F9 F9 03 73 01 D7 F9 F9 F9 F9 07 73 01 15 F9 F9", "[0 63 ][1 63 ]"},
		"text before":              {Basic, "0D 0A 4F 4B 0D 0A F9 03 73 01 D7 F9", "[0 63 ]"},
		"garbage between":          {Basic, "F9 03 73 01 D7 F9 55 AA 00 F9 07 73 01 15 F9", "[0 63 ]![1 63 ]"},
		"wrong FCS":                {Basic, "F9 03 73 01 D6 F9 F9 07 73 01 15 F9", "![1 63 ]"},
		"frame torn, then whole":   {Basic, "F9 07 EF 07 41 F9 07 73 01 15 F9", "![1 63 ]"},
		"length lost":              {Basic, "F9 07 EF 41 54 0D D3 F9 F9 07 73 01 15 F9" + strings.Repeat(" F9", 60), "![1 63 ]"},
		"longer than the bound":    {Basic, "F9 07 EF 83 41 F9 07 73 01 15 F9", "+[1 63 ]"},
		"opening flag lost":        {Basic, "03 73 01 D7 F9 07 73 01 15 F9", "[1 63 ]"},
		"advanced, flags shared":   {Advanced, "7E 03 3F FC 7E 03 3F FC 7E", "[0 2F ][0 2F ]"},
		"advanced, flags repeated": {Advanced, "7E 7E 7E 03 3F FC 7E 7E 03 3F FC 7E 7E", "[0 2F ][0 2F ]"},
		"advanced, wrong FCS":      {Advanced, "7E 03 3F FA 7E 03 3F FC 7E", "![0 2F ]"},
		"advanced, too short":      {Advanced, "7E 03 7E 03 3F FC 7E", "![0 2F ]"},
		"advanced, abort":          {Advanced, "7E 03 3F 7D 7E 03 3F FC 7E", "![0 2F ]"},
	}
	for name, c := range streams {
		t.Run(name, func(t *testing.T) {
			stream := unhex(c.stream)
			for piece := 1; piece <= len(stream); piece++ {
				require.Equal(t, c.want, events(c.option, stream, piece), "in pieces of %d", piece)
			}
		})
	}
}

// TestEveryFlipIsNoticed: no single damaged octet of a header makes another frame.
func TestEveryFlipIsNoticed(t *testing.T) {
	whole := unhex("F9 07 EF 07 41 54 0D D3 F9")
	for _, at := range []int{1, 2, 3, 7} {
		for x := 1; x < 256; x++ {
			stream := bytes.Clone(whole)
			stream[at] ^= byte(x)
			require.NotContains(t, events(Basic, append(stream, make([]byte, 70)...), 1000), "[", "octet %d ^ %02X", at, x)
		}
	}
}

// FuzzDecoder: no input makes it panic, hang or hold more than was fed, and whatever
// is encoded comes out of the middle of it.
func FuzzDecoder(f *testing.F) {
	for _, c := range frames {
		f.Add(unhex(c.wire), []byte("data"), c.code.option == Advanced, 3)
	}
	f.Fuzz(func(t *testing.T, junk, info []byte, advanced bool, piece int) {
		option := Basic
		if advanced {
			option = Advanced
		}
		piece = max(piece&63, 1)
		require.Equal(t, events(option, junk, piece), events(option, junk, len(junk)+1), "pieces must not matter")
		info = info[:min(len(info), 64)]
		flags := bytes.Repeat([]byte{codec{option: option}.flag()}, 70)
		wire := codec{option: option}.append(flags, frame{dlci: 5, cr: true, control: uih, info: info})
		want := fmt.Sprintf("[5 EF %x]", info)
		require.True(t, strings.HasSuffix(events(option, append(bytes.Clone(junk), wire...), piece), want),
			"a frame behind junk and flags must be found")
	})
}
