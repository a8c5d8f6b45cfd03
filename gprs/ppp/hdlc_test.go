package ppp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func newDecoder(drop accm) *decoder {
	return &decoder{maxFrame: defaultMRU + 6, drop: drop}
}

// decodeAll feeds p in pieces of the given size and collects the frames.
func decodeAll(d *decoder, p []byte, piece int) (frames [][]byte) {
	for len(p) > 0 {
		chunk := p[:min(piece, len(p))]
		p = p[len(chunk):]
		for len(chunk) > 0 && !d.text.found {
			n, f := d.next(chunk)
			chunk = chunk[n:]
			if f != nil {
				frames = append(frames, bytes.Clone(f))
			}
		}
	}
	return frames
}

func TestFCSKnownValues(t *testing.T) {
	// RFC 1662 appendix C has no example; this is CRC-16/X-25's check value.
	require.Equal(t, uint16(0x906e), ^fcs16(fcsInitial, []byte("123456789")))
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 700 {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		require.Equal(t, plainFCS(fcsInitial, p), fcs16(fcsInitial, p), n)
	}
}

// frameCases are frames with their octets on the line.
var frameCases = []struct {
	name  string
	accm  accm
	frame string
	line  string
}{
	// An LCP Configure-Request with nothing in it, as pppd 2.4.9 sends it.
	{"all controls escaped", allControls, "ff03c0210101 0004", "ff7d23c0217d217d217d207d24d1b57e"},
	{"no controls escaped", 0, "ff03c02101010004", "ff03c02101010004d1b57e"},
	{"flag and escape within", 0, "00217e7d7e", "00217d5e7d5d7d5e19167e"},
	{"XON and XOFF escaped", 0x000a0000, "0021111213", "00217d31127d33ed077e"},
}

func TestFrameCodec(t *testing.T) {
	for _, c := range frameCases {
		t.Run(c.name, func(t *testing.T) {
			frame, line := unhex(t, c.frame), unhex(t, c.line)
			require.Equal(t, fmt.Sprintf("%x", line), fmt.Sprintf("%x", appendFrame(nil, c.accm, frame[:2], frame[2:])))
			line = append([]byte{flagOctet}, line...)
			for piece := 1; piece <= len(line); piece++ {
				require.Equal(t, [][]byte{frame}, decodeAll(newDecoder(c.accm), line, piece))
			}
		})
	}
}

// plainFrame is RFC 1662 octet by octet: the yardstick for tests and benchmarks.
func plainFrame(dst []byte, escape accm, info []byte) []byte {
	fcs := uint16(fcsInitial)
	for _, c := range info {
		fcs = fcs>>8 ^ fcsTable[0][byte(fcs)^c]
		dst = plainOctet(dst, escape, c)
	}
	fcs = ^fcs
	dst = plainOctet(dst, escape, byte(fcs))
	dst = plainOctet(dst, escape, byte(fcs>>8))
	return append(dst, flagOctet)
}

func plainOctet(dst []byte, escape accm, c byte) []byte {
	if c == flagOctet || c == escapeOctet || c < 0x20 && escape>>c&1 != 0 {
		return append(dst, escapeOctet, c^escapeBit)
	}
	return append(dst, c)
}

func plainFCS(fcs uint16, p []byte) uint16 {
	for _, c := range p {
		fcs = fcs>>8 ^ fcsTable[0][byte(fcs)^c]
	}
	return fcs
}

// plainDecoder is the plain receiver: one octet, one table look-up.
type plainDecoder struct {
	buf     []byte
	fcs     uint16
	escaped bool
}

func (d *plainDecoder) decode(p []byte, frame func([]byte)) {
	for _, c := range p {
		switch {
		case c == flagOctet:
			if !d.escaped && len(d.buf) >= shortestFrame && d.fcs == fcsGood {
				frame(d.buf[:len(d.buf)-fcsLength])
			}
			d.buf, d.fcs, d.escaped = d.buf[:0], fcsInitial, false
		case c == escapeOctet:
			d.escaped = true
		default:
			if d.escaped {
				c, d.escaped = c^escapeBit, false
			}
			d.fcs = d.fcs>>8 ^ fcsTable[0][byte(d.fcs)^c]
			d.buf = append(d.buf, c)
		}
	}
}

func TestFramesOfAnyKindAndPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var line []byte
		var want [][]byte
		escape := []accm{0, allControls, 0x000a0000}[r.IntN(3)]
		line = append(line, flagOctet)
		for range r.IntN(5) {
			p := make([]byte, 2+r.IntN(300))
			for i := range p {
				p[i] = byte(0x78 + r.IntN(8)) // full of flags and escapes
				if r.IntN(4) == 0 {
					p[i] = byte(r.Uint32())
				}
			}
			p[0] = 0xff
			want = append(want, p)
			got := appendFrame(nil, escape, p[:1], p[1:])
			require.Equal(t, plainFrame(nil, escape, p), got)
			line = append(line, got...)
			line = append(line, bytes.Repeat([]byte{flagOctet}, r.IntN(3))...)
		}
		for _, piece := range []int{1, 2, 7, 64, len(line)} {
			require.Equal(t, want, decodeAll(newDecoder(escape), line, piece))
		}
	}
}

func TestBadFrames(t *testing.T) {
	good := appendFrame(nil, 0, nil, []byte{0xff, 3, 0, 0x21, 1, 2, 3})
	cases := []struct {
		name   string
		line   []byte
		counts FrameCounts
	}{
		{"noise before the first flag", append([]byte("CONNECT 115200\r\n~"), good...), FrameCounts{Frames: 1}},
		{"repeated flags", append([]byte("~~~~"), good...), FrameCounts{Frames: 1}},
		{"abort", append([]byte("~\xff\x03\x00\x21hello}~"), good...), FrameCounts{Frames: 1, Aborted: 1}},
		{"abort at once", append([]byte("~}~"), good...), FrameCounts{Frames: 1, Aborted: 1}},
		{"too short", append([]byte("~abc~"), good...), FrameCounts{Frames: 1, Short: 1}},
		{"bad FCS", append([]byte("~abcdefgh~"), good...), FrameCounts{Frames: 1, FCSErrors: 1}},
		{"too long", append(append([]byte("~"), bytes.Repeat([]byte("x"), 1507)...), append([]byte("~"), good...)...), FrameCounts{Frames: 1, TooLong: 1}},
		{"much too long", append(append([]byte("~"), bytes.Repeat([]byte("x}"), 20000)...), append([]byte("x~"), good...)...), FrameCounts{Frames: 1, TooLong: 1}},
		{"long and aborted", append(append([]byte("~"), bytes.Repeat([]byte("x"), 5000)...), append([]byte("}~"), good...)...), FrameCounts{Frames: 1, Aborted: 1}},
	}
	for _, c := range cases {
		for _, drop := range []accm{0, allControls} {
			t.Run(fmt.Sprintf("%s, ACCM %#x", c.name, uint32(drop)), func(t *testing.T) {
				line := c.line
				if drop != 0 {
					line = bytes.Replace(line, good, appendFrame(nil, drop, nil, []byte{0xff, 3, 0, 0x21, 1, 2, 3}), 1)
				}
				for _, piece := range []int{1, 3, 100, len(line)} {
					d := newDecoder(drop)
					require.Len(t, decodeAll(d, line, piece), 1, "what comes behind is whole")
					want := c.counts
					want.Octets = uint64(len(line))
					require.Equal(t, want, d.received, piece)
					require.LessOrEqual(t, cap(d.buf), 4*d.maxFrame, "bounded")
				}
			})
		}
	}
}

// RFC 1662 section 4.2: a control character that was put in on the way is
// removed before all else, even behind an escape.
func TestInsertedControlCharactersVanish(t *testing.T) {
	frame := []byte{0xff, 3, 0, 0x21, 0x7e, 1, 2}
	line := appendFrame([]byte{flagOctet}, allControls, nil, frame)
	var noisy []byte
	for _, c := range line {
		noisy = append(noisy, c, 0x11, 0x13)
	}
	require.Equal(t, [][]byte{frame}, decodeAll(newDecoder(allControls), noisy, 1))
	require.Empty(t, decodeAll(newDecoder(0), noisy, 1))
}

