package fakemodem

import (
	"strings"
	"time"
)

// Personality is what makes one maker's modem differ from another's, as data:
// names, boot messages, notification spellings, command set and limits. The
// ones in this package are shared and must not be changed; a copy may be.
type Personality struct {
	// Name is what the personality is called in lists: "SIM800".
	Name string
	// Manufacturer, Model and Revision answer +CGMI, +CGMM and +CGMR.
	Manufacturer, Model, Revision string
	// Identification are the lines that ATI prints; nil prints Manufacturer,
	// Model and Revision.
	Identification []string
	// Capabilities is what stands behind +GCAP: in the answer; empty leaves
	// "+CGSM".
	Capabilities string

	// Boot is what the modem prints after power-on, in order. Nothing of it
	// is printed before the time has come.
	Boot []BootStep
	// Ready is the time from power-on to the first command that is answered.
	Ready time.Duration
	// SIMBusy is the time from Ready during which commands that need the SIM
	// answer that it is busy.
	SIMBusy time.Duration
	// Registration is the time from a ready SIM to registration.
	Registration time.Duration

	// ErrorLevel is +CMEE after power-on.
	ErrorLevel int
	// Unknown is printed for commands that the modem does not know, while
	// UnknownCME does not apply. Empty means ERROR.
	Unknown string
	// UnknownCME is the +CME ERROR for them when +CMEE is on; zero: none.
	UnknownCME int
	// Prompt asks for a message. Empty means "\r\n> ".
	Prompt string
	// FactoryDCD and FactoryDTR are AT&C and AT&D after power-on; nil leaves
	// 1 and 2.
	FactoryDCD, FactoryDTR *int

	// Technologies are what the radio can do; nil is GSM with GPRS alone.
	Technologies []Technology
	// RegistrationDomains are the registration commands it has, of "+CREG",
	// "+CGREG" and "+CEREG". Nil means the first two.
	RegistrationDomains []string
	// NoTechnology leaves the access technology out of +CREG=2 answers.
	NoTechnology bool

	// Storages are the message storages and their sizes, the first one being
	// the preset. Nil is "SM" with 20 and "ME" with 50.
	Storages []Storage
	// NoticePreset is +CNMI after power-on.
	NoticePreset [5]int
	// ZeroBased numbers the slots of a storage from zero.
	ZeroBased bool
	// PasswordFirst is true where +CGAUTH takes the password before the user.
	PasswordFirst bool
	// PackedUSSD is true where +CUSD takes and gives packed septets in
	// hexadecimal digits.
	PackedUSSD bool
	// NamedCMT puts an empty name into the header of +CMT in text mode.
	NamedCMT bool
	// Charsets are what +CSCS takes; nil is IRA, GSM, UCS2 and HEX.
	Charsets []string
	// EmptySlot is the answer to +CMGR and +CMGD of an empty slot.
	EmptySlot Result
	// ConnectText follows CONNECT with ATX1 and higher: "115200".
	ConnectText string
	// PINRetries is the command that tells the remaining PIN attempts.
	PINRetries string

	// Delays are how long commands take with TimingReal, by name.
	Delays map[string]time.Duration
	// Tests are answers to =? by name where they differ from the common ones.
	Tests map[string]string
	// Refused are common commands that this maker does not have.
	Refused []string
	// Parameters are commands that only keep values, by name.
	Parameters map[string]Parameter
	// PowerOff is the text printed before the modem switches off by command,
	// and PowerOffOK tells whether OK comes first.
	PowerOff   string
	PowerOffOK bool

	// DialReturns is true where ATD with a number ends with OK at once; what
	// becomes of the call is notified then.
	DialReturns bool
	// MuxChannels is the number of channels behind +CMUX; zero means 4.
	MuxChannels int
	// MuxFrame is N1 where AT+CMUX leaves it out; zero is the standard's.
	MuxFrame int
	// Messages tells the spellings of notifications.
	Messages Spellings

	commands table // commands of the maker's own, and overrides of common ones
}

// BootStep is one line that a starting modem prints.
type BootStep struct {
	After time.Duration // since the step before
	Line  string        // printed as it is between CR LF and CR LF
	Raw   []byte        // printed instead of Line, without line ends
	SIM   bool          // only when a SIM is there and needs no PIN
}

// Storage is a message storage (3GPP TS 27.005 clause 3.2.2).
type Storage struct {
	Name string // "SM", "ME", "MT", "SR"
	Size int    // messages
}

// Parameter is a command that keeps values and has no other effect here.
type Parameter struct {
	Preset string // the values after power-on, as Read prints them
	Test   string // the answer to =?; empty: OK alone
}

// Spellings are how a maker spells what it says by itself.
type Spellings struct {
	SIMReady   string // "+CPIN: READY" after the PIN; empty: nothing
	SIMRemoved string
	SMSFull    string // with %s for the storage
	Deactivate string // context lost, with %s for the address and %d for the context
	Caller     string // the calling number, with %s for it and %d for its type; empty: +CLIP of 27.007
	CallBegin  string // a voice call is answered; empty: nothing
	CallEnd    string // it is over
	NITZ       func(t time.Time) []string
}

