package tpdu

import (
	"bytes"
	"iter"
	"slices"
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
	Parts  []HeldPart // by their numbers
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
	DroppedRoom                             // by DropOldest
)

var dropReasons = [...]string{"", "too old", "too many messages", "too many messages of one sender", "too many octets", "reference used again", "no room"}

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

// AddResult is what [Reassembler.Add] did. It and its Parts are good until the
// next call; the TPDUs in it and Dropped are the caller's.
type AddResult struct {
	Status AddStatus // what became of the part
	// Parts are the TPDUs of a complete message in order, as they were added.
	Parts [][]byte
	// Dropped are messages that had to go to stay within the bounds, and one
	// whose reference came again with another content.
	Dropped []Dropped
}

// Reassembler holds the parts of messages until they are complete, in any
// order, with repeats. It has no clock and no goroutines: the caller says what
// time it is and calls [Reassembler.Expire]. It is for one goroutine at a time.
//
// TPDUs are kept, not copied: they must not change until their message has been
// handed back, and a piece of a large buffer keeps the whole of it in memory.
// Beside them a message takes about 180 octets, 32 to 48 more for each part but
// two, and a sender about 50: at most half the octets of the TPDUs plus 256
// octets a message, and 10 KiB for all. [Reassembler.Expire] gives back what
// a flood has left behind. To keep the state over a restart, keep the TPDUs
// themselves (or those of [Reassembler.All]) with the times they came and add
// them again, oldest first.
//
// A part that is repeated after its message is complete begins a new message,
// which grows old. Where repeats must have no effect, remember what was
// received.
type Reassembler struct {
	maxSets, maxPerSender, maxOctets int
	maxAge                           time.Duration

	began   time.Time // when the first part came
	index   keyIndex  // of sets
	sets    setSlab
	senders senderCounts
	octets  int
	result  AddResult
	whole   [][]byte // result.Parts
}

const maxHeldOctets = 255

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
		index:        newKeyIndex(),
		sets:         newSetSlab(),
		senders:      newSenderCounts(),
	}
}

// Len returns how many incomplete messages are held.
func (r *Reassembler) Len() int { return r.sets.count }

// Octets returns how many octets of TPDUs are held.
func (r *Reassembler) Octets() int { return r.octets }

// AddDeliver adds a SMS-DELIVER, given as received and decoded. One that is not
// part of a longer message is complete at once.
func (r *Reassembler) AddDeliver(now time.Time, tpdu []byte, d *Deliver) (*AddResult, error) {
	c, ok := d.UserData.Header.Concat()
	if !ok {
		return r.single(tpdu), nil
	}
	return &r.result, r.add(now, packKey(&d.Originator, c), c, tpdu)
}

// Add adds a TPDU of the sender that is the part c says, and keeps it. Parts of
// one number count as repeats if they are equal apart from their first octet,
// whose flags may change when the network sends again, and the time stamp, which
// does when the sender sends again. The error is an *[Error] for a TPDU above 255
// octets or a senseless c; nothing is held then.
func (r *Reassembler) Add(now time.Time, from Address, c Concat, tpdu []byte) (*AddResult, error) {
	return &r.result, r.add(now, packKey(&from, c), c, tpdu)
}

// single is what becomes of a message of one part.
func (r *Reassembler) single(tpdu []byte) *AddResult {
	r.whole = append(r.whole[:0], tpdu)
	r.result = AddResult{Status: Complete, Parts: r.whole}
	return &r.result
}

func (r *Reassembler) add(now time.Time, key setKey, c Concat, tpdu []byte) error {
	r.result = AddResult{}
	switch {
	case c.Part == 0 || c.Part > c.Total:
		return cannotEncode("TP-UDH", ErrHeader)
	case len(tpdu) > maxHeldOctets:
		return cannotEncode("TPDU", ErrTooLong)
	case c.Total == 1:
		r.single(tpdu)
		return nil
	}
	hash := r.index.hash(key)
	place, ok := r.find(key, hash)
	if !ok {
		place = r.begin(now, key, hash)
	}
	s := r.sets.at(place)
	at, again := s.find(c.Part)
	if again {
		if samePart(s.parts[at].TPDU, tpdu) {
			r.result.Status = Repeated
			return nil
		}
		r.giveUp(place, DroppedSuperseded)
		place = r.begin(now, key, hash)
		s, at = r.sets.at(place), 0
	}
	if s.lacksOne() {
		r.whole = s.whole(r.whole[:0], at, tpdu)
		r.result.Status, r.result.Parts = Complete, r.whole
		r.remove(place)
		return nil
	}
	s.add(at, HeldPart{c.Part, tpdu})
	if r.octets += len(tpdu); r.octets > r.maxOctets {
		r.shed(place)
	}
	return nil
}

