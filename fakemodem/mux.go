package fakemodem

// endMux ends the multiplexer.
func (m *Modem) endMux(cause error) {
	m.muxed = nil
}
