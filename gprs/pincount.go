package gprs

import "strings"

// Secret is one of the codes that guard a SIM.
type Secret uint8

// Secrets.
const (
	SecretPIN Secret = iota
	SecretPUK
	SecretPIN2
	SecretPUK2
	numSecrets
)

var secretNames = [numSecrets]string{"PIN", "PUK", "PIN2", "PUK2"}

// String names the secret.
func (s Secret) String() string {
	if s < numSecrets {
		return secretNames[s]
	}
	return "unknown"
}

// Tries is how many attempts are left for each secret, indexed by Secret;
// -1 is unknown.
type Tries [numSecrets]int

func unknownTries() Tries { return Tries{-1, -1, -1, -1} }

// TriesQuery is a modem's way to tell how many attempts are left.
type TriesQuery struct {
	// Command asks, without AT: "+SPIC".
	Command string
	// Order says which secret each number of the answer belongs to, for
	// answers that are a list of numbers. Nil for answers that name them
	// (+CPINR, +QPINC, ^CPIN).
	Order []Secret
}

// Ways to ask for the tries left. A zero TriesQuery tries them all, in the
// order of triesQueries, and stays with the one that is answered.
var (
	// TriesCPINR is 3GPP TS 27.007 clause 8.65.
	TriesCPINR = TriesQuery{Command: "+CPINR"}
	// TriesSPIC is SIMCom's: SIM800 Series AT Command Manual V1.12, AT+SPIC.
	TriesSPIC = TriesQuery{Command: "+SPIC", Order: []Secret{SecretPIN, SecretPIN2, SecretPUK, SecretPUK2}}
	// TriesQPINC is Quectel's: EC2x manual V2.0, AT+QPINC.
	TriesQPINC = TriesQuery{Command: "+QPINC?"}
	// TriesUPINCNT is u-blox's: UBX-17003787, +UPINCNT.
	TriesUPINCNT = TriesQuery{Command: "+UPINCNT", Order: []Secret{SecretPIN, SecretPIN2, SecretPUK, SecretPUK2}}
	// TriesHuawei is Huawei's ^CPIN?: state, tries of the secret asked for,
	// then those of PUK, PIN, PUK2 and PIN2.
	TriesHuawei = TriesQuery{Command: "^CPIN?"}
	// TriesCPINC is Sierra Wireless's.
	TriesCPINC = TriesQuery{Command: "+CPINC?", Order: []Secret{SecretPIN, SecretPIN2, SecretPUK, SecretPUK2}}
	// TriesZTE is ZTE's.
	TriesZTE = TriesQuery{Command: "+ZPINPUK=?", Order: []Secret{SecretPIN, SecretPUK}}
	// TriesXPINCNT is Infineon's and Intel's.
	TriesXPINCNT = TriesQuery{Command: "+XPINCNT", Order: []Secret{SecretPIN, SecretPIN2, SecretPUK, SecretPUK2}}
	// TriesTelit is Telit's: the tries of the secret that is asked for now.
	TriesTelit = TriesQuery{Command: "#PCT", Order: []Secret{SecretPIN}}
	// TriesCinterion is Cinterion's: the same.
	TriesCinterion = TriesQuery{Command: "^SPIC", Order: []Secret{SecretPIN}}
)

var triesQueries = []TriesQuery{TriesCPINR, TriesSPIC, TriesQPINC, TriesUPINCNT, TriesHuawei, TriesCPINC,
	TriesXPINCNT, TriesTelit, TriesCinterion, TriesZTE}

// secretsByName are the names in +CPINR and +QPINC answers.
var secretsByName = map[string]Secret{
	"SIM PIN": SecretPIN, "SIM PUK": SecretPUK, "SIM PIN2": SecretPIN2, "SIM PUK2": SecretPUK2,
	"PIN1": SecretPIN, "PUK1": SecretPUK, "PIN2": SecretPIN2, "PUK2": SecretPUK2, "PIN": SecretPIN, "PUK": SecretPUK,
}

// maxTries bounds a believable counter: a PUK has ten.
const maxTries = 99

// ParseTries reads the lines of the answer to a query. What they do not tell
// is -1.
func ParseTries(q TriesQuery, lines ...string) Tries {
	tries := unknownTries()
	for _, line := range lines {
		name, f := splitLine(line)
		switch {
		case name == "+CPINR" && len(f) >= 2:
			tries.setByName(f[0].text, f[1])
		case name == "+QPINC" && len(f) >= 3:
			tries.setQuectel(f)
		case name == "^CPIN" && len(f) >= 6:
			for i, s := range []Secret{SecretPUK, SecretPIN, SecretPUK2, SecretPIN2} {
				tries.set(s, f[i+2])
			}
		case name == signalPrefix(q.Command) && len(f) >= len(q.Order):
			for i, s := range q.Order {
				tries.set(s, f[i])
			}
		}
	}
	return tries
}

func (t *Tries) set(s Secret, f field) {
	if n, ok := f.decimal(); ok && n >= 0 && n <= maxTries {
		t[s] = n
	}
}

func (t *Tries) setByName(name string, f field) {
	if s, ok := secretsByName[strings.ToUpper(name)]; ok {
		t.set(s, f)
	}
}

// setQuectel reads +QPINC: "SC",<PIN tries>,<PUK tries>; "P2" for PIN2.
func (t *Tries) setQuectel(f []field) {
	switch f[0].text {
	case "SC":
		t.set(SecretPIN, f[1])
		t.set(SecretPUK, f[2])
	case "P2":
		t.set(SecretPIN2, f[1])
		t.set(SecretPUK2, f[2])
	}
}
