package telemetry

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var bodies = []struct {
	name string
	body body
	size int // octets
}{
	{"one reading", body{data: []dataChunk{{stream: 9, first: 1, floor: 1, segments: []segment{{payload: []byte("2.4")}}}}}, 1 + 3 + 1 + 3},
	{"of an earlier life", body{data: []dataChunk{{stream: 8, first: 300, floor: 298, segments: []segment{
		{payload: []byte("a"), more: true}, {payload: []byte{}}}}}}, 1 + 8 + 2 + 1 + 1 + 2 + 1},
	{"a question", body{data: []dataChunk{{stream: 9, first: 7, floor: 7}}}, 4},
	{"an acknowledgement", body{acks: []ackChunk{{stream: 8, handled: 5, stored: 7,
		ranges: []spans{{9, 9}, {12, 14}}}}}, 1 + 8 + 3 + 4},
	{"ping and pong", body{pings: []uint64{77}, pongs: []uint64{300}}, 2 + 3},
}

func (b body) encode(frame epoch) []byte {
	var out []byte
	for i := range b.acks {
		out = b.acks[i].append(out)
	}
	for i := range b.data {
		out = b.data[i].append(out, frame)
	}
	for _, n := range b.pings {
		out = appendPing(out, chunkPing, n)
	}
	for _, n := range b.pongs {
		out = appendPing(out, chunkPong, n)
	}
	return out
}

func TestBodyBothWays(t *testing.T) {
	for _, tt := range bodies {
		b := tt.body.encode(9)
		require.Len(t, b, tt.size, tt.name)
		got, err := decodeBody(b, 9)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.body, got, tt.name)
		for n := 1; n < len(b); n++ {
			if tt.body.pings != nil && n == 2 {
				continue // a whole chunk
			}
			_, err := decodeBody(b[:n], 9)
			require.ErrorIs(t, err, ErrFrame, "%s cut after %d octets", tt.name, n)
		}
	}
}

func TestBodyRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"an unknown chunk":           {99},
		"segment 0":                  {chunkData, 0, 0, 0},
		"a floor below 1":            {chunkData, 3, 3, 0},
		"more segments than octets":  {chunkData, 1, 0, 200, 1, 0},
		"a segment longer than that": {chunkData, 1, 0, 1, 200, 1, 0},
		"a number without end":       {chunkPing, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
		"an empty range":             {chunkAck, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0},
		"ranges that touch":          {chunkAck, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 1},
		"too many ranges":            {chunkAck, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, maxRanges + 1},
	} {
		_, err := decodeBody(b, 9)
		require.ErrorIs(t, err, ErrFrame, name)
	}
}

// What fill reckons with is never less than what build writes.
func TestSizesAreNotUnderestimated(t *testing.T) {
	for _, number := range []uint64{1, 200, 20_000, 1 << 34} {
		for _, size := range []int{0, 1, 63, 64, 81, maxSegment} {
			var c chunker
			s := &outSegment{id: ID{8, number}, size: size}
			c.add(s)
			d := dataChunk{stream: 8, first: number, floor: max(1, number-min(number, maxWindow)), segments: []segment{{make([]byte, size), true}}}
			require.LessOrEqual(t, len(d.append(nil, 9)), c.size, "segment %d of %d octets", number, size)
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, tt := range bodies {
		f.Add(tt.body.encode(9))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decodeBody(b, 9)
		if err != nil {
			require.ErrorIs(t, err, ErrFrame)
			return
		}
		again, err := decodeBody(got.encode(9), 9)
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

func FuzzHeader(f *testing.F) {
	key := NewKey()
	sealing, tag := key.derive("a", "b")
	s := &sealer{aead: newAEAD(sealing), tag: tag, epoch: 3}
	frame, _ := s.seal([]byte{chunkPing, 1})
	f.Add(frame)
	f.Add(frame[:overhead-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeader(b)
		if err != nil {
			require.ErrorIs(t, err, ErrFrame)
			return
		}
		require.Equal(t, b[:headerSize], h.append(nil))
		if _, ok := open(s.aead, b); ok {
			require.Equal(t, frame, b, "nobody guesses a seal")
		}
	})
}

func TestReplayWindow(t *testing.T) {
	w := &window{}
	for _, step := range []struct {
		n    uint32
		want bool
	}{
		{0, false}, {1, true}, {1, false}, {3, true}, {2, true}, {2, false}, {3, false},
		{windowSize + 2, true}, {3, false}, {4, true}, {2, false}, {1, false},
		{10 * windowSize, true}, {10*windowSize - 1, true}, {9*windowSize + 1, true}, {9 * windowSize, false},
	} {
		require.Equal(t, step.want, w.first(step.n), "frame %d after %d", step.n, w.newest)
	}
	w.forget(10 * windowSize)
	require.True(t, w.first(10*windowSize))
}

func TestEpochRunsOut(t *testing.T) {
	sealing, tag := NewKey().derive("a", "b")
	s := &sealer{aead: newAEAD(sealing), tag: tag, epoch: 3, counter: 1<<32 - 2}
	_, ok := s.seal(nil)
	require.True(t, ok)
	_, ok = s.seal(nil)
	require.False(t, ok, "no number is used twice")
	s.renew(4)
	frame, ok := s.seal(nil)
	require.True(t, ok)
	h, err := parseHeader(frame)
	require.NoError(t, err)
	require.Equal(t, header{tag, 4, 1}, h)
}
