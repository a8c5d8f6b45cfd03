package tpdu

// Extra is the optional end of a report: TP-PI says which of TP-PID, TP-DCS
// and TP-UD follow (3GPP TS 23.040 clause 9.2.3.27).
type Extra struct {
	// Parameters is TP-PI as received. When sending, the bits of the fields below
	// are taken from the Has fields.
	Parameters  byte
	HasPID      bool     // PID is present
	HasDCS      bool     // DCS is present
	HasUserData bool     // UserData is present
	PID         PID      // TP-PID
	DCS         DCS      // TP-DCS; when absent the user data are GSM 7-bit
	UserData    UserData // TP-UD
}

// Bits of TP-PI.
const (
	piPID  = 0x01
	piDCS  = 0x02
	piUD   = 0x04
	piMore = 0x80 // another TP-PI octet follows
)

func (e *Extra) parameters() byte {
	return flag(e.HasPID, piPID) | flag(e.HasDCS, piDCS) | flag(e.HasUserData, piUD)
}

// check says whether the fields can be sent with user data of at most limit
// octets.
func (e *Extra) check(limit int) error {
	if !e.HasUserData {
		return nil
	}
	return e.UserData.check(e.dcs(), limit)
}

// dcs is the scheme of the user data: 0 when TP-DCS is absent.
func (e *Extra) dcs() DCS {
	if e.HasDCS {
		return e.DCS
	}
	return 0
}

func (e *Extra) appendFields(dst []byte) []byte {
	if e.HasPID {
		dst = append(dst, byte(e.PID))
	}
	if e.HasDCS {
		dst = append(dst, byte(e.DCS))
	}
	if e.HasUserData {
		dst = appendUserData(dst, e.dcs(), &e.UserData)
	}
	return dst
}

// parameterIndicator reads TP-PI with its extension octets, whose meaning is
// reserved.
func (r *reader) parameterIndicator(e *Extra) {
	e.Parameters = r.octet("TP-PI")
	for more := e.Parameters; more&piMore != 0; {
		more = r.octet("TP-PI")
	}
	e.HasPID = e.Parameters&piPID != 0
	e.HasDCS = e.Parameters&piDCS != 0
	e.HasUserData = e.Parameters&piUD != 0
}

// extraFields reads the fields that TP-PI announced.
func (r *reader) extraFields(hasHeader bool, e *Extra) {
	if e.HasPID {
		e.PID = PID(r.octet("TP-PID"))
	}
	if e.HasDCS {
		e.DCS = DCS(r.octet("TP-DCS"))
	}
	if e.HasUserData {
		r.userData(e.dcs(), hasHeader, &e.UserData)
	}
}

// The largest user data of the reports in octets (clauses 9.2.2.1a, 9.2.2.2a
// and 9.2.2.3).
const (
	maxDeliverAckData   = 159
	maxDeliverErrorData = 158
	maxSubmitAckData    = 152
	maxSubmitErrorData  = 151
	maxStatusData       = 143
)

// DeliverReport is SMS-DELIVER-REPORT, a mobile's answer to SMS-DELIVER (clause
// 9.2.2.1a).
type DeliverReport struct {
	// Failure is TP-FCS. NoFailure makes the report of an RP-ACK, which has no
	// such field; any other that of an RP-ERROR.
	Failure Failure
	Extra
}

// Type returns [TypeDeliverReport].
func (*DeliverReport) Type() Type { return TypeDeliverReport }

// AppendBinary appends the TPDU to dst.
func (d *DeliverReport) AppendBinary(dst []byte) ([]byte, error) {
	limit := maxDeliverAckData
	if d.Failure != NoFailure {
		limit = maxDeliverErrorData
	}
	if err := d.check(limit); err != nil {
		return dst, err
	}
	dst, err := appendReportStart(dst, mtiDeliver, d.Failure, &d.Extra)
	if err != nil {
		return dst, err
	}
	return d.appendFields(append(dst, d.parameters())), nil
}

// appendReportStart appends the first octet and TP-FCS, if there is one.
func appendReportStart(dst []byte, mti byte, f Failure, e *Extra) ([]byte, error) {
	if f != NoFailure && f < minFailure {
		return dst, cannotEncode("TP-FCS", ErrReserved)
	}
	dst = append(dst, mti|flag(e.HasUserData && len(e.UserData.Header) > 0, bitUDHI))
	if f != NoFailure {
		dst = append(dst, byte(f))
	}
	return dst, nil
}

