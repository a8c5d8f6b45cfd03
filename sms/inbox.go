package sms

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// ErrIncomplete is Incoming.Err of a long message that was given up because
// parts of it never came, or too many unfinished ones were held.
var ErrIncomplete = errors.New("sms: parts of the message are missing")

// ErrBacklog says that as many messages as Config.Backlog allows wait for a
// handler that refuses them.
var ErrBacklog = errors.New("sms: too many messages wait for the handler")

// inbox holds what has arrived until it is handed over. It is guarded by a lock
// that can be waited for: whoever holds it may be writing to the store.
type inbox struct {
	store   Store // nil: everything is in memory, and messages stay in the modem
	backlog int
	lock    chan struct{}

	reports  *reports
	ledger   ledger
	unmade   *tpdu.Reassembler
	held     map[digest]*holding // parts and messages that were not handed over yet
	ready    []*message          // complete ones, in order
	leftover []Change            // of commits that failed after a handler had returned
}

// holding is where a TPDU is, apart from memory.
type holding struct {
	slots     []slot // in the modem
	committed bool   // in the store
}

// slot is a place in a message storage.
type slot struct {
	storage    string
	index      int
	generation uint64 // of the Service when it was listed
}

// arrival is a TPDU that came.
type arrival struct {
	pdu     string // service centre and TPDU in hexadecimal, as the modem gave it
	report  bool   // +CDS said that it is a status report
	damaged bool   // on its way from the modem
	slot    *slot  // where it lies in the modem; nil if it was handed to us directly
}

// message is complete and waits for the handler.
type message struct {
	in      Incoming
	digests []digest
	refused bool // by the handler, before; of the goroutine that calls it
}

// admission is what came of arrivals.
type admission struct {
	// surplus are the places in the modem that are not needed any more: of
	// repeats, and of what is in the store now.
	surplus []slot
	repeats int // had been seen before
	fresh   int // had not
	refused int // had no room
	// made are the messages that were completed by them.
	made []*message
}

func newInbox(c *Config, r *reports) *inbox {
	return &inbox{
		store: c.Store, backlog: c.backlog(), reports: r,
		lock:   make(chan struct{}, 1),
		ledger: ledger{limit: c.ledgerSize(), age: c.ledgerAge(), seen: make(map[digest]time.Time)},
		unmade: tpdu.NewReassembler(&c.Partial),
		held:   make(map[digest]*holding),
	}
}

// load takes over what the store holds from another run.
func (b *inbox) load() error {
	if b.store == nil {
		return nil
	}
	type record struct {
		at   time.Time
		tpdu []byte
	}
	var records []record
	err := b.store.Load(bucketPart, func(_, value []byte) error {
		if len(value) > 8 {
			records = append(records, record{readTime(value), slices.Clone(value[8:])})
		}
		return nil
	})
	if err == nil {
		err = b.ledger.load(b.store)
	}
	if err != nil {
		return err
	}
	slices.SortStableFunc(records, func(a, b record) int { return a.at.Compare(b.at) })
	for _, r := range records {
		d := digestOf(r.tpdu)
		if b.ledger.has(d) { // killed between two commits of an older run
			b.leftover = append(b.leftover, Change{Bucket: bucketPart, Key: d[:]})
			continue
		}
		b.held[d] = &holding{committed: true}
		if _, repeated := b.sort(r.at, d, r.tpdu, false); repeated {
			delete(b.held, d)
			b.leftover = append(b.leftover, Change{Bucket: bucketPart, Key: d[:]})
		}
	}
	return nil
}

// admit takes arrivals in, with one commit for all of them. What finds too many
// waiting for the handler stays where it is, with ErrBacklog.
func (b *inbox) admit(now time.Time, arrivals []arrival) (out admission, err error) {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	var changes []Change
	var committing []*holding
	for i := range arrivals {
		a := &arrivals[i]
		octets := a.octets()
		d := digestOf(octets)
		h := b.held[d]
		if h == nil {
			if h = b.enter(now, a, d, octets, &out); h == nil {
				continue
			}
		} else if a.slot != nil && !slices.Contains(h.slots, *a.slot) && len(h.slots) > 0 {
			out.repeats++
		}
		if a.slot != nil && !slices.Contains(h.slots, *a.slot) {
			h.slots = append(h.slots, *a.slot)
		}
		if b.store != nil && !h.committed && (a.slot == nil || isPart(octets)) {
			changes = append(changes, Change{bucketPart, d[:], append(appendTime(nil, now), octets...)})
			committing = append(committing, h)
		} else if h.committed {
			out.surplus, h.slots = append(out.surplus, h.slots...), nil
		}
	}
	if err := b.commit(changes); err != nil {
		return out, err
	}
	for _, h := range committing {
		h.committed = true
		out.surplus, h.slots = append(out.surplus, h.slots...), nil
	}
	if out.refused > 0 {
		return out, ErrBacklog
	}
	return out, nil
}

// enter takes in a TPDU that is not held; nil if it was seen before, or finds
// no room.
func (b *inbox) enter(now time.Time, a *arrival, d digest, octets []byte, out *admission) *holding {
	if b.ledger.has(d) {
		out.repeat(a)
		return nil
	}
	if len(b.ready) >= b.backlog {
		out.refused++
		return nil
	}
	m, repeated := b.sort(now, d, octets, a.report)
	if repeated { // sent again by the sender
		out.repeat(a)
		return nil
	}
	if m != nil {
		out.made = append(out.made, m)
	}
	out.fresh++
	h := &holding{}
	b.held[d] = h
	return h
}