// find returns the place of a message.
func (r *Reassembler) find(key setKey, hash uint32) (place uint32, ok bool) {
	x := &r.index
	for i := x.first(hash); x.slots[i].hash != 0; i = x.after(i) {
		if place := x.slots[i].place; x.slots[i].hash == hash && r.sets.at(place).key == key {
			return place, true
		}
	}
	return 0, false
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

// begin makes room for a new message and returns its place.
func (r *Reassembler) begin(now time.Time, key setKey, hash uint32) uint32 {
	if r.Len() >= r.maxSets {
		r.giveUp(r.sets.oldest, DroppedSets)
	}
	from := r.senders.enter(key.sender())
	r.senders.senders[from].sets++
	if r.senders.senders[from].sets > r.maxPerSender {
		r.giveUp(r.oldestOf(from), DroppedSender)
	}
	if r.Len() == 0 {
		r.began = now
	}
	place, s := r.sets.push()
	s.key, s.first, s.from = key, now.Sub(r.began), from
	r.index.add(hash, place)
	return place
}

// oldestOf looks through at most MaxSets messages.
func (r *Reassembler) oldestOf(from uint32) uint32 {
	for place, s := range r.sets.all {
		if s.from == from {
			return place
		}
	}
	return r.sets.oldest
}

// shed drops the oldest messages until the octets are within their bound; the
// newest, if it is too large by itself.
func (r *Reassembler) shed(newest uint32) {
	for r.octets > r.maxOctets && r.sets.oldest != newest {
		r.giveUp(r.sets.oldest, DroppedOctets)
	}
	if r.octets > r.maxOctets {
		r.giveUp(newest, DroppedOctets)
	}
}

// remove forgets a message.
func (r *Reassembler) remove(place uint32) {
	s := r.sets.at(place)
	for i := range s.parts {
		r.octets -= len(s.parts[i].TPDU)
	}
	r.senders.senders[s.from].sets--
	r.senders.leave(s.from)
	r.index.remove(r.index.hash(s.key), place)
	r.sets.remove(place)
}

// pack gives back the memory of messages that were removed.
func (r *Reassembler) pack() {
	r.sets = r.sets.packed()
	r.index.clear(r.sets.count)
	r.senders = newSenderCounts()
	for place, s := range r.sets.all {
		r.index.add(r.index.hash(s.key), place)
		s.from = r.senders.enter(s.key.sender())
		r.senders.senders[s.from].sets++
	}
}

// giveUp drops a message to make room for what is being added.
func (r *Reassembler) giveUp(place uint32, why DropReason) {
	r.result.Dropped = append(r.result.Dropped, r.drop(place, why))
}

func (r *Reassembler) drop(place uint32, why DropReason) Dropped {
	dropped := Dropped{Set: r.export(r.sets.at(place)), Reason: why}
	r.remove(place)
	return dropped
}

func (r *Reassembler) export(s *heldSet) Set {
	return Set{SetKey: s.key.unpack(), First: r.began.Add(s.first), Parts: slices.Clone(s.parts)}
}

// Expire drops the messages whose first part came more than MaxAge before now,
// and gives back memory if most of it is not in use any more.
func (r *Reassembler) Expire(now time.Time) []Dropped {
	var dropped []Dropped
	for {
		at, ok := r.NextExpiry()
		if !ok || now.Before(at) {
			break
		}
		dropped = append(dropped, r.drop(r.sets.oldest, DroppedAge))
	}
	if r.sets.wasteful() {
		r.pack()
	}
	return dropped
}

// DropOldest drops the message that waits for longest; ok is false if there is
// none. It is for who has no room for the parts where they lie.
func (r *Reassembler) DropOldest() (dropped Dropped, ok bool) {
	if r.Len() == 0 {
		return Dropped{}, false
	}
	return r.drop(r.sets.oldest, DroppedRoom), true
}

// NextExpiry returns when Expire will have something to do; ok is false if
// nothing is held or nothing grows old.
func (r *Reassembler) NextExpiry() (at time.Time, ok bool) {
	if r.Len() == 0 || r.maxAge < 0 {
		return time.Time{}, false
	}
	return r.began.Add(r.sets.at(r.sets.oldest).first + r.maxAge), true
}

// All yields what is held, the oldest first. The parts must not be changed;
// nothing may be added while it runs.
func (r *Reassembler) All() iter.Seq[Set] {
	return func(yield func(Set) bool) {
		for _, s := range r.sets.all {
			if !yield(r.export(s)) {
				return
			}
		}
	}
}
