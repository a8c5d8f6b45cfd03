package ppp

import (
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// Blocks and options of a pcapng file (draft-ietf-opsawg-pcapng sections 4.1
// to 4.3), and the link type of PPP (the registry of the same group).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6 // Enhanced Packet Block
	byteOrderMagic = 0x1a2b3c4d
	linkTypePPP    = 9

	optionEnd       = 0
	optionTimeRes   = 9 // if_tsresol
	optionFlags     = 2 // epb_flags, with the direction in the lowest two bits
	optionDropCount = 4 // epb_dropcount
	nanoseconds     = 9 // if_tsresol: 10 to the power of -9
)

// direction of a frame, as epb_flags has it.
type direction uint32

const (
	inbound  direction = 1
	outbound direction = 2
)

// captureBacklog is how much waits for a slow writer, in octets.
const captureBacklog = 1 << 20

// capture writes frames to a file from a goroutine of its own, so that no
// frame waits for a disk.
type capture struct {
	mu      sync.Mutex
	ready   sync.Cond
	blocks  []byte
	spare   []byte
	dropped uint64 // since the last block
	failed  bool   // the writer failed; nothing more is written
	last    bool
	done    chan struct{}
}

func newCapture(w io.Writer) *capture {
	c := &capture{done: make(chan struct{}), blocks: captureHeader()}
	c.ready.L = &c.mu
	go c.run(w)
	return c
}

// captureHeader is a section header with one interface.
func captureHeader() []byte {
	section := binary.LittleEndian.AppendUint32(nil, byteOrderMagic)
	section = append(section, 1, 0, 0, 0)                                     // version 1.0
	section = append(section, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) // of unknown length
	b := appendBlock(nil, blockSection, section)
	face := []byte{linkTypePPP, 0, 0, 0, 0, 0, 0, 0} // no limit of length
	face = appendBlockOption(face, optionTimeRes, []byte{nanoseconds})
	return appendBlock(b, blockInterface, appendBlockOption(face, optionEnd, nil))
}

// appendBlock appends one block, whose length stands before and behind it.
func appendBlock(dst []byte, kind uint32, body []byte) []byte {
	length := uint32(12 + len(body))
	dst = binary.LittleEndian.AppendUint32(dst, kind)
	dst = binary.LittleEndian.AppendUint32(dst, length)
	dst = append(dst, body...)
	return binary.LittleEndian.AppendUint32(dst, length)
}

func appendBlockOption(dst []byte, kind uint16, value []byte) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, kind)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(value)))
	return pad4(append(dst, value...))
}

func pad4(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// add notes one frame, in the layout of RFC 1661 with an uncompressed header.
func (c *capture) add(d direction, p protocol, info []byte) {
	at := uint64(time.Now().UnixNano())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed || c.last {
		return
	}
	if len(c.blocks) > captureBacklog {
		c.dropped++
		return
	}
	length := uint32(4 + len(info))
	body := binary.LittleEndian.AppendUint32(make([]byte, 0, 64+len(info)), 0) // interface
	body = binary.LittleEndian.AppendUint32(body, uint32(at>>32))
	body = binary.LittleEndian.AppendUint32(body, uint32(at))
	body = binary.LittleEndian.AppendUint32(body, length)
	body = binary.LittleEndian.AppendUint32(body, length)
	body = append(body, addressOctet, controlOctet, byte(p>>8), byte(p))
	start := len(body)
	body = append(body, info...)
	if p == protocolPAP {
		hidePassword(body[start:])
	}
	body = pad4(body)
	body = appendBlockOption(body, optionFlags, binary.LittleEndian.AppendUint32(nil, uint32(d)))
	if c.dropped > 0 {
		body = appendBlockOption(body, optionDropCount, binary.LittleEndian.AppendUint64(nil, c.dropped))
		c.dropped = 0
	}
	body = appendBlockOption(body, optionEnd, nil)
	c.blocks = appendBlock(c.blocks, blockPacket, body)
	c.ready.Signal()
}

// hidePassword blots out everything behind the name of a PAP request, and the
// whole of one that is malformed.
func hidePassword(info []byte) {
	if len(info) < packetHeader || code(info[0]) != papRequest {
		return
	}
	rest := info[packetHeader:]
	if _, behind, ok := cutCounted(rest); ok && len(behind) > 0 {
		rest = behind[1:]
	}
	for i := range rest {
		rest[i] = '*'
	}
}

// run writes blocks until close.
func (c *capture) run(w io.Writer) {
	defer close(c.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for len(c.blocks) == 0 && !c.last {
			c.ready.Wait()
		}
		if len(c.blocks) == 0 {
			return
		}
		batch := c.blocks
		c.blocks = c.spare[:0]
		c.mu.Unlock()
		_, err := w.Write(batch)
		c.mu.Lock()
		c.spare = batch
		if err != nil {
			c.failed, c.blocks = true, nil
		}
	}
}

// close writes what waits and ends the goroutine.
func (c *capture) close() {
	c.mu.Lock()
	c.last = true
	c.ready.Broadcast()
	c.mu.Unlock()
	<-c.done
}
