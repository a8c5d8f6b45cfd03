package tpdu

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Encoding is the caller's wish for how a text is coded.
type Encoding byte

// The encodings to ask for.
const (
	// Automatic takes GSM 7-bit if the allowed tables have all characters,
	// otherwise UCS-2.
	Automatic Encoding = iota
	// OnlyGSM7 makes a character that the allowed tables lack an error.
	OnlyGSM7
	// OnlyUCS2 takes UCS-2 always.
	OnlyUCS2
)

// SplitConfig says how [Split] and [SplitData] make parts. A nil *SplitConfig
// is a sound choice.
type SplitConfig struct {
	// Encoding is the wish for a text; zero means Automatic. For data it has no
	// effect.
	Encoding Encoding
	// Locking and Single are the national tables that may be used. Zero: none,
	// so that every handset can read the text.
	Locking, Single Languages
	// Reference marks the parts of one message. Keep it different from that of
	// any other message on its way to the same recipient.
	Reference uint16
	// Wide sends the reference in 16 bits instead of 8, at the price of one
	// octet in each part.
	Wide bool
	// Ports addresses an application; nil means none.
	Ports *Ports
	// Header holds further elements that go into every part, such as a special
	// message indication.
	Header Header
	// MaxParts is the most parts to make; zero, negative or above 255 means 255,
	// the most that a header can count.
	MaxParts int
}

// UnencodableError says which character an alphabet lacks.
type UnencodableError struct {
	Rune     rune     // the character
	Offset   int      // its place in octets of the text's UTF-8
	Alphabet Alphabet // the alphabet that lacks it
}

func (e *UnencodableError) Error() string {
	return fmt.Sprintf("tpdu: %q at octet %d of the text is not in the allowed tables of %v", e.Rune, e.Offset, e.Alphabet)
}

var (
	// ErrTooManyParts: the message does not fit into the allowed number of parts.
	ErrTooManyParts = errors.New("tpdu: message needs more parts than allowed")
	// ErrNotUTF8: the text is not valid UTF-8.
	ErrNotUTF8 = errors.New("tpdu: text is not valid UTF-8")
)

// Parts is a message cut into user data that fit a TPDU. The zero value is
// ready; splitting again reuses its memory, so that the user data taken from it
// before are no longer valid. It is not for use by several goroutines at once.
type Parts struct {
	// Alphabet is what the parts are coded in.
	Alphabet Alphabet
	// Locking and Single are the national tables used.
	Locking, Single Language
	// Forced is the first character that the allowed GSM 7-bit tables lack and
	// that therefore made an automatic choice take UCS-2; nil if none did.
	Forced *UnencodableError

	forced   UnencodableError
	all      []UserData
	units    []byte // septets one an octet, or octets, of the whole message
	assembly []byte // headers and bodies of all parts
}

// Split cuts a text into parts. See [Parts.Split].
func Split(text string, c *SplitConfig) (*Parts, error) {
	p := new(Parts)
	return p, p.Split(text, c)
}

// SplitData cuts 8-bit data into parts. See [Parts.SplitData].
func SplitData(data []byte, c *SplitConfig) (*Parts, error) {
	p := new(Parts)
	return p, p.SplitData(data, c)
}

// Len returns the number of parts; an empty message has one.
func (p *Parts) Len() int { return len(p.all) }

// At returns part i, from 0. It is valid until p is used for another message.
func (p *Parts) At(i int) UserData { return p.all[i] }

// DCS returns the data coding scheme of the parts for a message class.
func (p *Parts) DCS(c Class) DCS { return NewDCS(p.Alphabet, c) }

// Split replaces p with the parts of a text. Neither an escaped character nor a
// surrogate pair is torn between two parts. Errors: *[UnencodableError],
// [ErrNotUTF8], [ErrTooManyParts], and *[Error] for a header that is malformed
// or leaves no room.
func (p *Parts) Split(text string, c *SplitConfig) error {
	if c == nil {
		c = &SplitConfig{}
	}
	p.reset()
	if c.Encoding != OnlyUCS2 {
		ok, err := p.trySeptets(text, c)
		if ok || err != nil {
			return err
		}
	}
	p.Alphabet = UCS2
	var valid bool
	if p.units, valid = appendUTF16(p.units[:0], text); !valid {
		p.reset()
		return ErrNotUTF8
	}
	return p.cut(c)
}

// SplitData replaces p with the parts of 8-bit data.
func (p *Parts) SplitData(data []byte, c *SplitConfig) error {
	if c == nil {
		c = &SplitConfig{}
	}
	p.reset()
	p.Alphabet = Octets
	p.units = append(p.units[:0], data...)
	return p.cut(c)
}

func (p *Parts) reset() {
	p.Alphabet, p.Locking, p.Single, p.Forced = GSM7, DefaultLanguage, DefaultLanguage, nil
	p.all = p.all[:0]
}

