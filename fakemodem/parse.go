package fakemodem

import (
	"strconv"
	"strings"
)

// Op is the form in which a command was given (ITU-T V.250 clause 5.4).
type Op uint8

// Forms of a command.
const (
	Execute Op = iota // AT+CSQ
	Set               // AT+CREG=2
	Read              // AT+CREG?
	Test              // AT+CREG=?
)

// part is one command of a command line.
type part struct {
	name string // "+CREG", "E", "&F", "S3", "D", in capitals
	op   Op
	text string // behind the name and the equals sign
}

// vendorMarks begin extended command names: + by V.250 clause 5.4.1, the
// others by makers' custom.
const vendorMarks = "+^#$%*!_@"

// splitLine takes a command line without AT apart (ITU-T V.250 clause 5.2). It
// never fails: what makes no sense becomes a command that nobody knows.
func splitLine(line string) []part {
	var parts []part
	for line != "" {
		var p part
		switch c := line[0]; {
		case c == ' ' || c == ';':
			line = line[1:]
			continue
		case strings.IndexByte(vendorMarks, c) >= 0:
			p, line = extended(line)
		case c == 'D' || c == 'd':
			p, line = dial(line)
		default:
			p, line = basic(line)
		}
		parts = append(parts, p)
		if len(parts) == maxParts {
			break
		}
	}
	return parts
}

// maxParts bounds the commands of one line.
const maxParts = 64

// extended reads a command like +CREG=2 up to its semicolon.
func extended(line string) (part, string) {
	end := 1
	for end < len(line) && isNameByte(line[end]) {
		end++
	}
	p := part{name: strings.ToUpper(line[:end])}
	line = line[end:]
	value, rest := untilSemicolon(line)
	trimmed := strings.TrimSpace(value)
	switch {
	case trimmed == "":
		p.op = Execute
	case trimmed == "?":
		p.op = Read
	case trimmed == "=?":
		p.op = Test
	case strings.HasPrefix(trimmed, "="):
		p.op, p.text = Set, trimmed[1:]
	default:
		p.name += value // +CSQ17: a name that nobody has
	}
	return p, rest
}

// isNameByte: ITU-T V.250 clause 5.4.1.
func isNameByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' ||
		strings.IndexByte("!%-./:_", c) >= 0
}

// untilSemicolon splits behind a value; a semicolon between quotes belongs to it.
func untilSemicolon(s string) (value, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// dial reads D and its string, the semicolon of a voice call included.
func dial(line string) (part, string) {
	value, rest := untilSemicolon(line[1:])
	if len(value)+1 < len(line) {
		value += ";"
	}
	return part{name: "D", op: Execute, text: strings.TrimSpace(value)}, rest
}

// basic reads a command like E0, &F or S3=13 (ITU-T V.250 clause 5.3).
func basic(line string) (part, string) {
	end := 1
	if strings.IndexByte(`&\`, line[0]) >= 0 && len(line) > 1 {
		end = 2
	}
	p := part{name: strings.ToUpper(line[:end])}
	digits := end
	for digits < len(line) && line[digits] >= '0' && line[digits] <= '9' {
		digits++
	}
	p.text = line[end:digits]
	line = line[digits:]
	if p.name != "S" {
		return p, line
	}
	p.name += p.text
	p.text = ""
	switch {
	case strings.HasPrefix(line, "=?"):
		p.op = Test
		return p, line[2:]
	case strings.HasPrefix(line, "?"):
		p.op = Read
		return p, line[1:]
	case strings.HasPrefix(line, "="):
		end = 1
		for end < len(line) && line[end] >= '0' && line[end] <= '9' {
			end++
		}
		p.op, p.text = Set, line[1:end]
		return p, line[end:]
	}
	return p, line
}

// arg is one value of a command: present unless nothing stood between the commas.
type arg struct {
	text    string
	quoted  bool
	present bool
}

// splitArgs takes the values of a Set apart: commas separate, quotes protect,
// and a backslash with two hexadecimal digits stands for a character between
// quotes (ITU-T V.250 clause 5.4.2.2).
func splitArgs(text string) []arg {
	var args []arg
	for {
		a, rest, more := nextArg(text)
		args = append(args, a)
		if !more || len(args) == maxParts {
			return args
		}
		text = rest
	}
}

func nextArg(s string) (a arg, rest string, more bool) {
	s = strings.TrimLeft(s, " ")
	if !strings.HasPrefix(s, `"`) {
		value, rest, more := strings.Cut(s, ",")
		value = strings.TrimSpace(value)
		return arg{text: value, present: value != ""}, rest, more
	}
	end := strings.IndexByte(s[1:], '"')
	if end < 0 {
		return arg{text: s[1:], quoted: true, present: true}, "", false
	}
	a = arg{text: unescape(s[1 : 1+end]), quoted: true, present: true}
	_, rest, more = strings.Cut(s[2+end:], ",")
	return a, rest, more
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				out.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
