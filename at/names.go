package at

import "strings"

// hasName tells whether line begins with prefix and continues, if at all, with
// none of letters and digits: "+CMT" is the name of "+CMT: 1", not of "+CMTI: 1".
func hasName(line []byte, prefix string) bool {
	if len(line) < len(prefix) || string(line[:len(prefix)]) != prefix {
		return false
	}
	return len(line) == len(prefix) || !isAlphanumeric(line[len(prefix)])
}

func isAlphanumeric(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9'
}

func isLetter(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// form is the form of an extended command (ITU-T V.250 clause 5.4).
type form uint8

const (
	formAction form = iota // +CSQ
	formRead               // +CREG?
	formSet                // +CREG=2
	formTest               // +CREG=?
)

// part is one command of a command line.
type part struct {
	name string // "+CREG"; empty for a basic command, which has no named answer
	form form
	args string // what follows the equals sign of a set form
}

// nextPart splits the first command off a command line. Commands are separated
// by ";", an extended one may also follow basic ones directly (ITU-T V.250
// clause 5.2.1); a semicolon inside quotes is text.
func nextPart(text string) (p part, rest string) {
	if text == "" {
		return part{}, ""
	}
	if isLetter(text[0]) || text[0] == '&' {
		return nextBasic(text)
	}
	end := partEnd(text)
	if end == 0 {
		return part{}, text[1:]
	}
	one := text[:end]
	n := 1
	for n < len(one) && isNameChar(one[n]) {
		n++
	}
	p.name = upper(one[:n])
	switch tail := one[n:]; {
	case tail == "?":
		p.form = formRead
	case tail == "=?":
		p.form = formTest
	case strings.HasPrefix(tail, "="):
		p.form, p.args = formSet, tail[1:]
	}
	return p, strings.TrimPrefix(text[end:], ";")
}

// question is what a command line asks, as far as its answer is concerned.
type question struct {
	text    string
	first   part   // of the text
	rest    string // the text behind first
	decide  shape  // of first
	unnamed bool   // lines without a name belong to the answer
}

func readQuestion(text string) question {
	q := question{text: text, unnamed: answersUnnamed(text)}
	q.first, q.rest = nextPart(text)
	q.decide = shapeOf(q.first.name)
	return q
}

// nextBasic splits a basic command (E0, &D2, S3=13, D*99#) off a command line.
func nextBasic(text string) (part, string) {
	if c := text[0]; c == 'D' || c == 'd' { // the number may hold anything
		return part{}, ""
	}
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == ';':
			return part{}, text[i+1:]
		case isSymbol(c):
			return part{}, text[i:]
		}
	}
	return part{}, ""
}

// partEnd returns the index of the semicolon that ends the first command.
func partEnd(text string) int {
	quoted := false
	for i := range len(text) {
		switch text[i] {
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return i
			}
		}
	}
	return len(text)
}

// isSymbol tells whether c begins an extended command: + of V.250, others of
// vendors.
func isSymbol(c byte) bool {
	switch c {
	case '+', '^', '*', '$', '#', '%', '!', '@':
		return true
	}
	return false
}

// isNameChar tells whether c may stand in the name of an extended command
// (ITU-T V.250 clause 5.4.1).
func isNameChar(c byte) bool {
	switch c {
	case '!', '%', '-', '.', '/', ':', '_':
		return true
	}
	return isAlphanumeric(c)
}

// upper is strings.ToUpper that costs nothing where there is nothing to do.
func upper(s string) string {
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			return strings.ToUpper(s)
		}
	}
	return s
}

// answersUnnamed tells whether the command answers with text that has no name
// in front: the identification commands of ITU-T V.250 clause 6.1 and 3GPP
// TS 27.007 clause 5.
func answersUnnamed(text string) bool {
	switch upper(text) {
	case "+GMI", "+GMM", "+GMR", "+GSN", "+GOI", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CIMI", "&V":
		return true
	}
	return text != "" && (text[0] == 'I' || text[0] == 'i') && len(text) <= 2
}

// Join makes one command line of several commands: Join("+CREG?", "+CSQ") is
// "+CREG?;+CSQ". The modem answers them with one final result.
func Join(texts ...string) string { return strings.Join(texts, ";") }
