package profile

import "strings"

// All are the profiles that Find chooses from.
var All = []*Profile{
	SIM800, SIM7600, SIM5360, SIM7000, A76xx,
	M95, EC25, EG800Q, BG9x,
	SARAU2, SARAR4, SARAR422, SARAR5, LARAR6, LENAR8,
	Huawei, E3372, Telit, Sierra, HL78xx, Cinterion, ZTE, NRF91, CDMA,
}

// Find returns the profile for what the modem says of itself: its model
// (+CGMM) counts before its maker (+CGMI), and the longest identity before a
// shorter one. It never returns nil: a modem that nobody knows gets Standard.
func Find(manufacturer, model string) *Profile {
	for _, said := range []string{model, manufacturer} {
		if p := match(said); p != nil {
			return p
		}
	}
	return Standard
}

// match returns the profile with the longest identity that said begins with.
func match(said string) *Profile {
	said = strings.ToUpper(strings.Trim(said, " \t\""))
	var best *Profile
	length := 0
	for _, p := range All {
		for _, id := range p.Identities {
			if len(id) > length && strings.HasPrefix(said, strings.ToUpper(id)) {
				best, length = p, len(id)
			}
		}
	}
	return best
}

// Unidentified is for a modem that has not said yet what it is: it knows the
// notifications and boot messages of every family, and leaves the modem as
// long between commands as the slowest of them wants.
var Unidentified = unidentified()

func unidentified() *Profile {
	p := &Profile{Name: "unidentified", BootMessages: append([]string(nil), usualBootMessages...)}
	rules, boots := make(map[string]bool), make(map[string]bool)
	for _, text := range p.BootMessages {
		boots[text] = true
	}
	for _, family := range All {
		for _, rule := range family.Notifications {
			add(&p.Notifications, rules, rule.Prefix, rule)
		}
		for _, text := range family.BootMessages {
			add(&p.BootMessages, boots, text, text)
		}
		p.Pacing = max(p.Pacing, family.Pacing)
	}
	return p
}

// add appends what has not been seen yet.
func add[T any](list *[]T, seen map[string]bool, key string, value T) {
	if !seen[key] {
		seen[key] = true
		*list = append(*list, value)
	}
}

// usualBootMessages are those that at.Config has where nothing is set.
var usualBootMessages = []string{"RDY", "APP RDY", "^SYSSTART", "+CFUN: 1"}
