package tpdu

import (
	"bytes"
	"iter"
	"time"
)

// ReassemblerConfig bounds a [Reassembler]. A nil *ReassemblerConfig is a sound
// choice. In every field negative means no bound.
type ReassemblerConfig struct {
	// MaxSets is the most incomplete messages held; zero means 1000.
	MaxSets int
	// MaxPerSender is the most incomplete messages held of one sender; zero
	// means 32.
	MaxPerSender int
	// MaxOctets is the most octets of TPDUs held; zero means 4 MiB.
	MaxOctets int
	// MaxAge is how long the first part waits for the last; zero means 72 h.
	MaxAge time.Duration
}

func bound(n, normal int) int {
	switch {
	case n == 0:
		return normal
	case n < 0:
		return int(^uint(0) >> 1)
	}
	return n
}

// SetKey tells messages in parts from each other: sender, reference with its
// width, and number of parts.
type SetKey struct {
	From      Address // who sent it
	Reference uint16  // 0 is as good as any other
	Wide      bool    // the reference has 16 bits
	Total     uint8   // parts of the message
}

// Set is a message that is not complete, as it was held.
type Set struct {
	SetKey            // which message it is
	First  time.Time  // when its first part was added
	Parts  []HeldPart // in the order added
}

// HeldPart is one part of a [Set].
type HeldPart struct {
	Part uint8  // from 1
	TPDU []byte // as it was added
}

// DropReason says why a [Reassembler] gave up a message.
type DropReason byte

// The reasons.
const (
	DroppedAge        DropReason = iota + 1 // older than MaxAge
	DroppedSets                             // the oldest when MaxSets was reached
	DroppedSender                           // its sender's oldest when MaxPerSender was reached
	DroppedOctets                           // the oldest when MaxOctets was reached
	DroppedSuperseded                       // its reference came again with another content
)

var dropReasons = [...]string{"", "too old", "too many messages", "too many messages of one sender", "too many octets", "reference used again"}

// String returns the reason in words.
func (r DropReason) String() string {
	if int(r) < len(dropReasons) {
		return dropReasons[r]
	}
	return "unknown reason"
}

// Dropped is a message that a [Reassembler] gave up, with what it had of it.
type Dropped struct {
	Set               // what was held of it
	Reason DropReason // why it had to go
}

// AddStatus says what became of a part.
type AddStatus byte

// What may become of a part.
const (
	Held     AddStatus = iota // waits for the others
	Repeated                  // was there already; nothing changed
	Complete                  // was the last one missing
)

// AddResult is what [Reassembler.Add] did.
type AddResult struct {
	Status AddStatus // what became of the part
	// Parts are the TPDUs of a complete message in order. They belong to the
	// caller, except that a message of one part is the caller's own slice.
	Parts [][]byte
	// Dropped are messages that had to go to stay within the bounds, and one
	// whose reference came again with another content.
	Dropped []Dropped
}

// Reassembler holds the parts of messages until they are complete, in any
// order, with repeats. It has no clock and no goroutines: the caller says what
// time it is and calls [Reassembler.Expire]. It is for one goroutine at a time.
//
// What it holds takes at most 1.5 times the octets of the TPDUs plus 256 octets
// a message. To keep its state over a restart, keep the TPDUs themselves (or
// those of [Reassembler.All]) with the times they came and add them again,
// oldest first.
//
// A part that is repeated after its message is complete begins a new message,
// which grows old. Where repeats must have no effect, remember what was
// received.
type Reassembler struct {
	maxSets, maxPerSender, maxOctets int
	maxAge                           time.Duration

	sets           map[SetKey]*heldSet
	senders        map[Address]int32 // sets of each sender
	oldest, newest *heldSet          // all sets in the order they began
	octets         int
}

// heldSet is an incomplete message. Its parts stand one after the other in
// records, each with two octets in front: number and length.
type heldSet struct {
	key          SetKey
	held         uint8
	first        time.Time
	older, newer *heldSet
	records      []byte
}

const (
	recordHead    = 2
	maxHeldOctets = 255
	smallRecords  = 1024
)

