package tpdu

import "fmt"

// Status is TP-ST, what became of a message (3GPP TS 23.040 clause 9.2.3.15).
type Status byte

// StatusKind groups the values of TP-ST.
type StatusKind byte

// The groups of clause 9.2.3.15.
const (
	// StatusDone: the transaction is complete.
	StatusDone StatusKind = iota
	// StatusPending: not delivered yet, the service centre still tries.
	StatusPending
	// StatusPermanent: failed, the service centre does not try any more.
	StatusPermanent
	// StatusTemporary: failed for a passing reason, the service centre does not
	// try any more.
	StatusTemporary
)

// Kind returns the group. Reserved values are read as their group's general
// meaning, and those from 0x80 as a failure without further tries, as the
// clause says ("service rejected", 0x63).
func (s Status) Kind() StatusKind {
	if s >= 0x80 {
		return StatusTemporary
	}
	return StatusKind(s >> 5)
}

// Final reports whether no other report will come for the message.
func (s Status) Final() bool { return s.Kind() != StatusPending }

// Delivered reports whether the message reached its recipient or was handed to
// it: 0 received, 1 forwarded without confirmation, 2 replaced by the service
// centre count, reserved and private values of the group too.
func (s Status) Delivered() bool { return s.Kind() == StatusDone }

var statusNames = map[Status]string{
	0x00: "received by the SME", 0x01: "forwarded to the SME, delivery not confirmed", 0x02: "replaced by the SC",
	0x20: "congestion, still trying", 0x21: "SME busy, still trying", 0x22: "no response from SME, still trying",
	0x23: "service rejected, still trying", 0x24: "quality of service not available, still trying",
	0x25: "error in SME, still trying",
	0x40: "remote procedure error", 0x41: "incompatible destination", 0x42: "connection rejected by SME",
	0x43: "not obtainable", 0x44: "quality of service not available", 0x45: "no interworking available",
	0x46: "validity period expired", 0x47: "deleted by originating SME", 0x48: "deleted by SC administration",
	0x49: "message does not exist",
	0x60: "congestion, given up", 0x61: "SME busy, given up", 0x62: "no response from SME, given up",
	0x63: "service rejected, given up", 0x64: "quality of service not available, given up",
	0x65: "error in SME, given up",
}

// Values of TP-ST that callers tell apart.
const (
	Received        Status = 0x00
	Forwarded       Status = 0x01
	ReplacedBySC    Status = 0x02
	ValidityExpired Status = 0x46
)

// String returns the meaning of the value, or its number and group.
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	kind := [...]string{"transaction completed", "still trying", "permanent error", "given up"}[s.Kind()]
	return fmt.Sprintf("status 0x%02x (%s)", byte(s), kind)
}
