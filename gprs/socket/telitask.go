package socket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/telemodem/telemodem/at"
)

// telitNoCarrier is how firmware without #SCFGEXT2 says that a socket was
// closed. Inside an answer it looks like the result of the command.
const telitNoCarrier = "NO CARRIER"

// errTelitInterrupted is that word in the place of an answer, from which it
// cannot be told whether the command was done. It is no refusal.
var errTelitInterrupted = errors.New("the word that a socket was closed came in the place of the answer")

// telitTries is how often a command is sent that came to be interrupted.
const telitTries = 3

// ask runs a command that may be repeated: it asks, sets or closes. s is whom it
// is for, nil if that is no socket.
func (d telit) ask(ctx context.Context, s *conn, limit time.Duration, format string, args ...any) (res at.Response, err error) {
	for range telitTries {
		if res, err = d.run(ctx, limit, format, args...); !interrupted(s, err) {
			return res, err
		}
	}
	return res, fmt.Errorf("%w: %s", errTelitInterrupted, err.Error())
}

// interrupted tells whether a command ended by the word about a socket, and then
// has all of them look which it was.
func interrupted(s *conn, err error) bool {
	var result at.ResultError
	if !errors.As(err, &result) || result.Result != telitNoCarrier {
		return false
	}
	if s != nil {
		s.s.askAll()
	}
	return true
}

// configure sets what each socket does. The modem keeps these settings through
// a restart, in a memory that wears, so that only what differs is written.
func (d telit) configure(ctx context.Context) error {
	// 1,500 octets in a packet, no end by silence, what connecting may take, and
	// at most a tenth of a second of waiting for more to send.
	err := d.setAll(ctx, "#SCFG", d.cfg.context(), 1500, 0, d.connectTenths(), 1)
	if err != nil {
		return err
	}
	// The last one has the modem say which socket was closed, and why: NO
	// CARRIER: 1,1. Old firmware cannot.
	err = d.setAll(ctx, "#SCFGEXT2", 0, 0, 0, 0, 2)
	if err != nil && !refused(err) {
		return err
	}
	digits := map[bool]int{true: 1}[err != nil]
	// SRING with the number of octets, octets as they are when they are read, no
	// keepalive, nothing accepted; digits to send or not. Older firmware lacks
	// the last two.
	err = d.setAll(ctx, "#SCFGEXT", 1, 0, 0, 0, digits)
	d.book.hexadecimal = err == nil && digits == 1
	if err != nil && refused(err) {
		err = d.setAll(ctx, "#SCFGEXT", 1, 0, 0)
	}
	return err
}

// connectTenths is <connTo>: what is left of the time to connect when a name
// was resolved, in tenths of a second, 10 to 1,200.
func (d telit) connectTenths() int {
	limit := d.openTimeout()
	limit = max(limit/2, limit-telitNames)
	return int(min(max(limit, time.Second), telitConnect) / (100 * time.Millisecond))
}

// setAll sets the parameters of all sockets.
func (d telit) setAll(ctx context.Context, name string, want ...int) error {
	res, err := d.ask(ctx, nil, telitAnswer, "%s?", name)
	if err != nil && !refused(err) {
		return err
	}
	set := make(map[int]bool)
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, name); ok && len(n) > len(want) {
			set[n[0]] = slices.Equal(n[1:1+len(want)], want)
		}
	}
	for id := 1; id <= telitSockets; id++ {
		if set[id] {
			continue
		}
		text := fmt.Sprintf("%s=%d", name, id)
		for _, w := range want {
			text += fmt.Sprintf(",%d", w)
		}
		if _, err := d.ask(ctx, nil, telitAnswer, "%s", text); err != nil {
			return err
		}
	}
	return nil
}
