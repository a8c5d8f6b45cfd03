package fakemodem

import "time"

// faultSet is what is wrong with a modem at the moment.
type faultSet struct {
	active []*injected
	count  int // command lines so far
}

// hooks are the places where a fault takes hold; nil ones leave things alone.
type hooks struct {
	command      func(*Call) (Result, bool)
	input        func(p *port, b []byte, idle time.Duration) []byte
	output       func(p *port, pieces []piece) []piece
	answer       func(p *port, a *answer)
	prompt       func(mark string) (string, time.Duration, bool)
	escape       func() bool
	registration func() (int, bool)
	packet       func(up bool) bool
}

// injected is a fault on a modem.
type injected struct {
	hooks
}

func (f *faultSet) command(c *Call) (Result, bool) {
	for _, a := range f.active {
		if a.hooks.command == nil {
			continue
		}
		if r, taken := a.hooks.command(c); taken {
			return r, true
		}
	}
	return OK, false
}

func (f *faultSet) input(p *port, b []byte, idle time.Duration) []byte {
	for _, a := range f.active {
		if a.hooks.input != nil {
			b = a.hooks.input(p, b, idle)
		}
	}
	return b
}

func (f *faultSet) output(p *port, b []byte) []piece {
	pieces := []piece{{data: b}}
	for _, a := range f.active {
		if a.hooks.output != nil {
			pieces = a.hooks.output(p, pieces)
		}
	}
	return pieces
}

func (f *faultSet) answer(p *port, a *answer) {
	for _, x := range f.active {
		if x.hooks.answer != nil {
			x.hooks.answer(p, a)
		}
	}
}

func (f *faultSet) promptMark(mark string) (string, time.Duration, bool) {
	for _, x := range f.active {
		if x.hooks.prompt != nil {
			return x.hooks.prompt(mark)
		}
	}
	return mark, 0, false
}

func (f *faultSet) ignoreEscape() bool {
	for _, x := range f.active {
		if x.hooks.escape != nil && x.hooks.escape() {
			return true
		}
	}
	return false
}

func (f *faultSet) registration() (int, bool) {
	for _, x := range f.active {
		if x.hooks.registration != nil {
			if state, ok := x.hooks.registration(); ok {
				return state, true
			}
		}
	}
	return 0, false
}

func (f *faultSet) dropsPacket(up bool) bool {
	for _, x := range f.active {
		if x.hooks.packet != nil && x.hooks.packet(up) {
			return true
		}
	}
	return false
}
