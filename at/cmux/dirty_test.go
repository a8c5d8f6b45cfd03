package cmux

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// record is a piece of data that says whose it is: DLCI, number, CRC.
func record(dlci, number int) []byte {
	p := binary.BigEndian.AppendUint32([]byte{'#', byte(dlci)}, uint32(number))
	return binary.BigEndian.AppendUint32(p, crc32.ChecksumIEEE(p))
}

// recordSize is the length of a record.
const recordSize = 10

// TestDirtyLine: on a line that flips or drops octets, what arrives on a channel is
// never another channel's, every loss is told on the channel that had it, and the mux
// lives: after the line is clean again every channel works.
func TestDirtyLine(t *testing.T) {
	for name, spoil := range map[string]func(int64, int) func([]byte) []byte{"flip": flip, "drop": lose} {
		for _, option := range []Option{Basic, Advanced} {
			for seed := range int64(4) {
				t.Run(fmt.Sprintf("%s/%d/seed%d", name, option, seed), func(t *testing.T) {
					bubble(t, func(t *testing.T) { dirty(t, spoil(seed, 400), option) })
				})
			}
		}
	}
}

func dirty(t *testing.T, spoil func([]byte) []byte, option Option) {
	const channels, records = 3, 400
	var bad atomic.Bool
	cfg := Config{Option: option, N1: 64, LossErrors: true, N2: 10, MaxDamage: -1}
	host, modem, hostLine, _ := pair(t, cfg, nil)
	var from, to [channels]*Channel
	for i := range from {
		from[i], to[i] = join(t, host, modem, i+1)
	}
	hostLine.out.mu.Lock()
	hostLine.out.spoil = func(p []byte) []byte {
		if bad.Load() {
			return spoil(p)
		}
		return p
	}
	hostLine.out.mu.Unlock()
	bad.Store(true)
	for n := range records {
		for i, c := range from {
			_, err := c.Write(record(i+1, n))
			require.NoError(t, err)
		}
		if n%20 == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	time.Sleep(5 * time.Second)
	bad.Store(false)
	for _, c := range from { // flags bring the decoder back, whatever it believes
		_, err := c.Write(bytes.Repeat([]byte{basicFlag}, 400))
		require.NoError(t, err)
	}
	time.Sleep(5 * time.Second)
	for i, c := range from {
		_, err := c.Write(append([]byte("end"), byte('1'+i)))
		require.NoError(t, err)
	}
	time.Sleep(time.Second)
	require.NoError(t, modem.Err(), "the mux lives")
	for i, c := range to {
		got, losses := drain(c)
		require.True(t, bytes.HasSuffix(got, append([]byte("end"), byte('1'+i))), "DLCI %d works again", i+1)
		for p := got; len(p) >= recordSize; p = p[1:] {
			if sum := crc32.ChecksumIEEE(p[:6]); p[0] == '#' && binary.BigEndian.Uint32(p[6:]) == sum {
				require.EqualValues(t, i+1, p[1], "a record of another channel")
			}
		}
		// In the advanced option a UIH frame shows nothing of an octet lost from its
		// information: there is no length, and the FCS does not cover it.
		if missing := records*recordSize + 404 - len(got); missing > 0 && option == Basic {
			require.Positive(t, losses, "%d octets are missing and nobody said so", missing)
		}
	}
	if option == Basic {
		require.Positive(t, modem.Stats().Damaged, "the line was dirty")
	}
}

// drain reads what is there and counts the losses told.
func drain(c *Channel) (got []byte, losses int) {
	buf := make([]byte, 1000)
	c.SetReadDeadline(time.Now().Add(time.Second))
	for {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		if err == ErrLoss {
			losses++
		} else if err != nil {
			return got, losses
		}
	}
}

// TestDelayingLine: pauses in mid-frame, longer than any doubt, lose nothing.
func TestDelayingLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := Config{T1: time.Minute, T2: time.Minute}
		host, modem, _, _ := pair(t, slow, func(d *direction) { d.piece, d.delay = 5, 300*time.Millisecond })
		h, m := join(t, host, modem, 1)
		data := noise(9, 2000)
		go h.Write(data)
		got := make([]byte, len(data))
		_, err := io.ReadFull(m, got)
		require.NoError(t, err)
		require.Equal(t, data, got)
		require.Zero(t, m.Losses())
	})
}

// FuzzRoles sets both roles against each other over a line that spoils, joins and
// inserts as the input says: neither panics, hangs or fails to close.
func FuzzRoles(f *testing.F) {
	f.Add(int64(1), uint16(100), []byte("\r\nRDY\r\n"), false)
	f.Add(int64(2), uint16(20), []byte{0xF9, 0x03, 0xEF, 0x05, 0xC3, 0x01, 0xF2, 0xF9}, false)
	f.Add(int64(3), uint16(50), []byte{0x7E, 0x7D}, true)
	f.Fuzz(func(t *testing.T, seed int64, rate uint16, insert []byte, advanced bool) {
		bubble(t, func(t *testing.T) { fight(t, seed, int(rate)+2, insert, advanced) })
	})
}

func fight(t *testing.T, seed int64, rate int, insert []byte, advanced bool) {
	cfg := Config{KeepAlive: time.Second}
	if advanced {
		cfg.Option = Advanced
	}
	n := int64(0)
	a, b := newWire(func(d *direction) {
		n++
		spoil, r := flip(seed+n, rate), rand.New(rand.NewSource(seed+n))
		d.spoil = func(p []byte) []byte {
			if p = spoil(p); r.Intn(4) == 0 {
				p = append(p, insert...)
			}
			return p
		}
	})
	host, modem := New(a, &cfg), Serve(b, &cfg)
	go func() {
		for {
			c, err := modem.Accept(t.Context())
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	for dlci := 1; dlci <= 3; dlci++ {
		if c, err := host.Open(t.Context(), dlci); err == nil {
			c.SetDeadline(time.Now().Add(10 * time.Second))
			c.Write(noise(seed, 500))
			c.Read(make([]byte, 500))
			c.SetDTR(dlci == 2)
			c.Close()
		}
	}
	host.Close()
	modem.Close()
	host.Line().Close()
	modem.Line().Close()
}
