package fakemodem

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// pageSeptets is the text of one page of a cell broadcast message (3GPP TS
// 23.041 clause 9.4.1).
const pageSeptets = 93

// Broadcast sends a cell broadcast message to the modems on the cell that want
// it: +CNMI with bm 2, and +CSCB with its identifier. The serial number tells
// one message from its repetitions. On GSM each page comes by itself, else all
// pages come in one.
func (c *Cell) Broadcast(serial, identifier uint16, text string) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	pages := broadcastPages(serial, identifier, text)
	for _, m := range c.n.modems {
		if m.radio.cell != c || !isRegistered(m.radio.circuit) || m.messages.notice[2] != 2 || !wantsBroadcast(m.params["+CSCB"], int(identifier)) {
			continue
		}
		if !m.messages.text && m.tech() != GSM && m.tech() != EDGE {
			m.notify(pduLine(wholeBroadcast(pages)))
			continue
		}
		for _, page := range pages {
			m.notify(m.broadcastLine(page))
		}
	}
}

// wholeBroadcast is a message as UMTS and its successors send it: all pages in
// one, each of 82 octets with the count of those that are used behind it (3GPP
// TS 23.041 clause 9.4.2.2).
func wholeBroadcast(pages [][]byte) []byte {
	first := pages[0]
	whole := append([]byte{1}, first[2], first[3], first[0], first[1], first[4], byte(len(pages)))
	for _, page := range pages {
		whole = append(append(whole, page[6:]...), byte(len(page)-6))
	}
	return whole
}

func pduLine(octets []byte) string {
	return fmt.Sprintf("+CBM: %d\r\n%s", len(octets), strings.ToUpper(hex.EncodeToString(octets)))
}

// broadcastPages makes pages of 88 octets.
func broadcastPages(serial, identifier uint16, text string) [][]byte {
	codes, ok := toSeptets(text)
	coding, size := byte(0x01), pageSeptets // English in the default alphabet
	if !ok {
		codes, coding, size = toUCS2(text), 0x48, 82
	}
	count := max(1, min(15, (len(codes)+size-1)/size))
	var pages [][]byte
	for i := range count {
		part := codes[min(i*size, len(codes)):min((i+1)*size, len(codes))]
		page := binary.BigEndian.AppendUint16(nil, serial)
		page = binary.BigEndian.AppendUint16(page, identifier)
		page = append(page, coding, byte((i+1)<<4|count))
		body := part
		if ok {
			padded := append([]byte(nil), part...)
			for len(padded) < pageSeptets {
				padded = append(padded, '\r')
			}
			body = packSeptets(padded, 0)
		}
		page = append(page, body...)
		for len(page) < 88 {
			page = append(page, 0)
		}
		pages = append(pages, page)
	}
	return pages
}

// broadcastLine is +CBM in the mode that is set (3GPP TS 27.005 clauses 3.4.1
// and 4.6).
func (m *Modem) broadcastLine(page []byte) string {
	if !m.messages.text {
		return pduLine(page)
	}
	text := strings.TrimRight(fromSeptets(unpackSeptets(page[6:], 0, pageSeptets)), "\r")
	if page[4] == 0x48 {
		text = strings.TrimRight(fromUCS2(page[6:]), "\x00")
	}
	return fmt.Sprintf("+CBM: %d,%d,%d,%d,%d\r\n%s", binary.BigEndian.Uint16(page), binary.BigEndian.Uint16(page[2:]),
		page[4], page[5]>>4, page[5]&15, m.inCharset(text))
}

// wantsBroadcast reads +CSCB: mode 0 takes the listed identifiers, mode 1 all
// others (3GPP TS 27.005 clause 3.3.4).
func wantsBroadcast(setting string, identifier int) bool {
	args := splitArgs(setting)
	if setting == "" || len(args) < 2 {
		return false
	}
	listed := false
	for _, span := range strings.Split(args[1].text, ",") {
		low, high, ranged := strings.Cut(span, "-")
		from, err := strconv.Atoi(low)
		if err != nil {
			continue
		}
		to := from
		if ranged {
			if to, err = strconv.Atoi(high); err != nil {
				continue
			}
		}
		listed = listed || identifier >= from && identifier <= to
	}
	return listed == (args[0].text != "1")
}
