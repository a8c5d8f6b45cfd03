package cmux

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Parameters are those of AT+CMUX (3GPP TS 27.007 clause 5.7). Zero leaves a
// parameter out where its comment says so: the modem keeps its own value.
type Parameters struct {
	Option Option
	Subset int           // 0 UIH frames, 1 UI frames, 2 I frames
	Speed  int           // bit/s on the line; zero leaves it as it is
	N1     int           // octets; zero leaves it out
	T1     time.Duration // in steps of 10 ms; zero leaves it out
	N2     int           // zero leaves it out
	T2     time.Duration // in steps of 10 ms; zero leaves it out
	T3     time.Duration // wake-up, in seconds; zero leaves it out
	K      int           // window of the error recovery option; zero leaves it out
}

// portSpeeds are the values of port_speed (3GPP TS 27.007 clause 5.7), in bit/s. 7 and
// 8 are what modems have beyond the standard's 1 to 6.
var portSpeeds = [...]int{1: 9600, 2: 19200, 3: 38400, 4: 57600, 5: 115200, 6: 230400, 7: 460800, 8: 921600}

// Command returns the command text, such as "AT+CMUX=0,0,5,127,10,3,30,10,2", without
// its line end. Parameters left out at the end are not written.
func (p Parameters) Command() (string, error) {
	speed := ""
	if p.Speed != 0 {
		for code, rate := range portSpeeds {
			if rate == p.Speed {
				speed = strconv.Itoa(code)
			}
		}
		if speed == "" {
			return "", fmt.Errorf("cmux: AT+CMUX has no code for %d bit/s", p.Speed)
		}
	}
	if p.Option != Basic && p.Option != Advanced || p.Subset < 0 || p.Subset > 2 || p.N1 < 0 || p.N1 > maxLong {
		return "", errors.New("cmux: AT+CMUX parameter outside its range")
	}
	fields := []string{strconv.Itoa(int(p.Option)), strconv.Itoa(p.Subset), speed, present(p.N1),
		present(int(p.T1 / (10 * time.Millisecond))), present(p.N2), present(int(p.T2 / (10 * time.Millisecond))),
		present(int(p.T3 / time.Second)), present(p.K)}
	for len(fields) > 2 && fields[len(fields)-1] == "" {
		fields = fields[:len(fields)-1]
	}
	text := strings.Join(fields, ",")
	if text == "0,0" {
		text = "0" // the shortest form is the one that every modem takes
	}
	return "AT+CMUX=" + text, nil
}

