package socket

import (
	"errors"
	"time"
)

// push gives pieces to the modem, one after the other, until the socket ends.
func (k *conn) push() {
	defer k.s.work.Done()
	defer close(k.pushDone)
	for {
		select {
		case piece := <-k.pieces:
			k.results <- k.deliver(piece)
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
func (k *conn) deliver(piece []byte) error {
	deadline := time.Now().Add(orDuration(k.s.cfg.SendTimeout, 60*time.Second))
	pause := firstSendPause
	for len(piece) > 0 {
		n, err := k.s.driver.send(k.s.ctx, k, piece[:min(len(piece), k.mostOctets())])
		piece = piece[min(n, len(piece)):]
		switch {
		case err == nil && n > 0:
			pause = firstSendPause
			continue
		case err == nil, errors.Is(err, errLater), notAsked(err):
		case k.shrink(err, len(piece)):
			continue
		default:
			k.fail(err)
			return err
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

// smallestPiece is the least that a piece is made for firmware that refuses
// what its manual allows.
const smallestPiece = 128

// shrink makes the pieces smaller if a piece of that size was refused although
// the connection lives: firmware that cannot do what its manual says.
func (k *conn) shrink(err error, size int) bool {
	size = min(size, k.mostOctets())
	if k.network == "udp" || size < 2*smallestPiece || !refused(err) {
		return false
	}
	if alive, aliveErr := k.s.driver.alive(k.s.ctx, k); aliveErr != nil || !alive {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.most = max(size/2, smallestPiece)
	return true
}
