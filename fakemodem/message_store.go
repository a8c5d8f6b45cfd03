package fakemodem

import (
	"fmt"
	"strings"
	"time"
)

// States of a stored message (3GPP TS 27.005 clause 3.1).
const (
	recUnread = 0
	recRead   = 1
	stoUnsent = 2
	stoSent   = 3
	anyState  = 4
)

// stateNames are the states in text mode.
var stateNames = []string{"REC UNREAD", "REC READ", "STO UNSENT", "STO SENT", "ALL"}

// storedMessage is a message in a storage: service centre address and TPDU.
type storedMessage struct {
	state int
	pdu   []byte // TPDU
}

// messaging is a modem's message service (3GPP TS 27.005).
type messaging struct {
	stores    map[string]map[int]*storedMessage
	memory    [3]string // read and delete, write and send, receive
	text      bool      // +CMGF
	details   bool      // +CSDH
	charset   string    // +CSCS
	service   int       // +CSMS
	notice    [5]int    // +CNMI: mode, mt, bm, ds, bfr
	params    [4]int    // +CSMP: fo, vp, pid, dcs
	until     string    // +CSMP: vp as a time, in place of the number
	reference byte
	waiting   *awaitedAck
}

// awaitedAck is a message routed to the host that +CNMA must acknowledge.
type awaitedAck struct {
	done  func(bool)
	limit *event
}

func (g *messaging) init(m *Modem) {
	first := m.kind.storages()[0].Name
	g.memory = [3]string{first, first, first}
	g.charset = "GSM"
	g.notice = m.kind.NoticePreset
	g.params = [4]int{17, 167, 0, 0}
}

// restore is what ATZ and AT&F bring back.
func (g *messaging) restore(m *Modem) {
	g.text, g.details, g.charset = false, false, "GSM"
	g.params, g.until = [4]int{17, 167, 0, 0}, ""
}

// reset is what a restart brings back; the stored messages stay.
func (g *messaging) reset(m *Modem) {
	stores, reference := g.stores, g.reference
	g.settle(m, false)
	*g = messaging{stores: stores, reference: reference}
	g.init(m)
}

// size is the number of messages that a storage takes; zero for an unknown one.
func (m *Modem) size(name string) int {
	for _, s := range m.kind.storages() {
		if s.Name == name {
			return s.Size
		}
	}
	return 0
}

// put stores a message in the first free slot; ok is false when the storage
// is full.
func (m *Modem) put(name string, msg *storedMessage) (index int, ok bool) {
	g := &m.messages
	if g.stores == nil {
		g.stores = make(map[string]map[int]*storedMessage)
	}
	slots := g.stores[name]
	if slots == nil {
		slots = make(map[int]*storedMessage)
		g.stores[name] = slots
	}
	first := m.kind.firstIndex()
	for i := first; i < first+m.size(name); i++ {
		if slots[i] == nil {
			slots[i] = msg
			return i, true
		}
	}
	return 0, false
}

// firstIndex is the number of the first slot.
func (k *Personality) firstIndex() int {
	if k.ZeroBased {
		return 0
	}
	return 1
}

// reached tells whether the network can page the modem.
func (m *Modem) reached() bool {
	return m.on && isRegistered(m.radio.circuit) && m.messages.waiting == nil && m.faults.pages()
}

// deliver takes a TPDU from the network and does with it what +CNMI says (3GPP
// TS 27.005 clause 3.4.1).
func (m *Modem) deliver(tpdu []byte, done func(bool)) {
	g := &m.messages
	if len(tpdu) < 2 {
		done(true)
		return
	}
	if tpdu[0]&bitMTI == mtiReport {
		m.deliverReport(tpdu, done)
		return
	}
	mode, mt := g.notice[0], g.notice[1]
	cls := class(deliverCoding(tpdu))
	direct := mt == 2 && cls != 2 || mt == 3 && cls == 3 || cls == 0 && mt > 0
	if direct && !(mode == 1 && m.reserved()) {
		m.route(fmt.Sprintf("+CMT: %s", m.messageHeader(tpdu)), tpdu, done)
		return
	}
	done(m.keep(tpdu, mt > 0 && !(mode == 1 && m.reserved())))
}

// keep stores a message and says so if told to; it is false when there is no room.
func (m *Modem) keep(tpdu []byte, say bool) bool {
	name := m.messages.memory[2]
	for range m.faults.copies(tpdu) {
		index, ok := m.put(name, &storedMessage{pdu: tpdu})
		if !ok {
			m.sayFull()
			return false
		}
		if say {
			m.notify(fmt.Sprintf(`+CMTI: "%s",%d`, name, index))
		}
	}
	return true
}

// reserved tells whether the link to the host is taken, as by a data call.
func (m *Modem) reserved() bool {
	return m.ports()[0].mode == modeData
}

// sayFull is the maker's notice of a full storage.
func (m *Modem) sayFull() {
	if format := m.kind.Messages.SMSFull; format != "" {
		m.notify(fmt.Sprintf(format, m.messages.memory[2]))
	}
}

func (m *Modem) deliverReport(tpdu []byte, done func(bool)) {
	g := &m.messages
	switch g.notice[3] {
	case 1:
		m.route("+CDS: "+m.reportHeader(tpdu), tpdu, done)
		return
	case 2:
		name := m.reportStorage()
		if index, ok := m.put(name, &storedMessage{pdu: tpdu}); ok {
			m.notify(fmt.Sprintf(`+CDSI: "%s",%d`, name, index))
		}
	}
	done(true)
}

func (m *Modem) reportStorage() string {
	if m.size("SR") > 0 {
		return "SR"
	}
	return m.messages.memory[2]
}

// ackLimit is how long a modem waits for +CNMA before it tells the network
// that the message was not taken (3GPP TS 24.011 clause 10, TR2M).
const ackLimit = 12 * time.Second

// route prints a message to the host. In phase 2+ (+CSMS=1) the host must
// acknowledge it by +CNMA.
func (m *Modem) route(header string, tpdu []byte, done func(bool)) {
	g := &m.messages
	m.notify(header + "\r\n" + m.messageBody(tpdu))
	if g.service == 0 {
		done(true)
		return
	}
	g.waiting = &awaitedAck{done: done}
	g.waiting.limit = m.after(ackLimit, func() { g.settle(m, false) })
}

// settle ends the wait for +CNMA and tells whether there was one.
func (g *messaging) settle(m *Modem, accepted bool) bool {
	w := g.waiting
	if w == nil {
		return false
	}
	g.waiting = nil
	m.n.cancel(w.limit)
	if !accepted {
		g.notice[1], g.notice[3] = 0, 0 // 3GPP TS 27.005 clause 3.4.4: no more is routed
	}
	w.done(accepted)
	return true
}

// deliverCoding is TP-DCS of an SMS-DELIVER.
func deliverCoding(tpdu []byte) byte {
	i := 1 + 2 + (int(tpdu[1])+1)/2 + 1
	if i >= len(tpdu) {
		return 0
	}
	return tpdu[i]
}

// Messages lists what is in a storage ("SM"), by index, as TPDUs.
func (m *Modem) Messages(storage string) map[int][]byte {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	out := make(map[int][]byte)
	for i, msg := range m.messages.stores[strings.ToUpper(storage)] {
		out[i] = msg.pdu
	}
	return out
}
