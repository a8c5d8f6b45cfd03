package fakemodem_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// TestManyModems: an idle modem costs under 64 KiB and no goroutine.
func TestManyModems(t *testing.T) {
	const count = 10_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	for range count {
		m := n.NewModem(fakemodem.EC25)
		line := m.Line()
		_, err := line.Write([]byte("ATE0+CREG=2\r"))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines+2)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapAlloc - before.HeapAlloc) / count
	t.Logf("a modem costs %d octets", each)
	require.Less(t, each, uint64(64<<10))
}

// TestWeeks: a simulated week of two modems that write to each other.
func TestWeeks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
		defer n.Close()
		m := n.NewModem(fakemodem.EC25)
		u := newTerminal(t, m)
		phone := n.Phone("+15550100")
		time.Sleep(time.Minute)
		u.ask("ATE0+CMGF=1;+CNMI=2,1")
		for hour := range 7 * 24 {
			n.SetCoverage(fakemodem.Coverage(hour % 4))
			require.NoError(t, phone.Send(m.Number(), "hourly"))
			time.Sleep(time.Hour)
			u.got = ""
			u.ask("AT+CMGD=0,4")
		}
		n.SetCoverage(fakemodem.FullCoverage)
		time.Sleep(time.Hour)
		require.Zero(t, n.SMSC().Stats().Waiting)
		require.Equal(t, 7*24, n.SMSC().Stats().Forwarded)
		u.line.Close()
	})
}

// BenchmarkNewModem is the start of a modem; 10,000 of them must take under 5 s.
func BenchmarkNewModem(b *testing.B) {
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	for b.Loop() {
		n.NewModem(fakemodem.EC25)
	}
}

// FuzzModem sends octets to a modem: nothing may crash it, and it answers
// afterwards.
func FuzzModem(f *testing.F) {
	f.Add([]byte("AT+CMGS=20\r0011000B91\x1a"))
	f.Add([]byte("ATD*99#\r\x7e\xff\x7d\x23\xc0\x21+++"))
	f.Add([]byte("AT+CMUX=0\r\xf9\x03\x3f\x01\x1c\xf9"))
	f.Add([]byte("AT+CMGF=1;+CMGW=\"1\"\rtext\rmore\x1aA/AT&V;+CLAC;+COPS=?\rx"))
	f.Add([]byte("ATS3=0S5=65E1V0Q1X9+CSCS=\"UCS2\";+CSCA=\"00\"\r\xff\xfe"))
	f.Add([]byte("AT+CPBW=1,\"1\",129,\"\\zz\";+CRSM=176,12258,0,0,10;+CUSD=1,\"*100#\",15\r"))
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
			defer n.Close()
			m := n.NewModem(fakemodem.Personalities()[len(data)%len(fakemodem.Personalities())])
			line := m.Line()
			time.Sleep(20 * time.Second)
			for len(data) > 0 {
				k := min(len(data), 7)
				if _, err := line.Write(data[:k]); err != nil {
					break
				}
				data = data[k:]
				time.Sleep(100 * time.Millisecond)
			}
			line.Close()
			m.Reset()
			time.Sleep(time.Minute)
			u := newTerminal(t, m)
			require.Contains(t, u.ask("AT"), "OK")
			u.line.Close()
		})
	})
}
