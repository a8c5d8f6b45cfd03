package gprs

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/internal/fanout"
)

// newTestRadio is a Radio on a scripted modem, in a bubble.
func newTestRadio(t *testing.T, cfg *RadioConfig) (*script, *Radio) {
	s := newScript()
	r := NewRadio(s, cfg)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return s, r
}

func within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

func TestInitLeavesOutWhatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CMEE=1", lines())
		s.on("+CREG=3", plainError)
		s.on("+CREG=2", lines())
		s.on("+CEREG=3", lines())
		require.NoError(t, r.Init(t.Context()))
		require.Equal(t, 1, s.count("+CREG=2"), "the richest form that is accepted")
		require.Zero(t, s.count("+CREG=1"), "and no poorer one")
		require.Zero(t, s.count("+CEREG=2"))
		s.on("+CMEE=1", reply{err: at.ErrLineGone})
		require.ErrorIs(t, r.Init(t.Context()), at.ErrLineGone)
	})
}

// F30 and F31: a SIM that is busy is asked again, in growing steps, and only
// within its budget.
func TestF30SIMBusyIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, &RadioConfig{SIMBudget: 20 * time.Second})
		s.on("+CIMI", cme(14), cme(14), cme(515), lines("460011234567890"))
		imsi, err := r.IMSI(t.Context())
		require.NoError(t, err)
		require.Equal(t, "460011234567890", imsi)

		s.on("+CIMI", cme(14))
		start := time.Now()
		_, err = r.IMSI(t.Context())
		require.ErrorAs(t, err, new(at.CMEError))
		require.LessOrEqual(t, time.Since(start), 20*time.Second)
	})
}

func TestUnlock(t *testing.T) {
	ok := lines()
	tests := []struct {
		name   string
		quirks *Quirks
		script func(s *script)
		pin    string
		want   error // nil: it opens
		left   int
		sent   int // how often the PIN goes out
	}{
		{name: "open already", pin: "1234",
			script: func(s *script) { s.on("+CPIN?", lines("+CPIN: READY")) }},
		{name: "three tries", pin: "1234", sent: 1,
			script: func(s *script) {
				s.on("+CPIN?", lines("+CPIN: SIM PIN"), lines("+CPIN: READY"))
				s.on("+SPIC", lines("+SPIC: 3,3,10,10"))
				s.on(`+CPIN="1234"`, ok)
			}},
		{name: "two tries", pin: "1234", sent: 1,
			script: func(s *script) {
				s.on("+CPIN?", lines("+CPIN: SIM PIN"), lines("+CPIN: READY"))
				s.on("+UPINCNT", lines("+UPINCNT: 2,3,10,10"))
				s.on(`+CPIN="1234"`, ok)
			}},
		{name: "the last try is never spent", pin: "1234", want: ErrLastTry, left: 1,
			script: func(s *script) {
				s.on("+CPIN?", lines("+CPIN: SIM PIN"))
				s.on("+QPINC?", lines(`+QPINC: "SC",1,10`))
				s.on(`+CPIN="1234"`, ok)
			}},
		{name: "no counter, no try", pin: "1234", want: ErrTriesUnknown, left: -1,
			script: func(s *script) {
				s.on("+CPIN?", lines("+CPIN: SIM PIN"))
				s.on(`+CPIN="1234"`, ok)
			}},
		{name: "a profile may allow it without a counter", pin: "1234", quirks: &Quirks{NoTries: true}, sent: 1,
			script: func(s *script) {
				s.on("+CPIN?", lines("+CPIN: SIM PIN"), lines("+CPIN: READY"))
				s.on(`+CPIN="1234"`, ok)
			}},
		{name: "wrong", pin: "1234", want: ErrWrongPIN, left: 2, sent: 1,
			script: func(s *script) {
				s.on("+CPIN?", lines("+CPIN: SIM PIN"))
				s.on("+CPINR", lines("+CPINR: SIM PIN,3,3"), lines("+CPINR: SIM PIN,2,3"))
				s.on(`+CPIN="1234"`, cme(16))
			}},
		{name: "PUK", pin: "1234", want: ErrNoSIM, left: -1,
			script: func(s *script) { s.on("+CPIN?", lines("+CPIN: SIM PUK")) }},
		{name: "no SIM", pin: "1234", want: ErrNoSIM, left: -1,
			script: func(s *script) { s.on("+CPIN?", cme(10)) }},
		{name: "no PIN at all", pin: "12\"34", want: at.ErrInvalid, left: -1, script: func(*script) {}},
		{name: "busy at first", pin: "1234", sent: 1,
			script: func(s *script) {
				s.on("+CPIN?", cme(14), lines("+CPIN: NOT READY"), lines("+CPIN: SIM PIN"), lines("+CPIN: NOT READY"), lines("+CPIN: READY"))
				s.on("+SPIC", cme(14), lines("+SPIC: 3,3,10,10"))
				s.on(`+CPIN="1234"`, ok)
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := newTestRadio(t, &RadioConfig{Quirks: tt.quirks})
				tt.script(s)
				err := r.Unlock(t.Context(), tt.pin)
				require.Equal(t, tt.sent, s.count(`+CPIN="1234"`))
				if tt.want == nil {
					require.NoError(t, err)
					require.True(t, tt.name == "open already" || r.LastSIM() == SIMReady)
					return
				}
				require.ErrorIs(t, err, tt.want)
				var pin *PINError
				require.ErrorAs(t, err, &pin)
				require.Equal(t, tt.left, pin.Left)
				require.NotContains(t, err.Error(), "1234", "promise 10: no PIN in an error")
			})
		})
	}
}

