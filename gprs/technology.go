package gprs

import "strings"

// Technology is the radio technology that serves the modem.
type Technology uint8

// Technologies, from the values of <AcT> (3GPP TS 27.007 clause 7.3).
const (
	TechnologyUnknown Technology = iota
	TechnologyGSM                // GSM, GSM compact
	TechnologyEGPRS              // GSM with EGPRS
	TechnologyUTRAN              // UMTS, with or without HSDPA and HSUPA
	TechnologyLTE                // E-UTRAN
	TechnologyLTEM               // E-UTRAN Cat-M1
	TechnologyNBIoT              // E-UTRAN NB-S1, EC-GSM-IoT
	TechnologyNR                 // 5G NR, with or without E-UTRAN beside it
	TechnologyCDMA               // CDMA 1x
	TechnologyEVDO               // CDMA EV-DO
)

var technologyNames = [...]string{"unknown", "GSM", "EGPRS", "UTRAN", "LTE", "LTE-M", "NB-IoT", "NR", "CDMA", "EV-DO"}

// String returns the common name of the technology.
func (t Technology) String() string {
	if int(t) < len(technologyNames) {
		return technologyNames[t]
	}
	return "unknown"
}

// actTechnologies is indexed by <AcT>: 3GPP TS 27.007 clause 7.3.
var actTechnologies = [...]Technology{
	0:  TechnologyGSM,
	1:  TechnologyGSM, // GSM compact
	2:  TechnologyUTRAN,
	3:  TechnologyEGPRS,
	4:  TechnologyUTRAN, // with HSDPA
	5:  TechnologyUTRAN, // with HSUPA
	6:  TechnologyUTRAN, // with both
	7:  TechnologyLTE,
	8:  TechnologyNBIoT, // EC-GSM-IoT; SARA-R4 and BG96 mean Cat-M1
	9:  TechnologyNBIoT, // E-UTRAN (NB-S1)
	10: TechnologyLTE,   // E-UTRA connected to a 5GCN
	11: TechnologyNR,    // NR connected to a 5GCN
	12: TechnologyNR,    // NG-RAN
	13: TechnologyNR,    // E-UTRA-NR dual connectivity
}

// technologyOf reads an <AcT> field; anything odd is unknown. −1 is what a
// SARA-R510 shows for Cat-M1.
func technologyOf(f field) Technology {
	n, ok := f.decimal()
	switch {
	case !ok:
		return TechnologyUnknown
	case n == -1:
		return TechnologyLTEM
	case n >= 0 && n < len(actTechnologies):
		return actTechnologies[n]
	}
	return TechnologyUnknown
}

// technologyByName reads the names that vendor signal forms carry.
func technologyByName(name string) Technology {
	switch strings.ToUpper(name) {
	case "GSM", "GPRS":
		return TechnologyGSM
	case "EDGE", "EGPRS":
		return TechnologyEGPRS
	case "WCDMA", "UMTS", "TDSCDMA", "TD-SCDMA", "HSPA", "HSDPA", "HSUPA", "HSPA+":
		return TechnologyUTRAN
	case "LTE", "FDD LTE", "TDD LTE":
		return TechnologyLTE
	case "CAT-M1", "CAT-M", "EMTC":
		return TechnologyLTEM
	case "CAT-NB1", "NB-IOT", "NBIOT", "CAT-NB2":
		return TechnologyNBIoT
	case "NR5G", "NR", "NR5G-SA", "NR5G-NSA":
		return TechnologyNR
	case "CDMA", "CDMA1X", "1XRTT":
		return TechnologyCDMA
	case "HDR", "EVDO":
		return TechnologyEVDO
	}
	return TechnologyUnknown
}
