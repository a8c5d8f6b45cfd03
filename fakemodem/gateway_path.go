package fakemodem

import "time"

// Path is a model of the way between a modem and the network: how long
// packets take, how many pass and how many are lost.
type Path struct {
	// Latency is the time one way; Jitter adds up to so much more.
	Latency, Jitter time.Duration
	// Up and Down are what passes from and to a modem, in bits per second.
	// Zero means no bound.
	Up, Down int
	// Loss is the probability, between 0 and 1, that a packet is lost.
	Loss float64
	// Queue bounds the time that a packet waits for its turn; longer ones are
	// dropped. Zero means 3 s.
	Queue time.Duration
}

// Paths of technologies: usual figures of the field, not measurements of ours.
var (
	PathGPRS  = Path{Latency: 350 * time.Millisecond, Jitter: 250 * time.Millisecond, Up: 20_000, Down: 40_000, Loss: 0.005, Queue: 20 * time.Second}
	PathEDGE  = Path{Latency: 200 * time.Millisecond, Jitter: 100 * time.Millisecond, Up: 60_000, Down: 180_000, Loss: 0.003, Queue: 10 * time.Second}
	PathUMTS  = Path{Latency: 60 * time.Millisecond, Jitter: 40 * time.Millisecond, Up: 384_000, Down: 2_000_000, Loss: 0.001}
	PathLTE   = Path{Latency: 25 * time.Millisecond, Jitter: 10 * time.Millisecond, Up: 5_000_000, Down: 10_000_000}
	PathLTEM  = Path{Latency: 60 * time.Millisecond, Jitter: 60 * time.Millisecond, Up: 300_000, Down: 300_000, Loss: 0.001}
	PathNBIoT = Path{Latency: 800 * time.Millisecond, Jitter: 800 * time.Millisecond, Up: 16_000, Down: 21_000, Loss: 0.01, Queue: 20 * time.Second}
)

// SetPath sets how packets travel from now on. The zero Path carries all at once.
func (n *Network) SetPath(p Path) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gateway.path = p
}

// pathState is one direction of one data call.
type pathState struct {
	free time.Time // when the channel is done with what it has
	last time.Time // when the last packet arrives: packets do not overtake
}

// carry runs arrive when a packet has come through, or counts it as dropped.
func (p *Path) carry(n *Network, s *pathState, size int, up bool, arrive func(), dropped *int) {
	if p.Loss > 0 && n.rand.Float64() < p.Loss {
		*dropped++
		return
	}
	rate := p.Down
	if up {
		rate = p.Up
	}
	now := time.Now()
	at := now
	if rate > 0 {
		if s.free.After(at) {
			at = s.free
		}
		if at.Sub(now) > p.queue() {
			*dropped++
			return
		}
		at = at.Add(time.Duration(size) * 8 * time.Second / time.Duration(rate))
		s.free = at
	}
	at = at.Add(p.Latency)
	if p.Jitter > 0 {
		at = at.Add(time.Duration(n.rand.Int64N(int64(p.Jitter))))
	}
	if at.Before(s.last) {
		at = s.last
	}
	s.last = at
	if !at.After(now) {
		arrive()
		return
	}
	n.after(at.Sub(now), arrive)
}

func (p *Path) queue() time.Duration {
	if p.Queue == 0 {
		return 3 * time.Second
	}
	return p.Queue
}
