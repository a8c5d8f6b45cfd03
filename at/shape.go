package at

import (
	"bytes"
	"strconv"
	"strings"
)

// shape decides whether a line that begins with the name of a command part is
// its answer or a notification of the same name. had says that the command has
// such a line already.
type shape func(p part, fields []byte, had bool) bool

// shapeOf knows the names that serve answers and notifications alike; nil for
// others: such a line of the command in flight is its answer.
func shapeOf(name string) shape {
	switch name {
	case "+CREG", // 3GPP TS 27.007 clause 7.2
		"+CGREG",  // clause 10.1.20
		"+CEREG",  // clause 10.1.22
		"+C5GREG": // clause 10.1.47
		return registrationShape
	case "+CSQ": // clause 8.5; notification of SIM7600 AUTOCSQ
		return firstShape
	case "+CPIN", // clause 8.3
		"+CFUN",    // clause 8.2
		"+CCLK",    // clause 8.15
		"+NETOPEN": // SIM7600
		return queryShape
	case "+CUSD": // clause 7.15
		return ussdShape
	case "+CIPRXGET": // SIMCom
		return rxgetShape
	case "+QIOPEN", "+CIPOPEN": // Quectel, SIM7600
		return openShape
	}
	return nil
}

// accepts tells whether a line with a name of x is its answer.
func (x *exchange) accepts(text []byte) bool {
	if x.cmd.Accept != nil {
		return x.cmd.Accept(string(text))
	}
	if x.cmd.Prefixes != nil {
		return true
	}
	p, decide := x.asked.first, x.asked.decide
	if x.asked.rest != "" {
		p, _ = x.partOf(text)
		decide = shapeOf(p.name)
	}
	if decide == nil {
		return true
	}
	fields := bytes.TrimSpace(bytes.TrimPrefix(text[len(p.name):], []byte(":")))
	return decide(p, fields, len(x.resp.Info) > 0 && x.has(p.name))
}

// has tells whether the answer has a line of that name.
func (x *exchange) has(name string) bool {
	for _, info := range x.resp.Info {
		if hasPrefix(info.Text, name) {
			return true
		}
	}
	return false
}

// registrationShape: the answer is <n>,<stat>[,…], the notification
// <stat>[,<area>,…]. So the answer's second field is a number of at most three
// digits without quotes, and an area code is quoted or has four.
func registrationShape(p part, fields []byte, had bool) bool {
	switch p.form {
	case formTest:
		return bytes.HasPrefix(fields, []byte("("))
	case formRead:
		f := splitFields(string(fields))
		if had || len(f) < 2 || len(f[1]) > 3 {
			return false
		}
		stat, err := strconv.Atoi(f[1])
		return err == nil && stat <= 10
	}
	return false
}

// firstShape: both look the same; the first is the answer.
func firstShape(_ part, _ []byte, had bool) bool { return !had }

// queryShape: only the read and test forms have an answer, of one line.
func queryShape(p part, _ []byte, had bool) bool {
	return !had && (p.form == formRead || p.form == formTest)
}

// ussdShape: the read form answers <n>; with a second field it is what the
// network sent.
func ussdShape(p part, fields []byte, had bool) bool {
	switch p.form {
	case formTest:
		return !had
	case formRead:
		return !had && bytes.IndexByte(fields, ',') < 0
	}
	return false
}

// rxgetShape: AT+CIPRXGET=<mode>,… answers with its mode first; 1,<id> is the
// notification of data.
func rxgetShape(p part, fields []byte, had bool) bool {
	mode, _, set := strings.Cut(string(fields), ",")
	switch p.form {
	case formTest:
		return !had
	case formRead:
		return !had && !set
	case formSet:
		asked, _, _ := strings.Cut(p.args, ",")
		return asked != "1" && strings.TrimSpace(mode) == strings.TrimSpace(asked)
	}
	return false
}

// openShape: the read and test forms list; the set form is answered by a
// notification of id and result, which a Stage may wait for.
func openShape(p part, fields []byte, _ bool) bool {
	return p.form == formTest || p.form == formRead && bytes.Count(fields, []byte{','}) != 1
}
