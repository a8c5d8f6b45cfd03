package sms_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// What cannot be decoded is handed over as it came, with the error, and is
// neither lost nor does it come back for ever; the next message comes after it.
func TestWhatCannotBeDecodedIsHandedOverRaw(t *testing.T) {
	t.Parallel()
	for name, pdu := range map[string]string{
		"no hexadecimal":       "00XY",
		"half an octet":        "0004F",
		"service centre alone": "0791515500",
		"nothing":              "00",
		"first octet alone":    "0004",
		"a long address":       "0004FF91" + strings.Repeat("11", 20),
		"a cut time stamp":     "00040B915155550521F3000062110100",
		"a cut report":         "0006010B915155550521F3621101",
	} {
		for _, way := range []string{"+CMT", "+CDS", "stored"} {
			for _, durable := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, durable %v", name, way, durable), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						cfg := &sms.Config{}
						if durable {
							cfg.Store = storeIn(t)
						}
						b := newBench(t, cfg)
						refusals := 1
						arrived := b.receive(t, func(sms.Incoming) error {
							if refusals--; refusals == 0 {
								return fmt.Errorf("not now")
							}
							return nil
						})
						time.Sleep(time.Minute)
						var lying atomic.Bool
						switch way {
						case "+CMT":
							b.fake.Emit(fmt.Sprintf("+CMT: ,%d\r\n%s", len(pdu)/2-1, pdu))
						case "+CDS":
							b.fake.Emit(fmt.Sprintf("+CDS: %d\r\n%s", len(pdu)/2-1, pdu))
						default:
							lying.Store(true)
							b.fake.OnCommand("+CMGL", func(c *fakemodem.Call) fakemodem.Result {
								if lying.Load() {
									c.Info(fmt.Sprintf("+CMGL: 7,0,,%d\r\n%s", len(pdu)/2-1, pdu))
									return fakemodem.OK
								}
								return fakemodem.Default
							})
							b.fake.OnCommand("+CMGD", func(c *fakemodem.Call) fakemodem.Result {
								if c.Text == "7" {
									lying.Store(false)
									return fakemodem.OK
								}
								return fakemodem.Default
							})
							b.fake.Emit(`+CMTI: "ME",7`)
						}
						select {
						case in := <-arrived:
							require.Error(t, in.Err)
							require.Nil(t, in.Report)
							require.Len(t, in.TPDUs, 1, "nothing of it is lost")
							require.True(t, strings.HasSuffix(pdu, fmt.Sprintf("%X", in.TPDUs[0])) || pdu == string(in.TPDUs[0]), "%X", in.TPDUs[0])
						case <-time.After(time.Hour):
							require.Fail(t, "it is lost")
						}
						time.Sleep(time.Hour)
						synctest.Wait()
						require.Empty(t, arrived, "once is enough")
						require.False(t, lying.Load(), "it is deleted")
						require.NoError(t, b.phone.Send(b.fake.Number(), "the next"))
						require.Equal(t, "the next", (<-arrived).Text)
					})
				})
			}
		}
	}
}

// A flood of first parts, in number above every bound, exhausts neither memory
// nor the storage: each part is handed over in the end, and messages come
// through meanwhile.
func TestAFloodOfFirstParts(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprintf("durable %v", durable), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				full := 0
				cfg := &sms.Config{
					Quirks:  sms.Quirks{Storages: []string{"SM"}}, // 20 places
					OnEvent: func(e sms.Event) { full += map[sms.EventKind]int{sms.EventStorageFull: 1}[e.Kind] },
				}
				cfg.Partial.MaxPerSender, cfg.Partial.MaxAge = 30, 24*time.Hour
				if durable {
					cfg.Store = storeIn(t)
				}
				b := newBench(t, cfg)
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				const flood = 60
				for i := range flood {
					first := submits(t, b.fake.Number(), strings.Repeat(fmt.Sprintf("%02d flood ", i), 30))[0]
					setReference(first, byte(i))
					require.NoError(t, b.phone.SendTPDU(first))
					time.Sleep(time.Minute)
				}
				text := strings.Repeat("through it ", 20)
				require.NoError(t, b.network.Phone("+15555550177").Send(b.fake.Number(), text))
				deadline := time.After(time.Hour)
				incomplete := 0
				for whole := false; !whole; {
					select {
					case in := <-arrived:
						if whole = in.Text == text; !whole {
							require.ErrorIs(t, in.Err, sms.ErrIncomplete)
							incomplete++
						}
					case <-deadline:
						require.Fail(t, "nothing comes through")
					}
				}
				require.GreaterOrEqual(t, incomplete, flood-30)
				time.Sleep(25 * time.Hour)
				synctest.Wait()
				require.Equal(t, flood, incomplete+len(arrived), "each was handed over")
				require.Empty(t, b.fake.Messages("SM"))
				require.Equal(t, !durable, full > 0)
			})
		})
	}
}

