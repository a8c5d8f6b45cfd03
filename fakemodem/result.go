package fakemodem

import "strconv"

// Result ends a command: a final result code (ITU-T V.250 clause 5.7.1), an
// error of the equipment or of the message service, or one of the special
// ways to end below.
type Result struct {
	kind resultKind
	code int
	text string
}

type resultKind uint8

const (
	kindOK resultKind = iota
	kindError
	kindCME
	kindCMS
	kindFinal
	kindSilent
	kindDefault
	kindPending
	kindUnknown
	kindConnect
)

// Results that a handler may return.
var (
	// OK ends the command with success and lets the next one on the line run.
	OK = Result{kind: kindOK}
	// ERROR ends the command line with a plain ERROR.
	ERROR = Result{kind: kindError}
	// NoCarrier ends the command line as a failed call does.
	NoCarrier = Result{kind: kindFinal, text: "NO CARRIER"}
	// Silent ends the command without a final result code.
	Silent = Result{kind: kindSilent}
	// Default asks for the modem's own behaviour.
	Default = Result{kind: kindDefault}

	pending = Result{kind: kindPending} // the command ends later, by Call.finish
	unknown = Result{kind: kindUnknown} // the personality knows no such command
)

// CME is an error of the equipment (3GPP TS 27.007 clause 9.2). How it prints
// depends on AT+CMEE.
func CME(code int) Result { return Result{kind: kindCME, code: code} }

// CMS is an error of the message service (3GPP TS 27.005 clause 3.2.5).
func CMS(code int) Result { return Result{kind: kindCMS, code: code} }

// Final is any other result code, printed as it is: "SHUT OK", "SEND FAIL",
// "COMMAND NOT SUPPORT". It ends the command line.
func Final(text string) Result { return Result{kind: kindFinal, text: text} }

// Codes of +CME ERROR (3GPP TS 27.007 clause 9.2).
const (
	cmeNotAllowed      = 3
	cmeNotSupported    = 4
	cmeSIMNotInserted  = 10
	cmeSIMPIN          = 11
	cmeSIMPUK          = 12
	cmeSIMFailure      = 13
	cmeSIMBusy         = 14
	cmeWrongPassword   = 16
	cmeMemoryFull      = 20
	cmeInvalidIndex    = 21
	cmeNotFound        = 22
	cmeTextTooLong     = 24
	cmeInvalidText     = 25
	cmeNoNetwork       = 30
	cmeNetworkTimeout  = 31
	cmeEmergencyOnly   = 32
	cmeInvalidParam    = 50
	cmeUnknown         = 100
	cmeNotSubscribed   = 133
	cmeUnspecifiedGPRS = 148
	cmePDPAuth         = 149
)

// cmeTexts are the verbose forms for AT+CMEE=2 (3GPP TS 27.007 clause 9.2).
var cmeTexts = map[int]string{
	0: "phone failure", 1: "no connection to phone", 2: "phone-adaptor link reserved",
	3: "operation not allowed", 4: "operation not supported", 5: "PH-SIM PIN required",
	10: "SIM not inserted", 11: "SIM PIN required", 12: "SIM PUK required",
	13: "SIM failure", 14: "SIM busy", 15: "SIM wrong", 16: "incorrect password",
	17: "SIM PIN2 required", 18: "SIM PUK2 required", 20: "memory full",
	21: "invalid index", 22: "not found", 23: "memory failure", 24: "text string too long",
	25: "invalid characters in text string", 26: "dial string too long",
	27: "invalid characters in dial string", 30: "no network service", 31: "network timeout",
	32: "network not allowed - emergency calls only", 50: "incorrect parameters",
	100: "unknown", 103: "illegal MS", 106: "illegal ME", 107: "GPRS services not allowed",
	111: "PLMN not allowed", 112: "location area not allowed",
	113: "roaming not allowed in this location area", 132: "service option not supported",
	133: "requested service option not subscribed", 134: "service option temporarily out of order",
	148: "unspecified GPRS error", 149: "PDP authentication failure", 150: "invalid mobile class",
	515: "please wait",
}

// Codes of +CMS ERROR (3GPP TS 27.005 clause 3.2.5 and TS 24.011 annex E-2).
const (
	cmsNetworkOutOfOrder = 38
	cmsSIMNotInserted    = 310
	cmsSIMPIN            = 311
	cmsNotAllowed        = 302
	cmsNotSupported      = 303
	cmsInvalidPDUParam   = 304
	cmsInvalidTextParam  = 305
	cmsInvalidIndex      = 321
	cmsMemoryFull        = 322
	cmsSMSCUnknown       = 330
	cmsNoNetwork         = 331
	cmsNetworkTimeout    = 332
	cmsNoCNMAExpected    = 340
	cmsUnknown           = 500
)

// cmsTexts are the verbose forms for AT+CMEE=2.
var cmsTexts = map[int]string{
	1: "Unassigned (unallocated) number", 8: "Operator determined barring", 10: "Call barred",
	21: "Short message transfer rejected", 27: "Destination out of service",
	28: "Unidentified subscriber", 29: "Facility rejected", 30: "Unknown subscriber",
	38: "Network out of order", 41: "Temporary failure", 42: "Congestion",
	47: "Resources unavailable, unspecified", 50: "Requested facility not subscribed",
	208: "SIM SMS storage full", 300: "ME failure", 301: "SMS service of ME reserved",
	302: "Operation not allowed", 303: "Operation not supported", 304: "Invalid PDU mode parameter",
	305: "Invalid text mode parameter", 310: "SIM not inserted", 311: "SIM PIN required",
	312: "PH-SIM PIN required", 313: "SIM failure", 314: "SIM busy", 315: "SIM wrong",
	320: "Memory failure", 321: "Invalid memory index", 322: "Memory full",
	330: "SMSC address unknown", 331: "No network service", 332: "Network timeout",
	340: "NO +CNMA ACK EXPECTED", 500: "unknown error",
}

// numericCodes are the result codes for ATV0 (ITU-T V.250 table 1).
var numericCodes = map[string]string{
	"OK": "0", "CONNECT": "1", "RING": "2", "NO CARRIER": "3", "ERROR": "4",
	"NO DIALTONE": "6", "BUSY": "7", "NO ANSWER": "8",
}

// print gives the text of a result on a port with the settings s; empty means
// that nothing is printed.
func (r Result) print(s *settings, p *Personality) string {
	switch r.kind {
	case kindOK:
		return "OK"
	case kindCME:
		return errorText("+CME ERROR: ", r.code, s.errors, cmeTexts)
	case kindCMS:
		return errorText("+CMS ERROR: ", r.code, s.errors, cmsTexts)
	case kindFinal, kindConnect:
		return r.text
	case kindSilent, kindPending:
		return ""
	case kindUnknown:
		return unknownText(s, p)
	}
	return "ERROR"
}

// unknownText is how the maker's firmware answers a command that it does not know.
func unknownText(s *settings, p *Personality) string {
	switch {
	case p.UnknownCME != 0 && s.errors > 0:
		return errorText("+CME ERROR: ", p.UnknownCME, s.errors, cmeTexts)
	case p.Unknown != "":
		return p.Unknown
	}
	return "ERROR"
}

// errorText obeys AT+CMEE (3GPP TS 27.007 clause 9.1). Message service errors
// are numbers even with +CMEE=0, which concerns +CME ERROR alone.
func errorText(prefix string, code, level int, texts map[int]string) string {
	if level == 0 && prefix == "+CME ERROR: " {
		return "ERROR"
	}
	if text, ok := texts[code]; ok && level == 2 {
		return prefix + text
	}
	return prefix + strconv.Itoa(code)
}
