package gprs

import "strings"

// ContextEventKind is what happened to a context or to the attachment.
type ContextEventKind uint8

// Kinds of +CGEV (3GPP TS 27.007 clause 10.1.19) and of the vendors' own
// notifications that say the same.
const (
	ContextActivated ContextEventKind = iota + 1
	ContextDeactivated
	Detached
	ContextClass // NW CLASS, ME CLASS: no data lost
)

// ContextEvent is a notification about contexts.
type ContextEvent struct {
	Kind ContextEventKind
	// ID is the context; 0 if not told, which may mean all.
	ID int
	// ByNetwork says that the network did it, not the modem's own side.
	ByNetwork bool
}

// Loses tells whether the event takes the context with the given number away.
func (e ContextEvent) Loses(id int) bool {
	return e.Kind == Detached || e.Kind == ContextDeactivated && (e.ID == 0 || e.ID == id)
}

// contextEventPrefixes are the names that ParseContextEvent knows.
var contextEventPrefixes = []string{"+CGEV", "+PDP", "+QIURC", "+UUPSDD", "^PDPDEACT", "+CIPEVENT", "+SAPBR"}

// ParseContextEvent reads +CGEV and what vendors send in its place: +PDP: DEACT
// and +PDP DEACT (SIM800, M95), +SAPBR 1: DEACT, +QIURC: "pdpdeact",1
// (Quectel), +UUPSDD: 0 (u-blox, whose number is a profile, not a context),
// ^PDPDEACT: 1 (Huawei), +CIPEVENT: NETWORK CLOSED UNEXPECTEDLY (SIM7600). ok
// is false for any other line.
func ParseContextEvent(line string) (e ContextEvent, ok bool) {
	upper := strings.ToUpper(strings.TrimSpace(line))
	lost := ContextEvent{Kind: ContextDeactivated, ByNetwork: true}
	name, f := splitLine(line)
	switch {
	case name == "+CGEV":
		return parseCGEV(f)
	case strings.HasPrefix(upper, "+PDP") && strings.HasSuffix(upper, "DEACT"),
		strings.HasPrefix(upper, "+SAPBR") && strings.HasSuffix(upper, "DEACT"),
		name == "+CIPEVENT" && strings.Contains(upper, "NETWORK CLOSED"),
		name == "+UUPSDD":
		return lost, true
	case name == "^PDPDEACT", name == "+QIURC" && fieldAt(f, 0).text == "pdpdeact":
		lost.ID, _ = fieldAt(f, len(f)-1).number()
		return lost, true
	}
	return ContextEvent{}, false
}

// parseCGEV reads the text of +CGEV: who, then [PDN] ACT, DEACT, DETACH or CLASS.
func parseCGEV(f []field) (ContextEvent, bool) {
	words := strings.Fields(strings.ToUpper(fieldAt(f, 0).text))
	e := ContextEvent{}
	for _, w := range words {
		switch w {
		case "NW":
			e.ByNetwork = true
		case "ACT":
			e.Kind = ContextActivated
		case "DEACT", "REJECT":
			e.Kind = ContextDeactivated
		case "DETACH":
			e.Kind = Detached
		case "CLASS":
			e.Kind = ContextClass
		}
	}
	if e.Kind == 0 {
		return ContextEvent{}, false
	}
	e.ID = contextNumber(words, f)
	return e, true
}

// contextNumber finds the <cid>: behind PDN ACT and PDN DEACT, or third behind
// the type and the address (NW DEACT "IP","10.0.0.1",1).
func contextNumber(words []string, f []field) int {
	last := field{text: words[len(words)-1]}
	if n, ok := last.decimal(); ok {
		return n
	}
	if n, ok := fieldAt(f, 2).decimal(); ok {
		return n
	}
	return 0
}
