package sms

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// receiptKey names the record of a part.
type receiptKey struct {
	id   uint64
	part uint8
}

func (k receiptKey) octets() []byte {
	return append(binary.BigEndian.AppendUint64(nil, k.id), k.part)
}

// receiptRecord is what the store holds of a part.
type receiptRecord struct {
	To       string        `json:"to"`
	Parts    int           `json:"parts"`
	Ends     time.Time     `json:"ends"`
	Lifetime time.Duration `json:"lifetime"`

	Sent      time.Time     `json:"sent"`
	Doubted   time.Time     `json:"doubted,omitzero"`
	Attempts  int           `json:"attempts"`
	Outcome   Outcome       `json:"outcome"`
	Reference byte          `json:"reference"`
	State     DeliveryState `json:"state,omitempty"`
	Status    byte          `json:"status,omitempty"`
	Discharge time.Time     `json:"discharge,omitzero"`
	Taken     time.Time     `json:"taken,omitzero"`
	Report    []byte        `json:"report,omitempty"`
}

const (
	// afterStart is how long reports are waited for at least after a start.
	afterStart = time.Hour
	// reservation is how many numbers are taken with one commit.
	reservation = 64
	// numberKey is the record of bucketNumber.
	numberKey = "message"
)

// change has the record of a part written with the next commit. The caller holds
// the lock.
func (r *reports) change(t *tracked, part int) {
	if t.wanted && t.id != 0 {
		r.unsaved[receiptKey{t.id, uint8(part)}] = struct{}{}
	}
}

// save returns when all changes are in the store.
func (r *reports) save() error {
	r.saving <- struct{}{}
	defer func() { <-r.saving }()
	keys, changes := r.takeUnsaved()
	if r.store == nil || len(changes) == 0 {
		return nil
	}
	err := r.store.Commit(changes)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, k := range keys {
			r.unsaved[k] = struct{}{}
		}
	}
	return err
}

func (r *reports) takeUnsaved() (keys []receiptKey, changes []Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.unsaved {
		keys = append(keys, k)
	}
	clear(r.unsaved)
	slices.SortFunc(keys, func(a, b receiptKey) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.part, b.part)) })
	for _, k := range keys {
		changes = append(changes, Change{bucketReceipt, k.octets(), r.byID(k.id).record(int(k.part))})
	}
	return keys, changes
}

// record is what the store is to hold of a part; nil if nothing.
func (t *tracked) record(part int) []byte {
	if t == nil || !t.parts[part].gone() {
		return nil
	}
	p := &t.parts[part]
	record := receiptRecord{
		To: t.to, Parts: len(t.parts), Ends: t.ends, Lifetime: t.lifetime,
		Sent: p.sent, Doubted: p.doubted, Attempts: p.attempts, Outcome: p.Outcome, Reference: p.reference,
		State: p.State, Status: byte(p.Status), Discharge: p.Discharge, Taken: p.taken,
	}
	if p.report != (digest{}) {
		record.Report = p.report[:]
	}
	value, err := json.Marshal(record)
	if err != nil { // no time of ours is out of JSON's range
		return nil
	}
	return value
}

// adopt takes the store of an Outbox for a Service that has none, unless it has
// given numbers already.
func (r *reports) adopt(store Store) {
	r.saving <- struct{}{}
	defer func() { <-r.saving }()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.store == nil && r.given == 0 {
		r.store, r.loaded = store, false
	}
}

// load reads what the store holds, once.
func (r *reports) load() error {
	r.saving <- struct{}{}
	defer func() { <-r.saving }()
	if r.loaded || r.store == nil {
		return nil
	}
	err := r.store.Load(bucketNumber, func(key, value []byte) error {
		if string(key) == numberKey && len(value) == 8 {
			r.reserved = binary.BigEndian.Uint64(value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	loaded := make(map[uint64]*tracked)
	err = r.store.Load(bucketReceipt, func(key, value []byte) error {
		r.read(loaded, key, value)
		return nil
	})
	if err != nil {
		return err
	}
	noted, err := r.noted()
	if err != nil {
		return err
	}
	r.follow(loaded)
	for _, item := range noted {
		r.passed(item.ID)
		r.resume(item)
	}
	r.loaded = true
	return nil
}

// noted reads what an Outbox notes of messages that reports are wanted of: these
// may come before the Outbox is made.
func (r *reports) noted() (items []*outItem, err error) {
	err = r.store.Load(bucketOutbox, func(_, value []byte) error {
		item := &outItem{}
		if json.Unmarshal(value, item) == nil && item.reported() { // else NewOutbox tells
			items = append(items, item)
		}
		return nil
	})
	return items, err
}

// follow takes over what was loaded.
func (r *reports) follow(loaded map[uint64]*tracked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given = max(r.given, r.reserved)
	for id, t := range loaded {
		r.given = max(r.given, id)
		r.messages = append(r.messages, t)
		r.parts += len(t.parts)
		t.listed = true
		if t.final() {
			close(t.done)
		}
	}
	slices.SortFunc(r.messages, func(a, b *tracked) int { return cmp.Compare(a.id, b.id) })
	r.recallReferences()
}

// read takes over the record of a part. One that makes no sense is left out.
func (r *reports) read(loaded map[uint64]*tracked, key, value []byte) {
	var record receiptRecord
	if len(key) != 9 || json.Unmarshal(value, &record) != nil || int(key[8]) >= record.Parts || record.Parts > 255 {
		r.logger.Warn("a record of a receipt makes no sense", "key", key)
		return
	}
	id, part := binary.BigEndian.Uint64(key), int(key[8])
	t := loaded[id]
	if t == nil {
		t = newTracked(r, id, record.To, record.Parts, record.Lifetime)
		t.wanted = true
		// The clock may have been set since: no longer than it would be for a new message.
		left := min(max(time.Until(record.Ends), afterStart), max(record.Lifetime, afterStart))
		t.ends = time.Now().Add(left)
		loaded[id] = t
	}
	if part >= len(t.parts) {
		return
	}
	p := &t.parts[part]
	p.sent, p.doubted, p.attempts = record.Sent, record.Doubted, record.Attempts
	p.reference, p.taken = record.Reference, record.Taken
	p.Outcome, p.State = record.Outcome, record.State
	p.Status, p.Discharge = tpdu.Status(record.Status), record.Discharge
	copy(p.report[:], record.Report)
}

// recallReferences finds out again whether the modem's references make sense.
func (r *reports) recallReferences() {
	var sent []*trackedPart
	for _, t := range r.messages {
		for i := range t.parts {
			if p := &t.parts[i]; p.Outcome == Sent && p.taken.IsZero() {
				sent = append(sent, p)
			}
		}
	}
	slices.SortStableFunc(sent, func(a, b *trackedPart) int { return a.sent.Compare(b.sent) })
	for _, p := range sent[max(0, len(sent)-2):] {
		r.sawReference(p.reference)
	}
}

// allot returns a number that no message had before. Some are left out after a
// restart.
func (r *reports) allot() (uint64, error) {
	r.saving <- struct{}{}
	defer func() { <-r.saving }()
	r.mu.Lock()
	next := r.given + 1
	r.mu.Unlock()
	if r.store != nil && next > r.reserved {
		reserved := next + reservation - 1
		err := r.store.Commit([]Change{{bucketNumber, []byte(numberKey), binary.BigEndian.AppendUint64(nil, reserved)}})
		if err != nil {
			return 0, err
		}
		r.reserved = reserved
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given = next
	return next, nil
}

// passed notes a number that was given by an older program.
func (r *reports) passed(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given = max(r.given, id)
}