// NewReassembler returns an empty reassembler.
func NewReassembler(c *ReassemblerConfig) *Reassembler {
	if c == nil {
		c = &ReassemblerConfig{}
	}
	age := c.MaxAge
	if age == 0 {
		age = 72 * time.Hour
	}
	return &Reassembler{
		maxSets:      bound(c.MaxSets, 1000),
		maxPerSender: bound(c.MaxPerSender, 32),
		maxOctets:    bound(c.MaxOctets, 4<<20),
		maxAge:       age,
		sets:         make(map[SetKey]*heldSet),
		senders:      make(map[Address]int32),
	}
}

// Len returns how many incomplete messages are held.
func (r *Reassembler) Len() int { return len(r.sets) }

// Octets returns how many octets of TPDUs are held.
func (r *Reassembler) Octets() int { return r.octets }

// AddDeliver adds a SMS-DELIVER, given as received and decoded. One that is not
// part of a longer message is complete at once.
func (r *Reassembler) AddDeliver(now time.Time, tpdu []byte, d *Deliver) (AddResult, error) {
	c, ok := d.UserData.Header.Concat()
	if !ok {
		return AddResult{Status: Complete, Parts: [][]byte{tpdu}}, nil
	}
	return r.Add(now, d.Originator, c, tpdu)
}

// Add adds a TPDU of the sender that is the part c says. The TPDU is copied.
// Parts of one number count as repeats if they are equal apart from their first
// octet, whose flags may change when the network sends again, and the time
// stamp, which does when the sender sends again. The error is an
// *[Error] for a TPDU above 255 octets or a senseless c; nothing is held then.
func (r *Reassembler) Add(now time.Time, from Address, c Concat, tpdu []byte) (AddResult, error) {
	if c.Part == 0 || c.Part > c.Total {
		return AddResult{}, cannotEncode("TP-UDH", ErrHeader)
	}
	if len(tpdu) > maxHeldOctets {
		return AddResult{}, cannotEncode("TPDU", ErrTooLong)
	}
	if c.Total == 1 {
		return AddResult{Status: Complete, Parts: [][]byte{tpdu}}, nil
	}
	var result AddResult
	key := SetKey{From: from, Reference: c.Reference, Wide: c.Wide, Total: c.Total}
	s := r.sets[key]
	if s != nil {
		if old := s.find(c.Part); old != nil {
			if samePart(old, tpdu) {
				result.Status = Repeated
				return result, nil
			}
			result.Dropped = append(result.Dropped, r.drop(s, DroppedSuperseded))
			s = nil
		}
	}
	if s == nil {
		s = r.begin(now, key, &result)
	}
	s.add(c.Part, tpdu)
	r.octets += len(tpdu)
	if s.held == c.Total {
		r.remove(s)
		result.Status, result.Parts = Complete, s.inOrder()
		return result, nil
	}
	for r.octets > r.maxOctets && r.oldest != s {
		result.Dropped = append(result.Dropped, r.drop(r.oldest, DroppedOctets))
	}
	if r.octets > r.maxOctets {
		result.Dropped = append(result.Dropped, r.drop(s, DroppedOctets))
	}
	return result, nil
}

// samePart compares SMS-DELIVERs: flags, TP-OA, TP-PID, TP-DCS, TP-SCTS, and
// what follows (clause 9.2.2.1).
func samePart(a, b []byte) bool {
	if len(a) != len(b) || len(a) < 2 || a[1] != b[1] {
		return len(a) == len(b) && len(a) < 2
	}
	stamp := 1 + 2 + (int(a[1])+1)/2 + 2
	behind := stamp + len(Timestamp{})
	if behind > len(a) {
		return bytes.Equal(a[1:], b[1:])
	}
	return bytes.Equal(a[1:stamp], b[1:stamp]) && bytes.Equal(a[behind:], b[behind:])
}

