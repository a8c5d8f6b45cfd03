package sms_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// F102: another program changes what this one has set. Nothing goes to a wrong
// number or in a wrong form, and nothing is lost.
func TestF102ForeignSettings(t *testing.T) {
	for _, text := range []bool{false, true} {
		for _, foreign := range []string{`+CMGF=1`, `+CMGF=0`, `+CSCS="IRA"`, `+CPMS="SM","SM","SM"`, `+CNMI=0,0,0,0,0`, `+CSDH=0`, `+CSMP=81,0,0,4`, `+CSMS=1`} {
			t.Run(fmt.Sprintf("%s, text mode %v", foreign, text), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := newBench(t, &sms.Config{Quirks: sms.Quirks{TextMode: text}})
					arrived := b.receive(t, nil)
					seen := watchSubmissions(b.network)
					time.Sleep(time.Minute)
					for i := range 3 {
						_, err := b.modem.Exec(t.Context(), foreign)
						require.NoError(t, err)
						time.Sleep(2 * time.Second)
						out := fmt.Sprintf("out %d, à", i)
						_, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: out})
						require.NoError(t, err)
						got, err := b.phone.Receive(t.Context())
						require.NoError(t, err)
						require.Equal(t, out, got.Text)
						_, err = b.modem.Exec(t.Context(), foreign)
						require.NoError(t, err)
						in := fmt.Sprintf("in %d, à", i)
						require.NoError(t, b.phone.Send(b.fake.Number(), in))
						got2 := <-arrived
						require.NoError(t, got2.Err)
						require.Equal(t, in, got2.Text)
						time.Sleep(10 * time.Minute)
					}
					synctest.Wait()
					require.Empty(t, arrived)
					require.Len(t, seen.parts(), 6, "nothing went anywhere else")
				})
			})
		}
	}
}

// What the network tells of a message in TP-ST (TS 23.040 clause 9.2.3.15), and
// what follows from it.
func TestStatusMeanings(t *testing.T) {
	for status, test := range map[tpdu.Status]struct {
		state sms.DeliveryState
		words string
	}{
		0x00: {sms.Delivered, "received"},
		0x01: {sms.Delivered, "forwarded"},
		0x02: {sms.Delivered, "replaced"},
		0x20: {sms.Pending, "congestion"},
		0x22: {sms.Pending, "no response"},
		0x41: {sms.Failed, "incompatible"},
		0x45: {sms.Failed, "interworking"},
		0x46: {sms.Expired, "validity"},
		0x62: {sms.Failed, "no response"},
		0x7F: {sms.Failed, ""},
	} {
		t.Run(fmt.Sprintf("%#02x", byte(status)), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var reports []sms.Event
				b := newBench(t, &sms.Config{OnEvent: func(e sms.Event) {
					if e.Kind == sms.EventReport {
						reports = append(reports, e)
					}
				}})
				b.receive(t, nil)
				time.Sleep(time.Minute)
				b.phone.SetOff(true)
				receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true})
				require.NoError(t, err)
				to, err := tpdu.ParseAddress(b.phone.Number())
				require.NoError(t, err)
				r := tpdu.StatusReport{
					Reference: receipt.Parts[0].Reference, Recipient: to, Status: status,
					Timestamp: tpdu.NewTimestamp(time.Now()), Discharge: tpdu.NewTimestamp(time.Now()),
				}
				octets, err := r.AppendBinary(nil)
				require.NoError(t, err)
				b.fake.Emit(fmt.Sprintf("+CDS: %d\r\n00%X", len(octets), octets))
				soon, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				known, err := receipt.Wait(soon)
				if test.state == sms.Pending {
					require.ErrorIs(t, err, context.DeadlineExceeded, "the network still tries")
				} else {
					require.NoError(t, err)
				}
				require.Equal(t, test.state, known[0].State)
				require.Equal(t, status, known[0].Status)
				require.Contains(t, known[0].Status.String(), test.words)
				synctest.Wait()
				require.Len(t, reports, 1)
				require.Equal(t, status, reports[0].Report.Status)
			})
		})
	}
}
