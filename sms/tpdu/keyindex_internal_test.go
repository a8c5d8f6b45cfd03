package tpdu

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a keyIndex finds is what a map would, whatever is added and removed.
func TestKeyIndexAgainstAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 40))
	x := newKeyIndex()
	places := make(map[uint32]uint32) // their hashes; many places share one
	holds := func(hash, place uint32) bool {
		for i := x.first(hash); x.slots[i].hash != 0; i = x.after(i) {
			if x.slots[i] == (indexSlot{hash, place}) {
				return true
			}
		}
		return false
	}
	for step := range 20_000 {
		place := random.Uint32N(600)
		hash, there := places[place]
		switch {
		case there:
			x.remove(hash, place)
			delete(places, place)
			require.False(t, holds(hash, place))
		default:
			places[place] = random.Uint32N(64)<<26 | 1
			x.add(places[place], place)
		}
		if step%1000 == 0 {
			require.Equal(t, len(places), x.count)
			for place, hash := range places {
				require.True(t, holds(hash, place))
			}
		}
	}
	x.clear(3)
	require.Zero(t, x.count)
	require.Len(t, x.slots, leastSlots)
}

// Everything of a SetKey is in its packed form.
func TestSetKeyBothWays(t *testing.T) {
	name, err := NewName("Pump 7 west")
	require.NoError(t, err)
	number, err := ParseAddress("+12345678901234567890")
	require.NoError(t, err)
	seen := make(map[setKey]bool)
	for _, from := range []Address{{}, name, number, {Type: 0xff, semi: 20}} {
		for _, c := range []Concat{{}, {0xffff, true, 255, 1}, {0xffff, false, 255, 1}, {1, false, 2, 1}} {
			k := packKey(&from, c)
			require.Equal(t, SetKey{From: from, Reference: c.Reference, Wide: c.Wide, Total: c.Total}, k.unpack())
			require.Equal(t, packKey(&from, Concat{}).sender(), k.sender())
			require.False(t, seen[k])
			require.NotZero(t, k)
			seen[k] = true
		}
	}
}