// begin makes room for a new message and links it in.
func (r *Reassembler) begin(now time.Time, key SetKey, result *AddResult) *heldSet {
	if int(r.senders[key.From]) >= r.maxPerSender {
		result.Dropped = append(result.Dropped, r.drop(r.oldestOf(key.From), DroppedSender))
	}
	if len(r.sets) >= r.maxSets {
		result.Dropped = append(result.Dropped, r.drop(r.oldest, DroppedSets))
	}
	s := &heldSet{key: key, first: now, older: r.newest}
	if r.newest != nil {
		r.newest.newer = s
	} else {
		r.oldest = s
	}
	r.newest = s
	r.sets[key] = s
	r.senders[key.From]++
	return s
}

// oldestOf looks through at most MaxSets messages.
func (r *Reassembler) oldestOf(from Address) *heldSet {
	s := r.oldest
	for s.key.From != from {
		s = s.newer
	}
	return s
}

// remove forgets a message.
func (r *Reassembler) remove(s *heldSet) {
	delete(r.sets, s.key)
	if r.senders[s.key.From]--; r.senders[s.key.From] == 0 {
		delete(r.senders, s.key.From)
	}
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		r.oldest = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		r.newest = s.older
	}
	s.older, s.newer = nil, nil
	r.octets -= len(s.records) - recordHead*int(s.held)
}

func (r *Reassembler) drop(s *heldSet, why DropReason) Dropped {
	r.remove(s)
	return Dropped{Set: s.export(), Reason: why}
}

// Expire drops the messages whose first part came more than MaxAge before now.
func (r *Reassembler) Expire(now time.Time) []Dropped {
	var dropped []Dropped
	for r.maxAge > 0 && r.oldest != nil && now.Sub(r.oldest.first) >= r.maxAge {
		dropped = append(dropped, r.drop(r.oldest, DroppedAge))
	}
	return dropped
}

// NextExpiry returns when Expire will have something to do; ok is false if
// nothing is held or nothing grows old.
func (r *Reassembler) NextExpiry() (at time.Time, ok bool) {
	if r.oldest == nil || r.maxAge < 0 {
		return time.Time{}, false
	}
	return r.oldest.first.Add(r.maxAge), true
}

// All yields what is held, the oldest first. The parts alias what is held and
// must not be changed; nothing may be added while it runs.
func (r *Reassembler) All() iter.Seq[Set] {
	return func(yield func(Set) bool) {
		for s := r.oldest; s != nil; s = s.newer {
			if !yield(s.export()) {
				return
			}
		}
	}
}

// each yields the parts in the order added.
func (s *heldSet) each(yield func(part uint8, tpdu []byte) bool) {
	for rest := s.records; len(rest) > 0; {
		end := recordHead + int(rest[1])
		if !yield(rest[0], rest[recordHead:end:end]) {
			return
		}
		rest = rest[end:]
	}
}

// find returns the TPDU of a part; nil if it is not there.
func (s *heldSet) find(part uint8) []byte {
	for rest := s.records; len(rest) > 0; rest = rest[recordHead+int(rest[1]):] {
		if rest[0] == part {
			end := recordHead + int(rest[1])
			return rest[recordHead:end:end]
		}
	}
	return nil
}

// add appends a part. The records grow by a half at a time while they are small
// and by a quarter then, so that no more of them is empty than the bound on
// memory allows.
func (s *heldSet) add(part uint8, tpdu []byte) {
	need := len(s.records) + recordHead + len(tpdu)
	if need > cap(s.records) {
		room := need
		if s.held > 0 && s.held+1 < s.key.Total {
			room += need / 4
			if need < smallRecords {
				room = need + need/2 + recordHead
			}
		}
		grown := make([]byte, len(s.records), room)
		copy(grown, s.records)
		s.records = grown
	}
	s.records = append(s.records, part, byte(len(tpdu)))
	s.records = append(s.records, tpdu...)
	s.held++
}

func (s *heldSet) inOrder() [][]byte {
	parts := make([][]byte, s.key.Total)
	for part, tpdu := range s.each {
		parts[part-1] = tpdu
	}
	return parts
}

func (s *heldSet) export() Set {
	set := Set{SetKey: s.key, First: s.first, Parts: make([]HeldPart, 0, s.held)}
	for part, tpdu := range s.each {
		set.Parts = append(set.Parts, HeldPart{part, tpdu})
	}
	return set
}
