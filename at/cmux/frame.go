package cmux

// control is the control field without its P/F bit (3GPP TS 27.010 clause 5.2.1.3).
type control byte

const (
	sabm control = 0x2F // set asynchronous balanced mode
	ua   control = 0x63 // unnumbered acknowledgement
	dm   control = 0x0F // disconnected mode
	disc control = 0x43 // disconnect
	uih  control = 0xEF // unnumbered information with header check
	ui   control = 0x03 // unnumbered information
)

// pollFinal is the P/F bit of the control field (clause 5.2.1.3).
const pollFinal = 0x10

// known tells whether the standard has such a frame.
func (c control) known() bool {
	switch c {
	case sabm, ua, dm, disc, uih, ui:
		return true
	}
	return false
}

// A frame is one frame of either option, without what guards it on the wire.
type frame struct {
	dlci    int
	cr      bool // the C/R bit of the address field, clause 5.2.1.2
	control control
	pf      bool
	info    []byte
}

// address returns the address field: EA, C/R and DLCI (clause 5.2.1.2).
func (f frame) address() byte {
	a := byte(f.dlci)<<2 | 1
	if f.cr {
		a |= 2
	}
	return a
}

// controlOctet returns the control field with its P/F bit.
func (f frame) controlOctet() byte {
	if f.pf {
		return byte(f.control) | pollFinal
	}
	return byte(f.control)
}

// Octets of the wire.
const (
	basicFlag    = 0xF9 // clause 5.2.6.1
	advancedFlag = 0x7E // clause 5.2.7
	escape       = 0x7D // clause 5.2.7.1
	escapeBit    = 0x20 // clause 5.2.7.1: the sixth bit of an escaped octet is inverted
	maxShort     = 127  // the longest information field with a one-octet length, clause 5.2.1.5
	maxLong      = 32767
)

// A codec turns frames into octets.
type codec struct {
	option Option
	long   bool // always a two-octet length field, even where one would do
}

// flag returns the octet between frames.
func (c codec) flag() byte {
	if c.option == Advanced {
		return advancedFlag
	}
	return basicFlag
}

// append appends a whole frame with its flags.
func (c codec) append(dst []byte, f frame) []byte {
	if c.option == Advanced {
		return appendAdvanced(dst, f)
	}
	return c.appendBasic(dst, f)
}

// appendBasic writes flag, address, control, length, information, FCS, flag
// (clause 5.2.6.1). The FCS of UIH covers the header alone (clause 5.2.1.6).
func (c codec) appendBasic(dst []byte, f frame) []byte {
	n := len(f.info)
	var head [5]byte
	h := append(head[:0], basicFlag, f.address(), f.controlOctet())
	if n > maxShort || c.long {
		h = append(h, byte(n<<1), byte(n>>7))
	} else {
		h = append(h, byte(n<<1)|1)
	}
	fcs := fcsAdd(fcsInit, h[1:])
	if f.control != uih {
		fcs = fcsAdd(fcs, f.info)
	}
	dst = append(dst, h...)
	dst = append(dst, f.info...)
	return append(dst, ^fcs, basicFlag)
}

// appendAdvanced writes flag, address, control, information, FCS, flag with
// transparency (clause 5.2.7). There is no length field.
func appendAdvanced(dst []byte, f frame) []byte {
	head := [2]byte{f.address(), f.controlOctet()}
	fcs := fcsAdd(fcsInit, head[:])
	if f.control != uih {
		fcs = fcsAdd(fcs, f.info)
	}
	dst = append(dst, advancedFlag)
	dst = appendEscaped(dst, head[:])
	dst = appendEscaped(dst, f.info)
	return append(appendEscaped(dst, []byte{^fcs}), advancedFlag)
}

// appendEscaped hides flags and escapes, and XON and XOFF, which a line with
// software flow control would swallow (clause 5.2.7.1).
func appendEscaped(dst, p []byte) []byte {
	for _, b := range p {
		switch b {
		case advancedFlag, escape, 0x11, 0x13, 0x91, 0x93:
			dst = append(dst, escape, b^escapeBit)
		default:
			dst = append(dst, b)
		}
	}
	return dst
}
