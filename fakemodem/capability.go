package fakemodem

import (
	"fmt"
	"sort"
)

// Support is how much of a command a simulated modem does.
type Support uint8

// From nothing but an answer to all of it.
const (
	SupportAnswered Support = iota // answers OK and does nothing
	SupportKept                    // keeps values and gives them back, without another effect
	SupportPartial                 // does a part: CommandInfo.Note tells which
	SupportFull                    // does what the standard or the maker's manual says, within the limits of the simulation
)

// String names the support.
func (s Support) String() string {
	switch s {
	case SupportAnswered:
		return "answered"
	case SupportKept:
		return "kept"
	case SupportPartial:
		return "partial"
	case SupportFull:
		return "full"
	}
	return fmt.Sprintf("support %d", uint8(s))
}

// CommandInfo declares what a personality does for a command.
type CommandInfo struct {
	// Name is the command with its mark, in capitals: "+CSQ", "&F".
	Name string
	// Support is how much of it is done.
	Support Support
	// Note tells what is done, or left out, where that is a part.
	Note string
}

// Commands declares what modems of this personality understand, sorted by
// name: the commands that AT+CLAC lists, and how much of each is done. S
// registers, which go by number, are not among them.
func (k *Personality) Commands() []CommandInfo {
	m := &Modem{kind: k}
	var list []CommandInfo
	for _, name := range m.commandNames() {
		list = append(list, m.describe(name))
	}
	return list
}

// FindCommand is the entry of Commands for one name; ok is false where the
// modem does not know the command.
func (k *Personality) FindCommand(name string) (info CommandInfo, ok bool) {
	m := &Modem{kind: k}
	if _, ok = m.lookup(name); !ok {
		return CommandInfo{}, false
	}
	return m.describe(name), true
}

func (m *Modem) describe(name string) CommandInfo {
	info := CommandInfo{Name: name, Support: SupportFull}
	c, _ := m.lookup(name)
	switch {
	case c.idle:
		info.Support = SupportAnswered
	case c.kept:
		info.Support = SupportKept
	case partial[name] != "":
		info.Support, info.Note = SupportPartial, partial[name]
	}
	return info
}

// commandNames are the commands that a modem knows, sorted.
func (m *Modem) commandNames() []string {
	names := make(map[string]bool)
	for name := range commands {
		names[name] = true
	}
	for name := range commonParameters {
		names[name] = true
	}
	for name := range m.kind.Parameters {
		names[name] = true
	}
	for name := range m.kind.commands {
		names[name] = true
	}
	if d := m.sockets.of(m); d != nil {
		for name := range d.commands {
			names[name] = true
		}
	}
	var list []string
	for name := range names {
		if _, ok := m.lookup(name); ok {
			list = append(list, name)
		}
	}
	sort.Strings(list)
	return list
}

// partial says what is done, or not, of the commands that are done in part.
var partial = map[string]string{
	"&V":        "shows the settings that have an effect here",
	"+CGAUTH":   "kept for the sockets inside the modem; data calls prove themselves by PPP",
	"+CGDATA":   "PPP alone",
	"+CGDCONT":  "type and access point; compression and the like are taken and ignored",
	"+CGEREP":   "tells the end of contexts by the network alone",
	"+CLCC":     "one call at a time",
	"+CLCK":     "the SIM's lock (SC); other facilities are always off",
	"+CPBS":     "the SIM's phone book alone",
	"+CPWD":     "the PIN alone",
	"+CRSM":     "EF ICCID, IMSI, SPN, AD, SMSP and FPLMN",
	"+QCFG":     "keeps values by name, without another effect",
	"+QNWINFO":  "the band is always the same",
	"+QINISTAT": "always initialised",
	"+QSSLCFG":  "what is checked of the server, and its name; versions, cipher suites and client certificates are taken and ignored",
	"+USECPRF":  "what is checked of the server, and its name; versions, cipher suites and client certificates are taken and ignored",
	"+CIPSSL":   "never checks the server's certificate",
	"#SCFG":     "the context and the time of silence; what is kept for packets and other waits has no effect",
	"#SCFGEXT":  "SRING without or with a length, octets to read as they are",
	"#SCFGEXT2": "how NO CARRIER is told",
	"#SD":       "command mode alone",
	"+VTS":      "no tone is sent",
	"D":         "packet data and voice without sound; no data by circuit",
	"^HCSQ":     "quality figures follow from the strength",
	"+QCSQ":     "quality figures follow from the strength",
}
