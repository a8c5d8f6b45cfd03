package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
)

// parameter is a field of a fault as it is written: delay=3s.
type parameter struct {
	name, says string
	set        func(f *fakemodem.Fault, value string) error
}

// parameters are the fields of fakemodem.Fault.
var parameters = []parameter{
	{"in", "time until it sets in: 10s", duration(func(f *fakemodem.Fault) *time.Duration { return &f.In })},
	{"after", "command lines until it sets in", number(func(f *fakemodem.Fault) *int { return &f.After })},
	{"on", "the command that it waits for or strikes: +CSQ, D, * for every one", func(f *fakemodem.Fault, v string) error {
		f.On = v
		return nil
	}},
	{"probability", "of each occasion, between 0 and 1", func(f *fakemodem.Fault, v string) (err error) {
		f.Probability, err = strconv.ParseFloat(v, 64)
		if err == nil && !(f.Probability >= 0 && f.Probability <= 1) {
			err = fmt.Errorf("%s is not between 0 and 1", v)
		}
		return err
	}},
	{"times", "occasions that it strikes; -1 is without end", func(f *fakemodem.Fault, v string) (err error) {
		f.Times, err = strconv.Atoi(v)
		return err
	}},
	{"for", "time until it is cleared", duration(func(f *fakemodem.Fault) *time.Duration { return &f.For })},
	{"count", "a number that the fault uses", number(func(f *fakemodem.Fault) *int { return &f.Count })},
	{"code", "an error or state that the fault uses", number(func(f *fakemodem.Fault) *int { return &f.Code })},
	{"delay", "a time that the fault uses", duration(func(f *fakemodem.Fault) *time.Duration { return &f.Delay })},
	{"text", `a text that the fault uses, with \r, \n and \x1A; it comes last, and may hold colons`, func(f *fakemodem.Fault, v string) (err error) {
		f.Text, err = unescape(v)
		return err
	}},
}

func number(field func(*fakemodem.Fault) *int) func(*fakemodem.Fault, string) error {
	return func(f *fakemodem.Fault, v string) (err error) {
		*field(f), err = strconv.Atoi(v)
		if err == nil && *field(f) < 0 {
			err = fmt.Errorf("%s is negative", v)
		}
		return err
	}
}

func duration(field func(*fakemodem.Fault) *time.Duration) func(*fakemodem.Fault, string) error {
	return func(f *fakemodem.Fault, v string) (err error) {
		*field(f), err = time.ParseDuration(v)
		if err == nil && *field(f) < 0 {
			err = fmt.Errorf("%s is negative", v)
		}
		return err
	}
}

// unescape turns \r and its like into octets.
func unescape(v string) (string, error) {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(v, `"`, `\"`) + `"`)
	if err != nil {
		return "", fmt.Errorf(`%q is not a text: write \\ for a backslash`, v)
	}
	return text, nil
}

// faultBegins finds where the next fault of a list begins: a comma in a text
// is no end.
var faultBegins = regexp.MustCompile(`,\s*F\d+\s*(?:[:,]|$)`)

// parseFaults reads a list such as F43,F22:delay=3s:on=+CSQ.
func parseFaults(list string) ([]fakemodem.Fault, error) {
	var faults []fakemodem.Fault
	for rest, more := list, true; more; {
		one := rest
		at := faultBegins.FindStringIndex(rest)
		if more = at != nil; more {
			one, rest = rest[:at[0]], rest[at[0]+1:]
		}
		f, err := parseFault(strings.TrimSpace(one))
		if err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	return faults, nil
}

// parseFault reads one fault with its parameters.
func parseFault(text string) (f fakemodem.Fault, err error) {
	id, rest, more := strings.Cut(text, ":")
	f.ID = strings.ToUpper(strings.TrimSpace(id))
	if _, ok := describe(f.ID); !ok {
		return f, fmt.Errorf("there is no fault %q: -list shows them", id)
	}
	for more {
		var one string
		if one = rest; !strings.HasPrefix(one, "text=") {
			one, rest, more = strings.Cut(rest, ":")
		} else {
			more = false
		}
		if err := setParameter(&f, one); err != nil {
			return f, fmt.Errorf("fault %s: %w", f.ID, err)
		}
	}
	return f, nil
}

func setParameter(f *fakemodem.Fault, text string) error {
	name, value, ok := strings.Cut(text, "=")
	var names []string
	for _, p := range parameters {
		if ok && p.name == name {
			if err := p.set(f, value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		}
		names = append(names, p.name)
	}
	return fmt.Errorf("%q is not name=value with one of %s", text, strings.Join(names, ", "))
}

// catalogue is fakemodem.Faults by id.
var catalogue = sync.OnceValue(func() map[string]fakemodem.FaultInfo {
	byID := make(map[string]fakemodem.FaultInfo)
	for _, f := range fakemodem.Faults() {
		byID[f.ID] = f
	}
	return byID
})

// describe finds a fault in the catalogue.
func describe(id string) (f fakemodem.FaultInfo, ok bool) {
	f, ok = catalogue()[id]
	return f, ok
}
