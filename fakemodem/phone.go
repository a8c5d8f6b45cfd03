package fakemodem

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Phone is a telephone in the test's hand: it sends and receives short
// messages at the service centre, without a modem. Its methods may be called
// by several goroutines at once.
type Phone struct {
	n      *Network
	number string

	// Guarded by the network's lock.
	off     bool
	inbox   []PhoneMessage
	parts   map[string]map[byte]PhoneMessage
	arrived chan struct{}
	answer  CallAnswer
	call    *PhoneCall
	next    byte // reference of the next long message
}

// PhoneMessage is a message that a phone got; a long one is put together.
type PhoneMessage struct {
	// From is the sender's number, or its name.
	From string
	// Text is the text; for 8-bit data its octets.
	Text string
	// Data are the octets of 8-bit data behind the header; nil for text.
	Data []byte
	// Header is the user data header of the last part with its length octet
	// (3GPP TS 23.040 clause 9.2.3.24); nil if there was none.
	Header []byte
	// Sent is the service centre's time stamp.
	Sent time.Time
	// TPDUs are the parts as they came, in order of arrival.
	TPDUs [][]byte
	// Report is true for a status report; Status is its TP-ST and Reference
	// its TP-MR then.
	Report            bool
	Status, Reference byte
}

// ErrNoSuchMode says that a phone cannot send what was asked of it.
var ErrNoSuchMode = errors.New("fakemodem: a short message takes at most 255 parts")

// Phone makes a telephone with a number in international form, or returns the
// one that has it. It panics if a modem has the number: that is an error in
// the test.
func (n *Network) Phone(number string) *Phone {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch s := n.numbers[number].(type) {
	case *Phone:
		return s
	case *Modem:
		panic(fmt.Sprintf("fakemodem: %s is the number of a modem", number))
	}
	p := &Phone{n: n, number: number, parts: make(map[string]map[byte]PhoneMessage), arrived: make(chan struct{})}
	n.numbers[number] = p
	n.after(0, func() { n.smsc.try(number) })
	return p
}

// Number is the phone's number.
func (p *Phone) Number() string { return p.number }

// SetOff switches the phone off and on; messages wait meanwhile.
func (p *Phone) SetOff(off bool) {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	p.off = off
	p.n.smsc.try(p.number)
}

// Send sends a text to a number, in as many parts as it needs.
func (p *Phone) Send(to, text string) error {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	parts, coding, septets := splitText(text)
	if len(parts) > 255 {
		return ErrNoSuchMode
	}
	p.next++
	for i, part := range parts {
		var header []byte
		if len(parts) > 1 {
			header = []byte{5, 0, 3, p.next, byte(len(parts)), byte(i + 1)} // 3GPP TS 23.040 clause 9.2.3.24.1
		}
		if err := p.submit(submitTPDU(to, coding, header, part, septets)); err != nil {
			return err
		}
	}
	return nil
}

// SendData sends 8-bit data with a header of its own; a nil header sends none.
func (p *Phone) SendData(to string, header, data []byte) error {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	return p.submit(submitTPDU(to, 0x04, header, data, false))
}

// SendTPDU sends an SMS-SUBMIT as it is.
func (p *Phone) SendTPDU(tpdu []byte) error {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	return p.submit(tpdu)
}

func (p *Phone) submit(tpdu []byte) error {
	if code := p.n.smsc.submit(p.number, tpdu, func(report []byte) { p.n.smsc.send(p.number, report) }); code != 0 {
		return fmt.Errorf("fakemodem: the service centre refused the message: +CMS ERROR %d", code)
	}
	return nil
}

// splitText cuts a text into parts and says how they are coded.
func splitText(text string) (parts [][]byte, coding byte, septets bool) {
	whole, coding, single, each := []byte(nil), byte(0x08), 140, 134
	if codes, ok := toSeptets(text); ok {
		whole, coding, single, each, septets = codes, 0, 160, 153, true
	} else {
		whole = toUCS2(text)
	}
	if len(whole) <= single {
		return [][]byte{whole}, coding, septets
	}
	for len(whole) > 0 {
		k := min(each, len(whole))
		if septets && k < len(whole) && whole[k-1] == gsmEscape {
			k--
		}
		if !septets && k < len(whole) && whole[k-2]&0xfc == 0xd8 { // not between two surrogates
			k -= 2
		}
		parts, whole = append(parts, whole[:k]), whole[k:]
	}
	return parts, coding, septets
}

