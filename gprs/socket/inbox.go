package socket

import (
	"net"
	"net/netip"
	"sync"
)

// inboxLimit is how many octets are kept for a program that does not read;
// what comes on top stays with the modem.
const inboxLimit = 64 << 10

// inbox is what was received and not read yet.
type inbox struct {
	datagrams bool

	mu      sync.Mutex
	pieces  []piece
	size    int
	err     error // what comes behind the data
	starved bool  // pump stopped since there was no room
	changed chan struct{}
}

func (b *inbox) init(datagrams bool) {
	b.datagrams = datagrams
	b.changed = make(chan struct{})
}

func (b *inbox) put(p piece) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces = append(b.pieces, p)
	b.size += len(p.data)
	b.changedLocked()
}

// end says what comes behind the data; the first word stays. After Close
// nothing is left to read.
func (b *inbox) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == net.ErrClosed {
		b.pieces, b.size, b.err = nil, 0, nil
	}
	if b.err == nil {
		b.err = err
		b.changedLocked()
	}
}

func (b *inbox) changedLocked() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// take copies data into p and tells whose it is. Without data it returns a
// channel to wait on, or what comes behind. An empty p takes nothing and waits
// for nothing.
func (b *inbox) take(p []byte) (n int, from netip.AddrPort, changed <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(p) == 0 {
		return 0, from, nil, nil
	}
	if len(b.pieces) == 0 {
		if b.err != nil {
			return 0, from, nil, b.err
		}
		return 0, from, b.changed, nil
	}
	first := &b.pieces[0]
	n, from = copy(p, first.data), first.addr
	if n < len(first.data) && !b.datagrams {
		first.data = first.data[n:]
		b.size -= n
		return n, from, b.changed, nil
	}
	b.size -= len(first.data)
	*first = piece{}
	b.pieces = b.pieces[1:]
	return n, from, b.changed, nil
}

// hasRoom tells whether more may be fetched, and notes it if not.
func (b *inbox) hasRoom() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.starved = b.size >= inboxLimit
	return !b.starved
}

// wanted tells whether pump waits for room that is there now.
func (b *inbox) wanted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.starved && b.size < inboxLimit/2 {
		b.starved = false
		return true
	}
	return false
}