// F65: after a silent reset the PIN is entered once more, but a PIN that was
// refused never is, not even with tries left.
func TestF65RefusedPINIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CPIN?", lines("+CPIN: SIM PIN"))
		s.on("+SPIC", lines("+SPIC: 3,3,10,10"))
		s.on(`+CPIN="1111"`, cme(16))
		require.ErrorIs(t, r.Unlock(t.Context(), "1111"), ErrWrongPIN)
		require.ErrorIs(t, r.Unlock(t.Context(), "1111"), ErrWrongPIN)
		require.Equal(t, 1, s.count(`+CPIN="1111"`))

		s.notify("+CPIN: SIM REMOVED") // F60: another card, another PIN
		require.Equal(t, SIMAbsent, r.LastSIM())
		require.ErrorIs(t, r.Unlock(t.Context(), "1111"), ErrWrongPIN)
		require.Equal(t, 2, s.count(`+CPIN="1111"`), "another card may have that PIN")
	})
}

func TestUnlockPUK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CPIN?", lines("+CPIN: SIM PUK"), lines("+CPIN: SIM PUK"), lines("+CPIN: READY"))
		s.on("+SPIC", lines("+SPIC: 0,0,1,10"))
		require.ErrorIs(t, r.UnlockPUK(t.Context(), "12345678", "1234"), ErrLastTry)
		s.on("+SPIC", lines("+SPIC: 0,0,9,10"))
		s.on(`+CPIN="12345678","1234"`, lines())
		require.NoError(t, r.UnlockPUK(t.Context(), "12345678", "1234"))
		require.ErrorIs(t, r.UnlockPUK(t.Context(), "1234", "1234"), at.ErrInvalid)
	})
}

func TestRegistrationFromAllDomains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CREG?", lines(`+CREG: 2,6,"8B37","0A265185",7`))
		s.on("+CEREG?", lines(`+CEREG: 2,5,"2A1B","0B29C2A1",7`))
		s.on("+C5GREG?", cme(4))
		reg, err := r.Registration(t.Context())
		require.NoError(t, err)
		require.Equal(t, "roaming on LTE, cell 2A1B/B29C2A1", reg.String())
		require.True(t, reg.Packet)
		_, err = r.Registration(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, s.count("+C5GREG?"), "what the modem does not have is not asked again")
		require.Equal(t, 1, s.count("+CGREG?"), "an ERROR says so too")
		require.NoError(t, r.Init(t.Context()))
		_, err = r.Registration(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, s.count("+C5GREG?"), "but after a restart it is")
	})
}

// F21: what was asked for can arrive in the form of a notification (LENA-R8).
func TestF21AnswerThatLooksLikeANotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, &RadioConfig{Quirks: &Quirks{Domains: []Domain{DomainEPS}}})
		s.on("+CEREG?", reply{do: func() { s.notify(`+CEREG: 1,"2A1B","0B29C2A1",7`) }})
		reg, err := r.Registration(t.Context())
		require.NoError(t, err)
		require.Equal(t, StateHome, reg.State)
		s.on("+CEREG?", lines())
		time.Sleep(time.Second)
		_, err = r.Registration(t.Context())
		require.Error(t, err, "an old notification is no answer")
	})
}

