package gprs

import (
	"fmt"
	"strings"
	"time"
)

// Domain is one of the four network domains that a modem registers in, each
// with a command of its own.
type Domain uint8

// Domains, in the order in which their registration is preferred as the
// source of cell and technology: the last one first.
const (
	DomainCS  Domain = iota // +CREG, circuit switched: 3GPP TS 27.007 clause 7.2
	DomainPS                // +CGREG, GPRS and UMTS packets: clause 10.1.20
	DomainEPS               // +CEREG, LTE: clause 10.1.22
	Domain5GS               // +C5GREG, 5G: clause 10.1.47
	numDomains
)

var domainNames = [numDomains]string{"+CREG", "+CGREG", "+CEREG", "+C5GREG"}

// String returns the command of the domain: "+CREG".
func (d Domain) String() string {
	if d < numDomains {
		return domainNames[d]
	}
	return "unknown domain"
}

func domainOf(name string) (Domain, bool) {
	for d, n := range domainNames {
		if n == name {
			return Domain(d), true
		}
	}
	return 0, false
}

// RegistrationState is how the modem stands with the network.
type RegistrationState uint8

// Registration states: the values of <stat> in 3GPP TS 27.007 clause 7.2,
// those for fallback not preferred (9, 10) taken as home and roaming.
const (
	StateUnknown     RegistrationState = iota // 4, out of coverage, or nothing known yet
	StateIdle                                 // 0: not registered, not searching
	StateSearching                            // 2
	StateDenied                               // 3
	StateEmergency                            // 8: emergency services only
	StateSMSOnlyHome                          // 6
	StateSMSOnlyRoam                          // 7
	StateHome                                 // 1, 9
	StateRoaming                              // 5, 10
	numRegistrationStates
)

var registrationStateNames = [numRegistrationStates]string{"unknown", "not searching", "searching", "denied",
	"emergency only", "SMS only, home", "SMS only, roaming", "home", "roaming"}

// String names the state.
func (s RegistrationState) String() string {
	if s < numRegistrationStates {
		return registrationStateNames[s]
	}
	return "unknown"
}

// Registered tells whether the full service of a network is there, at home or roaming.
func (s RegistrationState) Registered() bool { return s == StateHome || s == StateRoaming }

// SMS tells whether messages can be sent: registered, if only for them.
func (s RegistrationState) SMS() bool {
	return s.Registered() || s == StateSMSOnlyHome || s == StateSMSOnlyRoam
}

// Roaming tells whether the network is not the home network.
func (s RegistrationState) Roaming() bool { return s == StateRoaming || s == StateSMSOnlyRoam }

// statStates is indexed by <stat>: 3GPP TS 27.007 clause 7.2.
var statStates = [...]RegistrationState{
	0: StateIdle, 1: StateHome, 2: StateSearching, 3: StateDenied, 4: StateUnknown, 5: StateRoaming,
	6: StateSMSOnlyHome, 7: StateSMSOnlyRoam, 8: StateEmergency, 9: StateHome, 10: StateRoaming,
	11: StateEmergency, // attached for access to RLOS: no service of ours
}

// Cell says where the modem is camped.
type Cell struct {
	// Area is the location area code (LAC) or tracking area code (TAC).
	Area uint32
	// ID is the cell identity: 16 bits in GSM, 28 in UTRAN and LTE, 36 in NR.
	ID uint64
	// Known says that the modem told both.
	Known bool
}

// String gives area and cell in hexadecimal, as modems do.
func (c Cell) String() string {
	if !c.Known {
		return "unknown"
	}
	return fmt.Sprintf("%04X/%X", c.Area, c.ID)
}

// CauseType tells which list the number of a Cause is from: <cause_type> of
// 3GPP TS 27.007 clause 7.2.
type CauseType uint8

// Lists of causes.
const (
	CauseMM     CauseType = 0 // 3GPP TS 24.008 annex G, or EMM and 5GMM causes
	CauseVendor CauseType = 1 // the maker's own
)

