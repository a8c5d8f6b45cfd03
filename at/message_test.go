package at

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What follows a line, by 3GPP TS 27.005 clauses 3.4 and 4, in PDU mode and in
// text mode with the fields of +CSDH=1 and without.
func TestMessageBody(t *testing.T) {
	pdu := func(n int) Body { return Body{Lines: 1, Hex: true, TPDU: n} }
	line, none := Body{Lines: 1}, Body{}
	const sent, back = `"26/11/21,03:44:48+04"`, `"26/11/21,03:44:52+04"`
	for head, want := range map[string]Body{
		`+CMT: ,23`:              pdu(23),
		`+CMT: "Smith, John",23`: pdu(23),
		`+CMT: 23`:               pdu(23),
		`+CDS: 25`:               pdu(25),
		`+CBM: 88`:               pdu(88),
		`+CMGR: 0,,4`:            pdu(4),
		`+CMGR: 1,"Smith",24`:    pdu(24),
		`+CMGL: 1,0,,24`:         pdu(24),
		`+CMGL: 1,0,"Smith",24`:  pdu(24),

		`+CMT: "+491511234567",,` + sent:                                       line,
		`+CMT: "+491511234567",,` + sent + `,145,4,0,0,"+491710760000",145,11`: {Text: 11},
		`+CBM: 1,50,1,1,1`: line,
		`+CMGR: "REC UNREAD","+491511234567",,` + sent:                                       line,
		`+CMGR: "REC UNREAD","+491511234567",,` + sent + `,145,4,0,0,"+491710760000",145,22`: {Text: 22},
		`+CMGL: 1,"REC READ","+491511234567",,` + sent:                                       line,
		`+CMGL: 1,"REC READ","+491511234567",,` + sent + `,145,22`:                           line,
		`+CMGL: 1,"REC READ","+491511234567",,` + sent + `,145,4,0,0,"+491710760000",145,22`: {Text: 22},

		`+CDS: 6,41,"+491511234567",145,` + sent + `,` + back + `,0`:                 none,
		`+CMGR: "REC UNREAD",6,41,"+491511234567",145,` + sent + `,` + back + `,0`:   none,
		`+CMGL: 3,"REC UNREAD",6,41,"+491511234567",145,` + sent + `,` + back + `,0`: none,
		`no colon`: none,
	} {
		require.Equal(t, want, MessageBody(head), head)
	}
}
