package sms

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// followed makes reports follow messages of a number of parts each.
func followed(t *testing.T, messages, parts int) (*reports, []*tracked) {
	s := New(nil, nil)
	var all []*tracked
	for i := range messages {
		m := s.reports.track(uint64(i+1), "+15555550123", make([]PartReceipt, parts), true, time.Hour)
		for part := range parts {
			require.NoError(t, m.begin(part))
			m.sent(part, Sent, byte(i*parts+part+1))
		}
		all = append(all, m)
	}
	return &s.reports, all
}

// Of too many, those are forgotten first of which no report can come, then those
// of which all is known, then the oldest.
func TestFollowedPartsAreBounded(t *testing.T) {
	r, all := followed(t, maxFollowed/32, 32)
	require.Equal(t, maxFollowed, r.parts)
	refused, known := all[7], all[9]
	for i := range refused.parts {
		refused.parts[i].Outcome = NotSent
		known.parts[i].State = Delivered
	}
	for i, first := range []*tracked{refused, known, all[0], all[1]} {
		require.NotNil(t, r.find(first.id))
		m := r.track(uint64(len(all)+i+1), "1234567", make([]PartReceipt, 30), true, time.Hour)
		require.NoError(t, m.begin(0))
		require.Nil(t, r.find(first.id), i)
		require.LessOrEqual(t, r.parts, maxFollowed)
		require.NotNil(t, r.find(m.id))
		require.NoError(t, m.begin(1))
	}
	require.NotNil(t, r.find(all[2].id))
	total := 0
	for _, m := range r.messages {
		total += len(m.parts)
	}
	require.Equal(t, total, r.parts)
}

// Which part a report is about, of several that it might be (TS 23.040 clauses
// 9.2.2.3 and 9.2.3.6).
func TestReportsFindTheirPart(t *testing.T) {
	at := func(minutes int) time.Time { return time.Date(2026, 11, 21, 12, minutes, 0, 0, time.UTC) }
	part := func(outcome Outcome, reference byte, sent int) trackedPart {
		return trackedPart{Delivery: Delivery{Outcome: outcome}, sent: at(sent), reference: reference}
	}
	told := func(p trackedPart, state DeliveryState, taken int) trackedPart {
		p.State, p.taken, p.report = state, at(taken), digest{99, byte(taken)}
		return p
	}
	for _, test := range []struct {
		name      string
		parts     []trackedPart
		useless   bool
		reference byte
		taken     int
		d         digest
		want      int // part, from 1; 0: none
	}{
		{"by reference", []trackedPart{part(Sent, 1, 0), part(Sent, 2, 0)}, false, 2, 0, digest{1}, 2},
		{"by reference, whatever the clock", []trackedPart{part(Sent, 1, 0), part(Sent, 2, 0)}, false, 2, 600, digest{1}, 2},
		{"another reference", []trackedPart{part(Sent, 1, 0)}, false, 2, 0, digest{1}, 0},
		{"a reference that came round", []trackedPart{part(Sent, 5, 0), part(Sent, 5, 50)}, false, 5, 48, digest{1}, 2},
		{"in doubt", []trackedPart{part(InDoubt, 0, 0)}, false, 7, 1, digest{1}, 1},
		{"in doubt, at another time", []trackedPart{part(InDoubt, 0, 0)}, false, 7, 11, digest{1}, 0},
		{"the reference before the doubt", []trackedPart{part(InDoubt, 0, 0), part(Sent, 7, 9)}, false, 7, 0, digest{1}, 2},
		{"refused", []trackedPart{part(NotSent, 7, 0)}, false, 7, 0, digest{1}, 0},
		{"not gone", []trackedPart{{Delivery: Delivery{Outcome: NotSent}}}, false, 0, 0, digest{1}, 0},
		{"reference 0 says nothing", []trackedPart{part(Sent, 0, 0)}, false, 77, 0, digest{1}, 1},
		{"references that repeat say nothing", []trackedPart{part(Sent, 3, 0), part(Sent, 3, 5)}, true, 77, 5, digest{1}, 2},
		{"the same report again", []trackedPart{told(part(Sent, 5, 0), Delivered, 0), part(Sent, 5, 0)}, false, 5, 0, digest{99, 0}, 1},
		{"the same report again, without references", []trackedPart{told(part(Sent, 0, 0), Delivered, 0), part(Sent, 0, 0)}, true, 0, 0, digest{99, 0}, 1},
		{"a further report", []trackedPart{part(Sent, 5, 0), told(part(Sent, 5, 1), Pending, 1)}, false, 5, 1, digest{1}, 2},
		{"a report after the last", []trackedPart{part(Sent, 5, 50), told(part(Sent, 5, 0), Delivered, 0)}, false, 5, 0, digest{1}, 2},
		{"the other of two in one second without references", []trackedPart{told(part(Sent, 0, 0), Delivered, 0), part(Sent, 0, 0)}, true, 0, 0, digest{1}, 2},
		{"the next one with that reference", []trackedPart{told(part(Sent, 5, 0), Delivered, 0), part(Sent, 5, 50)}, false, 5, 50, digest{1}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := New(nil, nil)
			r := &s.reports
			r.useless = test.useless
			m := r.track(1, "+15555550123", make([]PartReceipt, len(test.parts)), true, time.Hour)
			m.parts = test.parts
			r.list(m)
			report := Report{Reference: test.reference, To: "015555550123", Status: tpdu.Received}
			r.take(&report, at(test.taken), test.d)
			require.Equal(t, test.want, report.Part)
			if test.want > 0 {
				require.Equal(t, uint64(1), report.Message)
				require.Equal(t, Delivered, m.parts[test.want-1].State)
			}
			other := Report{Reference: test.reference, To: "+15555550124", Status: tpdu.Received}
			r.take(&other, at(test.taken), digest{2})
			require.Zero(t, other.Message, "another number")
		})
	}
}

// What a report has told stays, whatever is heard of the part behind it.
func TestKnownOutcomesStay(t *testing.T) {
	s := New(nil, nil)
	m := s.reports.track(1, "+15555550123", make([]PartReceipt, 1), true, time.Hour)
	require.NoError(t, m.begin(0))
	s.reports.take(&Report{Reference: 7, To: m.to, Status: tpdu.Received}, time.Now(), digest{1})
	for _, outcome := range []Outcome{InDoubt, NotSent} {
		m.sent(0, outcome, 0)
		known, reference := m.outcome(0)
		require.Equal(t, Sent, known)
		require.Equal(t, byte(7), reference)
	}
}

// Whether the modem's references make sense is found out again after a restart.
func TestUselessReferencesAfterARestart(t *testing.T) {
	for _, useless := range []bool{false, true} {
		store, err := OpenStore(filepath.Join(t.TempDir(), "sms.db"))
		require.NoError(t, err)
		defer store.Close()
		s := New(nil, &Config{Store: store})
		require.NoError(t, s.load(t.Context()))
		for i := range 3 {
			m := s.reports.track(uint64(i+1), "+15555550123", make([]PartReceipt, 1), true, time.Hour)
			require.NoError(t, m.begin(0))
			reference := byte(5 + i)
			if useless {
				reference = 5
			}
			m.sent(0, Sent, reference)
		}
		again := New(nil, &Config{Store: store})
		require.NoError(t, again.load(t.Context()))
		require.Equal(t, useless, again.reports.useless)
	}
}
