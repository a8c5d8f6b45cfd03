package ppp

// noCarrier is what a modem says when it has left data mode (3GPP TS 27.007
// clause 6.3.1, ITU-T V.250 section 5.7.1).
const noCarrier = "\r\nNO CARRIER\r\n"

// lineText looks for noCarrier where no frame is open: before the first flag,
// or right behind a flag, where a frame would begin with an address or a
// protocol and never with a carriage return. The same text inside a frame is
// somebody's data.
type lineText struct {
	begun   bool // octets were seen since the flag
	off     bool // the octets since the flag are a frame, not text
	matched int  // octets of noCarrier seen
	found   bool
	end     int // if found: index behind the text in the octets scanned last
}

// restart begins anew behind a flag.
func (t *lineText) restart() { t.begun, t.off, t.matched = false, false, 0 }

// scan takes octets that hold no flag and reports whether the text ended in
// them. inFrame tells that a flag stands before them.
func (t *lineText) scan(p []byte, inFrame bool) bool {
	if t.off || t.found || len(p) == 0 {
		return false
	}
	if inFrame && !t.begun && p[0] != noCarrier[0] {
		t.off = true
		return false
	}
	t.begun = true
	for i, c := range p {
		switch {
		case c == noCarrier[t.matched]:
			t.matched++
		case c == noCarrier[0]:
			t.matched = 1
		default:
			if inFrame && !printable(c) {
				t.off = true
				return false
			}
			t.matched = 0
		}
		if t.matched == len(noCarrier) {
			t.found, t.end = true, i+1
			return true
		}
	}
	return false
}

func printable(c byte) bool { return c == '\r' || c == '\n' || c >= 0x20 && c < 0x7f }