// TestF70 and the cases in it: NO CARRIER ends the data only where no frame is open.
func TestF70NoCarrierBetweenFrames(t *testing.T) {
	frame := string(appendFrame(nil, 0, nil, []byte{0xff, 3, 0, 0x21, 1, 2, 3}))
	cases := []struct {
		name, line string
		found      bool
		frames     int
	}{
		{"before any frame", "\r\nNO CARRIER\r\n", true, 0},
		{"behind other words", "CONNECT 9600\r\n\r\nNO CARRIER\r\n", true, 0},
		{"behind a frame", "~" + frame + "\r\nNO CARRIER\r\n", true, 1},
		{"behind a frame and a notification", "~" + frame + "\r\n+CGREG: 0\r\n\r\nNO CARRIER\r\n", true, 1},
		{"frames after it are nobody's", "~" + frame + "\r\nNO CARRIER\r\n~" + frame, true, 1},
		{"not whole", "~" + frame + "\r\nNO CARRIER", false, 1},
		{"in an open frame", "~\xff\x03\x00\x21\r\nNO CARRIER\r\n", false, 0},
		{"behind a closed frame, yet in the next", "~" + frame + "E\r\nNO CARRIER\r\n", false, 1},
		{"within a frame, as data", "~" + string(appendFrame(nil, 0, nil, []byte("\x00\x21\r\nNO CARRIER\r\n"))) + frame, false, 2},
		{"control characters first", "~" + frame + "\r\x01\r\nNO CARRIER\r\n", false, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for piece := 1; piece <= len(c.line); piece++ {
				d := newDecoder(0)
				frames := decodeAll(d, []byte(c.line), piece)
				require.Equal(t, c.found, d.text.found, piece)
				require.Len(t, frames, c.frames)
			}
		})
	}
}

func FuzzHDLC(f *testing.F) {
	for _, c := range frameCases {
		f.Add(append([]byte{flagOctet}, unhex(f, c.line)...), uint32(c.accm), uint8(3))
	}
	f.Add([]byte("~\r\nNO CARRIER\r\n~"), uint32(0), uint8(1))
	f.Add([]byte("~~}~}}~abc}"), uint32(0xffffffff), uint8(2))
	f.Fuzz(func(t *testing.T, p []byte, drop uint32, piece uint8) {
		// Any split of anything gives the same frames and counts.
		whole, split := newDecoder(accm(drop)), newDecoder(accm(drop))
		a, b := decodeAll(whole, p, len(p)+1), decodeAll(split, p, int(piece)+1)
		require.Equal(t, a, b)
		require.Equal(t, whole.received, split.received)
		// And what we send is received as it was.
		line := appendFrame([]byte{flagOctet}, accm(drop), nil, p)
		require.Equal(t, plainFrame([]byte{flagOctet}, accm(drop), p), line)
		// No frame begins with CR: it would be text of the modem's (F70).
		if len(p) >= 2 && len(p) <= defaultMRU && p[0] != '\r' {
			require.Equal(t, [][]byte{p}, decodeAll(newDecoder(accm(drop)), line, int(piece)+1))
		}
	})
}

// benchPacket is an IPv4 packet of 1500 octets with random content.
func benchPacket() []byte {
	p := make([]byte, 1500)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	p[0] = 0x45
	return p
}

// BenchmarkHDLC compares our framing with the plain octet loop, in one run.
// The ratio is time over the plain loop's time: at most 0.3 and 0.2.
func BenchmarkHDLC(b *testing.B) {
	packet := benchPacket()
	header := []byte{addressOctet, controlOctet, 0, 0x21}
	whole := append(bytes.Clone(header), packet...)
	dst := make([]byte, 0, 4000)
	line := appendFrame(nil, 0, header, packet)

	b.Run("encode", func(b *testing.B) {
		ours := func() { dst = appendFrame(dst[:0], 0, header, packet) }
		plain := func() { dst = plainFrame(dst[:0], 0, whole) }
		compare(b, ours, plain)
	})
	b.Run("decode", func(b *testing.B) {
		d, p := newDecoder(0), plainDecoder{buf: make([]byte, 0, 4000)}
		d.next([]byte{flagOctet})
		frames := 0
		ours := func() {
			if _, f := d.next(line); f == nil {
				b.Fatal("no frame")
			}
		}
		plain := func() { p.decode(line, func([]byte) { frames++ }) }
		p.decode([]byte{flagOctet}, nil)
		compare(b, ours, plain)
		if frames == 0 {
			b.Fatal("the plain loop found no frame")
		}
	})
}
