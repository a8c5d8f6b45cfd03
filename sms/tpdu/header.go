package tpdu

import "iter"

// Element is one information element of a user data header. Elements that
// this package does not interpret keep their data as it is.
type Element struct {
	ID   ElementID // which element it is
	Data []byte    // what follows the length; at most 255 octets
}

// Header is a user data header (3GPP TS 23.040 clause 9.2.3.24): elements one
// after the other as sent, each an identifier, a length and its data, without
// the length octet of the whole. Empty means that there is none.
//
// A header whose last element runs past its end is ignored as a whole, as the
// clause asks: it is kept here, but has no elements.
type Header []byte

// Valid reports whether the header is a list of whole elements.
func (h Header) Valid() bool {
	at := 0
	for at+1 < len(h) {
		at += 2 + int(h[at+1])
	}
	return at == len(h)
}

// All yields the elements in the order sent.
func (h Header) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		if !h.Valid() {
			return
		}
		for len(h) > 0 {
			n := 2 + int(h[1])
			if !yield(Element{ElementID(h[0]), h[2:n:n]}) {
				return
			}
			h = h[n:]
		}
	}
}

// Find returns the data of the last element with the identifier: of repeated
// elements the last counts (clause 9.2.3.24).
func (h Header) Find(id ElementID) (data []byte, ok bool) {
	if !h.Valid() {
		return nil, false
	}
	for at := 0; at < len(h); at += 2 + int(h[at+1]) {
		if ElementID(h[at]) == id {
			n := at + 2 + int(h[at+1])
			data, ok = h[at+2:n:n], true
		}
	}
	return data, ok
}

// findSized is Find for an element of a fixed length; one of another length is
// no such element.
func (h Header) findSized(id ElementID, n int) ([]byte, bool) {
	data, ok := h.Find(id)
	return data, ok && len(data) == n
}

// AppendElement appends an element to a header. Its data is at most 255
// octets; the rest is cut.
func AppendElement(h Header, id ElementID, data ...byte) Header {
	data = data[:min(len(data), 255)]
	h = append(h, byte(id), byte(len(data)))
	return append(h, data...)
}

// Concat says which part of which message a TPDU is (clauses 9.2.3.24.1 and
// 9.2.3.24.8).
type Concat struct {
	// Reference is the sender's number for the message; 0 is as good as another.
	Reference uint16
	// Wide is a 16-bit reference. The same number in 8 and in 16 bits belongs to
	// two messages.
	Wide  bool
	Total uint8 // parts of the message, from 1
	Part  uint8 // this one, from 1
}

// Concat returns the concatenation element. One that says 0 parts, part 0 or a
// part above the total is ignored, as the clauses ask.
func (h Header) Concat() (c Concat, ok bool) {
	if len(h) == 0 {
		return c, false
	}
	if d, ok := h.findSized(ConcatenationWide, 4); ok {
		c = Concat{uint16(d[0])<<8 | uint16(d[1]), true, d[2], d[3]}
	} else if d, ok := h.findSized(Concatenation, 3); ok {
		c = Concat{uint16(d[0]), false, d[1], d[2]}
	}
	if c.Part == 0 || c.Part > c.Total {
		return Concat{}, false
	}
	return c, true
}

// AppendConcat appends a concatenation element to a header.
func AppendConcat(h Header, c Concat) Header {
	if c.Wide {
		return append(h, byte(ConcatenationWide), 4, byte(c.Reference>>8), byte(c.Reference), c.Total, c.Part)
	}
	return append(h, byte(Concatenation), 3, byte(c.Reference), c.Total, c.Part)
}

// Ports are the application ports of a message (clauses 9.2.3.24.3 and
// 9.2.3.24.4).
type Ports struct {
	Destination, Source uint16
	// Wide is the 16-bit form. The 8-bit form holds ports up to 255, of which
	// 240 to 255 are for use by agreement.
	Wide bool
}

// Ports returns the application port element, the 16-bit one before the 8-bit.
func (h Header) Ports() (p Ports, ok bool) {
	if d, ok := h.findSized(PortsWide, 4); ok {
		return Ports{uint16(d[0])<<8 | uint16(d[1]), uint16(d[2])<<8 | uint16(d[3]), true}, true
	}
	if d, ok := h.findSized(PortsNarrow, 2); ok {
		return Ports{uint16(d[0]), uint16(d[1]), false}, true
	}
	return Ports{}, false
}

// AppendPorts appends an application port element to a header, in the 16-bit
// form where it is asked for or needed.
func AppendPorts(h Header, p Ports) Header {
	d, s := p.Destination, p.Source
	if p.Wide || d > 255 || s > 255 {
		return append(h, byte(PortsWide), 4, byte(d>>8), byte(d), byte(s>>8), byte(s))
	}
	return append(h, byte(PortsNarrow), 2, byte(d), byte(s))
}

// Languages returns the tables that the national language elements name
// (clauses 9.2.3.24.15 and 9.2.3.24.16), DefaultLanguage where there is none
// or where the standard has no table for the code.
func (h Header) Languages() (locking, single Language) {
	if len(h) == 0 {
		return
	}
	if d, ok := h.findSized(LockingShift, 1); ok && d[0] < numLanguages {
		locking = Language(d[0])
	}
	if d, ok := h.findSized(SingleShift, 1); ok && d[0] < numLanguages {
		single = Language(d[0])
	}
	return locking, single
}

// Indication is a special message indication (clause 9.2.3.24.2).
type Indication struct {
	// Kind is that of bits 1 and 0; Extended holds bits 6 to 2: the profile in
	// bits 6 and 5, the extended type in bits 4 to 2 (1 video message).
	Kind     WaitingKind
	Extended byte
	Store    bool
	Count    uint8 // messages waiting; 255 means 255 or more
}

// Indications yields the special message indications, of which a header may
// hold several.
func (h Header) Indications() iter.Seq[Indication] {
	return func(yield func(Indication) bool) {
		for e := range h.All() {
			if e.ID != SpecialIndication || len(e.Data) != 2 {
				continue
			}
			i := Indication{WaitingKind(e.Data[0] & 3), e.Data[0] >> 2 & 0x1f, e.Data[0]&0x80 != 0, e.Data[1]}
			if !yield(i) {
				return
			}
		}
	}
}

// AppendIndication appends a special message indication to a header.
func AppendIndication(h Header, i Indication) Header {
	kind := byte(i.Kind&3) | i.Extended&0x1f<<2
	if i.Store {
		kind |= 0x80
	}
	return append(h, byte(SpecialIndication), 2, kind, i.Count)
}
