package socket

import (
	"errors"
	"io"
	"time"

	"github.com/telemodem/telemodem/at"
)

// pump fetches what the modem has received, when it is told to and now and
// then, until the socket ends.
func (k *conn) pump() {
	defer k.s.work.Done()
	defer close(k.pumpDone)
	interval := orDuration(k.s.cfg.PollInterval, 15*time.Second)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		polled := false
		select {
		case <-k.closing:
			return
		case <-k.kick:
		case <-timer.C:
			polled = true
		}
		timer.Reset(interval)
		if !k.fetch(polled) {
			return
		}
	}
}

// fetch reads until the modem has no more, and tells whether to go on.
func (k *conn) fetch(polled bool) bool {
	for {
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
		select {
		case <-k.closing:
			return false
		default:
		}
		switch {
		case closed && k.lives():
			k.notClosed() // the word was about another socket that had this number before
		case closed, errors.Is(err, ErrSocketGone) && !k.lives():
			k.in.end(io.EOF)
			return k.idle()
		case err != nil && !refused(err) && !notAsked(err):
			k.fail(err)
			return false
		case polled:
			if alive, err := k.s.driver.alive(k.s.ctx, k); err == nil && !alive {
				k.closedByPeer() // and once more for what came meanwhile
			}
		}
		return true
	}
}

// lives asks whether the modem still has the connection, when it said that the
// peer has closed or refused a read.
func (k *conn) lives() bool {
	alive, err := k.s.driver.alive(k.s.ctx, k)
	return err == nil && alive
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