// setReference puts another reference into the header of a part (an 8-bit one,
// which submits makes).
func setReference(submit []byte, reference byte) {
	for i := range submit[:len(submit)-5] {
		if string(submit[i:i+3]) == "\x05\x00\x03" {
			submit[i+3] = reference
			return
		}
	}
}

// F50, F102: whatever sets the notifications otherwise, they are set again, and
// what was stored in silence is found.
func TestRoutingIsSetAgain(t *testing.T) {
	for _, setting := range []string{"+CNMI=0,0,0,0,0", "+CNMI=2,0,2,0,0", "+CNMI=1,1,0,1,0"} {
		t.Run(setting, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				lost := 0
				b := newBench(t, &sms.Config{OnEvent: func(e sms.Event) { lost += map[sms.EventKind]int{sms.EventRoutingLost: 1}[e.Kind] }})
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				before, err := b.modem.Exec(t.Context(), "+CNMI?")
				require.NoError(t, err)
				_, err = b.modem.Exec(t.Context(), setting)
				require.NoError(t, err)
				require.NoError(t, b.phone.Send(b.fake.Number(), "in silence"))
				select {
				case in := <-arrived:
					require.Equal(t, "in silence", in.Text)
				case <-time.After(6 * time.Minute):
					require.Fail(t, "a sweep finds it")
				}
				time.Sleep(6 * time.Minute)
				after, err := b.modem.Exec(t.Context(), "+CNMI?")
				require.NoError(t, err)
				require.Equal(t, before.Info[0].Text, after.Info[0].Text)
				require.Equal(t, 1, lost)
			})
		})
	}
}

// Messages lie in every storage; all are swept, and a notification's own first.
func TestAllStoragesAreSwept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		for _, storage := range []string{"SM", "ME"} {
			_, err := b.modem.Exec(t.Context(), fmt.Sprintf(`+CPMS="%s","%s","%s"`, storage, storage, storage))
			for err != nil { // the SIM is busy after the start
				time.Sleep(time.Second)
				_, err = b.modem.Exec(t.Context(), fmt.Sprintf(`+CPMS="%s","%s","%s"`, storage, storage, storage))
			}
			require.NoError(t, b.phone.Send(b.fake.Number(), storage))
			time.Sleep(time.Minute)
			require.Len(t, b.fake.Messages(storage), 1)
		}
		arrived := b.receive(t, nil)
		require.ElementsMatch(t, []string{"SM", "ME"}, []string{(<-arrived).Text, (<-arrived).Text})
		time.Sleep(time.Minute)
		require.Empty(t, b.fake.Messages("SM"))
		require.Empty(t, b.fake.Messages("ME"))
	})
}

// The link is asked for before the first part, and again after each pause,
// because it does not last (TS 27.005 clause 3.5.6); a refusal does no harm.
func TestMoreMessages(t *testing.T) {
	for _, refused := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			b := newBench(t, &sms.Config{Quirks: sms.Quirks{MoreMessages: true}})
			require.NoError(t, b.service.Setup(t.Context()))
			var dialogue []string
			b.fake.OnCommand("+CMMS", func(c *fakemodem.Call) fakemodem.Result {
				dialogue = append(dialogue, "+CMMS="+c.Text)
				if refused {
					return fakemodem.CMS(500)
				}
				return fakemodem.OK
			})
			b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
				dialogue = append(dialogue, "+CMGS")
				if len(dialogue) == 3 {
					return fakemodem.CMS(42) // congestion
				}
				return fakemodem.Default
			})
			_, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: strings.Repeat("x", 400)})
			require.NoError(t, err)
			require.Equal(t, []string{"+CMMS=1", "+CMGS", "+CMGS", "+CMMS=1", "+CMGS", "+CMGS"}, dialogue)
			dialogue = nil
			_, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "short"})
			require.NoError(t, err)
			require.Equal(t, []string{"+CMGS"}, dialogue, "one part needs no link")
		})
	}
}

// deliverTPDU is a message as the network sends it.
func deliverTPDU(t *testing.T, text string) []byte {
	parts, err := tpdu.Split(text, nil)
	require.NoError(t, err)
	d := tpdu.Deliver{DCS: parts.DCS(0), UserData: parts.At(0), Timestamp: tpdu.NewTimestamp(time.Now())}
	d.Originator, err = tpdu.ParseAddress("+15550100")
	require.NoError(t, err)
	octets, err := d.AppendBinary(nil)
	require.NoError(t, err)
	return octets
}

