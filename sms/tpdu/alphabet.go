package tpdu

import "unicode/utf8"

// escape leads to the single shift table for one septet (3GPP TS 23.038
// clause 6.2.1).
const escape = 0x1b

// decodeTable gives the character of each septet, 0 where there is none.
type decodeTable [128]rune

// A charTable answers for every character of the basic plane which of a set
// of things holds: rows of 256 entries, the row by the upper octet. Row 0 is
// empty.
type charTable[T any] struct {
	row  [256]uint8
	rows [][256]T
}

func (t *charTable[T]) at(r rune) T {
	if uint32(r) > 0xffff {
		r = 0xffff
	}
	return t.rows[t.row[r>>8]][r&0xff]
}

func (t *charTable[T]) entry(r rune) *T {
	if t.rows == nil {
		t.rows = make([][256]T, 1, 4)
	}
	if t.row[r>>8] == 0 {
		t.row[r>>8] = uint8(len(t.rows))
		t.rows = append(t.rows, [256]T{})
	}
	return &t.rows[t.row[r>>8]][r&0xff]
}

// present says which tables hold a character, one bit a language.
type present struct{ locking, single Languages }

// Each table in both directions. A septet is stored with bit 7 set, so that 0
// means none.
var (
	lockingChars, singleChars   [numLanguages]decodeTable
	lockingSeptet, singleSeptet [numLanguages]charTable[byte]
	inTables                    charTable[present]

	// lockingASCII is lockingSeptet for the characters that most texts consist of.
	lockingASCII [numLanguages][128]byte
	// asciiChars is lockingChars for the septets that are ASCII characters, 0
	// for the others.
	asciiChars [numLanguages][128]byte
)

func init() {
	for l := range Language(numLanguages) {
		locking := lockingTables[l]
		if locking == "" {
			locking = lockingTables[DefaultLanguage]
		}
		index(locking, &lockingChars[l], &lockingSeptet[l], func(p *present) { p.locking |= 1 << l })
		index(singleShiftTables[l], &singleChars[l], &singleSeptet[l], func(p *present) { p.single |= 1 << l })
		for c := range lockingASCII[l] {
			lockingASCII[l][c] = lockingSeptet[l].at(rune(c))
			if r := lockingChars[l][c]; r < utf8.RuneSelf {
				asciiChars[l][c] = byte(r)
			}
		}
	}
}

// index turns one printed table into both directions. Where a character has
// two places the first is used for encoding.
func index(table string, chars *decodeTable, septets *charTable[byte], mark func(*present)) {
	septet := 0
	for _, r := range table {
		if r != 0 && r != escape {
			chars[septet] = r
			if e := septets.entry(r); *e == 0 {
				*e = byte(septet) | 0x80
			}
			mark(inTables.entry(r))
		}
		septet++
	}
}
