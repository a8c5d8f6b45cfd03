package at

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Direction tells which way the bytes of a trace went.
type Direction byte

// Directions, as they stand in the file.
const (
	FromModem Direction = '<'
	ToModem   Direction = '>'
)

// Chunk is one line of a trace: bytes that were read or written at once.
type Chunk struct {
	Time time.Time
	Dir  Direction
	Data []byte
}

// String returns the chunk as it stands in the file, without the line end:
// the time of RFC 3339, the direction, the bytes as a quoted Go string.
//
//	2026-11-21T02:44:06.000000012Z < "\r\nOK\r\n"
func (c Chunk) String() string {
	return c.Time.UTC().Format(time.RFC3339Nano) + " " + string(rune(c.Dir)) + " " + strconv.QuoteToASCII(string(c.Data))
}

// ParseChunk reads one line of a trace.
func ParseChunk(line string) (Chunk, error) {
	fields := strings.SplitN(strings.TrimRight(line, "\r\n"), " ", 3)
	if len(fields) != 3 {
		return Chunk{}, fmt.Errorf("at: trace line %.80q has no time, direction and bytes", line)
	}
	when, err := time.Parse(time.RFC3339Nano, fields[0])
	if err != nil {
		return Chunk{}, fmt.Errorf("at: trace line %.80q: %w", line, err)
	}
	if fields[1] != "<" && fields[1] != ">" {
		return Chunk{}, fmt.Errorf("at: trace line %.80q: direction %q is neither < nor >", line, fields[1])
	}
	data, err := strconv.Unquote(fields[2])
	if err != nil {
		return Chunk{}, fmt.Errorf("at: trace line %.80q: the bytes are not a quoted string", line)
	}
	return Chunk{Time: when, Dir: Direction(fields[1][0]), Data: []byte(data)}, nil
}

// traceLineLimit bounds a line of a trace file in octets.
const traceLineLimit = 1 << 20

// ReadTrace reads a whole trace. Empty lines and those that begin with # are
// passed over; any other line that is no chunk is an error that names it.
func ReadTrace(r io.Reader) ([]Chunk, error) {
	var chunks []Chunk
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, traceLineLimit)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		c, err := ParseChunk(line)
		if err != nil {
			return chunks, fmt.Errorf("line %d: %w", n, err)
		}
		chunks = append(chunks, c)
	}
	return chunks, lines.Err()
}

// Recorder writes chunks to a file without delaying the engine: what the
// writer has not taken yet waits in a bounded queue, and what does not fit is
// counted in a line that begins with #. It may serve several engines and
// goroutines at once.
type Recorder struct {
	emit func(chunks []Chunk, lost int) error

	mu      sync.Mutex // guards what follows; not held while writing
	waiting []Chunk
	held    int // octets in waiting
	lost    int
	running bool
	idle    *sync.Cond // running has become false
	err     error
}

// recorderLimit bounds the octets that wait for the writer.
const recorderLimit = 1 << 20

// NewRecorder returns a recorder on w. The caller closes w after Flush.
func NewRecorder(w io.Writer) *Recorder {
	return newRecorder(func(chunks []Chunk, lost int) error { return writeChunks(w, chunks, lost) })
}

func newRecorder(emit func([]Chunk, int) error) *Recorder {
	r := &Recorder{emit: emit}
	r.idle = sync.NewCond(&r.mu)
	return r
}

// Record adds a chunk; it copies the data and never waits for the writer.
func (r *Recorder) Record(c Chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held+len(c.Data) > recorderLimit {
		r.lost++
		return
	}
	c.Data = append([]byte(nil), c.Data...)
	r.waiting = append(r.waiting, c)
	r.held += len(c.Data)
	if !r.running {
		r.running = true
		go r.write()
	}
}

// write writes what waits and ends when nothing is left.
func (r *Recorder) write() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) > 0 && r.err == nil {
		chunks, lost := r.waiting, r.lost
		r.waiting, r.held, r.lost = nil, 0, 0
		r.mu.Unlock()
		err := r.emit(chunks, lost)
		r.mu.Lock()
		r.err = err
	}
	r.waiting, r.held, r.running = nil, 0, false
	r.idle.Broadcast()
}

func writeChunks(w io.Writer, chunks []Chunk, lost int) error {
	var text strings.Builder
	for _, c := range chunks {
		text.WriteString(c.String())
		text.WriteByte('\n')
	}
	if lost > 0 {
		fmt.Fprintf(&text, "# %d chunks lost, the file is too slow\n", lost)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// Flush waits until everything recorded so far is written and returns the
// first error of the writer, after which nothing more is written.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.running {
		r.idle.Wait()
	}
	return r.err
}
