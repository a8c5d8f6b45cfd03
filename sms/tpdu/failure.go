package tpdu

import "fmt"

// Failure is TP-FCS, why a mobile or a service centre refused a TPDU (3GPP TS
// 23.040 clause 9.2.3.22). NoFailure means that the field is absent.
type Failure byte

// The failure causes.
const (
	NoFailure                 Failure = 0
	minFailure                Failure = 0x80
	TelematicUnsupported      Failure = 0x80
	Type0Unsupported          Failure = 0x81
	CannotReplace             Failure = 0x82
	PIDError                  Failure = 0x8f // unspecified TP-PID error
	AlphabetUnsupported       Failure = 0x90
	ClassUnsupported          Failure = 0x91
	DCSError                  Failure = 0x9f // unspecified TP-DCS error
	CommandNotActioned        Failure = 0xa0
	CommandUnsupported        Failure = 0xa1
	CommandError              Failure = 0xaf // unspecified TP-Command error
	TPDUUnsupported           Failure = 0xb0
	SCBusy                    Failure = 0xc0
	NoSCSubscription          Failure = 0xc1
	SCFailure                 Failure = 0xc2
	InvalidSMEAddress         Failure = 0xc3
	DestinationBarred         Failure = 0xc4
	DuplicateRejected         Failure = 0xc5
	ValidityFormatUnsupported Failure = 0xc6
	ValidityUnsupported       Failure = 0xc7
	SIMStorageFull            Failure = 0xd0
	NoSIMStorage              Failure = 0xd1
	ErrorInMS                 Failure = 0xd2
	MemoryExceeded            Failure = 0xd3
	SIMToolkitBusy            Failure = 0xd4
	SIMDownloadError          Failure = 0xd5
	UnspecifiedFailure        Failure = 0xff
)

var failureNames = map[Failure]string{
	NoFailure: "no failure", TelematicUnsupported: "telematic interworking not supported",
	Type0Unsupported: "short message type 0 not supported", CannotReplace: "cannot replace short message",
	PIDError: "unspecified TP-PID error", AlphabetUnsupported: "data coding scheme (alphabet) not supported",
	ClassUnsupported: "message class not supported", DCSError: "unspecified TP-DCS error",
	CommandNotActioned: "command cannot be actioned", CommandUnsupported: "command unsupported",
	CommandError: "unspecified TP-Command error", TPDUUnsupported: "TPDU not supported", SCBusy: "SC busy",
	NoSCSubscription: "no SC subscription", SCFailure: "SC system failure", InvalidSMEAddress: "invalid SME address",
	DestinationBarred: "destination SME barred", DuplicateRejected: "SM rejected, duplicate SM",
	ValidityFormatUnsupported: "TP-VPF not supported", ValidityUnsupported: "TP-VP not supported",
	SIMStorageFull: "(U)SIM SMS storage full", NoSIMStorage: "no SMS storage capability in (U)SIM",
	ErrorInMS: "error in MS", MemoryExceeded: "memory capacity exceeded",
	SIMToolkitBusy: "(U)SIM application toolkit busy", SIMDownloadError: "(U)SIM data download error",
	UnspecifiedFailure: "unspecified error cause",
}

// String returns the standard's name of the cause, or its number.
func (f Failure) String() string {
	if name, ok := failureNames[f]; ok {
		return name
	}
	return fmt.Sprintf("failure cause 0x%02x", byte(f))
}
