package profile

import (
	"time"

	"github.com/telemodem/telemodem/at/cmux"
)

// Multiplexer is how a family multiplexes (3GPP TS 27.010).
type Multiplexer struct {
	// Command switches it on, as "+CMUX=0,0,5,127,10,3,30,10,2".
	Command string
	// FrameSize is N1, the octets in a frame, as Command sets it or as the
	// modem takes it where Command leaves it out.
	FrameSize int
	// Settle is waited between the OK and the first frame.
	Settle time.Duration
	// Flush is for how long what a newly opened channel says is thrown away:
	// old notifications that some modems dump there. Zero means not at all.
	Flush time.Duration
	// LongLength says that the modem wants every length in two octets.
	LongLength bool
	// CommandChannel and DataChannel are the DLCIs for commands and for the
	// data call.
	CommandChannel, DataChannel int
}

// Config returns the settings of the host's side of the multiplexer. Frames are
// taken up to twice 127 octets at least: some modems exceed what was agreed
// (particle on the BG95), and 127 is what many use where Command leaves N1 out.
func (m *Multiplexer) Config() cmux.Config {
	return cmux.Config{
		N1:         m.FrameSize,
		MaxFrame:   max(2*m.FrameSize, 2*127),
		LongLength: m.LongLength,
		Settle:     m.Settle,
		Flush:      m.Flush,
	}
}

// muxSettle is what drivers wait between the OK and SABM, where nothing else
// is known: ubxlib u_cell_mux.c, and the 100 ms of zephyr's EG25 script.
const muxSettle = 100 * time.Millisecond

// fullMux is the form with all parameters that most drivers send: speed code 5
// is 115,200 bit/s, N1 127, T1 100 ms, N2 3, T2 300 ms, T3 10 s, k 2.
const fullMux = "+CMUX=0,0,5,127,10,3,30,10,2"
