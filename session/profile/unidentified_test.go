package profile

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/at"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a modem that knows the answers to some commands, and otherwise
// says ERROR.
type scripted struct {
	line net.Conn
}

// newScripted returns an engine with the configuration of p on a scripted modem.
func newScripted(t *testing.T, p *Profile, answers map[string][]string) (*at.Modem, *scripted) {
	ours, theirs := net.Pipe()
	s := &scripted{line: theirs}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve(answers)
	}()
	config := p.Engine()
	m := at.New(ours, &config)
	t.Cleanup(func() {
		require.NoError(t, m.Close())
		theirs.Close()
		<-done
	})
	return m, s
}

func (s *scripted) serve(answers map[string][]string) {
	for r := bufio.NewReader(s.line); ; {
		text, err := r.ReadString('\r')
		if err != nil {
			return
		}
		lines, known := answers[strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "AT"), "\r")]
		if !known {
			s.say("ERROR")
			continue
		}
		for _, line := range lines {
			s.say(line)
		}
		s.say("OK")
	}
}

func (s *scripted) say(line string) { _, _ = s.line.Write([]byte("\r\n" + line + "\r\n")) }

// ordinaryAnswers are what modems of all families answer to what a session, its
// radio, its messages and its bearer ask. freeText marks those without a name.
var ordinaryAnswers = []struct {
	command  string
	freeText bool
	lines    []string
}{
	{"+CSQ", false, []string{"+CSQ: 18,99"}},
	{"+CREG?", false, []string{`+CREG: 2,1,"1816","D04E"`}},
	{"+CGREG?", false, []string{`+CGREG: 2,5,"1816","D04E"`}},
	{"+CEREG?", false, []string{`+CEREG: 2,1,"1816","0000D04E",7`}},
	{"+CPIN?", false, []string{"+CPIN: READY"}},
	{"+CFUN?", false, []string{"+CFUN: 1"}},
	{"+CFUN=?", false, []string{"+CFUN: (0,1,4),(0,1)"}},
	{"+CCLK?", false, []string{`+CCLK: "26/11/21,06:55:00+04"`}},
	{"+COPS?", false, []string{`+COPS: 0,0,"Testnet",7`}},
	{"+CPMS?", false, []string{`+CPMS: "SM",0,20,"SM",0,20,"SM",0,20`}},
	{"+CNMI=?", false, []string{"+CNMI: (0-3),(0-3),(0,2),(0,1),(0,1)"}},
	{"+CSCA?", false, []string{`+CSCA: "+15550000001",145`}},
	{"+CGATT?", false, []string{"+CGATT: 1"}},
	{"+CGPADDR=1", false, []string{`+CGPADDR: 1,"10.0.0.2"`}},
	{"+CGDCONT?", false, []string{`+CGDCONT: 1,"IP","m2m","",0,0`, `+CGDCONT: 2,"IP","","",0,0`}},
	{"+CNUM", false, []string{`+CNUM: "","+15555550100",145`}},
	{"+CESQ", false, []string{"+CESQ: 99,99,255,255,20,46"}},
	{"+QCSQ", false, []string{`+QCSQ: "LTE",-52,-81,195,-10`}},
	{"^HCSQ?", false, []string{`^HCSQ:"LTE",47,32,101,20`}},
	{"^SYSINFO", false, []string{"^SYSINFO:2,255,0,4,240"}},
	{"^HDRCSQ", false, []string{"^HDRCSQ: 60"}},
	{"^CPIN?", false, []string{"^CPIN: READY,,10,3,10,3"}},
	{"+QPINC?", false, []string{`+QPINC: "SC",3,10`, `+QPINC: "P2",3,10`}},
	{"+SPIC", false, []string{"+SPIC: 3,3,10,10"}},
	{"+UPINCNT", false, []string{"+UPINCNT: 3,3,10,10"}},
	{"#QSS?", false, []string{"#QSS: 2,3"}},
	{"^SCKS?", false, []string{"^SCKS: 1,1"}},
	{"+QSIMSTAT?", false, []string{"+QSIMSTAT: 1,1"}},
	{"+CSMINS?", false, []string{"+CSMINS: 1,1"}},
	{"+CLIP?", false, []string{"+CLIP: 0,1"}},
	{"+CSCON?", false, []string{"+CSCON: 1,0"}},
	{"+CGMI", true, []string{"SIMCOM_Ltd"}},
	{"+CGMI", true, []string{"Nordic Semiconductor ASA"}},
	{"+CGMM", true, []string{"MC5725 Rev 2.0 (2)"}},
	{"+CGMR", true, []string{"Revision:1418B05SIM800L24"}},
	{"+CGMR", true, []string{"mfw_nrf9160_1.3.4"}},
	{"+CGSN", true, []string{"490154203237518"}},
	{"+CIMI", true, []string{"001010123456789"}},
	{"+CCID", true, []string{"8901260012345678901f"}},
	{"I", true, []string{"Manufacturer: huawei", "Model: E173", "Revision: 11.126.85.01.143", "IMEI: 490154203237518", "+GCAP: +CGSM,+DS,+ES"}},
	{"I9", true, []string{"L0.0.00.00.05.08,A.02.04"}},
}

