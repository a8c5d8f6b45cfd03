// Package testform reads the answers of test commands (AT+CNMI=?): lists of
// the values that a modem allows, in the notation of ITU-T V.250 clause 5.7.3:
// (0-3),(0,2),("SM","ME").
package testform

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxGroups and MaxItems bound what is read of one answer.
const (
	MaxGroups = 32
	MaxItems  = 256
)

// Group is what is allowed in one place: numbers and ranges of numbers, or
// strings. The zero Group allows nothing.
type Group struct {
	Ranges  []Range
	Strings []string
}

// Range is a range of whole numbers, both ends included.
type Range struct{ First, Last int }

// Has tells whether n is allowed.
func (g Group) Has(n int) bool {
	for _, r := range g.Ranges {
		if r.First <= n && n <= r.Last {
			return true
		}
	}
	return false
}

// HasString tells whether s is allowed.
func (g Group) HasString(s string) bool {
	for _, v := range g.Strings {
		if v == s {
			return true
		}
	}
	return false
}

// Best returns the first of wanted that is allowed.
func (g Group) Best(wanted ...int) (n int, ok bool) {
	for _, n := range wanted {
		if g.Has(n) {
			return n, true
		}
	}
	return 0, false
}

// Parse reads the parameters behind the colon. What stands outside groups is a
// group of one item. An extra opening parenthesis (Wavecom) is passed over.
func Parse(s string) ([]Group, error) {
	var groups []Group
	rest := strings.TrimSpace(s)
	for rest != "" {
		if len(groups) == MaxGroups {
			return nil, fmt.Errorf("more than %d groups in %q", MaxGroups, s)
		}
		var inner string
		if rest[0] == '(' {
			rest = strings.TrimLeft(rest, "(")
			end := closing(rest)
			if end < 0 {
				return nil, fmt.Errorf("no closing parenthesis in %q", s)
			}
			inner, rest = rest[:end], strings.TrimLeft(rest[end:], ")")
		} else {
			end := comma(rest)
			inner, rest = rest[:end], rest[end:]
		}
		g, err := parseGroup(inner)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
		rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), ","))
	}
	return groups, nil
}

// closing returns the place of the first closing parenthesis outside quotes.
func closing(s string) int { return outside(s, ')') }

// comma returns the place of the first comma outside quotes, or the end.
func comma(s string) int {
	if i := outside(s, ','); i >= 0 {
		return i
	}
	return len(s)
}

func outside(s string, want byte) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == want && !quoted:
			return i
		}
	}
	return -1
}

func parseGroup(s string) (Group, error) {
	var g Group
	for s != "" {
		if len(g.Ranges)+len(g.Strings) == MaxItems {
			return g, fmt.Errorf("more than %d values in one group", MaxItems)
		}
		end := comma(s)
		item := strings.TrimSpace(s[:end])
		s = strings.TrimPrefix(s[end:], ",")
		if len(item) >= 2 && item[0] == '"' && item[len(item)-1] == '"' {
			g.Strings = append(g.Strings, item[1:len(item)-1])
			continue
		}
		if item == "" {
			continue
		}
		first, last, isRange := strings.Cut(item, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.Atoi(strings.TrimSpace(first))
		b, errB := strconv.Atoi(strings.TrimSpace(last))
		if errA != nil || errB != nil || a > b {
			return g, fmt.Errorf("%q is neither a number nor a range of numbers", item)
		}
		g.Ranges = append(g.Ranges, Range{a, b})
	}
	return g, nil
}
