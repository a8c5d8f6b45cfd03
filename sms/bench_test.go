package sms

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// BenchmarkDurableReceive takes in ten-part messages, 100 of them interleaved,
// in groups as one listing of a storage gives them; each group is committed
// before anything of it could be deleted, and each message's hand-over too. On
// tmpfs it shows the code, on disk the disk: fsyncs/s is what the same disk
// does for a file that is written 4 KiB at a time.
func BenchmarkDurableReceive(b *testing.B) {
	for _, where := range []struct{ name, dir string }{{"tmpfs", "/dev/shm"}, {"disk", ""}} {
		for _, group := range []int{1, 20, 50} {
			b.Run(fmt.Sprintf("%s/group of %d", where.name, group), func(b *testing.B) {
				if _, err := os.Stat(where.dir); where.dir != "" && err != nil {
					b.Skip("no such file system:", err)
				}
				dir, err := os.MkdirTemp(where.dir, "sms")
				if err != nil {
					b.Fatal(err)
				}
				defer os.RemoveAll(dir)
				store, err := OpenStore(filepath.Join(dir, "sms.db"))
				if err != nil {
					b.Fatal(err)
				}
				defer store.Close()
				if where.dir == "" {
					defer func(n float64) { b.ReportMetric(n, "fsyncs/s") }(fsyncs(b, dir))
				}
				takeIn(b, newInbox(&Config{Store: store, Partial: tpdu.ReassemblerConfig{MaxPerSender: 200}}, nil), group)
			})
		}
	}
}

// takeIn puts b.N parts through an inbox.
func takeIn(b *testing.B, inbox *inbox, group int) {
	arrivals := interleaved(b, b.N)
	b.ResetTimer()
	began, handed := time.Now(), 0
	for len(arrivals) > 0 {
		n := min(group, len(arrivals))
		if _, err := inbox.admit(time.Now(), arrivals[:n]); err != nil {
			b.Fatal(err)
		}
		arrivals = arrivals[n:]
		for _, m := range inbox.waiting() {
			if m.in.Err != nil {
				b.Fatal(m.in.Err)
			}
			if _, err := inbox.finish(time.Now(), m); err != nil {
				b.Fatal(err)
			}
			handed++
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "parts/s")
	if handed < b.N/10-100 {
		b.Fatalf("%d messages of %d parts", handed, b.N)
	}
}

// interleaved makes n parts of ten-part messages, 100 under way at a time.
func interleaved(b *testing.B, n int) []arrival {
	const parts, abreast = 10, 100
	arrivals := make([]arrival, 0, n)
	for first := 0; len(arrivals) < n; first += abreast {
		var cut [abreast]*tpdu.Parts
		for i := range cut {
			p, err := tpdu.Split(fmt.Sprintf("%08d", first+i)+strings.Repeat("x", 153*parts-8), &tpdu.SplitConfig{Reference: uint16(first + i)})
			if err != nil {
				b.Fatal(err)
			}
			cut[i] = p
		}
		for part := range parts {
			for i := range cut {
				if len(arrivals) < n {
					arrivals = append(arrivals, deliver(b, first+i, cut[i], part))
				}
			}
		}
	}
	return arrivals
}

func deliver(b *testing.B, message int, parts *tpdu.Parts, part int) arrival {
	from, err := tpdu.ParseAddress(fmt.Sprintf("+1555%07d", message%100))
	if err != nil {
		b.Fatal(err)
	}
	d := tpdu.Deliver{Originator: from, DCS: parts.DCS(0), Timestamp: tpdu.NewTimestamp(time.Unix(int64(1_700_000_000+message), 0)), UserData: parts.At(part)}
	octets, err := d.AppendBinary(nil)
	if err != nil {
		b.Fatal(err)
	}
	return arrival{pdu: string(tpdu.AppendHex(nil, tpdu.Address{}, octets)), slot: &slot{storage: "ME", index: part}}
}

// fsyncs measures the raw limit of a disk.
func fsyncs(b *testing.B, dir string) float64 {
	f, err := os.Create(filepath.Join(dir, "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page, n := make([]byte, 4096), 0
	began := time.Now()
	for ; time.Since(began) < 200*time.Millisecond; n++ {
		if _, err := f.WriteAt(page, int64(n%64)*4096); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}
