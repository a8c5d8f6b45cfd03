package telemetry

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// A frame on the wire:
//
//	octet 0       version
//	octets 1-3    tag of the link and direction
//	octets 4-11   epoch of the sender
//	octets 12-15  number of the frame within the epoch, from 1
//	then          the body, sealed (ChaCha20-Poly1305, RFC 8439)
//	last 16       the authenticator; it covers the first 16 octets too
const (
	frameVersion = 1
	headerSize   = 16
	sealSize     = chacha20poly1305.Overhead
	overhead     = headerSize + sealSize

	// MinMTU is the least that a bearer must carry in one frame, in octets.
	// An SMS of 8-bit data with application ports has 133.
	MinMTU = 100
	// MaxFrame is the most that any bearer carries in one frame, in octets.
	MaxFrame = 32 << 10
)

// tag tells which link and direction a frame belongs to, without naming anyone.
type tag [3]byte

// epoch is one life of an endpoint: 24 bits that the store counts up at each
// opening, then 40 random ones. The count puts epochs in order and rules out
// that one returns; the random part rules it out even after an old copy of the
// store was put back.
type epoch uint64

// String implements fmt.Stringer.
func (e epoch) String() string { return fmt.Sprintf("%016x", uint64(e)) }

// header is what a frame shows in clear.
type header struct {
	tag     tag
	epoch   epoch
	counter uint32
}

func (h header) append(b []byte) []byte {
	b = append(b, frameVersion, h.tag[0], h.tag[1], h.tag[2])
	b = binary.BigEndian.AppendUint64(b, uint64(h.epoch))
	return binary.BigEndian.AppendUint32(b, h.counter)
}

func parseHeader(frame []byte) (header, error) {
	switch {
	case len(frame) < overhead || len(frame) > MaxFrame:
		return header{}, fmt.Errorf("%w: %d octets", ErrFrame, len(frame))
	case frame[0] != frameVersion:
		return header{}, fmt.Errorf("%w: version %d", ErrFrame, frame[0])
	}
	return header{
		tag:     tag(frame[1:4]),
		epoch:   epoch(binary.BigEndian.Uint64(frame[4:])),
		counter: binary.BigEndian.Uint32(frame[12:]),
	}, nil
}

// sealer seals the frames of one direction. Its nonce is epoch and counter, 96
// bits: an epoch never returns and a counter never goes back, so neither does
// a nonce, and nothing has to be written for each frame.
type sealer struct {
	aead cipher.AEAD
	tag  tag

	mu      sync.Mutex
	epoch   epoch
	counter uint32
}

func newAEAD(key []byte) cipher.AEAD {
	a, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err) // only a wrong length can fail
	}
	return a
}

// seal returns the frame for body. ok is false when the epoch has no number
// left; renew then starts another.
func (s *sealer) seal(body []byte) (frame []byte, ok bool) {
	s.mu.Lock()
	if s.counter == math.MaxUint32 {
		s.mu.Unlock()
		return nil, false
	}
	s.counter++
	h := header{s.tag, s.epoch, s.counter}
	s.mu.Unlock()
	frame = h.append(make([]byte, 0, overhead+len(body)))
	return s.aead.Seal(frame, frame[4:headerSize], body, frame[:headerSize]), true
}

// renew goes on in a fresh epoch.
func (s *sealer) renew(e epoch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch, s.counter = e, 0
}

// current returns the epoch that frames are sealed in.
func (s *sealer) current() epoch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// open returns the body of frame, or false if it was not sealed by the peer.
func open(aead cipher.AEAD, frame []byte) ([]byte, bool) {
	body, err := aead.Open(nil, frame[4:headerSize], frame[headerSize:], frame[:headerSize])
	return body, err == nil
}
