package telemetry

import (
	"maps"
	"time"
)

// Stats are the counters of one link since the endpoint was opened, and its
// state now.
type Stats struct {
	// Accepted counts the readings that Send put on disk.
	Accepted uint64
	// Acknowledged counts the readings whose end-to-end acknowledgement came,
	// AcknowledgedBy the same by the path that carried them last; readings
	// accepted before the endpoint was opened are among them.
	Acknowledged   uint64
	AcknowledgedBy map[string]uint64
	// Outstanding is how many readings are in the outbox now, OutboxOctets the
	// room they take there.
	Outstanding  int
	OutboxOctets int
	// Oldest is when the first of them was accepted, or found on disk by
	// AddPeer; the zero Time if there is none.
	Oldest time.Time

	// Handled counts the readings that the handler returned nil for,
	// HandledBy the same by the path that brought them.
	Handled   uint64
	HandledBy map[string]uint64
	// Duplicates counts the readings that came again and were dropped.
	Duplicates uint64
	// Refused counts the frames and readings that were refused as malformed.
	Refused uint64
	// Replayed counts the frames that were seen before.
	Replayed uint64
	// Skipped counts the segments that EventSkipped tells of.
	Skipped uint64

	// Active is the path in use for readings; empty while none works.
	Active string
	// Paths are in the order of preference.
	Paths []PathStats
}

// PathStats are the counters of one path.
type PathStats struct {
	// Name is that of the Path, State what is thought of it now.
	Name  string
	State PathState
	// FramesSent and OctetsSent count what the bearer took.
	FramesSent, OctetsSent uint64
	// FramesReceived and OctetsReceived count what came from the peer.
	FramesReceived, OctetsReceived uint64
	// Failures counts how often it went down.
	Failures uint64
	// AckTime is the smoothed time from sending to acknowledgement; zero: not
	// known yet.
	AckTime time.Duration
}

// Stats returns the counters of the link to this peer.
func (p *Peer) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.AcknowledgedBy = maps.Clone(s.AcknowledgedBy)
	s.HandledBy = maps.Clone(s.HandledBy)
	s.Outstanding = p.out.readings
	s.OutboxOctets = p.out.octets
	if len(p.out.queue) > 0 {
		s.Oldest = p.out.queue[0].since
	}
	if p.active != nil {
		s.Active = p.active.Name
	}
	for _, path := range p.paths {
		ps := path.stats
		ps.Name, ps.State = path.Name, path.state
		s.Paths = append(s.Paths, ps)
	}
	return s
}

// smooth follows the ack time as TCP does its round trip (RFC 6298 section 2).
func (s *PathStats) smooth(d time.Duration) {
	if s.AckTime == 0 {
		s.AckTime = d
		return
	}
	s.AckTime += (d - s.AckTime) / 8
}
