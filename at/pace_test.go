package at

import (
	"testing"
	"time"
)

// The pause is set anew once it is known which modem is on the line.
func TestSetPacing(t *testing.T) {
	dialogue(t, &Config{Pacing: 100 * time.Millisecond}, func(t *testing.T, s *script, m *Modem) {
		first := start(t, m, Command{Text: "+CGMM"})
		s.wantLine("", "AT+CGMM")
		s.send("SIM800", "OK")
		first.wantOK("", "SIM800")
		m.SetPacing(20 * time.Millisecond)
		second := start(t, m, Command{Text: "+CSQ"})
		s.wantIdle("a pause that goes on keeps its length")
		time.Sleep(100 * time.Millisecond)
		s.wantLine("", "AT+CSQ")
		s.send("OK")
		second.wantOK("")
		third := start(t, m, Command{Text: "+CFUN=1"})
		s.wantIdle("the new one is kept")
		time.Sleep(20 * time.Millisecond)
		s.wantLine("and not longer", "AT+CFUN=1")
		s.send("OK")
		third.wantOK("")
	})
}
