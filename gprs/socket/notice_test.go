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
	{newSIM800(nil, new(Config)), "+CIPRXGET: 1,3", notice{noticeData, 3}},
	{newSIM800(nil, new(Config)), "+CIPRXGET: 2,0,37,0", notice{}},
	{newSIM800(nil, new(Config)), "5, CLOSED", notice{noticeClosed, 5}},
	{newSIM800(nil, new(Config)), "+PDP: DEACT", notice{kind: noticeLost}},
	{newSIM800(nil, new(Config)), "0, CONNECT OK", notice{}},
	{newSIM7600(nil, new(Config)), "+CIPRXGET: 1,9", notice{noticeData, 9}},
	{newSIM7600(nil, new(Config)), "+IPCLOSE: 0,1", notice{noticeClosed, 0}},
	{newSIM7600(nil, new(Config)), "+IPCLOSE 4,1", notice{noticeClosed, 4}},
	{newSIM7600(nil, new(Config)), "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", notice{kind: noticeLost}},
	{newQuectel(nil, new(Config)), `+QIURC: "recv",11`, notice{noticeData, 11}},
	{newQuectel(nil, new(Config)), `+QIURC: "closed",0`, notice{noticeClosed, 0}},
	{newQuectel(nil, new(Config)), `+QIURC: "pdpdeact",1`, notice{kind: noticeLost}},
	{newQuectel(nil, new(Config)), `+QIURC: "pdpdeact",2`, notice{}}, // of another context
	{newQuectel(nil, &Config{Context: 2}), `+QIURC: "pdpdeact",2`, notice{kind: noticeLost}},
	{newQuectel(nil, new(Config)), `+QIURC: "dnsgip",0,1,600`, notice{}},
	{newQuectel(nil, new(Config)), `+QSSLURC: "recv",2`, notice{noticeData, 2}},
	{newQuectel(nil, new(Config)), `+QIURC: "recv"`, notice{}},
	{newUBlox(nil, new(Config)), "+UUSORD: 6,12", notice{noticeData, 6}},
	{newUBlox(nil, new(Config)), "+UUSORF: 1,12", notice{noticeData, 1}},
	{newUBlox(nil, new(Config)), "+UUSOCL: 2", notice{noticeClosed, 2}},
	{newUBlox(nil, new(Config)), "+UUPSDD: 0", notice{kind: noticeLost}},
	{newUBlox(nil, new(Config)), "+UUSORD:", notice{}},
	{newUBloxPSD(nil, new(Config)), "+UUPSDD: 0", notice{kind: noticeLost}},
	{newUBloxPSD(nil, new(Config)), "+UUPSDD: 1", notice{}}, // of another profile
	{newUBloxPSD(nil, &Config{Profile: 3}), "+UUPSDD: 3", notice{kind: noticeLost}},
	{newTelit(nil, new(Config)), "SRING: 1", notice{noticeData, 0}},
	{newTelit(nil, new(Config)), "SRING: 6,37", notice{noticeData, 5}},
	{newTelit(nil, new(Config)), "SRING: 0", notice{}},
	{newTelit(nil, new(Config)), "NO CARRIER", notice{kind: noticeAskAll}},
	{newTelit(nil, new(Config)), "NO CARRIER: 2", notice{noticeAsk, 1}},
	{newTelit(nil, new(Config)), "NO CARRIER:2,4", notice{noticeAsk, 1}},
	{newTelit(nil, new(Config)), "NO CARRIER: x", notice{}},
}

// drivers are all of them.
func drivers(c at.Commander, cfg *Config) []driver {
	return []driver{newSIM800(c, cfg), newSIM7600(c, cfg), newQuectel(c, cfg), newUBlox(c, cfg), newUBloxPSD(c, cfg), newTelit(c, cfg)}
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
		for _, d := range drivers(nil, new(Config)) {
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
