package tpdu

import (
	"math/bits"
	"math/rand/v2"
)

// keyIndex finds the places of keys: a hash table with linear probing, whose
// size is a power of two and which is at most half full. It knows the keys'
// hashes alone; the caller looks at each candidate. The seed is random, so that
// no sender can choose keys that meet in one slot.
type keyIndex struct {
	slots []indexSlot
	shift uint8 // the top bits of a hash are its first slot
	count int
	seed  [2]uint64
}

// indexSlot holds the hash of a key, which is odd, and its place. The zero slot
// is empty.
type indexSlot struct{ hash, place uint32 }

const leastSlots = 16

func newKeyIndex() keyIndex {
	x := keyIndex{seed: [2]uint64{rand.Uint64(), rand.Uint64()}}
	x.resize(leastSlots)
	return x
}

// hash is half of the folded product of the key's words and the seed.
func (x *keyIndex) hash(k setKey) uint32 {
	high, low := bits.Mul64(k.low^x.seed[0], k.high^x.seed[1])
	return uint32(high^low) | 1
}

// first is the slot that a hash would have in an empty table, after the slot
// behind another one.
func (x *keyIndex) first(hash uint32) int { return int(hash >> x.shift) }

func (x *keyIndex) after(slot int) int { return (slot + 1) & (len(x.slots) - 1) }

// add adds a place whose key is not there.
func (x *keyIndex) add(hash, place uint32) {
	x.count++
	if 2*x.count > len(x.slots) {
		x.resize(2 * len(x.slots))
	}
	x.put(indexSlot{hash, place})
}

func (x *keyIndex) put(s indexSlot) {
	i := x.first(s.hash)
	for x.slots[i].hash != 0 {
		i = x.after(i)
	}
	x.slots[i] = s
}

// remove takes out a place that is there and closes the gap, so that what was
// put behind it is still found.
func (x *keyIndex) remove(hash, place uint32) {
	gap := x.first(hash)
	for x.slots[gap] != (indexSlot{hash, place}) {
		gap = x.after(gap)
	}
	mask := len(x.slots) - 1
	for i := x.after(gap); x.slots[i].hash != 0; i = x.after(i) {
		if (i-x.first(x.slots[i].hash))&mask >= (i-gap)&mask {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = indexSlot{}
	x.count--
}

// clear takes out everything and leaves room for n places.
func (x *keyIndex) clear(n int) {
	x.slots, x.count = nil, 0
	x.resize(max(leastSlots, 1<<bits.Len(uint(2*n-1))))
}

func (x *keyIndex) resize(n int) {
	old := x.slots
	x.slots = make([]indexSlot, n)
	x.shift = uint8(33 - bits.Len(uint(n)))
	for _, s := range old {
		if s.hash != 0 {
			x.put(s)
		}
	}
}
