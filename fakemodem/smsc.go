package fakemodem

import (
	"time"
)

// smsc is the short message service centre: it stores what is submitted and
// forwards it when the recipient can be reached (3GPP TS 23.040 clause 3.2).
type smsc struct {
	n      *Network
	config SMSCConfig
	queues map[string][]*shortMessage // by recipient, the first is tried first
	stats  SMSCStats
	skew   time.Duration // of time stamps, by a fault
}

// SMSCConfig says how the service centre behaves. The zero value forwards
// everything at once, in order and once.
type SMSCConfig struct {
	// Delay is the time from a submission to the first try; each message
	// takes up to Jitter more.
	Delay, Jitter time.Duration
	// Loss, Duplicate and Reorder are probabilities between 0 and 1: a
	// message vanishes, is forwarded twice, is overtaken by the next ones.
	Loss, Duplicate, Reorder float64
	// Retry is the time to the next try after one that was not
	// acknowledged. Zero means 30 s. A recipient that comes back is tried
	// at once.
	Retry time.Duration
	// Validity bounds how long a message is kept if the sender allows more.
	// Zero means no bound but the sender's, whose preset is 48 h.
	Validity time.Duration
	// Inspect sees every message before it is stored, and changes or drops
	// it. It runs while the network stands still and must not call it.
	Inspect func(*Submission) Verdict
}

// Submission is a message on its way through the service centre.
type Submission struct {
	// From and To are numbers in international form.
	From, To string
	// TPDU is the SMS-DELIVER as the recipient will get it (3GPP TS 23.040
	// clause 9.2.2.1). Inspect may replace it.
	TPDU []byte
}

// Verdict is what becomes of an inspected message.
type Verdict uint8

// Verdicts.
const (
	Forward Verdict = iota // let it pass
	Vanish                 // accept and lose it
	Refuse                 // tell the sender that it is barred
)

// SMSCStats count messages since the network was made.
type SMSCStats struct {
	Submitted int // taken from senders, refused ones included
	Forwarded int // acknowledged by recipients
	Lost      int // by SMSCConfig.Loss or Vanish
	Expired   int // at the end of their validity
	Refused   int // by Refuse
	Retried   int // tries that were not acknowledged
	Waiting   int // stored now
}

// shortMessage is one message that the centre keeps.
type shortMessage struct {
	to      string
	tpdu    []byte
	until   time.Time
	trying  *event
	ongoing bool
	reply   func(status byte) // sends the status report; nil if none is wanted
}

// Status values of a report (3GPP TS 23.040 clause 9.2.3.15).
const (
	statusReceived = 0x00
	statusExpired  = 0x46
)

// subscriber is who can get messages: a modem or a phone.
type subscriber interface {
	// reached tells whether the radio reaches the subscriber.
	reached() bool
	// deliver hands an SMS-DELIVER or SMS-STATUS-REPORT over; done is called
	// once with whether it was acknowledged.
	deliver(tpdu []byte, done func(accepted bool))
}

func (s *smsc) init(n *Network) {
	s.n = n
	s.queues = make(map[string][]*shortMessage)
}

// SMSC is the network's short message service centre.
func (n *Network) SMSC() *SMSC { return (*SMSC)(n) }

// SMSC is the short message service centre of a Network.
type SMSC Network

// Configure sets how the service centre behaves from now on.
func (s *SMSC) Configure(config SMSCConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.smsc.config = config
}

// Stats tells what the service centre has done so far.
func (s *SMSC) Stats() SMSCStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.smsc.stats
	for _, q := range s.smsc.queues {
		stats.Waiting += len(q)
	}
	return stats
}

// submit takes an SMS-SUBMIT from a number; refused is a +CMS ERROR code.
func (s *smsc) submit(from string, tpdu []byte, report func(tpdu []byte)) (refused int) {
	sub, err := parseSubmit(tpdu)
	if err != nil {
		return cmsInvalidPDUParam
	}
	now := time.Now()
	in := Submission{From: from, To: s.n.findNumber(sub.to), TPDU: sub.deliver(from, now.Add(s.skew))}
	s.stats.Submitted++
	if s.config.Inspect != nil {
		switch s.config.Inspect(&in) {
		case Vanish:
			s.stats.Lost++
			return 0
		case Refuse:
			s.stats.Refused++
			return 8 // operator determined barring, 3GPP TS 24.011 annex E-2
		}
	}
	msg := &shortMessage{to: in.To, tpdu: in.TPDU, until: now.Add(s.keep(sub.validity))}
	if sub.first&bitReport != 0 && report != nil {
		msg.reply = func(status byte) { report(sub.report(now, time.Now(), status)) }
	}
	s.accept(msg)
	return 0
}

