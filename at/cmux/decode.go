package cmux

import "bytes"

// event is what the decoder found next.
type event int

const (
	noEvent     event = iota // nothing whole: feed more
	gotFrame                 // a frame with a good FCS
	gotDamage                // a frame that cannot be trusted was skipped
	gotOversize              // the same, because it was longer than the bound
	gotStray                 // octets outside frames, in frame.info
)

// A decoder finds the frames in a stream. What it cannot use it skips up to the
// next flag, starting right behind the flag of the broken frame, so that one
// damaged length does not swallow the frames behind it.
type decoder struct {
	option Option
	max    int // longest information field accepted

	buf    []byte // what is not yet used up starts at pos
	pos    int
	inside bool // a flag has been seen, and no octet outside frames since
}

// feed adds received octets. It ends the life of every frame returned before.
func (d *decoder) feed(p []byte) {
	if d.pos > 0 {
		d.buf = d.buf[:copy(d.buf, d.buf[d.pos:])]
		d.pos = 0
	}
	d.buf = append(d.buf, p...)
}

// rest returns what was fed and not used up, without leading flags.
func (d *decoder) rest() []byte {
	return bytes.TrimLeft(d.buf[d.pos:], string([]byte{codec{option: d.option}.flag()}))
}

// partial tells that a frame has begun and not ended.
func (d *decoder) partial() bool { return len(d.rest()) > 0 }

// next returns the next event. The frame's information field lives until feed.
func (d *decoder) next() (frame, event) {
	flag := codec{option: d.option}.flag()
	if !d.inside {
		if f, ev := d.seekFlag(flag); ev != noEvent || !d.inside {
			return f, ev
		}
	}
	// Flags may be repeated, and one may end a frame and begin the next.
	for d.pos+1 < len(d.buf) && d.buf[d.pos] == flag && d.buf[d.pos+1] == flag {
		d.pos++
	}
	if d.pos+1 >= len(d.buf) {
		return frame{}, noEvent
	}
	if d.option == Advanced {
		return d.nextAdvanced()
	}
	return d.nextBasic()
}

// seekFlag drops what lies before the next flag and reports it as stray.
func (d *decoder) seekFlag(flag byte) (frame, event) {
	stray := d.buf[d.pos:]
	if i := bytes.IndexByte(stray, flag); i >= 0 {
		stray = stray[:i]
		d.inside = true
	}
	d.pos += len(stray)
	if len(stray) == 0 {
		return frame{}, noEvent
	}
	return frame{info: stray}, gotStray
}

// skip gives up the frame that starts at pos: the search goes on behind its flag.
func (d *decoder) skip(ev event) (frame, event) {
	d.pos++
	d.inside = false
	return frame{}, ev
}

// fill parses address and control into f and says whether they can be right.
func (f *frame) fill(address, ctl byte) bool {
	f.dlci, f.cr = int(address>>2), address&2 != 0
	f.control, f.pf = control(ctl&^pollFinal), ctl&pollFinal != 0
	return address&1 != 0 && f.control.known()
}

// nextBasic reads a frame of the basic option; buf[pos] is a flag and an octet
// that is none follows.
func (d *decoder) nextBasic() (f frame, ev event) {
	b := d.buf[d.pos+1:]
	if len(b) < 3 {
		if !plausible(b) {
			return d.skip(gotDamage)
		}
		return f, noEvent
	}
	if !f.fill(b[0], b[1]) {
		return d.skip(gotDamage)
	}
	head, n := 3, int(b[2]>>1)
	if b[2]&1 == 0 { // clause 5.2.1.5: a second length octet
		if len(b) < 4 {
			return f, noEvent
		}
		head, n = 4, n|int(b[3])<<7
	}
	if n > d.max {
		return d.skip(gotOversize)
	}
	if len(b) < head+n+2 {
		return f, noEvent
	}
	covered := head
	if f.control != uih {
		covered += n
	}
	if fcsTable[fcsAdd(fcsInit, b[:covered])^b[head+n]] != fcsGood || b[head+n+1] != basicFlag {
		return d.skip(gotDamage)
	}
	f.info = b[head : head+n]
	d.pos += head + n + 2 // onto the closing flag, which may be the next opening one
	return f, gotFrame
}

// plausible tells whether one or two octets can begin a frame.
func plausible(b []byte) bool {
	return b[0]&1 != 0 && (len(b) < 2 || control(b[1]&^pollFinal).known())
}

// nextAdvanced reads a frame of the advanced option; buf[pos] is a flag.
func (d *decoder) nextAdvanced() (f frame, ev event) {
	b := d.buf[d.pos+1:]
	end := bytes.IndexByte(b, advancedFlag)
	if end < 0 {
		if len(b) > 2*(d.max+3) { // every octet may be escaped
			return d.skip(gotOversize)
		}
		return f, noEvent
	}
	raw := b[:end]
	body := unescape(raw)
	bad := gotDamage
	if len(body) >= 3 && len(body)-3 > d.max {
		bad = gotOversize
	}
	if bad == gotOversize || len(body) < 3 || raw[end-1] == escape || !f.fill(body[0], body[1]) {
		return d.skipAdvanced(end, bad)
	}
	info, fcs := body[2:len(body)-1], body[len(body)-1]
	covered := body[:2]
	if f.control != uih {
		covered = body[:len(body)-1]
	}
	if fcsTable[fcsAdd(fcsInit, covered)^fcs] != fcsGood {
		return d.skipAdvanced(end, gotDamage)
	}
	f.info = info
	d.pos += end + 1
	return f, gotFrame
}

// skipAdvanced gives up everything to the closing flag: transparency says that
// no frame can begin before it. What looks like text is handed out as stray.
func (d *decoder) skipAdvanced(end int, ev event) (frame, event) {
	d.pos += end + 1
	return frame{}, ev
}

// unescape takes the transparency of p away, in place.
func unescape(p []byte) []byte {
	i := bytes.IndexByte(p, escape)
	if i < 0 {
		return p
	}
	n := i
	for ; i < len(p); i++ {
		if p[i] == escape && i+1 < len(p) {
			i++
			p[n] = p[i] ^ escapeBit
		} else {
			p[n] = p[i]
		}
		n++
	}
	return p[:n]
}

// hurry is for a line that has gone quiet in mid-frame: if whole frames lie behind
// the beginning that waits for more, then that beginning is false and is skipped.
// Otherwise nothing changes, because the rest may still come.
func (d *decoder) hurry() event {
	if d.option == Advanced || !d.inside {
		return noEvent
	}
	b := d.buf[d.pos:]
	for i := 1; i < len(b); i++ {
		if b[i] != basicFlag {
			continue
		}
		probe := decoder{max: d.max, buf: b[i:], inside: true}
		if _, ev := probe.next(); ev == gotFrame {
			d.pos++
			d.inside = false
			return gotDamage
		}
	}
	return noEvent
}
