package tpdu_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	peer "github.com/warthog618/sms"

	"github.com/telemodem/telemodem/sms/tpdu"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func address(tb testing.TB, number string) tpdu.Address {
	tb.Helper()
	a, err := tpdu.ParseAddress(number)
	require.NoError(tb, err)
	return a
}

// interleaved makes messages of so many parts from 100 senders, the parts of
// all shuffled. Each text names its sender and number.
func interleaved(tb testing.TB, messages, parts int, random *rand.Rand) (tpdus [][]byte, texts map[string]bool) {
	texts = make(map[string]bool)
	for i := range messages {
		text := fmt.Sprintf("%05d/", i)
		for len(text) < 152*parts {
			text += fmt.Sprintf("reading %d of meter %d; ", len(text), i)
		}
		text = text[:152*parts]
		texts[text] = true
		tpdus = append(tpdus, deliveries(tb, fmt.Sprintf("+49151%06d", i%100), text, uint16(i/100))...)
	}
	random.Shuffle(len(tpdus), func(i, j int) { tpdus[i], tpdus[j] = tpdus[j], tpdus[i] })
	for i := range tpdus { // in memory too they stand in the order they come
		tpdus[i] = bytes.Clone(tpdus[i])
	}
	return tpdus, texts
}

func joined(tb testing.TB, parts [][]byte) string {
	tb.Helper()
	var (
		text tpdu.TextDecoder
		out  []byte
	)
	for _, p := range parts {
		var d tpdu.Deliver
		require.NoError(tb, d.Decode(p))
		var err error
		out, err = text.Append(out, d.DCS, &d.UserData)
		require.NoError(tb, err)
	}
	return string(text.Finish(out))
}

// unbounded holds whatever comes.
var unbounded = &tpdu.ReassemblerConfig{MaxSets: -1, MaxPerSender: -1, MaxOctets: -1}

// F49, F103: parts arrive interleaved, out of order, repeated and with losses.
func TestReassemblyOfTenThousandInterleaved(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 49))
	tpdus, texts := interleaved(t, 10_000, 3, random)
	r := tpdu.NewReassembler(unbounded)
	got := make(map[string]int)
	lost := make(map[string]bool)
	var d tpdu.Deliver
	for i, octets := range tpdus {
		require.NoError(t, d.Decode(octets))
		if random.IntN(100) == 0 { // the network loses this part
			c, _ := d.UserData.Header.Concat()
			lost[fmt.Sprint(d.Originator, c.Reference)] = true
			continue
		}
		result, err := r.AddDeliver(start, octets, &d)
		require.NoError(t, err)
		require.Empty(t, result.Dropped)
		if result.Status == tpdu.Complete {
			got[joined(t, result.Parts)]++
			continue
		}
		if random.IntN(10) == 0 { // and repeats one in ten of the others
			again, err := r.AddDeliver(start, octets, &d)
			require.NoError(t, err)
			require.Equal(t, tpdu.Repeated, again.Status, "part %d", i)
		}
	}
	require.Len(t, got, len(texts)-len(lost))
	for text, n := range got {
		require.True(t, texts[text], "a message that nobody sent: %.40q", text)
		require.Equal(t, 1, n)
	}
	require.Equal(t, r.Len(), len(r.Expire(start.Add(73*time.Hour))))
	require.Zero(t, r.Len())
	require.Zero(t, r.Octets())
}

// part makes a TPDU that is part of a message.
func part(tb testing.TB, from string, c tpdu.Concat, text string) ([]byte, *tpdu.Deliver) {
	tb.Helper()
	septets, err := tpdu.AppendSeptets(nil, text, 0, 0)
	require.NoError(tb, err)
	d := &tpdu.Deliver{Originator: address(tb, from)}
	d.UserData.Header = tpdu.AppendConcat(nil, c)
	d.UserData.Septets = len(septets)
	d.UserData.Body = tpdu.AppendPacked(nil, septets, d.UserData.Fill())
	octets, err := d.AppendBinary(nil)
	require.NoError(tb, err)
	return octets, d
}

func add(tb testing.TB, r *tpdu.Reassembler, now time.Time, from string, c tpdu.Concat, text string) tpdu.AddResult {
	tb.Helper()
	octets, d := part(tb, from, c, text)
	result, err := r.AddDeliver(now, octets, d)
	require.NoError(tb, err)
	return *result
}

