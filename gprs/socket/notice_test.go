package socket

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
)

var noticeLines = []struct {
	dialect driver
	line    string
	want    notice
}{
	{sim800{}, "+CIPRXGET: 1,3", notice{noticeData, 3}},
	{sim800{}, "+CIPRXGET: 2,0,37,0", notice{}},
	{sim800{}, "5, CLOSED", notice{noticeClosed, 5}},
	{sim800{}, "+PDP: DEACT", notice{kind: noticeLost}},
	{sim800{}, "0, CONNECT OK", notice{}},
	{sim7600{}, "+CIPRXGET: 1,9", notice{noticeData, 9}},
	{sim7600{}, "+IPCLOSE: 0,1", notice{noticeClosed, 0}},
	{sim7600{}, "+IPCLOSE 4,1", notice{noticeClosed, 4}},
	{sim7600{}, "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", notice{kind: noticeLost}},
	{quectel{}, `+QIURC: "recv",11`, notice{noticeData, 11}},
	{quectel{}, `+QIURC: "closed",0`, notice{noticeClosed, 0}},
	{quectel{}, `+QIURC: "pdpdeact",1`, notice{kind: noticeLost}},
	{quectel{}, `+QIURC: "dnsgip",0,1,600`, notice{}},
	{quectel{}, `+QSSLURC: "recv",2`, notice{noticeData, 2}},
	{quectel{}, `+QIURC: "recv"`, notice{}},
	{ublox{}, "+UUSORD: 6,12", notice{noticeData, 6}},
	{ublox{}, "+UUSORF: 1,12", notice{noticeData, 1}},
	{ublox{}, "+UUSOCL: 2", notice{noticeClosed, 2}},
	{ublox{}, "+UUPSDD: 0", notice{kind: noticeLost}},
	{ublox{}, "+UUSORD:", notice{}},
}

func TestNotices(t *testing.T) {
	for _, tt := range noticeLines {
		require.Equal(t, tt.want, tt.dialect.notice(tt.line), "%T %s", tt.dialect, tt.line)
	}
}

// FuzzNotice: no line is a panic, a socket that cannot be, or a block beyond
// its limit.
func FuzzNotice(f *testing.F) {
	for _, tt := range noticeLines {
		f.Add(tt.line)
	}
	f.Add("+QIRD: 1500")
	f.Add("+CIPRXGET: 2,0,99999999999,0")
	f.Fuzz(func(t *testing.T, line string) {
		for _, d := range []driver{sim800{}, sim7600{}, quectel{}, ublox{}} {
			if n := d.notice(line); n.kind != noticeNone && n.id < 0 {
				t.Fatalf("%T: %q means socket %d", d, line, n.id)
			}
		}
		for _, rule := range []func(string) at.Body{octets("+QIRD", 0), octets("+CIPRXGET", 2)} {
			if b := rule(line); b.Octets < 0 || b.Octets > maxBlock {
				t.Fatalf("%q announces %d octets", line, b.Octets)
			}
		}
	})
}
