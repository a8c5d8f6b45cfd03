package tpdu

import (
	"iter"
	"math/bits"
)

// choice is what a pair of tables costs for a text.
type choice struct {
	locking, single Language
	septets         int
	parts           int
}

// better orders choices: fewer parts, then no locking table, since it changes how
// every character reads on a handset that does not know it, then fewer
// septets with the header, then the lower codes.
func (a choice) better(b choice) bool {
	switch plain := DefaultLanguage; {
	case a.parts != b.parts:
		return a.parts < b.parts
	case (a.locking == plain) != (b.locking == plain):
		return a.locking == plain
	case a.septets != b.septets:
		return a.septets < b.septets
	case a.locking != b.locking:
		return a.locking < b.locking
	}
	return a.single < b.single
}

// bestTables chooses among the allowed tables the pair that needs the fewest
// parts; ok is false if no pair has all characters.
func bestTables(text string, c *SplitConfig) (locking, single Language, ok bool) {
	var best choice
	for l := range c.Locking.withDefault() {
		singles, escaped := escapes(text, l, c.Single)
		for s := range singles.each() {
			candidate := choice{locking: l, single: s}
			candidate.weigh(text, c, escaped)
			if !ok || candidate.better(best) {
				best, ok = candidate, true
			}
		}
	}
	return best.locking, best.single, ok
}

// withDefault yields the default language and those in the set.
func (s Languages) withDefault() iter.Seq[Language] { return (s&AllLanguages | 1).each() }

func (s Languages) each() iter.Seq[Language] {
	return func(yield func(Language) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(Language(bits.TrailingZeros16(uint16(s)))) {
				return
			}
		}
	}
}

// escapes returns which of the allowed single shift tables, the default one
// among them, have all characters of text that the locking table lacks, and the
// number of septets that any of them makes of the text.
func escapes(text string, locking Language, allowed Languages) (singles Languages, septets int) {
	singles = allowed&AllLanguages | 1
	for _, r := range text {
		in := inTables.at(r)
		septets++
		if in.locking>>locking&1 == 0 {
			septets++
			singles &= in.single
		}
	}
	return singles, septets
}

func (a *choice) weigh(text string, c *SplitConfig, septets int) {
	var room [maxUserData]byte
	fixed := len(appendFixedHeader(Header(room[:0]), c, a.locking, a.single))
	alone, concat := headerSizes(c, fixed)
	a.parts = 1
	if septets > capacity(GSM7, alone) {
		a.parts = a.countParts(text, capacity(GSM7, concat))
		alone = concat
	}
	a.septets = septets + a.parts*septetsTaken(alone)
}

// countParts counts the parts that a text of several makes, no escape torn from
// its character.
func (a *choice) countParts(text string, limit int) int {
	parts, used := 1, 0
	for _, r := range text {
		n := 1
		if inTables.at(r).locking>>a.locking&1 == 0 {
			n = 2
		}
		if used+n > limit {
			parts++
			used = 0
		}
		used += n
	}
	return parts
}

// firstMissing returns the place of the character that keeps a text out of GSM 7-bit: the
// first that no allowed table has. If each character is in some table, but no
// pair of tables has them all, it is the first that the default tables lack.
func firstMissing(text string, c *SplitConfig, fallback int) int {
	for i, r := range text {
		in := inTables.at(r)
		if in.locking&(c.Locking|1) == 0 && in.single&(c.Single|1) == 0 {
			return i
		}
	}
	return fallback
}
