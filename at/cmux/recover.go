package cmux

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// closeDowns are the frames that real drivers send to a modem left in multiplexer mode:
// CLD in UIH, without the P bit and with it, then the same in the advanced framing.
var closeDowns = [][]byte{
	{0xF9, 0x03, 0xEF, 0x05, 0xC3, 0x01, 0xF2, 0xF9},
	{0xF9, 0x03, 0xFF, 0x05, 0xC3, 0x01, 0xE7, 0xF9},
	appendAdvanced(nil, frame{cr: true, control: uih, info: []byte{byte(msgCLD) | messageCommand, 1}}),
}

// RecoverConfig holds what Recover needs to know. A nil *RecoverConfig will do.
type RecoverConfig struct {
	// MaxFrame is the longest frame that the modem may be in the middle of, in
	// octets: so many flags go first. Zero means 1520.
	MaxFrame int
	// Answer is the wait for the OK to each AT. Zero means 1 s.
	Answer time.Duration
	// Tries is how often AT is sent. Zero means 6.
	Tries int
	// Quiet is how long nothing may come in before the first AT. Zero means 100 ms.
	Quiet time.Duration
}

// Recover brings a modem back to plain AT that a crashed host left in multiplexer
// mode: it fills a frame that may have begun with flags, sends the close-down frames,
// and proves plain AT by an OK. It does no harm to a modem in plain AT. The line to
// go on with is returned in any case; see Mux.Line.
func Recover(ctx context.Context, line io.ReadWriteCloser, cfg *RecoverConfig) (io.ReadWriteCloser, error) {
	var v RecoverConfig
	if cfg != nil {
		v = *cfg
	}
	def(&v.MaxFrame, 1520)
	def(&v.Answer, time.Second)
	def(&v.Tries, 6)
	def(&v.Quiet, 100*time.Millisecond)
	r := recovery{ctx: ctx, cfg: v, src: newSource(line), snk: newSink(line, 0)}
	err := r.run()
	r.snk.release(v.Answer)
	return r.src.release(r.heard), err
}

// proof of plain AT.
var proof = []byte("\r\nOK\r\n")

// A recovery is one run of Recover.
type recovery struct {
	ctx   context.Context
	cfg   RecoverConfig
	src   *source
	snk   *sink
	heard []byte
}

func (r *recovery) run() error {
	flush := bytes.Repeat([]byte{basicFlag}, r.cfg.MaxFrame)
	for _, frame := range closeDowns {
		flush = append(flush, frame...)
	}
	if err := r.send(flush); err != nil {
		return err
	}
	for range r.cfg.Tries {
		if _, err := r.listen(r.cfg.Quiet, nil, true); err != nil {
			return err
		}
		r.heard = r.heard[:0]
		if err := r.send([]byte("AT\r")); err != nil {
			return err
		}
		ok, err := r.listen(r.cfg.Answer, proof, false)
		if ok { // what came before it belongs to nobody
			r.heard = r.heard[bytes.Index(r.heard, proof)+len(proof):]
		}
		if ok || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: no OK to AT after close-down", ErrNoAnswer)
}

// send writes and waits for it.
func (r *recovery) send(p []byte) error {
	r.snk.batches <- p
	for {
		select {
		case result := <-r.snk.results:
			if result.err != nil {
				return fmt.Errorf("%w: %w", ErrLineGone, result.err)
			}
			return nil
		case chunk := <-r.src.chunks:
			r.src.done(chunk) // what comes before the question answers nothing
		case <-r.src.ended:
			return fmt.Errorf("%w: %w", ErrLineGone, r.src.err)
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
}

// maxHeard bounds what is kept while waiting for an answer.
const maxHeard = 4 << 10

// listen waits until want comes or the time is over; with quiet, each octet that
// comes starts the time anew, at most maxHeard of them.
func (r *recovery) listen(limit time.Duration, want []byte, quiet bool) (bool, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case chunk := <-r.src.chunks:
			if len(r.heard)+len(chunk) > maxHeard {
				r.heard = r.heard[:0]
				quiet = false
			}
			r.heard = append(r.heard, chunk...)
			r.src.done(chunk)
			if want != nil && bytes.Contains(r.heard, want) {
				return true, nil
			}
			if quiet {
				timer.Reset(limit)
			}
		case <-timer.C:
			return false, nil
		case <-r.src.ended:
			return false, fmt.Errorf("%w: %w", ErrLineGone, r.src.err)
		case <-r.ctx.Done():
			return false, r.ctx.Err()
		}
	}
}