func TestWaitRegistered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CPIN?", lines("+CPIN: READY"))
		s.on("+CREG?", lines("+CREG: 2,2"))
		time.AfterFunc(61*time.Second, func() {
			s.on("+CREG?", lines(`+CREG: 2,1,"1816","D04E"`))
			s.notify(`+CREG: 1,"1816","D04E"`)
		})
		start := time.Now()
		reg, err := r.WaitRegistered(t.Context())
		require.NoError(t, err)
		require.Equal(t, StateHome, reg.State)
		require.Equal(t, 61*time.Second, time.Since(start), "the notification ends the wait at once")
	})
}

// F26 for registration: the notification can be lost, so the modem is asked too.
func TestWaitRegisteredWithoutNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, &RadioConfig{PollInterval: 7 * time.Second})
		s.on("+CPIN?", lines("+CPIN: READY"))
		s.on("+CREG?", lines("+CREG: 2,2"), lines("+CREG: 2,2"), lines("+CREG: 2,5"))
		_, err := r.WaitRegistered(t.Context())
		require.NoError(t, err)
	})
}

// A command that is refused while another one is answered is not asked again; a
// modem that refuses all of them is asked again, and an error each time.
func TestRegistrationThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, &RadioConfig{Quirks: &Quirks{Domains: []Domain{DomainCS, DomainPS}}})
		s.on("+CREG?", cme(3))
		s.on("+CGREG?", cme(3))
		for range 3 {
			_, err := r.Registration(t.Context())
			require.ErrorIs(t, err, at.CMEError{Code: 3})
		}
		s.on("+CGREG?", lines("+CGREG: 2,1"))
		for range 3 {
			reg, err := r.Registration(t.Context())
			require.NoError(t, err)
			require.Equal(t, StateHome, reg.State)
		}
	})
}

// A SIM that wants its PIN ends the wait, unless somebody else is opening it; a
// PUK ends it in any case.
func TestWaitRegisteredWhileTheSIMIsOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, elsewhere := range []bool{false, true} {
			s, r := newTestRadio(t, &RadioConfig{OpenedElsewhere: elsewhere})
			s.on("+CREG?", lines("+CREG: 2,0"), lines("+CREG: 2,0"), lines("+CREG: 2,1"))
			s.on("+CPIN?", lines("+CPIN: SIM PIN"), lines("+CPIN: READY"))
			_, err := r.WaitRegistered(t.Context())
			if elsewhere {
				require.NoError(t, err)
				continue
			}
			var pin *PINError
			require.ErrorAs(t, err, &pin)
			require.Equal(t, SIMPIN, pin.State)
		}
		s, r := newTestRadio(t, &RadioConfig{OpenedElsewhere: true})
		s.on("+CREG?", lines("+CREG: 2,0"))
		s.on("+CPIN?", lines("+CPIN: SIM PUK"))
		_, err := r.WaitRegistered(t.Context())
		var pin *PINError
		require.ErrorAs(t, err, &pin)
	})
}

func TestWaitRegisteredSaysWhyNot(t *testing.T) {
	tests := []struct {
		name   string
		script func(s *script)
		want   []string
	}{
		{"F57 denied for ever", func(s *script) {
			s.on("+CREG?", lines(`+CREG: 3,3,"1816","D04E",0,0,13`))
			s.on("+CPIN?", lines("+CPIN: READY"))
		}, []string{"denied", "cause 13 (roaming not allowed in this area)", "is it activated, in credit"}},
		{"F60 SIM taken out", func(s *script) {
			s.on("+CREG?", lines("+CREG: 2,0"))
			s.on("+CPIN?", cme(10))
		}, []string{"not inserted", "insert a SIM"}},
		{"F62 no signal", func(s *script) {
			s.on("+CREG?", lines("+CREG: 2,2"))
			s.on("+CPIN?", lines("+CPIN: READY"))
		}, []string{"searching", "check the antenna"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := newTestRadio(t, nil)
				tt.script(s)
				s.on("+CSQ", lines("+CSQ: 0,0"))
				_, err := r.Signal(t.Context())
				require.NoError(t, err)
				ctx, cancel := within(time.Minute)
				defer cancel()
				_, err = r.WaitRegistered(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				var why *RegistrationError
				require.ErrorAs(t, err, &why)
				for _, text := range tt.want {
					require.Contains(t, err.Error(), text)
				}
			})
		})
	}
}

