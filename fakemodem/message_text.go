package fakemodem

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// received is an SMS-DELIVER or SMS-SUBMIT taken apart for text mode.
type received struct {
	first    byte
	number   string
	kind     byte
	protocol byte
	coding   byte
	stamp    []byte
	header   []byte // TP-UDH with its length octet
	length   int    // TP-UDL
	data     []byte // TP-UD with its header
}

// parseReceived takes a TPDU apart; what is missing stays empty.
func parseReceived(b []byte) (r received) {
	if len(b) < 4 {
		return r
	}
	r.first = b[0]
	b = b[1:]
	if r.first&bitMTI == mtiSubmit {
		b = b[1:]
	}
	size := 2 + (int(b[0])+1)/2
	if b[0] > 20 || len(b) < size+2 {
		return r
	}
	r.kind = b[1]
	if b[1]&0x70 == 0x50 {
		r.number = fromSeptets(unpackSeptets(b[2:size], 0, int(b[0])*4/7))
	} else {
		r.number = addressText(b[:size])
	}
	r.protocol, r.coding = b[size], b[size+1]
	b = b[size+2:]
	skip := 7
	if r.first&bitMTI == mtiSubmit {
		skip = []int{0, 7, 1, 7}[r.first>>shiftVPF&3]
	}
	if len(b) < skip+1 {
		return r
	}
	if skip == 7 {
		r.stamp = b[:7]
	}
	r.length, r.data = int(b[skip]), b[skip+1:]
	if r.first&bitHeader != 0 && len(r.data) > 0 && int(r.data[0])+1 <= len(r.data) {
		r.header = r.data[:r.data[0]+1]
	}
	return r
}

// text is the user data decoded.
func (r *received) text() string {
	switch {
	case sevenBit(r.coding):
		skip := (len(r.header)*8 + 6) / 7
		return fromSeptets(unpackSeptets(r.data, skip, r.length))
	case r.ucs2():
		return fromUCS2(r.data[len(r.header):])
	}
	return string(r.data[len(r.header):])
}

func (r *received) ucs2() bool {
	return r.coding&0xcc == 0x08 || r.coding&0xf0 == 0xe0
}

// stampText prints a TP-SCTS.
func stampText(b []byte) string {
	if len(b) < 7 {
		return ""
	}
	v := func(i int) int { return int(b[i]&15)*10 + int(b[i]>>4) }
	zone, sign := int(b[6]&7)*10+int(b[6]>>4), '+'
	if b[6]&8 != 0 {
		sign = '-'
	}
	return fmt.Sprintf("%02d/%02d/%02d,%02d:%02d:%02d%c%02d", v(0), v(1), v(2), v(3), v(4), v(5), sign, zone)
}

// stampOctets reads "yy/MM/dd,hh:mm:ss±zz", zz in quarters of an hour; nil if it
// is none.
func stampOctets(text string) []byte {
	const layout = "06/01/02,15:04:05"
	if len(text) < len(layout) {
		return nil
	}
	quarters, _ := strconv.Atoi(text[len(layout):])
	t, err := time.ParseInLocation(layout, text[:len(layout)], time.FixedZone("", quarters*15*60))
	if err != nil {
		return nil
	}
	return timestamp(t)
}

// textHeader is number, name, time and with +CSDH=1 the details (3GPP TS
// 27.005 clauses 3.4.1 and 3.4.3).
func (m *Modem) textHeader(tpdu []byte, stored bool) string {
	r := parseReceived(tpdu)
	name := ","
	if stored || m.kind.NamedCMT {
		name = `,"",`
	}
	text := fmt.Sprintf(`"%s"%s"%s"`, m.inCharset(r.number), name, stampText(r.stamp))
	if !m.messages.details {
		return text
	}
	return text + fmt.Sprintf(`,%d,%d,%d,%d,"%s",145,%d`, r.kind, r.first, r.protocol, r.coding, m.sim.center, len(m.textBody(tpdu)))
}

func (m *Modem) textReport(tpdu []byte) string {
	if len(tpdu) < 20 {
		return ""
	}
	size := 2 + (int(tpdu[2])+1)/2
	if len(tpdu) < 2+size+15 {
		return ""
	}
	rest := tpdu[2+size:]
	return fmt.Sprintf(`%d,%d,"%s",%d,"%s","%s",%d`, tpdu[0], tpdu[1], m.inCharset(addressText(tpdu[2:2+size])), tpdu[3],
		stampText(rest[:7]), stampText(rest[7:14]), rest[14])
}

// textBody is the text in the character set of +CSCS; data that is no text is
// printed in hexadecimal digits.
func (m *Modem) textBody(tpdu []byte) string {
	r := parseReceived(tpdu)
	if tpdu[0]&bitMTI == mtiReport {
		return ""
	}
	if !sevenBit(r.coding) && (m.messages.charset != "UCS2" || !r.ucs2()) {
		return strings.ToUpper(hex.EncodeToString(r.data[len(r.header):]))
	}
	return m.inCharset(r.text())
}

// sendText prompts for a text and makes the TPDU by +CSMP.
func (c *Call) sendText(send func(tpdu []byte) Result) Result {
	number := c.m.fromCharset(c.text(0, ""))
	if number == "" || !isDialable(number) {
		return CMS(cmsInvalidTextParam)
	}
	if c.number(1, 0) == typeWorldwide && number[0] != '+' {
		number = "+" + number
	}
	return c.askText(1000, true, func(data []byte) Result {
		tpdu, ok := c.m.composeText(number, string(data))
		if !ok {
			return CMS(cmsInvalidTextParam)
		}
		return send(tpdu)
	})
}

// composeText makes an SMS-SUBMIT.
func (m *Modem) composeText(number, data string) (tpdu []byte, ok bool) {
	p := m.messages.params
	first := byte(p[0])&^bitMTI | mtiSubmit
	tpdu = append([]byte{first, 0}, addressOctets(number)...)
	tpdu = append(tpdu, byte(p[2]), byte(p[3]))
	switch first >> shiftVPF & 3 {
	case 2:
		tpdu = append(tpdu, byte(p[1]))
	case 3:
		stamp := stampOctets(m.messages.until)
		if stamp == nil {
			return nil, false
		}
		tpdu = append(tpdu, stamp...)
	case 1:
		tpdu[0] = tpdu[0] &^ (3 << shiftVPF)
	}
	if sevenBit(byte(p[3])) {
		codes, ok := toSeptets(m.fromCharset(data))
		if !ok || len(codes) > 160 {
			return nil, false
		}
		return append(append(tpdu, byte(len(codes))), packSeptets(codes, 0)...), true
	}
	b, err := hex.DecodeString(strings.TrimSpace(data))
	if err != nil || len(b) > 140 {
		return nil, false
	}
	return append(append(tpdu, byte(len(b))), b...), true
}
