package gprs

import "strings"

// Selection is how the operator is chosen: <mode> of +COPS (3GPP TS 27.007
// clause 7.3).
type Selection uint8

// Ways of selection.
const (
	SelectionAutomatic       Selection = 0
	SelectionManual          Selection = 1
	SelectionDeregistered    Selection = 2
	SelectionManualAutomatic Selection = 4 // manual, and automatic if that fails
)

// Operator is a network.
type Operator struct {
	// Code is the number of the network, country and network code: "26202".
	Code string
	// Long and Short are its names in the modem's character set.
	Long, Short string
	// Technology is how it is, or can be, reached.
	Technology Technology
	// Availability says what a scan found; for the current operator it is OperatorCurrent.
	Availability Availability
	// Selection is how the current operator was chosen.
	Selection Selection
}

// Availability is the <stat> of an operator in a scan (3GPP TS 27.007 clause 7.3).
type Availability uint8

// Availabilities.
const (
	OperatorUnknown   Availability = 0
	OperatorAvailable Availability = 1
	OperatorCurrent   Availability = 2
	OperatorForbidden Availability = 3
)

// ParseOperator reads the answer to AT+COPS?:
//
//	+COPS: 0                      not registered
//	+COPS: 0,0,"MegaFon",9        the long name
//	+COPS: 0,2,"310410",7         the number
//	+COPS: 0,2,""                 registered somewhere without a name
func ParseOperator(line string) (Operator, error) {
	name, f := splitLine(line)
	mode, ok := fieldAt(f, 0).decimal()
	if name != "+COPS" || !ok {
		return Operator{}, parseError(line, "not the current operator")
	}
	op := Operator{Selection: Selection(mode & 7)}
	format, ok := fieldAt(f, 1).decimal()
	if !ok {
		return op, nil
	}
	op.Availability = OperatorCurrent
	switch text := fieldAt(f, 2).text; {
	case format == 2 || format != 1 && isDigits(text):
		op.Code = text
	case format == 1:
		op.Short = text
	default:
		op.Long = text
	}
	op.Technology = technologyOf(fieldAt(f, 3))
	return op, nil
}

// maxOperators bounds the list of a scan.
const maxOperators = 64

// ParseOperators reads the answer to AT+COPS=?: one parenthesised entry for
// each network, then an empty field and the lists of modes and formats, which
// are skipped. Entries that some firmware closes too early are read too
// (Sony Ericsson TM-506: (2,"T - Mobile","T - Mobile","310260"),2)), and so
// are entries with a value more before the technology (FM350-GL). An answer of
// nothing but the trailer ("+COPS: ,,(0-6),(0-2)", a u-blox that is busy)
// gives an error, since it says nothing about networks.
func ParseOperators(line string) ([]Operator, error) {
	name, f := splitLine(line)
	if name != "+COPS" {
		return nil, parseError(line, "not a list of operators")
	}
	var ops []Operator
	for i, e := range f {
		if e.text == "" {
			if i == 0 {
				return nil, parseError(line, "only the trailer: the modem was busy, ask again")
			}
			break // the lists of modes and formats follow
		}
		if !e.list {
			addStrayTechnology(ops, e)
			continue
		}
		if op, ok := parseOperatorEntry(e.text); ok && len(ops) < maxOperators {
			ops = append(ops, op)
		}
	}
	if len(ops) == 0 {
		return nil, parseError(line, "no operator in it")
	}
	return ops, nil
}

// addStrayTechnology gives the last operator the technology that stands
// behind its closing parenthesis.
func addStrayTechnology(ops []Operator, e field) {
	e.text = strings.TrimSuffix(e.text, ")")
	if n := len(ops); n > 0 && ops[n-1].Technology == TechnologyUnknown {
		ops[n-1].Technology = technologyOf(e)
	}
}

// parseOperatorEntry reads the inside of one entry: <stat>,"long","short","code"[,<AcT>].
func parseOperatorEntry(s string) (Operator, bool) {
	f := splitFields(s)
	stat, ok := fieldAt(f, 0).decimal()
	code := fieldAt(f, 3).text
	if !ok || stat < 0 || stat > 3 || !isDigits(code) || len(code) < 5 || len(code) > 7 {
		return Operator{}, false
	}
	op := Operator{Availability: Availability(stat), Long: f[1].text, Short: f[2].text, Code: code}
	if len(f) > 4 {
		op.Technology = technologyOf(f[len(f)-1])
	}
	return op, true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