// F60: with a locked SIM there is nothing to wait for, and no PIN is tried.
func TestF60WaitEndsAtALockedSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CREG?", lines("+CREG: 2,0"))
		s.on("+CPIN?", lines("+CPIN: SIM PIN"))
		start := time.Now()
		_, err := r.WaitRegistered(t.Context())
		require.ErrorIs(t, err, ErrNoSIM)
		require.Less(t, time.Since(start), time.Second)
		for _, sent := range s.sent {
			require.False(t, strings.HasPrefix(sent, "+CPIN="), "no PIN was asked for, none was given")
		}
	})
}

// F57: what the ladder of registration does, in order and with its pauses.
func TestF57RegisterClimbs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CPIN?", lines("+CPIN: READY"))
		s.on("+CREG?", lines("+CREG: 2,3"))
		for _, text := range []string{"+COPS=0", "+CFUN=4"} {
			s.on(text, lines())
		}
		var selected, cycled time.Duration
		start := time.Now()
		s.on("+COPS=0", reply{do: func() { selected = time.Since(start) }})
		s.on("+CFUN=1", reply{do: func() { cycled = time.Since(start); s.on("+CREG?", lines("+CREG: 2,1")) }})
		reg, err := r.Register(t.Context())
		require.NoError(t, err)
		require.Equal(t, StateHome, reg.State)
		require.Equal(t, 15*time.Second, selected)
		require.GreaterOrEqual(t, cycled, 45*time.Second)
		require.Zero(t, s.count(clearForbidden), "no further than needed")

		s.on("+CREG?", lines("+CREG: 2,3"))
		s.on("+CFUN=1", lines())
		_, err = r.Register(t.Context())
		var why *RegistrationError
		require.ErrorAs(t, err, &why)
		require.Equal(t, StateDenied, why.Registration.State)
		require.Equal(t, 1, s.count(clearForbidden))
	})
}

// F59: a network that comes and goes many times a minute is no series of
// failures; a loss that lasts is one.
func TestF59FlappingIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, &RadioConfig{Hold: 10 * time.Second})
		events := r.Events(t.Context())
		s.notify(`+CREG: 1,"1816","D04E"`)
		require.Equal(t, StateHome, (<-events).Registration.State, "a gain counts at once")
		for range 100 {
			s.notify("+CREG: 2")
			time.Sleep(9 * time.Second)
			s.notify(`+CREG: 1,"1816","D04E"`)
			time.Sleep(time.Second)
		}
		require.Empty(t, events)
		require.Equal(t, StateHome, r.Steady().State)
		s.notify("+CREG: 2")
		start := time.Now()
		require.Equal(t, StateSearching, (<-events).Registration.State)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

// F62: 99 is unknown, never 0 dBm, and the last value stays, with its age.
func TestF62UnknownSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		require.Negative(t, r.LastSignal().Age(time.Now()), "nothing was measured")
		s.on("+CSQ", lines("+CSQ: 17,0"))
		got, err := r.Signal(t.Context())
		require.NoError(t, err)
		require.Equal(t, Level{DB: -79, Known: true}, got.RSSI)
		time.Sleep(time.Minute)
		s.on("+CSQ", lines("+CSQ: 99,99"))
		got, err = r.Signal(t.Context())
		require.NoError(t, err)
		require.False(t, got.RSSI.Known)
		require.Equal(t, Level{DB: -79, Known: true}, r.LastSignal().RSSI)
		require.Equal(t, time.Minute, r.LastSignal().Age(time.Now()))

		s.on("+CESQ", lines("+CESQ: 99,99,255,255,20,60"))
		got, err = r.Signal(t.Context())
		require.NoError(t, err)
		require.True(t, got.RSRP.Known)
		s.notify(`+QIND: "csq",18,99`)
		require.Equal(t, Level{DB: -77, Known: true}, r.LastSignal().RSSI, "pushed values count")

		s.on("+CESQ", plainError)
		s.on("+CSQ", plainError)
		_, err = r.Signal(t.Context())
		require.Error(t, err)
	})
}

func TestF63ClockStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CCLK?", lines(`+CCLK: "26/08/05,04:00:21+04"`), lines(`+CCLK: "26/08/05,04:01:21+04"`), lines(`+CCLK: "26/08/05,03:01:21+04"`),
			lines(`+CCLK: "80/01/06,00:00:21+00"`))
		_, err := r.Clock(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Minute)
		c, err := r.Clock(t.Context())
		require.NoError(t, err)
		require.Zero(t, c.Step)
		c, err = r.Clock(t.Context())
		require.NoError(t, err)
		require.Equal(t, -time.Hour, c.Step, "somebody set it back")
		_, err = r.Clock(t.Context())
		require.Error(t, err, "2080 is a clock that was never set")
	})
}