func TestReassemblyKeys(t *testing.T) {
	r := tpdu.NewReassembler(nil)
	first := tpdu.Concat{Reference: 0, Total: 2, Part: 1}
	last := tpdu.Concat{Reference: 0, Total: 2, Part: 2}
	require.Equal(t, tpdu.Held, add(t, r, start, "+491", first, "A").Status, "reference 0 is legal")
	require.Equal(t, tpdu.Held, add(t, r, start, "+492", last, "B").Status, "another sender")
	wide := last
	wide.Wide = true
	require.Equal(t, tpdu.Held, add(t, r, start, "+491", wide, "C").Status, "the same number in 16 bits")
	three := last
	three.Total = 3
	require.Equal(t, tpdu.Held, add(t, r, start, "+491", three, "D").Status, "another total")
	result := add(t, r, start, "+491", last, "E")
	require.Equal(t, tpdu.Complete, result.Status)
	require.Equal(t, "AE", joined(t, result.Parts))
	require.Equal(t, 3, r.Len())
}

func TestReassemblyOfAReferenceUsedAgain(t *testing.T) {
	r := tpdu.NewReassembler(nil)
	c := tpdu.Concat{Reference: 1, Total: 2, Part: 1}
	add(t, r, start, "+491", c, "old")
	result := add(t, r, start, "+491", c, "new")
	require.Equal(t, tpdu.Held, result.Status)
	require.Len(t, result.Dropped, 1)
	require.Equal(t, tpdu.DroppedSuperseded, result.Dropped[0].Reason)
	c.Part = 2
	require.Equal(t, "new!", joined(t, add(t, r, start, "+491", c, "!").Parts))
}

// Promise 8: a flood of first parts stays within each bound and says what it cost.
func TestReassemblyBounds(t *testing.T) {
	first := func(reference int) tpdu.Concat {
		return tpdu.Concat{Reference: uint16(reference), Wide: true, Total: 2, Part: 1}
	}
	for _, test := range []struct {
		name   string
		config tpdu.ReassemblerConfig
		from   func(i int) string
		reason tpdu.DropReason
		most   int
	}{
		{"messages", tpdu.ReassemblerConfig{MaxSets: 10}, func(i int) string { return fmt.Sprintf("+49%d", i) }, tpdu.DroppedSets, 10},
		{"messages of one sender", tpdu.ReassemblerConfig{MaxPerSender: 5}, func(int) string { return "+491" }, tpdu.DroppedSender, 5},
		{"octets", tpdu.ReassemblerConfig{MaxOctets: 270}, func(i int) string { return fmt.Sprintf("+49%06d", i) }, tpdu.DroppedOctets, 9},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := tpdu.NewReassembler(&test.config)
			dropped := 0
			for i := range 100 {
				result := add(t, r, start, test.from(i), first(i), "flood")
				for _, d := range result.Dropped {
					require.Equal(t, test.reason, d.Reason)
					require.Equal(t, uint16(dropped), d.Reference, "the oldest goes first")
					require.Len(t, d.Parts, 1, "and is handed over")
					dropped++
				}
			}
			require.Equal(t, test.most, r.Len())
			require.Equal(t, 100-test.most, dropped)
		})
	}
}

func TestReassemblySparesOtherSenders(t *testing.T) {
	r := tpdu.NewReassembler(&tpdu.ReassemblerConfig{MaxPerSender: 3})
	c := tpdu.Concat{Reference: 9, Total: 2, Part: 1}
	add(t, r, start, "+491", c, "kept ")
	for i := range 100 {
		add(t, r, start, "+492", tpdu.Concat{Reference: uint16(i), Total: 2, Part: 1}, "flood")
	}
	c.Part = 2
	require.Equal(t, "kept whole", joined(t, add(t, r, start, "+491", c, "whole").Parts))
}

func TestReassemblyAge(t *testing.T) {
	r := tpdu.NewReassembler(&tpdu.ReassemblerConfig{MaxAge: time.Hour})
	_, ok := r.NextExpiry()
	require.False(t, ok)
	add(t, r, start, "+491", tpdu.Concat{Total: 3, Part: 1}, "a")
	add(t, r, start.Add(time.Minute), "+492", tpdu.Concat{Total: 3, Part: 1}, "b")
	add(t, r, start.Add(59*time.Minute), "+491", tpdu.Concat{Total: 3, Part: 2}, "later parts do not make it younger")
	at, ok := r.NextExpiry()
	require.True(t, ok)
	require.Equal(t, start.Add(time.Hour), at)
	require.Empty(t, r.Expire(at.Add(-1)))
	dropped := r.Expire(at)
	require.Len(t, dropped, 1)
	require.Equal(t, tpdu.DroppedAge, dropped[0].Reason)
	require.Len(t, dropped[0].Parts, 2)
	require.Equal(t, "+491", dropped[0].From.String())
	require.Equal(t, 1, r.Len())
}

