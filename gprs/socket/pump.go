package socket

import (
	"errors"
	"io"
	"time"

	"github.com/telemodem/telemodem/at"
)

// pump fetches what the modem has received, when it is told to and now and
// then, until the socket ends. Then it gives the number back, also when the
// program does not call Close: the modem has few.
func (k *conn) pump() {
	defer k.s.work.Done()
	defer close(k.pumpDone)
	defer k.giveBack()
	interval := orDuration(k.s.cfg.PollInterval, 15*time.Second)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		polled := false
		select {
		case <-k.closing:
			return
		case <-k.kick:
			polled = k.ask.Swap(false)
		case <-timer.C:
			polled = true
		}
		timer.Reset(interval)
		if !k.fetch(polled) {
			return
		}
	}
}

// giveBack closes an ended socket at the modem, later if that does not take
// the command now.
func (k *conn) giveBack() {
	<-k.pushDone
	if !k.s.release(k.s.ctx, k) {
		k.s.releaseLater(k)
	}
}

// fetch reads until the modem has no more, and tells whether to go on.
func (k *conn) fetch(polled bool) bool {
	for {
		if k.isClosing() {
			return false // the number may be another's
		}
		if !k.in.hasRoom() {
			return true // Read wakes us
		}
		k.mu.Lock()
		closed := k.closed // before the read: data may come until then
		k.mu.Unlock()
		got, err := k.s.driver.receive(k.s.ctx, k, k.s.driver.limits().receive)
		if len(got.data) > 0 {
			k.in.put(got)
			continue
		}
		if k.isClosing() {
			return false
		}
		switch {
		case notAsked(err), errors.Is(err, errLater):
			return true
		case err != nil && !refused(err):
			k.fail(err) // what it has may be lost: no clean end, even if the peer has closed
			return false
		case closed && k.lives():
			k.notClosed() // the word was about another socket that had this number before
		case closed:
			k.in.end(io.EOF)
			return k.idle()
		case errors.Is(err, ErrSocketGone):
			return k.refusedRead(err)
		case polled:
			return k.look()
		}
		return true
	}
}

// refusedRead asks for the state of a socket that cannot be read. If the modem
// does not know it, the reason may be on its way: a loss of the context takes
// the sockets away before it is told. Without one that is no clean end.
func (k *conn) refusedRead(cause error) bool {
	if now, err := k.s.driver.state(k.s.ctx, k); err != nil || now == stateOpen {
		return true // the poll will tell
	} else if now == stateClosed {
		k.closedByPeer()
		return true
	}
	select {
	case <-k.closing:
		return false
	case <-time.After(goneGrace):
	}
	k.mu.Lock()
	closed := k.closed
	k.mu.Unlock()
	if closed {
		return true
	}
	k.fail(cause)
	return false
}

// goneGrace is waited for the word that explains why a socket is gone.
const goneGrace = time.Second

// look asks for the state of a socket that is silent, since a close need not be
// told. Once more it is read then for what came meanwhile.
func (k *conn) look() bool {
	now, err := k.s.driver.state(k.s.ctx, k)
	switch {
	case err != nil || now == stateOpen:
	case now == stateClosed:
		k.closedByPeer()
	default:
		return k.refusedRead(ErrSocketGone)
	}
	return true
}

// lives asks whether the modem still has the connection.
func (k *conn) lives() bool {
	now, err := k.s.driver.state(k.s.ctx, k)
	return err == nil && now == stateOpen
}

// isClosing tells whether nobody wants more.
func (k *conn) isClosing() bool {
	select {
	case <-k.closing:
		return true
	default:
		return false
	}
}

// idle waits for Close: nothing more will come.
func (k *conn) idle() bool {
	<-k.closing
	return false
}

// notAsked tells whether a command did not even reach the modem, since the line
// was busy with others: then nothing was done and nothing is known.
func notAsked(err error) bool {
	var cmd *at.CommandError
	return errors.As(err, &cmd) && cmd.Progress == at.NothingWritten && errors.Is(err, at.ErrNoAnswer)
}