// repeat counts an arrival that is not needed.
func (out *admission) repeat(a *arrival) {
	out.repeats++
	if a.slot != nil {
		out.surplus = append(out.surplus, *a.slot)
	}
}

// octets is the TPDU, or the text that is none.
func (a *arrival) octets() []byte {
	_, octets, err := tpdu.DecodeHex(nil, a.pdu)
	if err != nil {
		return []byte(strings.TrimSpace(a.pdu))
	}
	return octets
}

// isPart tells whether a TPDU is a part of a longer message.
func isPart(octets []byte) bool {
	var d tpdu.Deliver
	if kind, err := tpdu.TypeOf(tpdu.ToMobile, octets); err != nil || kind != tpdu.TypeDeliver || d.Decode(octets) != nil {
		return false
	}
	c, ok := d.UserData.Header.Concat()
	return ok && c.Total > 1
}

// sort puts a TPDU with the others of its message, or makes it one of its own.
// It returns what is complete by it. repeated says that the part is held
// already, with another time stamp.
func (b *inbox) sort(now time.Time, d digest, octets []byte, isReport bool) (complete *message, repeated bool) {
	whole := func(in Incoming) (*message, bool) {
		in.Arrived = now
		return b.queue(in, []digest{d}), false
	}
	kind, err := tpdu.TypeOf(tpdu.ToMobile, octets)
	if isReport || err == nil && kind == tpdu.TypeStatusReport {
		in := report(octets)
		if in.Report != nil {
			b.reports.take(in.Report, in.Sent, d)
		}
		return whole(in)
	}
	var deliver tpdu.Deliver
	if err := deliver.Decode(octets); err != nil {
		return whole(Incoming{TPDUs: [][]byte{octets}, Err: err})
	}
	if c, ok := deliver.UserData.Header.Concat(); !ok || c.Total == 1 {
		return whole(assemble([][]byte{octets}))
	}
	result, err := b.unmade.AddDeliver(now, octets, &deliver)
	if err != nil {
		return whole(Incoming{TPDUs: [][]byte{octets}, Err: err})
	}
	b.giveUp(result.Dropped)
	if result.Status == tpdu.Complete {
		parts := slices.Clone(result.Parts)
		in := assemble(parts)
		in.Arrived = now
		complete = b.queue(in, digests(parts))
	}
	return complete, result.Status == tpdu.Repeated
}

// queue lets a message wait for the handler.
func (b *inbox) queue(in Incoming, ds []digest) *message {
	in.ID = ds[0].String()
	m := &message{in: in, digests: ds}
	b.ready = append(b.ready, m)
	return m
}

// giveUp makes messages of what was dropped unfinished: nothing is lost.
func (b *inbox) giveUp(dropped []tpdu.Dropped) {
	for _, set := range dropped {
		in := Incoming{From: set.From.String(), Err: ErrIncomplete}
		for _, p := range set.Parts {
			in.TPDUs = append(in.TPDUs, p.TPDU)
		}
		b.queue(in, digests(in.TPDUs))
	}
}

// expire gives up what has waited too long for its missing parts.
func (b *inbox) expire(now time.Time) {
	b.lock <- struct{}{}
	b.giveUp(b.unmade.Expire(now))
	<-b.lock
}

// makeRoom gives up the unfinished message that waits for longest, whose parts
// fill the storage of the modem as long as no store has them.
func (b *inbox) makeRoom() {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	if b.store != nil {
		return
	}
	if dropped, ok := b.unmade.DropOldest(); ok {
		b.giveUp([]tpdu.Dropped{dropped})
	}
}

// waiting returns what is ready to be handed over.
func (b *inbox) waiting() []*message {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	return slices.Clone(b.ready)
}

// awaits tells whether a message has not been handed over yet.
func (b *inbox) awaits(m *message) bool {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	return slices.Contains(b.ready, m)
}

// finish notes that the handler has taken a message and returns the places in
// the modem where it still lies. What it learnt stands even if the store fails;
// it is written again with the next commit then.
func (b *inbox) finish(now time.Time, m *message) (slots []slot, err error) {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	var changes []Change
	for _, d := range m.digests {
		h := b.held[d]
		if h == nil {
			continue
		}
		slots = append(slots, h.slots...)
		if h.committed {
			changes = append(changes, Change{Bucket: bucketPart, Key: d[:]})
		}
		delete(b.held, d)
		changes = b.ledger.add(changes, now, d)
	}
	if i := slices.Index(b.ready, m); i >= 0 {
		b.ready = slices.Delete(b.ready, i, i+1)
	}
	if err := b.commit(changes); err != nil {
		b.leftover = append(b.leftover, changes...)
		return slots, err
	}
	return slots, nil
}

// maxLeftover bounds what is held of commits that failed.
const maxLeftover = 4096

// catchUp has the store take what it did not take before, if that has become too
// much: until it does, nothing more is handed over.
func (b *inbox) catchUp() error {
	b.lock <- struct{}{}
	defer func() { <-b.lock }()
	if len(b.leftover) < maxLeftover {
		return nil
	}
	return b.commit(nil)
}

// commit writes changes, and those that could not be written before.
func (b *inbox) commit(changes []Change) error {
	if b.store == nil || len(changes) == 0 && len(b.leftover) == 0 {
		return nil
	}
	if err := b.store.Commit(append(slices.Clip(b.leftover), changes...)); err != nil {
		return err
	}
	b.leftover = nil
	return nil
}

func digests(parts [][]byte) []digest {
	ds := make([]digest, len(parts))
	for i, p := range parts {
		ds[i] = digestOf(p)
	}
	return ds
}
