package socket

import (
	"errors"
	"fmt"
	"time"

	"github.com/telemodem/telemodem/at"
)

// push gives pieces to the modem, one after the other, until the socket ends.
func (k *conn) push() {
	defer k.s.work.Done()
	defer close(k.pushDone)
	for {
		select {
		case p := <-k.pieces:
			k.results <- k.deliver(p)
		case <-k.closing:
			return
		}
	}
}

// Pauses between offers of a piece that the modem refuses for now.
const (
	firstSendPause = 20 * time.Millisecond
	lastSendPause  = 2 * time.Second
)

// deliver sends a piece until the modem has taken all of it.
func (k *conn) deliver(p piece) error {
	deadline := time.Now().Add(orDuration(k.s.cfg.SendTimeout, 60*time.Second))
	pause := firstSendPause
	for len(p.data) > 0 {
		n, err := k.s.driver.send(k.s.ctx, k, piece{p.data[:min(len(p.data), k.mostOctets())], p.addr})
		p.data = p.data[min(n, len(p.data)):]
		later, err := k.weigh(n, err, len(p.data))
		if err != nil {
			return err
		}
		if !later {
			pause = firstSendPause
			continue
		}
		if time.Now().Add(pause).After(deadline) {
			k.fail(ErrSendFailed)
			return ErrSendFailed
		}
		select {
		case <-time.After(pause):
		case <-k.closing:
			return k.cause()
		}
		pause = min(2*pause, lastSendPause)
	}
	return nil
}

// weigh judges what became of a send of which left octets remain: whether they
// are to be offered after a pause, at once, or not at all.
func (k *conn) weigh(n int, err error, left int) (later bool, failed error) {
	switch {
	case err == nil && n > 0 && k.network == "udp" && left > 0:
		return false, errCut // the rest would be another datagram
	case err == nil:
		return n == 0, nil
	case errors.Is(err, errLater), notAsked(err):
		return true, nil
	case k.shrink(err, left):
		return false, nil
	case k.host == "" && refused(err) && k.lives():
		return false, refusedDatagram(err) // one peer that cannot be reached is not the end of a socket that listens
	}
	k.fail(err)
	return false, err
}

// refusedDatagram is the modem's refusal without the word that the socket is gone.
func refusedDatagram(err error) error {
	var cmd *at.CommandError
	if errors.As(err, &cmd) {
		err = cmd
	}
	return fmt.Errorf("%w: %w", ErrSendFailed, err)
}

var errCut = fmt.Errorf("%w: it sent a part of the datagram", ErrSendFailed)

// smallestPiece is the least that a piece is made for firmware that refuses
// what its manual allows.
const smallestPiece = 128

// shrink makes the pieces smaller if a piece of that size was refused although
// the connection lives: firmware that cannot do what its manual says. A refusal
// behind the data is none: it may have been sent.
func (k *conn) shrink(err error, size int) bool {
	size = min(size, k.mostOctets())
	var cmd *at.CommandError
	if k.network == "udp" || size < 2*smallestPiece || !refused(err) || errors.As(err, &cmd) && cmd.Progress == at.DataWritten {
		return false
	}
	if !k.lives() {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.most = max(size/2, smallestPiece)
	return true
}
