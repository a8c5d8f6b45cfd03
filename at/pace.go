package at

import "time"

// SetPacing sets Config.Pacing anew for the commands behind the next final
// result: for when it is known which modem is on the line. A pause that goes
// on keeps its length.
func (m *Modem) SetPacing(pause time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pacing = pause
}
