package sms

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// Whatever a modem writes in text mode either becomes a message that can be
// read or is refused.
func FuzzDeliverOf(f *testing.F) {
	f.Add(`+CMGL: 3,"REC UNREAD","+15550100","","26/11/21,07:00:00+04",145,4,0,0,"+15550199",145,5`, []byte("hello"), "GSM")
	f.Add(`+CMGR: "REC READ","Pump@1",,"26/11/21,07:00:00-20",208,4,0,8,"+15550199",145,8`, []byte("0416041F"), "IRA")
	f.Add(`+CMT: "002B0031","26/11/21,07:00:00+04",145,4,0,0,"",145,8`, []byte("00410042"), "UCS2")
	f.Add(`+CMT: ,,,,,,,,,,`, []byte(nil), "GSM")
	f.Fuzz(func(t *testing.T, line string, body []byte, charset string) {
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
