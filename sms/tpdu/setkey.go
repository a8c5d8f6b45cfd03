package tpdu

import "encoding/binary"

// setKey is a SetKey in two words, to be compared and hashed at once: the
// address's value, then the rest of it, its type and length, and the
// concatenation. No setKey of a message is zero.
type setKey struct{ low, high uint64 }

// Places in setKey.high, above the last two octets of the value.
const (
	keyType      = 16
	keySemi      = 24
	keyReference = 32
	keyTotal     = 48
	keyWide      = 56
	keyUsed      = 63
)

func packKey(from *Address, c Concat) setKey {
	k := setKey{
		low: binary.LittleEndian.Uint64(from.value[:]),
		high: uint64(binary.LittleEndian.Uint16(from.value[8:])) | uint64(from.Type)<<keyType | uint64(from.semi)<<keySemi |
			uint64(c.Reference)<<keyReference | uint64(c.Total)<<keyTotal | 1<<keyUsed,
	}
	if c.Wide {
		k.high |= 1 << keyWide
	}
	return k
}

func (k setKey) unpack() SetKey {
	s := SetKey{
		From:      Address{Type: TypeOfAddress(k.high >> keyType), semi: uint8(k.high >> keySemi)},
		Reference: uint16(k.high >> keyReference),
		Wide:      k.high>>keyWide&1 != 0,
		Total:     k.total(),
	}
	binary.LittleEndian.PutUint64(s.From.value[:], k.low)
	binary.LittleEndian.PutUint16(s.From.value[8:], uint16(k.high))
	return s
}

func (k setKey) total() uint8 { return uint8(k.high >> keyTotal) }

// sender is what all keys of one sender have in common.
func (k setKey) sender() setKey { return setKey{k.low, k.high & (1<<keyReference - 1)} }
