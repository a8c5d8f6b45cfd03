package sms

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// Whatever a modem writes in text mode either becomes a message that can be
// read or is refused.
func FuzzDeliverOf(f *testing.F) {
	f.Fuzz(func(t *testing.T, line string, body []byte, charset string) {
		if at, ok := reportAt(line); ok {
			octets, err := reportOf(line, at, charset)
			if err == nil {
				require.NoError(t, new(tpdu.StatusReport).Decode(octets))
			}
			return
		}
		octets, err := deliverOf(line, body, charset)
		if err != nil {
			return
		}
		var d tpdu.Deliver
		require.NoError(t, d.Decode(octets))
	})
}

func TestDeliverOf(t *testing.T) {
	const tail = `"26/11/21,07:00:00-20",145,4,0,0,"+15550199",145,5`
	for name, line := range map[string]string{
		"name empty":    `+CMT: "+15550100","",` + tail,
		"name missing":  `+CMT: "+15550100",,` + tail,
		"name left out": `+CMT: "+15550100",` + tail,
		"comma in name": `+CMT: "+15550100","Pump, north",` + tail,
		"stored":        `+CMGR: "REC READ","+15550100",,` + tail,
		"listed":        `+CMGL: 1,"REC READ","+15550100",,` + tail,
	} {
		t.Run(name, func(t *testing.T) {
			octets, err := deliverOf(line, []byte("hello"), "GSM")
			require.NoError(t, err)
			in := assemble([][]byte{octets})
			require.NoError(t, in.Err)
			require.Equal(t, "+15550100", in.From)
			require.Equal(t, "hello", in.Text)
			require.Equal(t, "2026-11-21T07:00:00-05:00", in.Sent.Format("2006-01-02T15:04:05Z07:00"))
		})
	}
	for name, line := range map[string]string{
		"no details": `+CMT: "+15550100",,"26/11/21,07:00:00+04"`,
		"bad number": `+CMT: "pump",,` + tail,
		"bad time":   `+CMT: "+15550100",,"yesterday",145,4,0,0,"",145,5`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := deliverOf(line, []byte("hello"), "GSM")
			require.Error(t, err)
		})
	}
}

func TestReportOf(t *testing.T) {
	const tail = `"26/11/21,07:00:00-20","26/11/21,07:01:00-20",70`
	for name, test := range map[string]struct{ line, to, charset string }{
		"+CDS":           {`+CDS: 6,17,"+15550100",145,` + tail, "+15550100", "GSM"},
		"without types":  {`+CDS: 6,17,"+15550100",,` + tail, "+15550100", "IRA"},
		"without number": {`+CDS: 6,17,,,` + tail, "", "GSM"},
		"national":       {`+CDS: 2,17,"0155501",129,` + tail, "0155501", "GSM"},
		"UCS2":           {`+CDS: 6,17,"002B00310035",145,` + tail, "+15", "UCS2"},
		"plain in UCS2":  {`+CDS: 6,17,"155501001234",129,` + tail, "155501001234", "UCS2"},
		"read":           {`+CMGR: "REC READ",6,17,"+15550100",145,` + tail, "+15550100", "GSM"},
		"listed":         {`+CMGL: 3,"REC UNREAD",6,17,"+15550100",145,` + tail, "+15550100", "GSM"},
	} {
		t.Run(name, func(t *testing.T) {
			at, ok := reportAt(test.line)
			require.True(t, ok)
			octets, err := reportOf(test.line, at, test.charset)
			require.NoError(t, err)
			in := report(octets)
			require.NoError(t, in.Err)
			require.Equal(t, byte(17), in.Report.Reference)
			require.Equal(t, test.to, in.Report.To)
			require.Equal(t, tpdu.ValidityExpired, in.Report.Status)
			require.Equal(t, "2026-11-21T07:01:00-05:00", in.Report.Discharge.Format("2006-01-02T15:04:05Z07:00"))
		})
	}
	for name, line := range map[string]string{
		"too short":  `+CDS: 6,17,"+15550100",145,` + `"26/11/21,07:00:00-20",70`,
		"bad status": `+CDS: 6,17,"+15550100",145,` + `"26/11/21,07:00:00-20","26/11/21,07:00:00-20",x`,
		"bad number": `+CDS: 6,17,"pump",145,` + tail,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := reportOf(line, 0, "GSM")
			require.Error(t, err)
		})
	}
	for _, line := range []string{`+CMGL: 3,"REC READ","17",,` + tail, `+CMT: "6",,` + tail, `+CMGR: "REC READ","+15550100",,` + tail} {
		_, ok := reportAt(line)
		require.False(t, ok, line)
	}
}

// A header is taken off only where it is one: some modems take it off
// themselves, and what is left may look like one.
func TestUserDataWithAHeader(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		header bool // by <fo>
		dcs    tpdu.DCS
		want   bool
	}{
		"a part":             {"050003070201" + "0416", true, 8, true},
		"a part in septets":  {"050003070201" + "C2E2", true, 0, true},
		"a port":             {"0605040B8423F0" + "01", true, 4, true},
		"no bit":             {"050003070201" + "0416", false, 8, false},
		"taken off":          {"0416041F", true, 8, false},
		"part 3 of 2":        {"050003070203" + "0416", true, 8, false},
		"longer than it all": {"7F0003070201", true, 8, false},
		"too long":           {"050003070201" + strings.Repeat("00", 135), true, 8, false},
		"another element":    {"03240101" + "0416", true, 8, false},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := userDataOf([]byte(test.body), test.header, test.dcs, "GSM")
			require.NoError(t, err)
			require.Equal(t, test.want, len(u.Header) > 0)
		})
	}
}