func (k *Personality) prompt() string {
	if k.Prompt == "" {
		return "\r\n> "
	}
	return k.Prompt
}

// refuses tells whether a common command is missing here.
func (k *Personality) refuses(name string) bool {
	for _, r := range k.Refused {
		if r == name {
			return true
		}
	}
	switch name {
	case "+CREG", "+CGREG", "+CEREG":
		return !k.hasDomain(name)
	case "+CGCONTRDP", "+CGPIAF": // came with LTE, 3GPP release 8
		return !k.hasDomain("+CEREG")
	}
	return false
}

func (k *Personality) hasDomain(name string) bool {
	if k.RegistrationDomains == nil {
		return name != "+CEREG"
	}
	for _, d := range k.RegistrationDomains {
		if d == name {
			return true
		}
	}
	return false
}

// test is the answer to name=?.
func (k *Personality) test(name, common string) string {
	if t, ok := k.Tests[name]; ok {
		return t
	}
	return common
}

func (k *Personality) storages() []Storage {
	if k.Storages == nil {
		return []Storage{{"SM", 20}, {"ME", 50}}
	}
	return k.Storages
}

func (k *Personality) technologies() []Technology {
	if k.Technologies == nil {
		return []Technology{GSM}
	}
	return k.Technologies
}

func (k *Personality) muxChannels() int {
	if k.MuxChannels == 0 {
		return 4
	}
	return k.MuxChannels
}

// parameter finds a command that only keeps values.
func (k *Personality) parameter(name string) (command, bool) {
	p, ok := k.Parameters[name]
	if !ok {
		if p, ok = commonParameters[name]; !ok {
			return command{}, false
		}
	}
	return command{run: func(c *Call) Result { return keepValue(c, p) }, own: true, kept: !effective[name]}, true
}

// effective are the parameters that something here acts on.
var effective = map[string]bool{"+CSCB": true, "+CGPIAF": true}

// keepValue reads and sets a Parameter.
func keepValue(c *Call, p Parameter) Result {
	switch c.Op {
	case Test:
		if p.Test != "" {
			c.Info(c.Name + ": " + p.Test)
		}
	case Read:
		value, ok := c.m.params[c.Name]
		if !ok {
			value = p.Preset
		}
		c.Info(c.Name + ": " + value)
	case Set:
		if len(c.Text) > 256 {
			return CME(cmeTextTooLong)
		}
		if c.m.params == nil {
			c.m.params = make(map[string]string)
		}
		c.m.params[c.Name] = strings.TrimSpace(c.Text)
	}
	return OK
}

// commonParameters are what 3GPP TS 27.007 and TS 27.005 modems keep and we do
// not act on.
var commonParameters = map[string]Parameter{
	"+COLP":  {Preset: "0,1", Test: "(0,1)"},
	"+CCWA":  {Preset: "0", Test: "(0,1)"},
	"+CSSN":  {Preset: "0,0", Test: "(0,1),(0,1)"},
	"+CTZU":  {Preset: "0", Test: "(0,1)"},
	"+ICF":   {Preset: "3,3", Test: "(1-6),(0-3)"},
	"+CMOD":  {Preset: "0", Test: "(0-3)"},
	"+CR":    {Preset: "0", Test: "(0,1)"},
	"+DR":    {Preset: "0", Test: "(0,1)"},
	"+DS":    {Preset: "3,0,2048,20", Test: "(0-3),(0,1),(512-2048),(6-20)"},
	"+CVHU":  {Preset: "0", Test: "(0-2)"},
	"+CSTA":  {Preset: "129", Test: "(129,145)"},
	"+CBST":  {Preset: "0,0,1", Test: "(0-7),(0),(0-3)"},
	"+CSAS":  {Preset: "", Test: ""},
	"+CRES":  {Preset: "", Test: ""},
	"+CMMS":  {Preset: "0", Test: "(0-2)"},
	"+CGSMS": {Preset: "1", Test: "(0-3)"},
	"+CSCB":  {Preset: `0,"",""`, Test: "(0,1)"},
	"+CIND":  {Preset: "5,3,1,0,0,0,1,0,0", Test: `("battchg",(0-5)),("signal",(0-5)),("service",(0,1)),("message",(0,1)),("call",(0,1)),("roam",(0,1)),("smsfull",(0,1)),("GPRS",(0,1)),("callsetup",(0-3))`},
	"+CMER":  {Preset: "0,0,0,0,0", Test: "(0-3),(0),(0),(0,1),(0)"},
	"+CPSMS": {Preset: "0", Test: "(0,1)"},
	"+CEDRXS": {
		Preset: "0", Test: "(0-3),(2,4,5)",
	},
	"+CGPIAF": {Preset: "0,0,0,0", Test: "(0,1),(0,1),(0,1),(0,1)"},
	"+CSCON":  {Preset: "0,0", Test: "(0,1)"},
}