// The state survives a restart by adding again what All yields.
func TestReassemblyRestored(t *testing.T) {
	before := tpdu.NewReassembler(nil)
	add(t, before, start, "+491", tpdu.Concat{Reference: 5, Total: 3, Part: 3}, "c")
	add(t, before, start.Add(time.Hour), "+491", tpdu.Concat{Reference: 5, Total: 3, Part: 1}, "a")
	add(t, before, start.Add(time.Minute), "+492", tpdu.Concat{Reference: 5, Total: 2, Part: 1}, "x")
	after := tpdu.NewReassembler(nil)
	for set := range before.All() {
		for _, p := range set.Parts {
			c := tpdu.Concat{Reference: set.Reference, Wide: set.Wide, Total: set.Total, Part: p.Part}
			_, err := after.Add(set.First, set.From, c, p.TPDU)
			require.NoError(t, err)
		}
	}
	require.Equal(t, before.Octets(), after.Octets())
	at, _ := after.NextExpiry()
	require.Equal(t, start.Add(72*time.Hour), at)
	require.Equal(t, "abc", joined(t, add(t, after, start, "+491", tpdu.Concat{Reference: 5, Total: 3, Part: 2}, "b").Parts))
}

func TestReassemblyRefusesSenselessParts(t *testing.T) {
	r := tpdu.NewReassembler(nil)
	for _, c := range []tpdu.Concat{{}, {Total: 2}, {Total: 2, Part: 3}} {
		_, err := r.Add(start, tpdu.Address{}, c, []byte{0})
		require.ErrorIs(t, err, tpdu.ErrHeader)
	}
	_, err := r.Add(start, tpdu.Address{}, tpdu.Concat{Total: 2, Part: 1}, make([]byte, 256))
	require.ErrorIs(t, err, tpdu.ErrTooLong)
	require.Zero(t, r.Len())
}

// heap returns the octets in use after a collection.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// What is held takes at most 1.5 times the TPDUs plus 256 octets a message,
// however many of the parts are there, whoever sent them, and after most has
// gone again.
func TestReassemblyMemory(t *testing.T) {
	const messages = 2000
	tpdus, _ := interleaved(t, messages, 10, rand.New(rand.NewPCG(1, 2)))
	var d tpdu.Deliver
	feed := func(r *tpdu.Reassembler, from, to int, choose func(c tpdu.Concat) bool) {
		for i, octets := range tpdus {
			require.NoError(t, d.Decode(octets))
			c, _ := d.UserData.Header.Concat()
			if int(c.Part) < from || int(c.Part) > to || !choose(c) {
				continue
			}
			if to == 1 { // of a sender who sends nothing else
				d.Originator = address(t, fmt.Sprintf("+1555%07d", i))
			}
			_, err := r.AddDeliver(start, octets, &d)
			require.NoError(t, err)
		}
	}
	everyone := func(tpdu.Concat) bool { return true }
	check := func(r *tpdu.Reassembler, before, messages int) {
		d = tpdu.Deliver{}
		taken := heap() - before
		runtime.KeepAlive(tpdus)
		require.Equal(t, messages, r.Len())
		// The TPDUs themselves are on the heap before and after.
		require.LessOrEqual(t, taken, r.Octets()/2+256*r.Len()+10<<10, "%d octets in %d messages", r.Octets(), r.Len())
		runtime.KeepAlive(r)
	}
	for _, held := range []int{1, 2, 3, 4, 9} {
		before := heap()
		r := tpdu.NewReassembler(unbounded)
		feed(r, 1, held, everyone)
		check(r, before, messages)
	}
	before := heap()
	r := tpdu.NewReassembler(unbounded)
	feed(r, 1, 9, everyone)
	feed(r, 10, 10, func(c tpdu.Concat) bool { return c.Reference > 0 }) // the 100 first ones stay
	r.Expire(start)
	check(r, before, 100)
	feed(r, 10, 10, func(c tpdu.Concat) bool { return c.Reference == 0 })
	require.Zero(t, r.Len(), "what was moved is found again")
}