// Cause is why the network refused the modem.
type Cause struct {
	Type CauseType
	// Number is the value of <reject_cause>.
	Number int
	// Known says that the modem told one.
	Known bool
}

// causeNames are those of 3GPP TS 24.008 annex G and TS 24.301 annex A that a
// technician can act on.
var causeNames = map[int]string{
	2: "IMSI unknown in HLR", 3: "illegal MS", 5: "IMEI not accepted", 6: "illegal ME",
	7: "GPRS or EPS services not allowed", 8: "no services allowed", 11: "PLMN not allowed",
	12: "location area not allowed", 13: "roaming not allowed in this area",
	14: "GPRS or EPS services not allowed in this PLMN", 15: "no suitable cells in this area",
	16: "MSC temporarily not reachable", 17: "network failure", 20: "MAC failure", 21: "synch failure",
	22: "congestion", 25: "not authorized for this CSG", 35: "requested service option not authorized",
}

// String gives the number and, if it is well known, the standard's words.
func (c Cause) String() string {
	if !c.Known {
		return "no cause told"
	}
	if name, ok := causeNames[c.Number]; ok && c.Type == CauseMM {
		return fmt.Sprintf("cause %d (%s)", c.Number, name)
	}
	return fmt.Sprintf("cause %d", c.Number)
}

// DomainRegistration is what the modem said of one domain.
type DomainRegistration struct {
	State      RegistrationState
	Technology Technology
	Cell       Cell
	Cause      Cause
	// At is when the modem said it; zero if it never did.
	At time.Time
}

// Registration is the merged view of all domains.
type Registration struct {
	// State is the best of all domains; denied only when no domain serves.
	State RegistrationState
	// Packet says that a packet domain is registered. False does not mean
	// that there is no data: many 2G modems attach only when they dial.
	Packet bool
	// Technology, Cell and Cause are those of the domain that gave State, and
	// where it does not tell, of another domain in the same state.
	Technology Technology
	Cell       Cell
	Cause      Cause
	// Domains holds each domain by itself.
	Domains [4]DomainRegistration
}

// String is the view in one line: "roaming on LTE, cell 2A1B/B29C2A1".
func (r Registration) String() string {
	s := r.State.String()
	if r.State == StateDenied {
		return s + ", " + r.Cause.String()
	}
	if r.Technology != TechnologyUnknown {
		s += " on " + r.Technology.String()
	}
	if r.Cell.Known {
		s += ", cell " + r.Cell.String()
	}
	return s
}

// rank orders states for the merged view. SMS only beats emergency, and a
// refusal says more than a search that another domain still makes.
var rank = [numRegistrationStates]int{
	StateUnknown: 0, StateIdle: 1, StateSearching: 2, StateDenied: 3, StateEmergency: 4,
	StateSMSOnlyRoam: 5, StateSMSOnlyHome: 6, StateRoaming: 7, StateHome: 7,
}

// mergeRegistration makes the one view of the domains. Among equals the
// newest generation wins, so that the cell is the one that serves data.
func mergeRegistration(domains [numDomains]DomainRegistration) Registration {
	r := Registration{Domains: domains}
	best := DomainCS
	for d := range numDomains {
		if rank[domains[d].State] >= rank[domains[best].State] && !domains[d].At.IsZero() {
			best = d
		}
		if d != DomainCS && domains[d].State.Registered() {
			r.Packet = true
		}
	}
	r.State = domains[best].State
	r.Technology, r.Cell, r.Cause = domains[best].Technology, domains[best].Cell, domains[best].Cause
	for d := numDomains; d > 0; d-- {
		other := domains[d-1]
		if rank[other.State] != rank[r.State] {
			continue
		}
		if r.Technology == TechnologyUnknown {
			r.Technology = other.Technology
		}
		if !r.Cell.Known {
			r.Cell = other.Cell
		}
		if !r.Cause.Known {
			r.Cause = other.Cause
		}
	}
	return r
}

