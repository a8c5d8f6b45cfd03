package gprs

import "strings"

// ParseCDMA reads a line from which a CDMA modem's registration can be told,
// asked for or not. ok is false if the line is none of them:
//
//	+CSS: 1,A,4384         serving system: class, block, system number; 99999 or 0 is none (IS-707)
//	+CAD: 1                analogue or digital service: 0 none, 1 digital, 2 analogue
//	^SYSINFO:2,255,0,4,240 state, domain, roaming, mode (2 CDMA, 4 HDR, 8 both), SIM
//	^MODE:8                mode alone
func ParseCDMA(line string) (r DomainRegistration, ok bool) {
	name, f := splitLine(line)
	switch name {
	case "+CSS":
		return parseCSS(f)
	case "+CAD":
		n, ok := fieldAt(f, 0).decimal()
		r.State = StateSearching
		if n == 1 {
			r.State, r.Technology = StateHome, TechnologyCDMA
		}
		return r, ok
	case "^SYSINFO":
		return parseSysInfo(f)
	case "^MODE":
		n, ok := fieldAt(f, 0).decimal()
		r.Technology = cdmaMode(n)
		r.State = StateSearching
		if r.Technology != TechnologyUnknown {
			r.State = StateHome
		}
		return r, ok
	}
	return r, false
}

// parseCSS takes the system number as the area: there is no cell in the answer.
func parseCSS(f []field) (DomainRegistration, bool) {
	if len(f) > 0 && strings.TrimSpace(f[0].text) == "?" { // some print the query again in front
		f = f[1:]
	}
	system, ok := fieldAt(f, 2).number()
	if !ok {
		return DomainRegistration{}, false
	}
	if system <= 0 || system == 99999 {
		return DomainRegistration{State: StateSearching}, true
	}
	return DomainRegistration{State: StateHome, Technology: TechnologyCDMA,
		Cell: Cell{Area: uint32(system), Known: true}}, true
}

func parseSysInfo(f []field) (DomainRegistration, bool) {
	state, ok := fieldAt(f, 0).decimal()
	roaming, _ := fieldAt(f, 2).decimal()
	mode, _ := fieldAt(f, 3).decimal()
	r := DomainRegistration{State: StateSearching, Technology: cdmaMode(mode)}
	switch {
	case state == 2 && roaming == 1:
		r.State = StateRoaming
	case state == 2:
		r.State = StateHome
	case state == 0:
		r.State = StateIdle
	}
	return r, ok && len(f) >= 4
}

func cdmaMode(n int) Technology {
	switch n {
	case 2:
		return TechnologyCDMA
	case 4, 8:
		return TechnologyEVDO
	}
	return TechnologyUnknown
}
