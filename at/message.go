package at

import (
	"strconv"
	"strings"
)

// MessageBody is the Body rule of lines that have a short message behind them:
// +CMT, +CDS, +CBM, +CMGR and +CMGL (3GPP TS 27.005 clauses 3.4 and 4). In PDU
// mode, where the last field is the announced length and nothing but the
// storage, a status or a name stands before it, the body is one line of
// hexadecimal digits. In text mode it is the text, by its announced length
// (+CSDH=1) or else one line.
func MessageBody(line string) Body {
	name, rest, ok := strings.Cut(line, ":")
	if !ok {
		return Body{}
	}
	fields := splitFields(strings.TrimSpace(rest))
	last, err := strconv.Atoi(fields[len(fields)-1])
	if err != nil || last < 0 {
		last = -1
	}
	limit := 2 // +CMT, +CDS, +CBM: [alpha,]length
	switch name {
	case "+CMGR":
		limit = 3 // stat,[alpha],length
	case "+CMGL":
		limit = 4 // index,stat,[alpha],length
	}
	switch {
	case last >= 0 && len(fields) <= limit:
		return Body{Lines: 1, Hex: true, TPDU: last}
	case name == "+CDS" || len(fields) >= 7 && isReport(name, fields):
		return Body{} // a status report in text mode is the line alone
	case last >= 0 && len(fields) >= limit+5:
		return Body{Text: last}
	}
	return Body{Lines: 1}
}

// isReport tells whether a text mode listing is that of a status report:
// stat,fo,mr,[ra],[tora],scts,dt,st, whose second field is a number.
func isReport(name string, fields []string) bool {
	at := 1
	if name == "+CMGL" {
		at = 2
	}
	if name != "+CMGR" && name != "+CMGL" {
		return false
	}
	_, err := strconv.Atoi(fields[at])
	return err == nil
}

// splitFields splits at the commas outside quotes.
func splitFields(s string) []string {
	var fields []string
	quoted, from := false, 0
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				fields = append(fields, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(fields, strings.TrimSpace(s[from:]))
}