func TestIdentities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on("+CCID", lines("not what was asked for"))
		s.on(readICCID, lines(`+CRSM: 144,0,"98681042087120545668"`))
		id, err := r.ICCID(t.Context())
		require.NoError(t, err)
		require.Equal(t, "89860124801702456586", id)
		s.on("+CNUM", lines())
		number, err := r.OwnNumber(t.Context())
		require.NoError(t, err, "a SIM that does not hold its number is no error")
		require.Empty(t, number)
		s.on("+CSCA?", lines(`+CSCA: "+15550000001",145`))
		smsc, err := r.SMSC(t.Context())
		require.NoError(t, err)
		require.Equal(t, "+15550000001", smsc)
		s.on("+CCID", reply{err: at.ErrLineGone})
		_, err = r.ICCID(t.Context())
		require.ErrorIs(t, err, at.ErrLineGone)
		require.Equal(t, 1, s.count(readICCID), "a line that is gone ends the attempts")
	})
}

func TestOperatorSelection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		s.on(`+COPS=1,2,"26202",7`, lines())
		require.NoError(t, r.SelectOperator(t.Context(), "26202", TechnologyLTE, false))
		s.on(`+COPS=4,2,"26202"`, lines())
		require.NoError(t, r.SelectOperator(t.Context(), "26202", TechnologyUnknown, true))
		require.ErrorIs(t, r.SelectOperator(t.Context(), `26"02`, TechnologyUnknown, true), at.ErrInvalid)

		// F19: an ERROR to a command that did its work.
		s.on("+COPS=0", plainError)
		s.on("+COPS?", lines("+COPS: 0"))
		require.NoError(t, r.SelectAutomatically(t.Context()))
		s.on("+COPS?", lines("+COPS: 1,2,\"26202\""))
		require.Error(t, r.SelectAutomatically(t.Context()))

		s.on("+COPS=?", lines(operatorLists[0].line))
		ops, err := r.Scan(t.Context())
		require.NoError(t, err)
		require.Len(t, ops, 3)
	})
}

// Promise 2: a listener that does not read loses events, is told so, and
// delays nobody.
func TestSlowListenerIsToldItsLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, &RadioConfig{Hold: -1})
		ctx, cancel := context.WithCancel(t.Context())
		events := r.Events(ctx)
		for n := range fanout.Queue + 7 {
			s.notify([]string{"+CREG: 1", "+CREG: 2"}[n%2])
		}
		for range fanout.Queue {
			require.Zero(t, (<-events).Lost)
		}
		s.notify("+CPIN: NOT READY")
		require.Equal(t, 7, (<-events).Lost)
		cancel()
		synctest.Wait()
		_, open := <-events
		require.False(t, open)
	})
}

func TestContextAndSIMEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		events := r.Events(t.Context())
		s.notify(`+CGEV: NW DEACT "IP","10.0.0.1",1`)
		e := <-events
		require.Equal(t, EventContext, e.Kind)
		require.True(t, e.Context.Loses(1))
		s.notify("+CPIN: NOT INSERTED")
		require.Equal(t, SIMAbsent, (<-events).SIM)
		s.notify("+CPIN: nonsense")
		require.Empty(t, events)
	})
}

func TestCDMARegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, &RadioConfig{Quirks: &Quirks{CDMA: []string{"^SYSINFO", "+CSS?", "+CAD?"}}})
		s.on("+CSS?", lines("+CSS: 1,A,4384"))
		reg, err := r.WaitRegistered(t.Context())
		require.NoError(t, err)
		require.Equal(t, TechnologyCDMA, reg.Technology)
		require.True(t, reg.Packet)
		s.notify("^MODE:8")
		require.Equal(t, TechnologyEVDO, r.Steady().Technology)
		require.Zero(t, s.count("+CREG?"), "a CDMA modem has no +CREG")
	})
}

func TestRadioClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newTestRadio(t, nil)
		events := r.Events(t.Context())
		s.on("+CREG?", lines("+CREG: 2,2"))
		s.on("+CPIN?", lines("+CPIN: READY"))
		done := make(chan error, 1)
		go func() {
			_, err := r.WaitRegistered(t.Context())
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
		require.ErrorIs(t, <-done, ErrClosed)
		for range events { // what was told before, then the end
		}
		require.Empty(t, s.handlers, "no subscription is left")
		_, open := <-r.Events(t.Context())
		require.False(t, open, "a closed Radio has no events")
		s.notify("+CREG: 1")
	})
}
