package fakemodem

// settings are what AT&W stores and ATZ brings back, one set for each port
// (ITU-T V.250 clause 6.1 and 6.2, 3GPP TS 27.007).
type settings struct {
	echo    bool // E
	quiet   bool // Q
	verbose bool // V
	extent  int  // X, which CONNECT text
	dcd     int  // &C
	dtr     int  // &D
	errors  int  // +CMEE
	s       [16]byte
	creg    int // +CREG <n>
	cgreg   int
	cereg   int
	events  int // +CGEREP <mode>
	clip    int
	crc     int
}

// S registers with a meaning here (ITU-T V.250 clause 6.3.5 and on).
const (
	regAnswer   = 0  // rings before the modem answers by itself
	regTerm     = 3  // command line termination character
	regFormat   = 4  // response formatting character
	regEdit     = 5  // command line editing character
	regDialTime = 7  // seconds to wait for a carrier
	regGuard    = 12 // silence around +++ in 20 ms
)

// factory are the settings of AT&F.
func factory(k *Personality) settings {
	s := settings{echo: true, verbose: true, extent: 4, dcd: 1, dtr: 2, errors: k.ErrorLevel}
	if k.FactoryDCD != nil {
		s.dcd = *k.FactoryDCD
	}
	if k.FactoryDTR != nil {
		s.dtr = *k.FactoryDTR
	}
	s.s[regTerm], s.s[regFormat], s.s[regEdit] = '\r', '\n', '\b'
	s.s[6], s.s[regDialTime], s.s[8], s.s[10] = 2, 60, 2, 15
	s.s[regGuard] = 50
	s.s[2] = '+'
	return s
}
