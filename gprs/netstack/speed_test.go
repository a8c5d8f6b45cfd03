package netstack

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/gprs/ppp"
)

// A full segment over PPP: 1,448 octets of payload in an IP packet of 1,500,
// with a flag, protocol, FCS-16 and what stuffing adds with ACCM 0, 2 of 256
// octets (RFC 1662 section 4.2).
const lineShare = 1448. / ((1500+1+2)*(1+2./256) + 1)

// BenchmarkGPRS sends for half a minute over a line of 40 kbit/s and a round
// trip of 800 ms and reports: goodput, against what the line can carry after
// headers, and echo, the median round trip under load against the one
// without. The serial side of the modem either holds up its writer or takes
// 64 KiB, thirteen seconds, at once.
func BenchmarkGPRS(b *testing.B) {
	for _, c := range []struct {
		name   string
		buffer int
		config *Config
	}{
		{"flowcontrol", 256, nil},
		{"modembuffer", 64 << 10, nil},
		{"flowcontrol-ungoverned", 256, &Config{ungoverned: true}},
		{"modembuffer-ungoverned", 64 << 10, &Config{ungoverned: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				left, right := newPacedLine(40_000, 800*time.Millisecond, c.buffer)
				from, to := pppPair(b, left, right, c.config)
				unloaded := echoes(b, from, 3)
				goodput, loaded := bulk(b, from, to, 150_000)
				b.ReportMetric(goodput/(5000*lineShare), "goodput/line")
				b.ReportMetric(float64(median(loaded))/float64(median(unloaded)), "echo/unloaded")
				b.ReportMetric(float64(slices.Max(loaded))/float64(median(unloaded)), "worst-echo/unloaded")
				b.ReportMetric(float64(retransmits(from)), "resent")
			}
		})
	}
}

// retransmits counts the segments that n has sent again.
func retransmits(n *Net) uint64 { return n.stack.Stats().TCP.Retransmits.Value() }

// echoes measures round trips to the peer of n.
func echoes(tb testing.TB, n *Net, count int) []time.Duration {
	tb.Helper()
	var all []time.Duration
	for range count {
		rtt, err := n.Ping(tb.Context(), n.link.PeerAddr())
		require.NoError(tb, err)
		all = append(all, rtt)
	}
	return all
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// transfer sends octets from one stack to the other and returns the octets per
// second from the first to the last that arrived.
func transfer(tb testing.TB, from, to *Net, octets int) float64 {
	tb.Helper()
	l, err := to.Listen("tcp", ":0")
	require.NoError(tb, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(tb, err)
	conn, err := from.DialContext(tb.Context(), "tcp", net.JoinHostPort(to.LocalAddr().String(), port))
	require.NoError(tb, err)
	defer conn.Close()
	peer, err := l.Accept()
	require.NoError(tb, err)
	defer peer.Close()
	go func() {
		chunk := make([]byte, 64<<10)
		for sent := 0; sent < octets; {
			n, err := conn.Write(chunk[:min(len(chunk), octets-sent)])
			if err != nil {
				return
			}
			sent += n
		}
	}()
	buffer := make([]byte, 64<<10)
	first, err := peer.Read(buffer)
	require.NoError(tb, err)
	start := time.Now()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(struct{ io.Reader }{peer}, int64(octets-first)), buffer)
	require.NoError(tb, err)
	require.EqualValues(tb, octets-first, n)
	return float64(n) / time.Since(start).Seconds()
}

// bulk transfers and pings at the same time.
func bulk(tb testing.TB, from, to *Net, octets int) (rate float64, loaded []time.Duration) {
	tb.Helper()
	ctx, stop := context.WithCancel(tb.Context())
	pinged := make(chan []time.Duration)
	go func() {
		var all []time.Duration
		for ctx.Err() == nil {
			rtt, err := from.Ping(ctx, from.link.PeerAddr())
			if err == nil {
				all = append(all, rtt)
			}
		}
		pinged <- all
	}()
	rate = transfer(tb, from, to, octets)
	stop()
	return rate, <-pinged
}

// BenchmarkLTE transfers 25 MB over a loss-free link of 50 Mbit/s and a round
// trip of 50 ms, with gVisor's RACK loss detection off, as we have it, and on.
// It also shows what the governor does to goodput and round trip.
func BenchmarkLTE(b *testing.B) {
	for _, c := range []struct {
		name   string
		config *Config
	}{
		{"default", nil},
		{"rack", &Config{withRACK: true}},
		{"ungoverned", &Config{ungoverned: true}},
		{"ungoverned-rack", &Config{ungoverned: true, withRACK: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				left, right := newPacedLine(50_000_000, 50*time.Millisecond, 1<<20)
				from, to := pppPair(b, left, right, c.config)
				unloaded := echoes(b, from, 3)
				goodput, loaded := bulk(b, from, to, 25_000_000)
				b.ReportMetric(goodput/(50_000_000/8*lineShare), "goodput/line")
				b.ReportMetric(float64(median(loaded))/float64(median(unloaded)), "echo/unloaded")
				b.ReportMetric(float64(retransmits(from)), "resent")
			}
		})
	}
}

const bulkOctets = 64 << 20

// BenchmarkBulk reports what PPP costs: TCP over PPP over a line in memory
// against the same two stacks joined by packets. Medians of five.
func BenchmarkBulk(b *testing.B) {
	for range b.N {
		var direct, overPPP []float64
		for range 5 {
			from, to := newPair(b, nil)
			direct = append(direct, transfer(b, from, to, bulkOctets))
			left, right := newMemoryLine()
			from, to = pppPair(b, left, right, nil)
			overPPP = append(overPPP, transfer(b, from, to, bulkOctets))
		}
		b.ReportMetric(middle(overPPP)/middle(direct), "ppp/direct")
		b.ReportMetric(middle(direct)/1e6, "direct-MB/s")
		b.ReportMetric(middle(overPPP)/1e6, "ppp-MB/s")
	}
}

func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkRecovery transfers over a link of packets, 10 Mbit/s and 25 ms,
// with RACK off and on, without and with loss, and reports segments sent
// again and goodput.
func BenchmarkRecovery(b *testing.B) {
	for _, c := range []struct {
		name string
		rack bool
		loss int // one packet in so many; 0 for none
	}{
		{"lossless/off", false, 0}, {"lossless/rack", true, 0},
		{"loss1in200/off", false, 200}, {"loss1in200/rack", true, 200},
	} {
		for _, governed := range []bool{false, true} {
			name := c.name + "/ungoverned"
			if governed {
				name = c.name + "/governed"
			}
			b.Run(name, func(b *testing.B) {
				for range b.N {
					left, right := newPacedLine(10_000_000, 25*time.Millisecond, 64<<10)
					near, far := pppLinks(b, left, right)
					lossy := &lossyLink{Link: near, one: c.loss}
					from, to := joined(b, lossy, far, &Config{withRACK: c.rack, ungoverned: !governed})
					goodput := transfer(b, from, to, 5_000_000)
					b.ReportMetric(goodput/(10_000_000/8*lineShare), "goodput/line")
					b.ReportMetric(float64(retransmits(from)), "resent")
					b.ReportMetric(float64(lossy.lost), "lost")
				}
			})
		}
	}
}

// lossyLink loses one packet in so many that are sent.
type lossyLink struct {
	ppp.Link
	one, count, lost int
}

func (l *lossyLink) WritePacket(p []byte) error {
	if l.count++; l.one > 0 && l.count%l.one == 0 {
		l.lost++
		return nil
	}
	return l.Link.WritePacket(p)
}
