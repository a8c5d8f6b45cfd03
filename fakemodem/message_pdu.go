package fakemodem

import (
	"errors"
	"time"
)

// The service centre turns what a sender submits into what the recipient gets
// by moving octets (3GPP TS 23.040 clause 9.2.2), without decoding the text:
// headers, concatenation and coding come through untouched, right or wrong.

// errPDU is a TPDU that is no SMS-SUBMIT or ends too early.
var errPDU = errors.New("not an SMS-SUBMIT")

// submission is an SMS-SUBMIT taken apart (3GPP TS 23.040 clause 9.2.2.2).
type submission struct {
	first     byte
	reference byte
	to        string
	address   []byte // TP-DA as it came, for the status report
	protocol  byte
	coding    byte
	validity  time.Duration
	rest      []byte // TP-UDL and TP-UD
}

// Bits of the first octet (3GPP TS 23.040 clause 9.2.3).
const (
	bitMTI        = 0x03
	mtiDeliver    = 0x00
	mtiSubmit     = 0x01
	mtiReport     = 0x02
	bitNoMore     = 0x04 // TP-MMS
	bitReject     = 0x04 // TP-RD
	bitReport     = 0x20 // TP-SRR, TP-SRI
	bitHeader     = 0x40 // TP-UDHI
	bitReplyPath  = 0x80 // TP-RP
	shiftVPF      = 3
	typeNational  = 0x81
	typeWorldwide = 0x91
)

func parseSubmit(b []byte) (submission, error) {
	if len(b) < 4 || b[0]&bitMTI != mtiSubmit {
		return submission{}, errPDU
	}
	s := submission{first: b[0], reference: b[1]}
	digits := int(b[2])
	size := 2 + (digits+1)/2
	if digits > 20 || len(b) < 2+size+3 {
		return submission{}, errPDU
	}
	s.address = b[2 : 2+size]
	s.to = addressText(s.address)
	b = b[2+size:]
	s.protocol, s.coding = b[0], b[1]
	b = b[2:]
	vp := 0
	switch s.first >> shiftVPF & 3 {
	case 2:
		vp = 1
	case 1, 3:
		vp = 7
	}
	if len(b) < vp+1 {
		return submission{}, errPDU
	}
	s.validity = 48 * time.Hour
	switch s.first >> shiftVPF & 3 {
	case 1:
		s.validity = enhancedValidity(b)
	case 2:
		s.validity = relativeValidity(b[0])
	case 3:
		s.validity = time.Until(parseStamp(b[:7]))
	}
	s.rest = b[vp:]
	if !userDataFits(s.coding, s.rest) {
		return submission{}, errPDU
	}
	return s, nil
}

// userDataFits checks TP-UD against TP-UDL (3GPP TS 23.040 clause 9.2.3.16).
func userDataFits(coding byte, rest []byte) bool {
	length := int(rest[0])
	if sevenBit(coding) {
		return length <= 160 && len(rest)-1 == (length*7+7)/8
	}
	return length <= 140 && len(rest)-1 == length
}

// sevenBit tells whether a data coding scheme counts septets (3GPP TS 23.038 clause 4).
func sevenBit(dcs byte) bool {
	switch {
	case dcs&0x80 == 0: // general groups
		return dcs&0x20 != 0 || dcs&0x0c == 0
	case dcs&0xf0 == 0xf0:
		return dcs&0x04 == 0
	}
	return dcs&0xf0 != 0xe0
}

// class is the message class of a data coding scheme; negative: none.
func class(dcs byte) int {
	if dcs&0x90 == 0x10 || dcs&0xf0 == 0xf0 {
		return int(dcs & 3)
	}
	return -1
}

// relativeValidity: 3GPP TS 23.040 clause 9.2.3.12.1.
func relativeValidity(v byte) time.Duration {
	switch k := time.Duration(v); {
	case v <= 143:
		return (k + 1) * 5 * time.Minute
	case v <= 167:
		return 12*time.Hour + (k-143)*30*time.Minute
	case v <= 196:
		return (k - 166) * 24 * time.Hour
	default:
		return (k - 192) * 7 * 24 * time.Hour
	}
}

