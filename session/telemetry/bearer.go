package telemetry

import "context"

// Bearer is a way to carry frames to one peer: a TCP connection, short
// messages to a number, a radio. It must be comparable (a pointer), since it is
// how Endpoint.Receive is told where a frame came from.
//
// A bearer may lose frames, double them and change their order. It need not
// hide anything: frames are sealed.
type Bearer interface {
	// SendFrame hands one frame to the network. nil says that it was taken,
	// not that it arrived. An error says that it was certainly not sent, unless
	// it wraps ErrInDoubt. It is called by one goroutine at a time and must
	// return soon after ctx ends. It must not keep frame.
	SendFrame(ctx context.Context, frame []byte) error
	// MTU is the longest frame that it carries, in octets: from MinMTU, and
	// never changing. An SMS of 8-bit data with application ports carries 133
	// (3GPP TS 23.040 clause 9.2.3.24.4: 140 less seven of header).
	MTU() int
}

// Runner is a Bearer that brings in frames by itself. Run is called once, in a
// goroutine that the endpoint owns, and must return soon after ctx ends. Others
// have their frames passed to Endpoint.Receive.
type Runner interface {
	Run(ctx context.Context, receive func(frame []byte) error)
}

// Resetter is a Bearer that can be told that it seems dead: frames go in, and
// nothing is heard of them. A connection is closed, so that the next frame
// opens another. Reset must not block.
type Resetter interface {
	Reset()
}
