package fakemodem

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Elementary files of the card (3GPP TS 51.011 clause 10.3).
const (
	fileICCID = 0x2fe2
	fileIMSI  = 0x6f07
	fileSMSP  = 0x6f42 // parameters of messages, in records
	fileSPN   = 0x6f46
	fileFPLMN = 0x6f7b // forbidden networks
	fileAD    = 0x6fad // administrative data
)

// Commands of AT+CRSM (3GPP TS 27.007 clause 8.18).
const (
	readBinary   = 176
	readRecord   = 178
	getResponse  = 192
	updateBinary = 214
	updateRecord = 220
	cardStatus   = 242
)

// Status words of the card (3GPP TS 51.011 clause 9.4).
const (
	statusDone     = 0x9000
	statusLength   = 0x6700
	statusNoFile   = 0x6a82
	statusNoRecord = 0x9402
	statusDenied   = 0x9804
	statusUnknown  = 0x6d00
)

// maxForbidden is the number of networks in EF FPLMN.
const maxForbidden = 4

// forbid puts a network on the card's list; the oldest one makes room.
func (s *simCard) forbid(plmn string) {
	if s.forbids(plmn) {
		return
	}
	if s.forbidden = append(s.forbidden, plmn); len(s.forbidden) > maxForbidden {
		s.forbidden = s.forbidden[1:]
	}
}

func (s *simCard) forbids(plmn string) bool { return slices.Contains(s.forbidden, plmn) }

// plmnOctets codes a network (3GPP TS 24.008 clause 10.5.1.13).
func plmnOctets(plmn string) []byte {
	d := plmn + "F"
	nibble := func(i int) byte {
		if d[i] == 'F' {
			return 15
		}
		return d[i] - '0'
	}
	return []byte{nibble(1)<<4 | nibble(0), nibble(5)<<4 | nibble(2), nibble(4)<<4 | nibble(3)}
}

// plmnText is the reverse; empty for what is no network.
func plmnText(b []byte) string {
	text := fmt.Sprintf("%x%x%x%x%x", b[0]&15, b[0]>>4, b[1]&15, b[2]&15, b[2]>>4)
	if third := b[1] >> 4; third < 10 {
		text += fmt.Sprint(third)
	}
	if strings.ContainsAny(text, "abcdef") {
		return ""
	}
	return text
}

// padded fills a field up with FF.
func padded(b []byte, size int) []byte {
	return append(b, bytes.Repeat([]byte{0xff}, max(size-len(b), 0))...)[:size]
}

// file is what an elementary file holds; a file of records holds one.
func (m *Modem) file(id int) (content []byte, records, ok bool) {
	s := &m.sim
	digits := func(text string) []byte {
		b, _ := hex.DecodeString(swapped(text))
		return b
	}
	switch id {
	case fileICCID:
		return padded(digits(s.iccid), 10), false, true
	case fileIMSI:
		odd := "9" // clause 10.3.2: the parity of 15 digits
		if len(s.imsi)%2 == 0 {
			odd = "1"
		}
		return padded(append([]byte{byte(len(s.imsi)/2 + 1)}, digits(odd+s.imsi)...), 9), false, true
	case fileSPN:
		return padded(append([]byte{1}, m.n.config.operator()...), 17), false, true
	case fileAD:
		return []byte{0, 0, 0, byte(len(m.n.config.plmn()) - 3)}, false, true
	case fileFPLMN:
		var b []byte
		for _, plmn := range s.forbidden {
			b = append(b, plmnOctets(plmn)...)
		}
		return padded(b, 3*maxForbidden), false, true
	case fileSMSP:
		return s.messageParameters(), true, true
	}
	return nil, false, false
}

// messageParameters are the record of EF SMSP (clause 10.5.6): a name, the
// service centre, and presets.
func (s *simCard) messageParameters() []byte {
	const name, centerAt, size = 12, 12 + 1 + 12, 12 + 28
	b := padded(nil, size)
	number := strings.TrimPrefix(s.center, "+")
	if number == "" {
		return b
	}
	b[name] = 0xfd // the service centre's address is there
	kind := byte(0x81)
	if number != s.center {
		kind = 0x91
	}
	bcd, _ := hex.DecodeString(swapped(number))
	copy(b[centerAt:centerAt+12], append([]byte{byte(1 + len(bcd)), kind}, bcd...))
	return b
}

// restrictedAccess is AT+CRSM (3GPP TS 27.007 clause 8.18).
func restrictedAccess(c *Call) Result {
	command, file := c.number(0, 0), c.number(1, 0)
	var p [3]int
	for i := range p {
		p[i] = c.between(2+i, 0, 255, 0)
	}
	data, err := hex.DecodeString(c.text(5, ""))
	if c.bad || c.Op != Set || err != nil {
		return CME(cmeInvalidParam)
	}
	answer, status := c.m.access(command, file, p, data)
	c.Info(fmt.Sprintf(`+CRSM: %d,%d,"%X"`, status>>8, status&255, answer))
	return OK
}

// access runs one command on the card.
func (m *Modem) access(command, id int, p [3]int, data []byte) (answer []byte, status int) {
	content, records, ok := m.file(id)
	switch {
	case command == cardStatus:
		return nil, statusDone
	case !ok:
		return nil, statusNoFile
	}
	switch command {
	case getResponse:
		return fileHeader(id, content, records), statusDone
	case readBinary:
		offset := p[0]<<8 | p[1]
		size := or(p[2], len(content)-offset)
		if records || offset > len(content) || size > len(content)-offset {
			return nil, statusLength
		}
		return content[offset : offset+size], statusDone
	case readRecord:
		switch {
		case !records || p[0] != 1:
			return nil, statusNoRecord
		case p[2] != 0 && p[2] != len(content):
			return nil, statusLength
		}
		return content, statusDone
	case updateBinary, updateRecord:
		return nil, m.updateFile(id, p, data)
	}
	return nil, statusUnknown
}

// updateFile writes: of the files here the list of forbidden networks alone may
// be written without the operator's key.
func (m *Modem) updateFile(id int, p [3]int, data []byte) (status int) {
	if id != fileFPLMN {
		return statusDenied
	}
	if len(data) != p[2] || p[0] != 0 || p[1] != 0 || len(data)%3 != 0 || len(data) > 3*maxForbidden {
		return statusLength
	}
	kept := m.sim.forbidden[min(len(data)/3, len(m.sim.forbidden)):]
	var list []string
	for ; len(data) > 0; data = data[3:] {
		if plmn := plmnText(data); plmn != "" {
			list = append(list, plmn)
		}
	}
	m.sim.forbidden = append(list, kept...)
	m.updateRadio()
	return statusDone
}

// fileHeader answers GET RESPONSE (3GPP TS 51.011 clause 9.2.1).
func fileHeader(id int, content []byte, records bool) []byte {
	h := make([]byte, 15)
	h[2], h[3] = byte(len(content)>>8), byte(len(content))
	h[4], h[5], h[6] = byte(id>>8), byte(id), 4 // an elementary file
	h[11], h[12] = 1, 2                         // not invalidated; two octets follow
	if records {
		h[13], h[14] = 1, byte(len(content))
	}
	return h
}