// damages are ways to damage the line of a PDU.
var damages = map[string]func(pdu string) string{
	"octets lost":       func(pdu string) string { return pdu[:20] + pdu[24:] },
	"the end lost":      func(pdu string) string { return pdu[:len(pdu)-4] },
	"half an octet":     func(pdu string) string { return pdu[:len(pdu)-1] },
	"another line":      func(string) string { return "^RSSI:18" },
	"a character wrong": func(pdu string) string { return pdu[:10] + "?" + pdu[11:] },
}

// F04, F08, F28: a stored message that is damaged on its way from the modem is
// read again, and not deleted before.
func TestADamagedReadingIsNotTheMessage(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				octets := deliverTPDU(t, "whole at last")
				pdu := fmt.Sprintf("00%X", octets)
				readings, lying := 0, true
				b.fake.OnCommand("+CMGL", func(c *fakemodem.Call) fakemodem.Result {
					if !lying {
						return fakemodem.Default
					}
					body := pdu
					if readings++; readings < 4 { // never twice the same way
						body = damage(pdu[:len(pdu)-2*readings])
						if name == "another line" {
							body += fmt.Sprint(readings)
						}
					}
					c.Info(fmt.Sprintf("+CMGL: 7,0,,%d\r\n%s", len(octets), body))
					return fakemodem.OK
				})
				b.fake.OnCommand("+CMGD", func(c *fakemodem.Call) fakemodem.Result {
					require.Equal(t, 4, readings)
					lying = false
					return fakemodem.OK
				})
				b.fake.Emit(`+CMTI: "ME",7`)
				began := time.Now()
				in := <-arrived
				require.NoError(t, in.Err)
				require.Equal(t, "whole at last", in.Text)
				require.Less(t, time.Since(began), time.Minute)
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Empty(t, arrived)
			})
		})
	}
}

// The same of one that is handed over directly: the network sends it again.
func TestADamagedMessageIsNotAcknowledged(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, &sms.Config{Store: storeIn(t), Quirks: sms.Quirks{Direct: true}})
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				acks := watchAcknowledgments(b.fake)
				octets := deliverTPDU(t, "whole at last")
				pdu := fmt.Sprintf("00%X", octets)
				b.fake.Emit(fmt.Sprintf("+CMT: ,%d\r\n%s", len(octets), damage(pdu)))
				time.Sleep(5 * time.Second)
				require.Equal(t, []string{"2"}, acks.said())
				require.Empty(t, arrived)
				b.fake.Emit(fmt.Sprintf("+CMT: ,%d\r\n%s", len(octets), pdu))
				in := <-arrived
				require.NoError(t, in.Err)
				require.Equal(t, "whole at last", in.Text)
				time.Sleep(time.Second)
				require.Equal(t, []string{"2", ""}, acks.said())
			})
		})
	}
}

// Two messages listed in one place, because a digit of the other was lost: when
// one is taken, the other is not deleted.
func TestAPlaceIsNotGuessed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		var mu sync.Mutex
		there := map[string][]byte{"2": deliverTPDU(t, "two"), "12": deliverTPDU(t, "twelve")}
		lies := func(place string) bool {
			mu.Lock()
			defer mu.Unlock()
			return there[place] != nil
		}
		refusals := 3
		arrived := b.receive(t, func(in sms.Incoming) error {
			time.Sleep(time.Second)
			if in.Text == "two" {
				require.True(t, lies("2"), "it was not taken yet")
				if refusals--; refusals >= 0 {
					return fmt.Errorf("not now")
				}
			}
			return nil
		})
		time.Sleep(time.Minute)
		readings := 0
		b.fake.OnCommand("+CMGL", func(c *fakemodem.Call) fakemodem.Result {
			mu.Lock()
			defer mu.Unlock()
			readings++
			for _, place := range []string{"2", "12"} {
				if octets := there[place]; octets != nil {
					if readings == 1 {
						place = "2"
					}
					c.Info(fmt.Sprintf("+CMGL: %s,0,,%d\r\n00%X", place, len(octets), octets))
				}
			}
			return fakemodem.OK
		})
		b.fake.OnCommand("+CMGD", func(c *fakemodem.Call) fakemodem.Result {
			mu.Lock()
			defer mu.Unlock()
			delete(there, c.Text)
			return fakemodem.OK
		})
		b.fake.Emit(`+CMTI: "ME",2`)
		require.ElementsMatch(t, []string{"two", "twelve"}, []string{(<-arrived).Text, (<-arrived).Text})
		time.Sleep(time.Hour)
		synctest.Wait()
		require.False(t, lies("2") || lies("12"))
		require.Empty(t, arrived)
	})
}
