package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/telemodem/telemodem/session/telemetry"
)

var (
	ofLink = []string{"endpoint", "peer"}
	ofPath = []string{"endpoint", "peer", "path"}
)

// link is what is known of one peer at now.
type link struct {
	telemetry.Stats
	now time.Time
}

var linkMetrics = []metric[*link]{
	counter("link_accepted_readings_total", "Readings that were put on disk to be sent.", ofLink, func(l *link) uint64 { return l.Accepted }),
	counter("link_acknowledged_readings_total", "Readings that the peer has handled and acknowledged.", ofLink, func(l *link) uint64 { return l.Acknowledged }),
	gauge("link_outstanding_readings", "Readings in the outbox.", ofLink, func(l *link) int { return l.Outstanding }),
	gauge("link_outbox_bytes", "Room that they take in the outbox.", ofLink, func(l *link) int { return l.OutboxOctets }),
	gauge("link_oldest_reading_age_seconds", "How long the oldest of them waits, since it was accepted or found on disk; 0 if there is none.", ofLink,
		func(l *link) float64 {
			if l.Oldest.IsZero() {
				return 0
			}
			return max(l.now.Sub(l.Oldest), 0).Seconds()
		}),
	flag("link_connected", "Whether a path for readings works.", ofLink, func(l *link) bool { return l.Active != "" }),
	counter("link_handled_readings_total", "Readings of the peer that were handled.", ofLink, func(l *link) uint64 { return l.Handled }),
	counter("link_duplicate_readings_total", "Readings that came again and were dropped.", ofLink, func(l *link) uint64 { return l.Duplicates }),
	counter("link_refused_frames_total", "Frames and readings that were refused as malformed.", ofLink, func(l *link) uint64 { return l.Refused }),
	counter("link_replayed_frames_total", "Frames that were seen before.", ofLink, func(l *link) uint64 { return l.Replayed }),
	counter("link_skipped_segments_total", "Segments that the peer has had acknowledged and that the store knows nothing of.", ofLink, func(l *link) uint64 { return l.Skipped }),
}

// lane is one path of a link.
type lane struct {
	telemetry.PathStats
	active bool
}

var pathMetrics = []metric[*lane]{
	flag("path_up", "Whether the path works, or nothing speaks against it yet.", ofPath, func(p *lane) bool { return p.State == telemetry.PathUp }),
	flag("path_active", "Whether readings go over the path.", ofPath, func(p *lane) bool { return p.active }),
	counter("path_sent_frames_total", "Frames that the bearer took.", ofPath, func(p *lane) uint64 { return p.FramesSent }),
	counter("path_sent_bytes_total", "Octets in them.", ofPath, func(p *lane) uint64 { return p.OctetsSent }),
	counter("path_received_frames_total", "Frames that came from the peer.", ofPath, func(p *lane) uint64 { return p.FramesReceived }),
	counter("path_received_bytes_total", "Octets in them.", ofPath, func(p *lane) uint64 { return p.OctetsReceived }),
	counter("path_failures_total", "Times that the path went down.", ofPath, func(p *lane) uint64 { return p.Failures }),
	gauge("path_acknowledgement_seconds", "Smoothed time from sending to acknowledgement; 0 while it is not known.", ofPath, func(p *lane) float64 { return p.AckTime.Seconds() }),
}

func (c *collector) collectLinks(to chan<- prometheus.Metric) {
	now := time.Now()
	endpoints := make(labelNames)
	for _, e := range c.sources.Endpoints {
		endpoint, peers := endpoints.unique(e.Name()), make(labelNames)
		for _, p := range e.Peers() {
			l := link{p.Stats(), now}
			peer, paths := peers.unique(p.Name()), make(labelNames)
			collect(to, linkMetrics, &l, endpoint, peer)
			for _, path := range l.Paths {
				collect(to, pathMetrics, &lane{path, path.Name == l.Active}, endpoint, peer, paths.unique(path.Name))
			}
		}
	}
}

// seconds is a moment as Prometheus has it.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
