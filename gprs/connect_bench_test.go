package gprs_test

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
)

// BenchmarkConnectToFirstByte reports how many round trips of the line it takes
// from ATD to the first octet of a TCP echo: at most 8 are allowed.
func BenchmarkConnectToFirstByte(b *testing.B) {
	const trip = 100 * time.Millisecond
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	fake := n.NewModem(fakemodem.SIM800)
	line := &dialWatch{delayed: newDelayed(fake.Line(), trip/2)}
	modem := at.New(line, nil)
	defer modem.Close()
	if _, err := at.Exec(b.Context(), modem, "E0"); err != nil {
		b.Fatal(err)
	}
	bearer := gprs.NewBearer(modem, &gprs.BearerConfig{Stack: withStack})
	defer bearer.Close()
	echo, err := n.Listen("tcp", "10.64.1.1:7")
	if err != nil {
		b.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go io.Copy(conn, conn)
		}
	}()
	var total time.Duration
	b.ResetTimer()
	for range b.N {
		if _, err := bearer.Connect(b.Context()); err != nil {
			b.Fatal(err)
		}
		conn, err := bearer.DialContext(b.Context(), "tcp", "10.64.1.1:7")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := conn.Write([]byte{17}); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		total += time.Since(line.dialled())
		if err := bearer.Disconnect(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(total)/float64(trip)/float64(b.N), "roundtrips/connect")
}

// dialWatch notes when ATD went out.
type dialWatch struct {
	*delayed
	mu sync.Mutex
	at time.Time
}

func (l *dialWatch) Write(p []byte) (int, error) {
	if len(p) > 3 && string(p[:3]) == "ATD" {
		l.mu.Lock()
		l.at = time.Now()
		l.mu.Unlock()
	}
	return l.delayed.Write(p)
}

func (l *dialWatch) dialled() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// delayed is a line on which every octet takes its time, each way.
type delayed struct {
	line     io.ReadWriteCloser
	out, in  chan chunk
	rest     []byte
	end      chan struct{}
	endOnce  sync.Once
	delay    time.Duration
	finished sync.WaitGroup
}

type chunk struct {
	data []byte
	due  time.Time
}

func newDelayed(line io.ReadWriteCloser, delay time.Duration) *delayed {
	d := &delayed{line: line, out: make(chan chunk, 4096), in: make(chan chunk, 4096), end: make(chan struct{}), delay: delay}
	d.finished.Go(func() {
		defer close(d.in)
		for {
			p := make([]byte, 4096)
			n, err := line.Read(p)
			if err != nil {
				return
			}
			d.in <- chunk{p[:n], time.Now().Add(delay)}
		}
	})
	d.finished.Go(func() {
		for {
			select {
			case c := <-d.out:
				time.Sleep(time.Until(c.due))
				if _, err := line.Write(c.data); err != nil {
					return
				}
			case <-d.end:
				return
			}
		}
	})
	return d
}

func (d *delayed) Write(p []byte) (int, error) {
	select {
	case d.out <- chunk{append([]byte(nil), p...), time.Now().Add(d.delay)}:
		return len(p), nil
	case <-d.end:
		return 0, io.ErrClosedPipe
	}
}

func (d *delayed) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		c, ok := <-d.in
		if !ok {
			return 0, io.EOF
		}
		time.Sleep(time.Until(c.due))
		d.rest = c.data
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

func (d *delayed) Close() error {
	d.endOnce.Do(func() { close(d.end) })
	err := d.line.Close()
	d.finished.Wait()
	return err
}