// ParseRegistration reads a +CREG, +CGREG, +CEREG or +C5GREG line, asked for
// or not, in all the shapes that modems give it:
//
//	+CREG: 1                              a notification
//	+CREG: 2,1                            an answer, <n> first
//	+CREG: 1,"CE00","00005449"            a notification with the cell
//	+CREG: 2,1,8BE3,2BAF                  an answer, hexadecimal without quotes
//	+CREG: 2,,                            a notification, fields empty
//	+CREG:002,001,"18d8","ffff"           numbers of three digits
//	+CEREG: 2,1, 1F00, 20 ,79D903 ,7      a routing area before the cell
//	+CGREG: 1,"1422","00000142",3,"00"    a routing area behind the technology
//	+CEREG: 3,3,"0000","0000000",7,0,15   why the network refused
//
// Whether <n> is there is told from the second field: a state is a decimal
// number of up to 15 without quotes or padding, an area code never looks like
// that except in a network that nobody runs.
func ParseRegistration(line string) (Domain, DomainRegistration, error) {
	name, f := splitLine(line)
	domain, ok := domainOf(name)
	if !ok {
		return 0, DomainRegistration{}, parseError(line, "not a registration")
	}
	if len(f) >= 2 && isStat(f[1], f[0]) {
		f = f[1:]
	}
	stat, ok := fieldAt(f, 0).decimal()
	if !ok {
		return domain, DomainRegistration{}, parseError(line, "no state in it")
	}
	var r DomainRegistration
	if stat >= 0 && stat < len(statStates) {
		r.State = statStates[stat]
	}
	parseLocation(&r, domain, f[1:])
	return domain, r, nil
}

// isStat tells whether f, the field behind n, is a <stat> rather than an area.
func isStat(f, n field) bool {
	v, ok := f.decimal()
	if !ok || v < 0 || v > 15 || strings.ContainsAny(f.text, "+-") {
		return false
	}
	padded := len(f.text) > 1 && f.text[0] == '0'
	return !padded || len(f.text) == 3 && len(n.text) == 3 // Iridium: 002,001
}

// parseLocation reads what follows <stat>. What it cannot read stays unknown.
func parseLocation(r *DomainRegistration, domain Domain, f []field) {
	if len(f) >= 4 && isRoutingArea(f[1]) && len(f[2].text) > 2 {
		f = append([]field{f[0]}, f[2:]...) // Novatel, ZTE: <tac>,<rac>,<ci>,<AcT>
	}
	area, okArea := fieldAt(f, 0).hex()
	id, okID := fieldAt(f, 1).hex()
	limit := uint64(0xFFFF) // 3GPP TS 23.003 clause 4.1 and 19.4.2.3
	if domain == Domain5GS {
		limit = 0xFFFFFF
	}
	if area > limit && id <= limit {
		area, id = id, area // some firmware has them the other way round
	}
	if okArea && okID && area <= limit && (area != 0 || id != 0) {
		r.Cell = Cell{Area: uint32(area), ID: id, Known: true}
	}
	r.Technology = technologyOf(fieldAt(f, 2))
	r.Cause = parseCause(domain, f[min(3, len(f)):])
}

// parseCause reads <cause_type>,<reject_cause> from what follows <AcT>, behind
// what a domain has there of its own.
func parseCause(domain Domain, f []field) Cause {
	switch {
	case domain == Domain5GS && len(f) > 2: // length and value of the allowed NSSAI
		f = f[2:]
	case domain == DomainPS && len(f) > 0 && (f[0].quoted || len(f) == 3): // <rac>
		f = f[1:]
	}
	kind, okKind := fieldAt(f, 0).decimal()
	number, okNumber := fieldAt(f, 1).decimal()
	if !okKind || !okNumber || kind < 0 || kind > 1 || number <= 0 {
		return Cause{}
	}
	return Cause{Type: CauseType(kind), Number: number, Known: true}
}

// isRoutingArea tells whether f is a one-octet code in hexadecimal.
func isRoutingArea(f field) bool {
	_, ok := f.hex()
	return ok && len(f.text) <= 2
}
