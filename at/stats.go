package at

// Stats counts what an engine had to put up with since New.
type Stats struct {
	Noise        int // octets dropped because they were no text
	Overlong     int // lines and bodies beyond Config.LineLimit
	Late         int // lines of answers that nobody waited for any more
	StrayResults int // final results that no command was waiting for
	Lost         int // notifications lost in full queues
	LostBodies   int // bodies that did not come, or not wholly
	Losses       int // times the place was lost
	Reboots      int // times the modem started by itself
}

// Stats returns the counts so far.
func (m *Modem) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}