// trySeptets makes parts in GSM 7-bit; ok is false if UCS-2 is to be taken.
func (p *Parts) trySeptets(text string, c *SplitConfig) (ok bool, err error) {
	var missing int
	p.units, missing = appendText(p.units[:0], text, DefaultLanguage, DefaultLanguage)
	if missing < 0 {
		return true, p.cut(c)
	}
	if c.Locking|c.Single != 0 {
		if p.Locking, p.Single, ok = bestTables(text, c); ok {
			p.units, _ = appendText(p.units[:0], text, p.Locking, p.Single)
			return true, p.cut(c)
		}
		missing = firstMissing(text, c, missing)
	}
	r, _ := utf8.DecodeRuneInString(text[missing:])
	p.forced = UnencodableError{Rune: r, Offset: missing, Alphabet: GSM7}
	if c.Encoding == OnlyGSM7 {
		if !utf8.ValidString(text) {
			return false, ErrNotUTF8
		}
		e := p.forced
		return false, &e
	}
	p.Forced = &p.forced
	return false, nil
}

// appendFixedHeader appends the header that every part has, but for the concatenation
// element.
func appendFixedHeader(h Header, c *SplitConfig, locking, single Language) Header {
	if c.Ports != nil {
		h = AppendPorts(h, *c.Ports)
	}
	if single != DefaultLanguage {
		h = append(h, byte(SingleShift), 1, byte(single))
	}
	if locking != DefaultLanguage {
		h = append(h, byte(LockingShift), 1, byte(locking))
	}
	return append(h, c.Header...)
}

// capacity returns how many units (septets for GSM 7-bit, otherwise octets) fit
// behind a header.
func capacity(a Alphabet, headerOctets int) int {
	switch a {
	case GSM7:
		return (maxUserData*8 - septetsTaken(headerOctets)*7) / 7
	case UCS2:
		return (maxUserData - headerOctets) &^ 1
	}
	return maxUserData - headerOctets
}

// headerSizes returns the octets that a header takes in a message of one part
// and in one of several.
func headerSizes(c *SplitConfig, fixed int) (alone, concat int) {
	if fixed > 0 {
		alone = 1 + fixed
	}
	concat = 1 + fixed + 5
	if c.Wide {
		concat++
	}
	return alone, concat
}

// cut makes the parts from p.units.
func (p *Parts) cut(c *SplitConfig) error {
	var room [maxUserData]byte
	fixed := appendFixedHeader(Header(room[:0]), c, p.Locking, p.Single)
	alone, concat := headerSizes(c, len(fixed))
	if !c.Header.Valid() {
		return cannotEncode("TP-UDH", ErrHeader)
	}
	if capacity(p.Alphabet, concat) < 4 {
		return cannotEncode("TP-UDH", ErrTooLong)
	}
	most := c.MaxParts
	if most <= 0 || most > 255 {
		most = 255
	}
	total := 1
	limit := capacity(p.Alphabet, alone)
	if len(p.units) > limit {
		limit = capacity(p.Alphabet, concat)
		total = countParts(p.units, p.Alphabet, limit, most)
	}
	if total > most {
		return ErrTooManyParts
	}
	p.reserve(total)
	rest := p.units
	for part := 1; part <= total; part++ {
		n := partLen(rest, p.Alphabet, limit)
		p.add(rest[:n], fixed, c, part, total)
		rest = rest[n:]
	}
	return nil
}

// reserve makes room for all parts, so that none moves while they are made.
func (p *Parts) reserve(total int) {
	if need := total * (maxUserData + 1); cap(p.assembly) < need {
		p.assembly = make([]byte, 0, need)
	}
	p.assembly = p.assembly[:0]
	if cap(p.all) < total {
		p.all = make([]UserData, 0, total)
	}
}

func (p *Parts) add(units []byte, fixed Header, c *SplitConfig, part, total int) {
	var u UserData
	start := len(p.assembly)
	if total > 1 {
		p.assembly = AppendConcat(p.assembly, Concat{c.Reference, c.Wide, uint8(total), uint8(part)})
	}
	p.assembly = append(p.assembly, fixed...)
	end := len(p.assembly)
	u.Header = Header(p.assembly[start:end:end])
	if p.Alphabet == GSM7 {
		p.assembly = AppendPacked(p.assembly, units, u.Fill())
		u.Septets = len(units)
	} else {
		p.assembly = append(p.assembly, units...)
	}
	u.Body = p.assembly[end:len(p.assembly):len(p.assembly)]
	p.all = append(p.all, u)
}

// partLen returns how many units of rest go into the next part.
func partLen(rest []byte, a Alphabet, limit int) int {
	if len(rest) <= limit {
		return len(rest)
	}
	switch a {
	case GSM7:
		// An escape is never followed by one, so the one before the cut begins a
		// character.
		if rest[limit-1] == escape {
			return limit - 1
		}
	case UCS2:
		if rest[limit-2]&0xfc == 0xd8 { // first half of a surrogate pair
			return limit - 2
		}
	}
	return limit
}

// countParts returns how many parts units make, or most+1 if more than most.
func countParts(units []byte, a Alphabet, limit, most int) int {
	n := 0
	for len(units) > 0 && n <= most {
		units = units[partLen(units, a, limit):]
		n++
	}
	return n
}
