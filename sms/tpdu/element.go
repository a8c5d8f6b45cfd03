package tpdu

import "fmt"

// ElementID names an information element (3GPP TS 23.040 clause 9.2.3.24).
type ElementID byte

// The elements that clause 9.2.3.24 defines.
const (
	Concatenation        ElementID = 0x00 // 8-bit reference
	SpecialIndication    ElementID = 0x01
	PortsNarrow          ElementID = 0x04 // 8-bit application ports
	PortsWide            ElementID = 0x05 // 16-bit application ports
	SMSCControl          ElementID = 0x06
	HeaderSource         ElementID = 0x07
	ConcatenationWide    ElementID = 0x08 // 16-bit reference
	WirelessControl      ElementID = 0x09 // Wireless Control Message Protocol
	TextFormatting       ElementID = 0x0a
	PredefinedSound      ElementID = 0x0b
	UserDefinedSound     ElementID = 0x0c
	PredefinedAnimation  ElementID = 0x0d
	LargeAnimation       ElementID = 0x0e
	SmallAnimation       ElementID = 0x0f
	LargePicture         ElementID = 0x10
	SmallPicture         ElementID = 0x11
	VariablePicture      ElementID = 0x12
	UserPrompt           ElementID = 0x13
	ExtendedObject       ElementID = 0x14
	ReusedExtendedObject ElementID = 0x15
	CompressionControl   ElementID = 0x16
	ObjectDistribution   ElementID = 0x17
	StandardWVG          ElementID = 0x18
	CharacterSizeWVG     ElementID = 0x19
	ExtendedObjectQuery  ElementID = 0x1a
	EmailHeader          ElementID = 0x20 // RFC 822
	Hyperlink            ElementID = 0x21
	ReplyAddress         ElementID = 0x22
	EnhancedVoicemail    ElementID = 0x23
	SingleShift          ElementID = 0x24 // national language single shift
	LockingShift         ElementID = 0x25 // national language locking shift
)

var elementNames = map[ElementID]string{
	Concatenation: "concatenation, 8-bit reference", SpecialIndication: "special message indication",
	PortsNarrow: "application ports, 8-bit", PortsWide: "application ports, 16-bit",
	SMSCControl: "SMSC control parameters", HeaderSource: "UDH source indicator",
	ConcatenationWide: "concatenation, 16-bit reference", WirelessControl: "wireless control message protocol",
	TextFormatting: "text formatting", PredefinedSound: "predefined sound", UserDefinedSound: "user defined sound",
	PredefinedAnimation: "predefined animation", LargeAnimation: "large animation", SmallAnimation: "small animation",
	LargePicture: "large picture", SmallPicture: "small picture", VariablePicture: "variable picture",
	UserPrompt: "user prompt indicator", ExtendedObject: "extended object", ReusedExtendedObject: "reused extended object",
	CompressionControl: "compression control", ObjectDistribution: "object distribution indicator",
	StandardWVG: "standard WVG object", CharacterSizeWVG: "character size WVG object",
	ExtendedObjectQuery: "extended object data request", EmailHeader: "RFC 822 e-mail header",
	Hyperlink: "hyperlink", ReplyAddress: "reply address", EnhancedVoicemail: "enhanced voice mail information",
	SingleShift: "national language single shift", LockingShift: "national language locking shift",
}

// String returns the element's name, or the range that its number is in.
func (id ElementID) String() string {
	if name, ok := elementNames[id]; ok {
		return name
	}
	kind := "reserved"
	switch {
	case 0x70 <= id && id <= 0x7f:
		kind = "(U)SIM toolkit security header"
	case 0x80 <= id && id <= 0x9f:
		kind = "SME to SME"
	case 0xc0 <= id && id <= 0xdf:
		kind = "SC specific"
	}
	return fmt.Sprintf("%s element 0x%02x", kind, byte(id))
}
