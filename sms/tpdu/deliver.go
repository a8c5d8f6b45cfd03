package tpdu

// Deliver is SMS-DELIVER, a message on its way to a mobile (3GPP TS 23.040
// clause 9.2.2.1).
type Deliver struct {
	// MoreMessages: more wait at the service centre (TP-MMS; on the wire the bit
	// is inverted).
	MoreMessages bool
	// LoopPrevention: the message was forwarded (TP-LP).
	LoopPrevention bool
	// StatusReportIndication: the sender gets a status report (TP-SRI).
	StatusReportIndication bool
	// ReplyPath: a reply may go through the sender's service centre (TP-RP).
	ReplyPath  bool
	Originator Address   // TP-OA
	PID        PID       // TP-PID
	DCS        DCS       // TP-DCS
	Timestamp  Timestamp // TP-SCTS, when the service centre took the message
	UserData   UserData  // TP-UD
}

// Type returns [TypeDeliver].
func (*Deliver) Type() Type { return TypeDeliver }

// AppendBinary appends the TPDU to dst.
func (d *Deliver) AppendBinary(dst []byte) ([]byte, error) {
	if err := d.UserData.check(d.DCS, maxUserData); err != nil {
		return dst, err
	}
	dst = append(dst, mtiDeliver|
		flag(!d.MoreMessages, bitMMS)|
		flag(d.LoopPrevention, bitLP)|
		flag(d.StatusReportIndication, bitStatus)|
		flag(len(d.UserData.Header) > 0, bitUDHI)|
		flag(d.ReplyPath, bitRP))
	dst = appendAddress(dst, d.Originator)
	dst = append(dst, byte(d.PID), byte(d.DCS))
	dst = append(dst, d.Timestamp[:]...)
	return appendUserData(dst, d.DCS, &d.UserData), nil
}

// Decode replaces d with the message of a TPDU, which its user data alias. The
// reserved message type indicator 3 is read as SMS-DELIVER (clause 9.2.3.1).
func (d *Deliver) Decode(tpdu []byte) error {
	*d = Deliver{}
	r := reader{octets: tpdu}
	b := r.octet("TP-MTI")
	if mti := b & maskMTI; mti != mtiDeliver && mti != mtiReserved {
		r.fail(0, "TP-MTI", ErrWrongType)
	}
	d.MoreMessages = b&bitMMS == 0
	d.LoopPrevention = b&bitLP != 0
	d.StatusReportIndication = b&bitStatus != 0
	d.ReplyPath = b&bitRP != 0
	r.address(&d.Originator, "TP-OA")
	d.PID = PID(r.octet("TP-PID"))
	d.DCS = DCS(r.octet("TP-DCS"))
	r.timestamp(&d.Timestamp, "TP-SCTS")
	r.userData(d.DCS, b&bitUDHI != 0, &d.UserData)
	return r.fault()
}

// AppendText appends the text of a message that is whole in this TPDU.
func (d *Deliver) AppendText(dst []byte) ([]byte, error) {
	return d.UserData.AppendText(dst, d.DCS)
}