// Decode replaces d with the report of a TPDU. Whether TP-FCS is there depends
// on the layer below; it is recognized by its values from 0x80, which TP-PI
// has no use for.
func (d *DeliverReport) Decode(tpdu []byte) error {
	*d = DeliverReport{}
	r := reader{octets: tpdu}
	b := r.first(mtiDeliver)
	d.Failure = r.failure()
	r.parameterIndicator(&d.Extra)
	r.extraFields(b&bitUDHI != 0, &d.Extra)
	return r.fault()
}

// failure reads TP-FCS if it is there.
func (r *reader) failure() Failure {
	if r.left() > 0 && r.octets[r.next] >= byte(minFailure) {
		return Failure(r.octet("TP-FCS"))
	}
	return NoFailure
}

// SubmitReport is SMS-SUBMIT-REPORT, the service centre's answer to SMS-SUBMIT
// or SMS-COMMAND (clause 9.2.2.2a).
type SubmitReport struct {
	// Failure is TP-FCS, as in [DeliverReport].
	Failure   Failure
	Timestamp Timestamp // TP-SCTS, when the service centre took the message
	Extra
}

// Type returns [TypeSubmitReport].
func (*SubmitReport) Type() Type { return TypeSubmitReport }

// AppendBinary appends the TPDU to dst.
func (s *SubmitReport) AppendBinary(dst []byte) ([]byte, error) {
	limit := maxSubmitAckData
	if s.Failure != NoFailure {
		limit = maxSubmitErrorData
	}
	if err := s.check(limit); err != nil {
		return dst, err
	}
	dst, err := appendReportStart(dst, mtiSubmit, s.Failure, &s.Extra)
	if err != nil {
		return dst, err
	}
	dst = append(append(dst, s.parameters()), s.Timestamp[:]...)
	return s.appendFields(dst), nil
}

// Decode replaces s with the report of a TPDU; see [DeliverReport.Decode] for
// TP-FCS.
func (s *SubmitReport) Decode(tpdu []byte) error {
	*s = SubmitReport{}
	r := reader{octets: tpdu}
	b := r.first(mtiSubmit)
	s.Failure = r.failure()
	r.parameterIndicator(&s.Extra)
	r.timestamp(&s.Timestamp, "TP-SCTS")
	r.extraFields(b&bitUDHI != 0, &s.Extra)
	return r.fault()
}

// StatusReport is SMS-STATUS-REPORT, what became of a message sent or a command
// (clause 9.2.2.3).
type StatusReport struct {
	MoreMessages   bool      // TP-MMS, inverted on the wire
	LoopPrevention bool      // TP-LP
	ForCommand     bool      // TP-SRQ: result of an SMS-COMMAND, not of an SMS-SUBMIT
	Reference      byte      // TP-MR of the message or command
	Recipient      Address   // TP-RA
	Timestamp      Timestamp // TP-SCTS, when the service centre took the message
	Discharge      Timestamp // TP-DT, when what Status says happened
	Status         Status    // TP-ST
	Extra
}

// Type returns [TypeStatusReport].
func (*StatusReport) Type() Type { return TypeStatusReport }

// AppendBinary appends the TPDU to dst. TP-PI is left out if nothing follows
// it.
func (s *StatusReport) AppendBinary(dst []byte) ([]byte, error) {
	if err := s.check(maxStatusData); err != nil {
		return dst, err
	}
	dst = append(dst, mtiStatus|
		flag(!s.MoreMessages, bitMMS)|
		flag(s.LoopPrevention, bitLP)|
		flag(s.ForCommand, bitStatus)|
		flag(s.HasUserData && len(s.UserData.Header) > 0, bitUDHI),
		s.Reference)
	dst = appendAddress(dst, s.Recipient)
	dst = append(dst, s.Timestamp[:]...)
	dst = append(dst, s.Discharge[:]...)
	dst = append(dst, byte(s.Status))
	if pi := s.parameters(); pi != 0 {
		dst = s.appendFields(append(dst, pi))
	}
	return dst, nil
}

// Decode replaces s with the report of a TPDU.
func (s *StatusReport) Decode(tpdu []byte) error {
	*s = StatusReport{}
	r := reader{octets: tpdu}
	b := r.first(mtiStatus)
	s.MoreMessages = b&bitMMS == 0
	s.LoopPrevention = b&bitLP != 0
	s.ForCommand = b&bitStatus != 0
	s.Reference = r.octet("TP-MR")
	r.address(&s.Recipient, "TP-RA")
	r.timestamp(&s.Timestamp, "TP-SCTS")
	r.timestamp(&s.Discharge, "TP-DT")
	s.Status = Status(r.octet("TP-ST"))
	if r.left() > 0 {
		r.parameterIndicator(&s.Extra)
		r.extraFields(b&bitUDHI != 0, &s.Extra)
	}
	return r.fault()
}
