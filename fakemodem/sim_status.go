package fakemodem

// SIMStatus is what can be seen of a modem's card. PIN and PUK are not in it.
type SIMStatus struct {
	// Inserted tells whether the card is in its slot.
	Inserted bool
	// State is what +CPIN? shows (3GPP TS 27.007 clause 8.3): "READY", "SIM
	// PIN", "SIM PUK", and where it answers an error "NOT INSERTED", "SIM
	// FAILURE" (also of a card whose PUK was wrong too often) or "SIM BUSY".
	State string
	// Locked tells whether the card asks for its PIN after each start.
	Locked bool
	// ICCID is the card's number (ITU-T E.118), empty without a card.
	ICCID string
	// PINLeft and PUKLeft are the wrong PINs and PUKs that the card still grants.
	PINLeft, PUKLeft int
}

// SIM tells where the modem's card stands. It asks the card nothing: no try is
// spent, and a modem without power tells it, too.
func (m *Modem) SIM() SIMStatus {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	s := &m.sim
	status := SIMStatus{Inserted: s.present, State: s.shown(), Locked: s.locked, PINLeft: s.pinLeft, PUKLeft: s.pukLeft}
	if s.present {
		status.ICCID = s.iccid
	}
	return status
}

// shown is state, with what makes +CPIN? an error.
func (s *simCard) shown() string {
	switch {
	case !s.present:
		return "NOT INSERTED"
	case s.failed || s.pukLeft == 0:
		return "SIM FAILURE"
	case s.isBusy():
		return "SIM BUSY"
	}
	return s.state()
}