func (s *smsc) keep(validity time.Duration) time.Duration {
	if s.config.Validity > 0 {
		return min(validity, s.config.Validity)
	}
	return validity
}

// accept stores a message and plans its first try.
func (s *smsc) accept(msg *shortMessage) {
	if s.chance(s.config.Loss) {
		s.stats.Lost++
		return
	}
	copies := 1
	if s.chance(s.config.Duplicate) {
		copies = 2
	}
	for range copies {
		m := *msg
		s.store(&m)
		msg.reply = nil
	}
}

func (s *smsc) store(msg *shortMessage) {
	q := append(s.queues[msg.to], msg)
	if k := len(q); k > 1 && s.chance(s.config.Reorder) && !q[k-2].ongoing {
		q[k-1], q[k-2] = q[k-2], q[k-1]
	}
	s.queues[msg.to] = q
	delay := s.config.Delay
	if s.config.Jitter > 0 {
		delay += time.Duration(s.n.rand.Int64N(int64(s.config.Jitter)))
	}
	s.n.after(delay, func() { s.try(msg.to) })
	s.n.after(time.Until(msg.until), func() { s.expire(msg) })
}

func (s *smsc) chance(p float64) bool {
	return p > 0 && s.n.rand.Float64() < p
}

// try forwards the first message for a recipient, one at a time.
func (s *smsc) try(to string) {
	q := s.queues[to]
	who := s.n.numbers[to]
	if len(q) == 0 || q[0].ongoing || who == nil || !who.reached() {
		return
	}
	msg := q[0]
	s.n.cancel(msg.trying)
	msg.ongoing = true
	who.deliver(msg.tpdu, func(accepted bool) {
		msg.ongoing = false
		if !accepted {
			s.stats.Retried++
			msg.trying = s.n.after(s.retry(), func() { s.try(to) })
			return
		}
		if s.remove(msg) {
			s.stats.Forwarded++
			if msg.reply != nil {
				msg.reply(statusReceived)
			}
		}
		s.n.after(0, func() { s.try(to) })
	})
}

func (s *smsc) retry() time.Duration {
	if s.config.Retry == 0 {
		return 30 * time.Second
	}
	return s.config.Retry
}

// remove takes a message out of its queue and tells whether it was there.
func (s *smsc) remove(msg *shortMessage) bool {
	q := s.queues[msg.to]
	for i := range q {
		if q[i] != msg {
			continue
		}
		q = append(q[:i:i], q[i+1:]...)
		if s.queues[msg.to] = q; len(q) == 0 {
			delete(s.queues, msg.to)
		}
		return true
	}
	return false
}

// expire gives a message up at the end of its validity period.
func (s *smsc) expire(msg *shortMessage) {
	if msg.ongoing || !s.remove(msg) {
		return
	}
	s.n.cancel(msg.trying)
	s.stats.Expired++
	if msg.reply != nil {
		msg.reply(statusExpired)
	}
	s.try(msg.to)
}

// send forwards a ready TPDU, such as a status report, to a number.
func (s *smsc) send(to string, tpdu []byte) {
	s.store(&shortMessage{to: to, tpdu: tpdu, until: time.Now().Add(s.keep(48 * time.Hour))})
}

// pagingTime is how long the network takes to notice and to page.
const pagingTime = time.Second

// reachable is called when a subscriber has come back, or has room again.
func (s *smsc) reachable(m *Modem) {
	s.n.after(s.n.scale(pagingTime), func() { s.try(m.sim.number) })
}

// findNumber completes a number without a plus sign by the subscribers' numbers.
func (n *Network) findNumber(number string) string {
	if _, ok := n.numbers[number]; ok || number == "" {
		return number
	}
	if number[0] != '+' {
		if _, ok := n.numbers["+"+number]; ok {
			return "+" + number
		}
	}
	return number
}