// enhancedValidity: clause 9.2.3.12.3, of which the extension bit and the single
// shot are not looked at.
func enhancedValidity(b []byte) time.Duration {
	two := func(v byte) time.Duration { return time.Duration(v&15)*10 + time.Duration(v>>4) }
	switch b[0] & 7 {
	case 1:
		return relativeValidity(b[1])
	case 2:
		return time.Duration(b[1]) * time.Second
	case 3:
		return two(b[1])*time.Hour + two(b[2])*time.Minute + two(b[3])*time.Second
	}
	return 48 * time.Hour
}

// deliver makes the SMS-DELIVER for the recipient (clause 9.2.2.1).
func (s *submission) deliver(from string, at time.Time) []byte {
	b := []byte{mtiDeliver | bitNoMore | s.first&(bitHeader|bitReplyPath)}
	b = append(b, addressOctets(from)...)
	b = append(b, s.protocol, s.coding)
	b = append(b, timestamp(at)...)
	return append(b, s.rest...)
}

// report makes the SMS-STATUS-REPORT for the sender (clause 9.2.2.3).
func (s *submission) report(sent, done time.Time, status byte) []byte {
	b := []byte{mtiReport | bitNoMore, s.reference}
	b = append(b, s.address...)
	b = append(b, timestamp(sent)...)
	b = append(b, timestamp(done)...)
	return append(b, status)
}

// addressText reads an address field (clause 9.2.3 and 9.1.2.5).
func addressText(b []byte) string {
	text := make([]byte, 0, 22)
	if b[1]&0x70 == 0x10 {
		text = append(text, '+')
	}
	for i := range int(b[0]) {
		d := b[2+i/2] >> (4 * (i % 2)) & 15
		text = append(text, "0123456789*#abc?"[d])
	}
	return string(text)
}

// addressOctets writes an address field; letters make it alphanumeric.
func addressOctets(number string) []byte {
	kind := byte(typeNational)
	if len(number) > 0 && number[0] == '+' {
		kind, number = typeWorldwide, number[1:]
	}
	for i := range len(number) {
		if number[i] < '0' || number[i] > '9' {
			return alphanumeric(number)
		}
	}
	b := append([]byte{byte(len(number)), kind}, make([]byte, (len(number)+1)/2)...)
	for i := range len(b) - 2 {
		b[2+i] = 0xf0
	}
	for i := range len(number) {
		d := number[i] - '0'
		if i%2 == 0 {
			b[2+i/2] = b[2+i/2]&0xf0 | d
		} else {
			b[2+i/2] = b[2+i/2]&0x0f | d<<4
		}
	}
	return b
}

// alphanumeric packs a sender's name in septets (clause 9.1.2.5).
func alphanumeric(name string) []byte {
	name = name[:min(len(name), 11)]
	packed := make([]byte, (len(name)*7+7)/8+1)
	for i := range len(name) {
		bit := i * 7
		v := uint16(name[i]&0x7f) << (bit % 8)
		packed[bit/8] |= byte(v)
		packed[bit/8+1] |= byte(v >> 8)
	}
	packed = packed[:(len(name)*7+7)/8]
	return append([]byte{byte(len(packed) * 2), 0xd0}, packed...)
}

// timestamp writes TP-SCTS (clause 9.2.3.11).
func timestamp(t time.Time) []byte {
	_, east := t.Zone()
	quarters := east / 900
	sign := byte(0)
	if quarters < 0 {
		quarters, sign = -quarters, 0x08
	}
	b := make([]byte, 0, 7)
	for _, v := range []int{t.Year() % 100, int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), quarters} {
		b = append(b, byte(v%10<<4|v/10))
	}
	b[6] |= sign
	return b
}
