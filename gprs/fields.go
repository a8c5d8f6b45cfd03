package gprs

import (
	"fmt"
	"strconv"
	"strings"
)

// maxFields bounds how many parameters of one information line are looked at.
// The longest answer that is read here, an operator list, has a few hundred.
const maxFields = 1024

// ParseError is an answer that could not be understood. It never carries more
// than the first 80 octets of the line.
type ParseError struct {
	// Line is the line, shortened.
	Line string
	// Reason says what was expected.
	Reason string
}

// Error implements error.
func (e *ParseError) Error() string { return fmt.Sprintf("answer %q: %s", e.Line, e.Reason) }

func parseError(line, format string, args ...any) *ParseError {
	if len(line) > 80 {
		line = line[:80]
	}
	return &ParseError{Line: line, Reason: fmt.Sprintf(format, args...)}
}

// field is one parameter of an information line.
type field struct {
	// text is the parameter without its quotes and without blanks around it.
	text string
	// quoted says that it stood between quotes.
	quoted bool
	// list says that it is a parenthesised list, its text without the
	// parentheses: a test answer's range, an operator of a scan.
	list bool
}

// splitLine takes an information line apart into its name ("+CREG") and its
// parameters. A line without a name has name "". Quotes and parentheses hold
// commas together; an unbalanced one ends with the line.
func splitLine(line string) (name string, fields []field) {
	line = strings.TrimSpace(line)
	if n := strings.IndexByte(line, ':'); n > 0 && isName(line[:n]) {
		name, line = line[:n], strings.TrimSpace(line[n+1:])
		if line == "" {
			return name, nil
		}
	}
	return name, splitFields(line)
}

// isName tells whether s is the name of a command as it begins an answer.
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case i == 0 && strings.IndexByte("+^#$*%_!", c) >= 0:
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}

// splitFields splits at the commas that stand outside quotes and parentheses.
func splitFields(s string) []field {
	var fields []field
	depth, inQuotes, start := 0, false, 0
	for i := 0; i < len(s) && len(fields) < maxFields; i++ {
		switch c := s[i]; {
		case c == '"':
			inQuotes = !inQuotes
		case inQuotes:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ',' && depth == 0:
			fields = append(fields, makeField(s[start:i]))
			start = i + 1
		}
	}
	return append(fields, makeField(s[start:]))
}

func makeField(s string) field {
	s = strings.TrimSpace(s)
	if len(s) >= 1 && s[0] == '(' {
		return field{text: strings.TrimSuffix(s[1:], ")"), list: true}
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return field{text: s[1 : len(s)-1], quoted: true}
	}
	return field{text: s}
}

// decimal reads an unquoted decimal number of at most nine digits, sign included.
func (f field) decimal() (int, bool) {
	if f.quoted || f.list || f.text == "" || len(f.text) > 9 {
		return 0, false
	}
	n, err := strconv.Atoi(f.text)
	return n, err == nil
}

// number reads a decimal number, quoted or not.
func (f field) number() (int, bool) {
	f.quoted = false
	return f.decimal()
}

// hex reads a hexadecimal number of at most 60 bits, quoted or not.
func (f field) hex() (uint64, bool) {
	if f.list || f.text == "" || len(f.text) > 15 {
		return 0, false
	}
	n, err := strconv.ParseUint(f.text, 16, 64)
	return n, err == nil
}

// fieldAt returns the i-th field, or an empty one.
func fieldAt(fields []field, i int) field {
	if i < 0 || i >= len(fields) {
		return field{}
	}
	return fields[i]
}
