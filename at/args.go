package at

import (
	"fmt"
	"strconv"
	"strings"
)

// Args reads the fields of an information line in order and remembers the
// first fault, so that reading is a list and Err is asked once at its end:
//
//	d := resp.Args("+CREG") // 3GPP TS 27.007 clause 7.2
//	mode, status := d.Int(), d.Int()
//	area, cell := d.OptHex(), d.OptHex()
//	return d.Err()
//
// Fields are separated by commas outside quotes and parentheses. After a fault
// every further call returns the zero value. Args is for one goroutine.
type Args struct {
	name  string
	rest  string
	more  bool // a field is left, perhaps an empty one
	index int  // of the last field read, from 1
	err   error
}

// ParseArgs reads the fields behind the name of a line: "+CREG: 2,1" with name
// "+CREG". A line of another name is a fault. The empty name takes the line as
// fields only.
func ParseArgs(name, line string) *Args {
	d := &Args{name: name}
	rest, ok := strings.CutPrefix(line, name)
	if !ok {
		d.err = fmt.Errorf("%s: the line is %q", name, line)
		return d
	}
	rest = strings.TrimLeft(rest, " ")
	rest = strings.TrimPrefix(rest, ":")
	d.rest = strings.TrimSpace(rest)
	d.more = d.rest != ""
	return d
}

// next takes the next field off, blanks around it removed.
func (d *Args) next() (field string, ok bool) {
	d.index++
	if d.err != nil || !d.more {
		return "", false
	}
	quoted, depth := false, 0
	for i := range len(d.rest) {
		switch c := d.rest[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth <= 0:
			field, d.rest = d.rest[:i], d.rest[i+1:]
			return strings.TrimSpace(field), true
		}
	}
	field, d.rest, d.more = d.rest, "", false
	return strings.TrimSpace(field), true
}

func (d *Args) fault(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%s argument %d: %s", d.name, d.index, fmt.Sprintf(format, args...))
	}
}

// required takes a field that must be there.
func (d *Args) required() (string, bool) {
	field, ok := d.next()
	if d.err == nil && (!ok || field == "") {
		d.fault("is missing")
	}
	return field, d.err == nil
}

func (d *Args) number(field string, base int) int {
	n, err := strconv.ParseInt(unquote(field), base, 64)
	if err != nil || int64(int(n)) != n {
		if base == 16 {
			d.fault("%q is not a hexadecimal number", field)
		} else {
			d.fault("%q is not a number", field)
		}
		return 0
	}
	return int(n)
}

// unquote removes the quotes around a field; there is no escape inside.
func unquote(field string) string {
	if len(field) >= 2 && field[0] == '"' && field[len(field)-1] == '"' {
		return field[1 : len(field)-1]
	}
	return field
}

// Int reads a decimal number, with or without quotes.
func (d *Args) Int() int {
	if field, ok := d.required(); ok {
		return d.number(field, 10)
	}
	return 0
}

// OptInt reads a decimal number that may be absent or empty; -1 is returned
// then.
func (d *Args) OptInt() int {
	if field, ok := d.next(); ok && unquote(field) != "" {
		return d.number(field, 10)
	}
	return -1
}

// Hex reads a hexadecimal number, with or without quotes.
func (d *Args) Hex() int {
	if field, ok := d.required(); ok {
		return d.number(field, 16)
	}
	return 0
}

// OptHex reads a hexadecimal number that may be absent or empty, also between
// quotes; -1 is returned then.
func (d *Args) OptHex() int {
	if field, ok := d.next(); ok && unquote(field) != "" {
		return d.number(field, 16)
	}
	return -1
}

// String reads a string, with or without quotes. An empty string between
// quotes is there; nothing at all is a fault.
func (d *Args) String() string {
	field, _ := d.required()
	return unquote(field)
}

// OptString reads a string that may be absent or empty.
func (d *Args) OptString() string {
	field, _ := d.next()
	return unquote(field)
}

// Skip passes over n fields, whether they are there or not.
func (d *Args) Skip(n int) {
	for range n {
		d.next()
	}
}

// More tells whether a field is left and nothing was at fault so far.
func (d *Args) More() bool { return d.err == nil && d.more }

// Err returns the first fault, such as
// `+CREG argument 2: "x" is not a number`.
func (d *Args) Err() error { return d.err }
