package tpdu

// CommandType is TP-CT, what an SMS-COMMAND asks for (3GPP TS 23.040 clause
// 9.2.3.19). 0xe0 to 0xff are for use by agreement with the service centre.
type CommandType byte

// The commands.
const (
	Enquiry            CommandType = 0 // a status report on the message
	CancelStatusReport CommandType = 1
	DeleteMessage      CommandType = 2
	EnableStatusReport CommandType = 3
	firstSpecificToSC  CommandType = 0xe0
	maxCommandData                 = 157 // clause 9.2.3.21
)

// Reserved reports whether the standard gives the value no meaning.
func (c CommandType) Reserved() bool { return c > EnableStatusReport && c < firstSpecificToSC }

// Command is SMS-COMMAND (clause 9.2.2.4).
type Command struct {
	StatusReportRequest bool        // TP-SRR
	HasHeader           bool        // TP-UDHI: Data begins with a header
	Reference           byte        // TP-MR of this command
	PID                 PID         // TP-PID
	Command             CommandType // TP-CT
	Number              byte        // TP-MN, the TP-MR of the message that it is about
	Destination         Address     // TP-DA
	Data                []byte      // TP-CD
}

// Type returns [TypeCommand].
func (*Command) Type() Type { return TypeCommand }

// AppendBinary appends the TPDU to dst.
func (c *Command) AppendBinary(dst []byte) ([]byte, error) {
	if len(c.Data) > maxCommandData {
		return dst, cannotEncode("TP-CD", ErrTooLong)
	}
	dst = append(dst, mtiStatus|flag(c.StatusReportRequest, bitStatus)|flag(c.HasHeader, bitUDHI),
		c.Reference, byte(c.PID), byte(c.Command), c.Number)
	dst = appendAddress(dst, c.Destination)
	dst = append(dst, byte(len(c.Data)))
	return append(dst, c.Data...), nil
}

// Decode replaces c with the command of a TPDU, which its data alias. Octets
// after the announced length are left out.
func (c *Command) Decode(tpdu []byte) error {
	*c = Command{}
	r := reader{octets: tpdu}
	b := r.first(mtiStatus)
	c.StatusReportRequest = b&bitStatus != 0
	c.HasHeader = b&bitUDHI != 0
	c.Reference = r.octet("TP-MR")
	c.PID = PID(r.octet("TP-PID"))
	c.Command = CommandType(r.octet("TP-CT"))
	c.Number = r.octet("TP-MN")
	r.address(&c.Destination, "TP-DA")
	c.Data = r.take(int(r.octet("TP-CDL")), "TP-CD")
	return r.fault()
}