// No notification of any family takes a line from an answer.
func TestUnidentifiedSwallowsNoAnswer(t *testing.T) {
	for _, p := range append([]*Profile{Unidentified}, All...) {
		synctest.Test(t, func(t *testing.T) {
			for _, c := range ordinaryAnswers {
				m, _ := newScripted(t, p, map[string][]string{c.command: c.lines})
				resp, err := m.Command(t.Context(), at.Command{Text: c.command, FreeText: c.freeText})
				require.NoError(t, err, "%s: AT%s", p.Name, c.command)
				var got []string
				for _, info := range resp.Info {
					got = append(got, info.Text)
				}
				require.Equal(t, c.lines, got, "%s: AT%s", p.Name, c.command)
				require.Zero(t, m.Stats().Reboots, "%s: AT%s", p.Name, c.command)
			}
		})
	}
}

// Every line that a family says by itself is known before the modem is, and
// none of them ends up in the answer of a command without a name.
func TestUnidentifiedKnowsEveryFamily(t *testing.T) {
	for _, family := range All {
		synctest.Test(t, func(t *testing.T) {
			m, s := newScripted(t, Unidentified, map[string][]string{"+CGMM": {"SIMCOM_SIM800L"}})
			heard := make(chan at.Notification, 100)
			defer m.Handle("", func(n at.Notification) { heard <- n })()
			for _, rule := range family.Notifications {
				s.say(rule.Prefix + ": 7")
				n := <-heard
				require.Equal(t, at.KindKnown, n.Kind, rule.Prefix)
				require.Equal(t, rule.Prefix+": 7", n.Line)
			}
			for _, text := range family.BootMessages {
				time.Sleep(time.Minute) // a start of its own
				s.say(text)
				require.Equal(t, at.KindReboot, (<-heard).Kind, "%s: %s", family.Name, text)
			}
		})
	}
}

// The usual boot messages are those of an engine that was told none.
func TestUsualBootMessagesAreTheEnginesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := newScripted(t, Standard, nil)
		heard := make(chan at.Notification, 10)
		defer m.Handle("", func(n at.Notification) { heard <- n })()
		for _, text := range usualBootMessages {
			time.Sleep(time.Minute)
			s.say(text)
			require.Equal(t, at.KindReboot, (<-heard).Kind, text)
		}
	})
}

// A notification in the midst of an answer without a name stays one.
func TestUnidentifiedKeepsNotificationsOutOfFreeText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, rule := range Unidentified.Notifications {
			m, _ := newScripted(t, Unidentified, map[string][]string{"+CGMM": {rule.Prefix + ": 7", "E173"}})
			resp, err := m.Exec(t.Context(), "+CGMM")
			require.NoError(t, err)
			require.Len(t, resp.Info, 1, rule.Prefix)
			require.Equal(t, "E173", resp.Info[0].Text)
		}
	})
}
