package tpdu

import "fmt"

// Type is the type of a TPDU (3GPP TS 23.040 clause 9.2.2).
type Type byte

// The six types. The message type indicator alone does not tell them apart: it
// takes the direction too.
const (
	TypeDeliver       Type = iota + 1 // SC to MS
	TypeDeliverReport                 // MS to SC
	TypeSubmit                        // MS to SC
	TypeSubmitReport                  // SC to MS
	TypeStatusReport                  // SC to MS
	TypeCommand                       // MS to SC
)

var typeNames = [...]string{"", "SMS-DELIVER", "SMS-DELIVER-REPORT", "SMS-SUBMIT", "SMS-SUBMIT-REPORT", "SMS-STATUS-REPORT", "SMS-COMMAND"}

// String returns the standard's name of the type.
func (t Type) String() string {
	if t > 0 && int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("SMS type %d", byte(t))
}

// Direction says which way a TPDU travels.
type Direction byte

// The directions.
const (
	ToMobile   Direction = iota // from the service centre
	FromMobile                  // to the service centre
)

// TypeOf returns the type of a TPDU from its first octet (TP-MTI, clause
// 9.2.3.1). A mobile takes the reserved indicator 3 as SMS-DELIVER, as that
// clause asks; towards the service centre it is an error.
func TypeOf(d Direction, tpdu []byte) (Type, error) {
	if len(tpdu) == 0 {
		return 0, &Error{Offset: 0, Field: "TP-MTI", Err: ErrShort}
	}
	mti := tpdu[0] & maskMTI
	if d == ToMobile {
		return [4]Type{TypeDeliver, TypeSubmitReport, TypeStatusReport, TypeDeliver}[mti], nil
	}
	if mti == 3 {
		return 0, &Error{Offset: 0, Field: "TP-MTI", Err: ErrReserved}
	}
	return [4]Type{TypeDeliverReport, TypeSubmit, TypeCommand}[mti], nil
}

// Message is any of the six TPDUs.
type Message interface {
	// Type returns the type of the TPDU.
	Type() Type
	// AppendBinary appends the TPDU to dst. On error, an *[Error] with offset
	// -1, dst comes back as it was.
	AppendBinary(dst []byte) ([]byte, error)
	// Decode replaces the message with that of a TPDU. Header, Body and the like
	// alias tpdu. On error, an *[Error], the fields before the fault are set.
	Decode(tpdu []byte) error
}

// Decode reads a TPDU of any type.
func Decode(d Direction, tpdu []byte) (Message, error) {
	kind, err := TypeOf(d, tpdu)
	if err != nil {
		return nil, err
	}
	var m Message
	switch kind {
	case TypeDeliver:
		m = new(Deliver)
	case TypeDeliverReport:
		m = new(DeliverReport)
	case TypeSubmit:
		m = new(Submit)
	case TypeSubmitReport:
		m = new(SubmitReport)
	case TypeStatusReport:
		m = new(StatusReport)
	case TypeCommand:
		m = new(Command)
	}
	return m, m.Decode(tpdu)
}

// Bits of the first octet (clauses 9.2.3.1 to 9.2.3.7, 9.2.3.17, 9.2.3.23,
// 9.2.3.25 to 9.2.3.28). Their meaning depends on the type.
const (
	maskMTI     = 0x03
	bitMMS      = 0x04 // TP-MMS, set when there are no more messages
	bitRD       = 0x04 // TP-RD
	bitLP       = 0x08 // TP-LP
	shiftVPF    = 3    // TP-VPF
	bitStatus   = 0x20 // TP-SRI, TP-SRR, TP-SRQ
	bitUDHI     = 0x40 // TP-UDHI
	bitRP       = 0x80 // TP-RP
	mtiDeliver  = 0    // also DELIVER-REPORT
	mtiSubmit   = 1    // also SUBMIT-REPORT
	mtiStatus   = 2    // also COMMAND
	mtiReserved = 3
)

// flag returns bit if on.
func flag(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}

// first reads the first octet and checks its message type indicator.
func (r *reader) first(mti byte) byte {
	b := r.octet("TP-MTI")
	if r.err == nil && b&maskMTI != mti {
		r.fail(0, "TP-MTI", ErrWrongType)
	}
	return b
}
