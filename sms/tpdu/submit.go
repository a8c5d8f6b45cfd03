package tpdu

// Submit is SMS-SUBMIT, a message on its way from a mobile (3GPP TS 23.040
// clause 9.2.2.2).
type Submit struct {
	// RejectDuplicates: the service centre is to refuse a message with the
	// reference and recipient of one that it still holds (TP-RD).
	RejectDuplicates    bool
	StatusReportRequest bool // TP-SRR
	ReplyPath           bool // TP-RP
	// Reference is TP-MR. Most modems put their own in its place and tell it
	// with +CMGS.
	Reference   byte
	Destination Address  // TP-DA
	PID         PID      // TP-PID
	DCS         DCS      // TP-DCS
	Validity    Validity // TP-VPF and TP-VP
	UserData    UserData // TP-UD
}

// Type returns [TypeSubmit].
func (*Submit) Type() Type { return TypeSubmit }

// AppendBinary appends the TPDU to dst.
func (s *Submit) AppendBinary(dst []byte) ([]byte, error) {
	if err := s.UserData.check(s.DCS, maxUserData); err != nil {
		return dst, err
	}
	if s.Validity.Format > AbsoluteValidity {
		return dst, cannotEncode("TP-VPF", ErrReserved)
	}
	dst = append(dst, mtiSubmit|
		flag(s.RejectDuplicates, bitRD)|
		byte(s.Validity.Format)<<shiftVPF|
		flag(s.StatusReportRequest, bitStatus)|
		flag(len(s.UserData.Header) > 0, bitUDHI)|
		flag(s.ReplyPath, bitRP),
		s.Reference)
	dst = appendAddress(dst, s.Destination)
	dst = append(dst, byte(s.PID), byte(s.DCS))
	dst = append(dst, s.Validity.Octets[:s.Validity.Format.octets()]...)
	return appendUserData(dst, s.DCS, &s.UserData), nil
}

// Decode replaces s with the message of a TPDU, which its user data alias.
func (s *Submit) Decode(tpdu []byte) error {
	*s = Submit{}
	r := reader{octets: tpdu}
	b := r.first(mtiSubmit)
	s.RejectDuplicates = b&bitRD != 0
	s.StatusReportRequest = b&bitStatus != 0
	s.ReplyPath = b&bitRP != 0
	s.Reference = r.octet("TP-MR")
	r.address(&s.Destination, "TP-DA")
	s.PID = PID(r.octet("TP-PID"))
	s.DCS = DCS(r.octet("TP-DCS"))
	s.Validity.Format = ValidityFormat(b >> shiftVPF & 3)
	copy(s.Validity.Octets[:], r.take(s.Validity.Format.octets(), "TP-VP"))
	r.userData(s.DCS, b&bitUDHI != 0, &s.UserData)
	return r.fault()
}

// AppendText appends the text of a message that is whole in this TPDU.
func (s *Submit) AppendText(dst []byte) ([]byte, error) {
	return s.UserData.AppendText(dst, s.DCS)
}
