package cmux

import "time"

// Option is the framing of 3GPP TS 27.010, the first parameter of AT+CMUX.
type Option int

const (
	Basic    Option = 0 // clause 5.2.6: flags and a length field
	Advanced Option = 1 // clause 5.2.7: HDLC-like transparency
)

// Config holds what is chosen when a multiplexer starts. A nil *Config is a sound
// choice for the basic option.
type Config struct {
	// Option is the framing, as agreed by AT+CMUX.
	Option Option
	// N1 is the longest information field sent, in octets, as agreed by AT+CMUX.
	// Zero means the standard's 31 (basic) or 64 (advanced); at most 32767.
	N1 int
	// MaxFrame is the longest information field accepted, in octets. Zero means
	// twice N1, because some modems exceed what was agreed.
	MaxFrame int
	// UI sends data in UI frames, whose FCS covers the data too, in place of UIH: the
	// second parameter of AT+CMUX is 1. Both are always received.
	UI bool
	// LongLength sends every length field in two octets (some modems ask for it).
	LongLength bool

	// T1 is the wait for the answer to SABM and DISC. Zero means 300 ms.
	T1 time.Duration
	// T2 is the wait for the answer to a message of the control channel. Zero means 500 ms.
	T2 time.Duration
	// N2 is how often each is repeated. Zero means 5; negative means never.
	N2 int

	// Settle is the wait before the first frame, from New. Zero or less means none.
	Settle time.Duration
	// ChannelSettle is the wait from a channel's opening to the return of Open.
	ChannelSettle time.Duration
	// Flush throws away what a newly opened channel receives for so long after UA:
	// old notifications that some modems dump there. Zero or less means nothing.
	Flush time.Duration

	// Speed is the line's rate in bit/s. If set, no more than a few milliseconds
	// are written ahead of the line, so that a deep buffer in the driver cannot
	// hold up a command behind bulk data. Zero: the line's Write blocks as it should.
	Speed int
	// Buffer is how much may be received and not yet read on one channel, in octets,
	// before the other side is asked to stop; at half of that it may go on. What is
	// still under way then, up to 128 KiB, is taken as well; after that the line is
	// held. Zero means 32 KiB.
	Buffer int

	// KeepAlive is the quiet time after which a Test message proves that the other
	// side is there. Zero or less means never.
	KeepAlive time.Duration
	// FlowTimeout bounds how long the other side may stop a channel that has data
	// to send; then the channel fails with ErrFlowStuck. Zero means 2 min; negative
	// means for ever.
	FlowTimeout time.Duration
	// CloseTimeout bounds Close. Zero means 2 s.
	CloseTimeout time.Duration
	// FrameTimeout is the quiet time after which a frame that has begun is doubted.
	// Zero means 200 ms.
	FrameTimeout time.Duration
	// MaxDamage ends the multiplexer with ErrDamaged after so many damaged frames
	// without a good one between them: N1 or speed does not suit. Zero means 32;
	// negative means never.
	MaxDamage int

	// LossErrors makes Channel.Read return ErrLoss once at each place where the line
	// was damaged; the next Read goes on behind it. Without it Channel.Losses counts
	// them and the layer above finds out by its own means (no answer, a wrong FCS).
	LossErrors bool

	// Negotiate sends PN before SABM, with the values of Channels.
	Negotiate bool
	// Channels has what differs by DLCI. A DLCI that is absent has the defaults.
	Channels map[int]ChannelConfig
	// Accept says whether the other side may open a DLCI. Nil accepts all in the
	// responder role and none in the initiator role. It must not block.
	Accept func(dlci int) bool
}

// ChannelConfig holds what is chosen for one DLCI.
type ChannelConfig struct {
	// Priority, 1 (first) to 63. Zero means the default of 3GPP TS 27.010 clause
	// 5.6: 7 for DLCI 1 to 7, 15 for 8 to 15 and so on.
	Priority int
	// N1 for this channel. Zero means that of the Config.
	N1 int
	// ConvergenceLayer is 1 (octets) or 2 (octets with the V.24 signals in each
	// frame); it needs Negotiate. Zero means 1.
	ConvergenceLayer int
}

// underWay is what may still come after a channel was told to stop: one batch, and
// what buffers on the way hold.
const underWay = 128 << 10

// withDefaults returns a copy with every zero replaced.
func (c *Config) withDefaults() Config {
	var v Config
	if c != nil {
		v = *c
	}
	if v.N1 <= 0 {
		v.N1 = 31 // 3GPP TS 27.010 clause 5.7.2
		if v.Option == Advanced {
			v.N1 = 64
		}
	}
	v.N1 = min(v.N1, maxLong)
	def(&v.MaxFrame, max(2*v.N1, 64))
	def(&v.T1, 300*time.Millisecond)
	def(&v.T2, 500*time.Millisecond)
	def(&v.N2, 5)
	v.N2 = max(v.N2, 0)
	def(&v.Buffer, 32<<10)
	def(&v.FlowTimeout, 2*time.Minute)
	def(&v.CloseTimeout, 2*time.Second)
	def(&v.FrameTimeout, 200*time.Millisecond)
	def(&v.MaxDamage, 32)
	return v
}

// def replaces a zero.
func def[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// channel returns the settings of one DLCI with every zero replaced.
func (c *Config) channel(dlci int) ChannelConfig {
	v := c.Channels[dlci]
	def(&v.Priority, defaultPriority(dlci))
	def(&v.N1, c.N1)
	v.N1 = min(v.N1, maxLong)
	def(&v.ConvergenceLayer, 1)
	return v
}

// defaultPriority is table 27.010 clause 5.6: groups of eight channels.
func defaultPriority(dlci int) int { return min(dlci|7, 61) }