// After a flood has drained, Expire moves what is left; it is still whole, in
// order, and the oldest still goes first.
func TestReassemblyAfterAFlood(t *testing.T) {
	r := tpdu.NewReassembler(&tpdu.ReassemblerConfig{MaxPerSender: -1, MaxAge: time.Hour})
	concat := func(message, total, part int) tpdu.Concat {
		return tpdu.Concat{Reference: uint16(message), Total: uint8(total), Part: uint8(part)}
	}
	const messages = 250
	for i := range messages {
		total := 2 + i%4
		for part := 2; part <= total; part++ {
			add(t, r, start.Add(time.Duration(i)*time.Second), "+491", concat(i, total, part), fmt.Sprint("/", i, ".", part))
		}
	}
	complete := func(i int) {
		total := 2 + i%4
		want := fmt.Sprint("/", i, ".1")
		result := add(t, r, start, "+491", concat(i, total, 1), want)
		for part := 2; part <= total; part++ {
			want += fmt.Sprint("/", i, ".", part)
		}
		require.Equal(t, tpdu.Complete, result.Status)
		require.Equal(t, want, joined(t, result.Parts))
	}
	for i := range messages {
		if i%10 != 0 {
			complete(i)
		}
	}
	dropped := r.Expire(start.Add(time.Hour)) // the first
	require.Len(t, dropped, 1)
	require.Zero(t, dropped[0].Reference)
	at, _ := r.NextExpiry()
	require.Equal(t, start.Add(time.Hour+10*time.Second), at)
	for i := 10; i < messages; i += 10 {
		complete(i)
	}
	require.Zero(t, r.Len())
	require.Zero(t, r.Octets())
}

// BenchmarkReassemble takes the TPDUs of 10,000 interleaved messages of three
// parts as they are received, which both decode: "parts" until each message's
// TPDUs are together in order, "text" until its text is there. Both start with
// a swept heap and pay for the garbage they make.
func BenchmarkReassemble(b *testing.B) {
	tpdus, _ := interleaved(b, 10_000, 3, rand.New(rand.NewPCG(6, 49)))
	for _, toText := range []bool{false, true} {
		name := map[bool]string{false: "parts", true: "text"}[toText]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				reassemble(b, tpdus, toText)
			}
			b.StopTimer()
			own, other := time.Duration(1<<62), time.Duration(1<<62)
			for range 10 {
				own = min(own, took(8, func() { reassemble(b, tpdus, toText) }))
				other = min(other, took(2, func() { peerReassemble(b, tpdus, toText) }))
			}
			b.ReportMetric(float64(other)/float64(own), "x-peer")
		})
	}
}

func reassemble(b *testing.B, tpdus [][]byte, toText bool) {
	var (
		d, each tpdu.Deliver
		decoder tpdu.TextDecoder
		text    = make([]byte, 0, 1024)
	)
	r := tpdu.NewReassembler(unbounded)
	complete := 0
	for _, octets := range tpdus {
		if err := d.Decode(octets); err != nil {
			b.Fatal(err)
		}
		result, err := r.AddDeliver(start, octets, &d)
		if err != nil {
			b.Fatal(err)
		}
		if result.Status != tpdu.Complete {
			continue
		}
		complete++
		text = text[:0]
		for i := 0; toText && i < len(result.Parts); i++ {
			if err := each.Decode(result.Parts[i]); err != nil {
				b.Fatal(err)
			}
			if text, err = decoder.Append(text, each.DCS, &each.UserData); err != nil {
				b.Fatal(err)
			}
		}
		text = decoder.Finish(text)
	}
	if complete != 10_000 {
		b.Fatal(complete)
	}
}

func peerReassemble(b *testing.B, tpdus [][]byte, toText bool) {
	c := peer.NewCollector()
	defer c.Close()
	complete := 0
	for _, octets := range tpdus {
		pdu, err := peer.Unmarshal(octets)
		if err != nil {
			b.Fatal(err)
		}
		set, err := c.Collect(*pdu)
		if err != nil {
			b.Fatal(err)
		}
		if set == nil {
			continue
		}
		complete++
		if toText {
			if _, err := peer.Decode(set); err != nil {
				b.Fatal(err)
			}
		}
	}
	if complete != 10_000 {
		b.Fatal(complete)
	}
}

// took is the mean time of n runs.
func took(n int, work func()) time.Duration {
	runtime.GC()
	begin := time.Now()
	for range n {
		work()
	}
	return time.Since(begin) / time.Duration(n)
}
