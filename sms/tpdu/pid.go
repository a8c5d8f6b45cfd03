package tpdu

// PID is TP-PID, the protocol identifier (3GPP TS 23.040 clause 9.2.3.9). Zero
// is a plain message between two devices.
type PID byte

// Protocol identifiers that ask for special treatment.
const (
	PlainPID          PID = 0x00
	ShortMessageType0 PID = 0x40 // acknowledged, then discarded unseen
	DeviceTriggering  PID = 0x48
	EnhancedMessage   PID = 0x5e // obsolete Enhanced Message Service
	ReturnCall        PID = 0x5f
	ANSI136RData      PID = 0x7c
	MEDataDownload    PID = 0x7d
	MEDepersonalize   PID = 0x7e
	SIMDataDownload   PID = 0x7f
)

// ReplaceType returns n for "Replace Short Message Type n" (1 to 7): a message
// that takes the place of an earlier one with the same identifier, originator
// and service centre. Otherwise it returns 0.
func (p PID) ReplaceType() int {
	if 0x41 <= p && p <= 0x47 {
		return int(p - 0x40)
	}
	return 0
}

// Telematic returns the five-bit code of the telematic device that the service
// centre is to work with, such as 0x12 for Internet electronic mail.
func (p PID) Telematic() (device byte, ok bool) {
	return byte(p & 0x1f), p&0xe0 == 0x20
}

// Reserved reports whether the standard gives the value no meaning; receivers
// take it as 0.
func (p PID) Reserved() bool {
	switch p & 0xc0 {
	case 0x40:
		return p > DeviceTriggering && p < EnhancedMessage || p > ReturnCall && p < ANSI136RData
	case 0x80:
		return true
	}
	return false
}
