package fakemodem

import (
	"context"
	"errors"
	"fmt"
)

// CallAnswer is what a telephone does when it rings.
type CallAnswer uint8

// The ways of a telephone.
const (
	// AnswerCalls picks up after two seconds.
	AnswerCalls CallAnswer = iota
	// RefuseCalls hangs up: the caller hears BUSY.
	RefuseCalls
	// IgnoreCalls lets it ring.
	IgnoreCalls
)

// Errors of PhoneCall.Answered.
var (
	// ErrBusy says that the called modem is in a call or has refused.
	ErrBusy = errors.New("fakemodem: the number is busy")
	// ErrCallEnded says that the call is over, or has never got through.
	ErrCallEnded = errors.New("fakemodem: the call has ended")
)

// PhoneCall is a telephone's end of a voice call. It carries no sound. Its
// methods may be called by several goroutines at once.
type PhoneCall struct {
	p      *Phone
	number string
	up     chan struct{} // closed when it is answered
	done   chan struct{} // closed when it is over

	// Guarded by the network's lock.
	peer party
	err  error
	isUp bool
}

// SetCallAnswer says what the phone does when it rings from now on.
func (p *Phone) SetCallAnswer(a CallAnswer) {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	p.answer = a
}

// CurrentCall is the call that the phone is in, made by it or by a modem; nil
// if there is none.
func (p *Phone) CurrentCall() *PhoneCall {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	return p.call
}

// Call rings a modem. It returns at once; Answered waits. A phone is in one
// call at a time: another one gives an error.
func (p *Phone) Call(number string) (*PhoneCall, error) {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	if p.call != nil {
		return nil, fmt.Errorf("fakemodem: %s is in a call with %s", p.number, p.call.number)
	}
	k := p.newCall(number, nil)
	refusal := "NO CARRIER"
	if m, ok := p.n.numbers[p.n.findNumber(number)].(*Modem); ok {
		k.peer = m
		refusal = m.ring(p.number, k)
	}
	if refusal != "" {
		k.peer = nil
		k.ended(refusal)
	}
	return k, nil
}

func (p *Phone) newCall(number string, peer party) *PhoneCall {
	p.call = &PhoneCall{p: p, number: number, peer: peer, up: make(chan struct{}), done: make(chan struct{})}
	return p.call
}

// ring lets a modem's call come in.
func (p *Phone) ring(from string, m *Modem) (refusal string) {
	switch {
	case p.off:
		return "NO CARRIER"
	case p.call != nil || p.answer == RefuseCalls:
		return "BUSY"
	}
	k := p.newCall(from, m)
	m.voice.peer = k
	if p.answer == AnswerCalls {
		p.n.after(p.n.scale(pickUpTime), k.pickUp)
	}
	return ""
}

// pickUpTime is how long a telephone rings that answers.
const pickUpTime = 2 * setupTime / 3

// pickUp answers the modem's call.
func (k *PhoneCall) pickUp() {
	if k.p.call == k && !k.isUp {
		k.answered()
		k.peer.answered()
	}
}

// answered is the party's: the modem picks up.
func (k *PhoneCall) answered() {
	k.isUp = true
	close(k.up)
}

// ended is the party's: the modem or the network ends the call.
func (k *PhoneCall) ended(final string) {
	if k.p.call != k {
		return
	}
	k.p.call = nil
	k.err = ErrCallEnded
	if final == "BUSY" {
		k.err = ErrBusy
	}
	close(k.done)
}

// Number is that of the other end.
func (k *PhoneCall) Number() string { return k.number }

// Answered waits until the call is answered: by the modem, or by the phone
// itself if it was the modem that called. It returns ErrBusy or ErrCallEnded
// if that does not come, and the context's error.
func (k *PhoneCall) Answered(ctx context.Context) error {
	select {
	case <-k.up:
		return nil
	case <-k.done:
		k.p.n.mu.Lock()
		defer k.p.n.mu.Unlock()
		if k.isUp {
			return nil
		}
		return k.err
	case <-k.p.n.done:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// PickUp answers a call of a modem that the phone lets ring.
func (k *PhoneCall) PickUp() {
	k.p.n.mu.Lock()
	defer k.p.n.mu.Unlock()
	if m, ok := k.peer.(*Modem); ok && m.voice.out {
		k.pickUp()
	}
}

// HangUp ends the call. It may be called twice.
func (k *PhoneCall) HangUp() {
	k.p.n.mu.Lock()
	defer k.p.n.mu.Unlock()
	if k.p.call != k {
		return
	}
	k.ended("NO CARRIER")
	if k.peer != nil {
		k.peer.ended("NO CARRIER")
	}
}

// Done is closed when the call is over.
func (k *PhoneCall) Done() <-chan struct{} { return k.done }
