package telemetry

import (
	"math/rand/v2"
	"time"
)

// expire takes back the segments of frames that were not acknowledged in time.
// The path is at fault unless it has shown since that it works.
func (p *Peer) expire(now time.Time) {
	for _, f := range append([]*flight(nil), p.out.flights...) {
		if !f.sent || f.deadline.After(now) {
			continue
		}
		p.out.recall(f)
		if !f.path.proven.After(f.sentAt) && f.path.state == PathUp {
			p.fail(f.path, ErrNoAck, now)
		}
	}
}

// fail rests a path.
func (p *Peer) fail(path *path, cause error, now time.Time) {
	path.failures++
	path.retryAt = now.Add(path.pause())
	path.ping, path.pingSent = 0, false
	if path.state == PathUp {
		path.stats.Failures++
		p.emit(Event{Kind: EventPathDown, Path: path.Name, Err: cause})
	}
	path.state = PathDown
	if r, ok := path.Bearer.(Resetter); ok && cause == ErrNoAck {
		p.resets = append(p.resets, r)
	}
}

// prove notes that a path works. One that costs nothing then also takes over
// what is under way elsewhere, rather than waiting for slow acknowledgements.
func (p *Peer) prove(path *path, now time.Time) {
	path.proven = now
	path.failures = 0
	path.ping, path.pingSent = 0, false
	if path.state == PathUp {
		return
	}
	path.state = PathUp
	p.emit(Event{Kind: EventPathUp, Path: path.Name})
	if path.Costly {
		return
	}
	for _, f := range append([]*flight(nil), p.out.flights...) {
		if f.sent {
			p.out.recall(f)
		}
	}
}

// revive gives paths that are down another chance, and asks quiet ones for a
// sign of life.
func (p *Peer) revive(now time.Time, todo *agenda) {
	for _, path := range p.paths {
		if path.pingSent && !path.pingTill.After(now) {
			p.fail(path, ErrNoAck, now)
		}
		switch {
		case path.pingSent:
			todo.add(path.pingTill)
		case path.ping != 0: // about to go out
		case path.state == PathDown && path.retryAt.After(now):
			todo.add(path.retryAt)
		case path.state == PathDown && path.Costly:
			path.state = PathUp // its next frame will show
			p.emit(Event{Kind: EventPathUp, Path: path.Name})
		case path.state == PathDown:
			path.state = PathProbing
			path.ping = newToken()
		case path.KeepAlive > 0 && !path.Costly:
			if quiet := path.used.Add(path.KeepAlive); quiet.After(now) {
				todo.add(quiet)
			} else {
				path.ping = newToken()
			}
		}
	}
}

func newToken() uint64 { return 1 + rand.Uint64N(1<<32) }

// choose picks the path for readings: the first one that works and can carry
// them all.
func (p *Peer) choose(now time.Time) {
	var best *path
	for _, path := range p.paths {
		if path.state == PathUp && path.capacity() >= p.out.longest {
			best = path
			break
		}
	}
	if best == p.active {
		return
	}
	p.active = best
	p.emit(Event{Kind: EventSwitched, Path: pathName(best)})
}

func pathName(p *path) string {
	if p == nil {
		return ""
	}
	return p.Name
}