// submitTPDU makes an SMS-SUBMIT with a validity of a day.
func submitTPDU(to string, coding byte, header, data []byte, septets bool) []byte {
	first := byte(mtiSubmit | 2<<shiftVPF)
	if header != nil {
		first |= bitHeader
	}
	b := append([]byte{first, 0}, addressOctets(to)...)
	b = append(b, 0, coding, 0xa7) // 24 h, clause 9.2.3.12.1
	if !septets {
		b = append(b, byte(len(header)+len(data)))
		return append(append(b, header...), data...)
	}
	skip := (len(header)*8 + 6) / 7
	b = append(b, byte(skip+len(data)))
	ud := packSeptets(data, skip)
	copy(ud, header)
	return append(b, ud...)
}

// Receive waits for the next message.
func (p *Phone) Receive(ctx context.Context) (PhoneMessage, error) {
	for {
		p.n.mu.Lock()
		if len(p.inbox) > 0 {
			msg := p.inbox[0]
			p.inbox = p.inbox[1:]
			p.n.mu.Unlock()
			return msg, nil
		}
		arrived := p.arrived
		p.n.mu.Unlock()
		select {
		case <-ctx.Done():
			return PhoneMessage{}, ctx.Err()
		case <-p.n.done:
			return PhoneMessage{}, errClosed
		case <-arrived:
		}
	}
}

// Inbox lists what has arrived and has not been received yet.
func (p *Phone) Inbox() []PhoneMessage {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	return append([]PhoneMessage(nil), p.inbox...)
}

func (p *Phone) reached() bool { return !p.off }

// maxInbox bounds what a phone keeps for Receive.
const maxInbox = 100_000

func (p *Phone) deliver(tpdu []byte, done func(bool)) {
	if len(p.inbox) >= maxInbox {
		done(false)
		return
	}
	if msg, complete := p.take(tpdu); complete {
		p.inbox = append(p.inbox, msg)
		close(p.arrived)
		p.arrived = make(chan struct{})
	}
	done(true)
}

// take decodes a TPDU and puts parts together.
func (p *Phone) take(tpdu []byte) (msg PhoneMessage, complete bool) {
	if len(tpdu) > 2 && tpdu[0]&bitMTI == mtiReport {
		return PhoneMessage{Report: true, Reference: tpdu[1], Status: tpdu[len(tpdu)-1], TPDUs: [][]byte{tpdu}}, true
	}
	r := parseReceived(tpdu)
	msg = PhoneMessage{From: r.number, Text: r.text(), Header: r.header, TPDUs: [][]byte{tpdu}, Sent: parseStamp(r.stamp)}
	if !sevenBit(r.coding) && !r.ucs2() {
		msg.Data = append([]byte{}, r.data[len(r.header):]...)
	}
	reference, total, part, ok := concatenation(r.header)
	if !ok || total < 2 || part == 0 || part > total {
		return msg, true
	}
	key := fmt.Sprintf("%s %d %d", r.number, reference, total)
	if p.parts[key] == nil {
		p.parts[key] = make(map[byte]PhoneMessage)
	}
	p.parts[key][part] = msg
	if len(p.parts[key]) < int(total) {
		return msg, false
	}
	whole := msg
	whole.Text, whole.Data, whole.TPDUs = "", nil, nil
	for i := byte(1); i <= total; i++ {
		one := p.parts[key][i]
		whole.Text += one.Text
		whole.Data = append(whole.Data, one.Data...)
		whole.TPDUs = append(whole.TPDUs, one.TPDUs...)
	}
	delete(p.parts, key)
	return whole, true
}

// concatenation finds the elements 0 and 8 of a header (3GPP TS 23.040 clauses
// 9.2.3.24.1 and 9.2.3.24.8).
func concatenation(header []byte) (reference int, total, part byte, ok bool) {
	for i := 1; i+1 < len(header); {
		id, size := header[i], int(header[i+1])
		v := header[i+2:]
		if size > len(v) {
			break
		}
		switch {
		case id == 0 && size == 3:
			return int(v[0]), v[1], v[2], true
		case id == 8 && size == 4:
			return int(v[0])<<8 | int(v[1]) | 1<<16, v[2], v[3], true
		}
		i += 2 + size
	}
	return 0, 0, 0, false
}

// parseStamp reads a TP-SCTS; the zero time if it is none.
func parseStamp(b []byte) time.Time {
	if len(b) < 7 {
		return time.Time{}
	}
	v := func(i int) int { return int(b[i]&15)*10 + int(b[i]>>4) }
	zone := int(b[6]&7)*10 + int(b[6]>>4)
	if b[6]&8 != 0 {
		zone = -zone
	}
	return time.Date(2000+v(0), time.Month(v(1)), v(2), v(3), v(4), v(5), 0, time.FixedZone("", zone*900))
}