// present writes a parameter that is not left out.
func present(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// An Interval is one run of values that a modem offers, both ends included.
type Interval struct{ First, Last int }

// A Range is what a modem offers for one parameter; empty if it does not say.
type Range []Interval

// Has tells whether n is offered. An empty range offers everything.
func (r Range) Has(n int) bool {
	for _, i := range r {
		if n >= i.First && n <= i.Last {
			return true
		}
	}
	return len(r) == 0
}

// Nearest returns n, or the offered value next to it.
func (r Range) Nearest(n int) int {
	if r.Has(n) {
		return n
	}
	best := r[0].First
	for _, i := range r {
		for _, v := range [...]int{i.First, i.Last} {
			if abs(v-n) < abs(best-n) {
				best = v
			}
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// Ranges is the answer to AT+CMUX=?, in the order of the parameters.
type Ranges struct{ Option, Subset, Speed, N1, T1, N2, T2, T3, K Range }

// maxIntervals bounds what is read of one parameter.
const maxIntervals = 64

// ParseRanges reads a line such as
// "+CMUX: (0),(0),(1-6),(16-1510),(1-255),(0-100),(2-255),(1-255),(1-7)". Speed holds
// codes, times are in the units of the command. Parameters may be missing at the end.
func ParseRanges(line string) (r Ranges, err error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(line), "+CMUX:")
	if !ok {
		return r, fmt.Errorf("cmux: no answer to AT+CMUX=?: %.80q", line)
	}
	for i, field := range []*Range{&r.Option, &r.Subset, &r.Speed, &r.N1, &r.T1, &r.N2, &r.T2, &r.T3, &r.K} {
		if body = strings.TrimSpace(body); body == "" {
			return r, nil
		}
		if i > 0 {
			if body, ok = strings.CutPrefix(body, ","); !ok {
				return r, fmt.Errorf("cmux: AT+CMUX=? parameter %d: comma missing", i+1)
			}
			body = strings.TrimSpace(body)
		}
		var text string
		text, body = cutParameter(body)
		if *field, err = parseRange(text); err != nil {
			return r, fmt.Errorf("cmux: AT+CMUX=? parameter %d: %w", i+1, err)
		}
	}
	return r, nil
}

// cutParameter takes one parameter off, with or without parentheses.
func cutParameter(s string) (text, rest string) {
	if strings.HasPrefix(s, "(") {
		if end := strings.IndexByte(s, ')'); end >= 0 {
			return s[1:end], s[end+1:]
		}
		return s[1:], ""
	}
	if end := strings.IndexByte(s, ','); end >= 0 {
		return s[:end], s[end:]
	}
	return s, ""
}

// parseRange reads "1-6", "0,1", "5" or nothing.
func parseRange(text string) (r Range, err error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRun := strings.Cut(strings.TrimSpace(part), "-")
		var i Interval
		if i.First, err = strconv.Atoi(strings.TrimSpace(first)); err != nil {
			return nil, fmt.Errorf("%.20q is not a number", first)
		}
		if i.Last = i.First; isRun {
			if i.Last, err = strconv.Atoi(strings.TrimSpace(last)); err != nil {
				return nil, fmt.Errorf("%.20q is not a number", last)
			}
		}
		if i.Last < i.First || len(r) == maxIntervals {
			return nil, fmt.Errorf("%.40q is no range", text)
		}
		r = append(r, i)
	}
	return r, nil
}

// Within returns p with each value moved to the nearest one offered.
func (p Parameters) Within(r Ranges) Parameters {
	fit := func(n *int, offered Range) {
		if *n != 0 {
			*n = offered.Nearest(*n)
		}
	}
	ten := 10 * time.Millisecond
	t1, t2, t3 := int(p.T1/ten), int(p.T2/ten), int(p.T3/time.Second)
	fit(&p.N1, r.N1)
	fit(&p.N2, r.N2)
	fit(&p.K, r.K)
	fit(&t1, r.T1)
	fit(&t2, r.T2)
	fit(&t3, r.T3)
	p.T1, p.T2, p.T3 = time.Duration(t1)*ten, time.Duration(t2)*ten, time.Duration(t3)*time.Second
	p.Option = Option(r.Option.Nearest(int(p.Option)))
	p.Subset = r.Subset.Nearest(p.Subset)
	return p
}

// Config returns the multiplexer's settings that belong to the command. T1, T2 and N2
// of the command are the modem's; the host keeps its own, which are longer.
func (p Parameters) Config() Config {
	return Config{Option: p.Option, N1: p.N1, UI: p.Subset == 1}
}

// ParseCommand reads what Command writes, with or without the leading "AT", for the
// responder's side.
func ParseCommand(text string) (p Parameters, err error) {
	text = strings.ToUpper(strings.TrimSpace(text))
	body, ok := strings.CutPrefix(strings.TrimPrefix(text, "AT"), "+CMUX=")
	if !ok {
		return p, fmt.Errorf("cmux: not AT+CMUX=: %.80q", text)
	}
	values := [9]int{}
	for i, field := range strings.Split(body, ",") {
		if field = strings.TrimSpace(field); field == "" && i < len(values) {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil || i >= len(values) || n < 0 || n > maxLong {
			return p, fmt.Errorf("cmux: AT+CMUX parameter %d: %.20q", i+1, field)
		}
		values[i] = n
	}
	p = Parameters{Option: Option(values[0]), Subset: values[1], N1: values[3], T1: time.Duration(values[4]) * 10 * time.Millisecond,
		N2: values[5], T2: time.Duration(values[6]) * 10 * time.Millisecond, T3: time.Duration(values[7]) * time.Second, K: values[8]}
	if code := values[2]; code >= len(portSpeeds) {
		return p, fmt.Errorf("cmux: AT+CMUX speed code %d", code)
	} else if code > 0 {
		p.Speed = portSpeeds[code]
	}
	return p, nil
}
