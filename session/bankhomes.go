package session

import "container/list"

// homes remembers which modem a recipient knows: an answer goes to the number
// that a message came from, and messages of one sender stay in order. It forgets
// those that it has not met for longest.
type homes struct {
	limit  int // of recipients; none where it is not positive
	byName map[string]*list.Element
	recent list.List // of *home, the latest first
}

type home struct{ recipient, modem string }

// of returns the modem that a recipient knows; empty if none.
func (h *homes) of(recipient string) string {
	e := h.byName[recipient]
	if e == nil {
		return ""
	}
	h.recent.MoveToFront(e)
	return e.Value.(*home).modem
}

// set notes that a recipient knows a modem; the empty one is none.
func (h *homes) set(recipient, modem string) {
	if h.limit <= 0 || recipient == "" {
		return
	}
	if e := h.byName[recipient]; e != nil {
		e.Value.(*home).modem = modem
		h.recent.MoveToFront(e)
		return
	}
	if h.byName == nil {
		h.byName = make(map[string]*list.Element)
	}
	h.byName[recipient] = h.recent.PushFront(&home{recipient, modem})
	if len(h.byName) > h.limit {
		last := h.recent.Back()
		h.recent.Remove(last)
		delete(h.byName, last.Value.(*home).recipient)
	}
}
