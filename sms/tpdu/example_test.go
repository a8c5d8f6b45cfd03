package tpdu_test

import (
	"fmt"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// A long text becomes the lines that AT+CMGS takes, one for each part.
func ExampleSplit() {
	to, err := tpdu.ParseAddress("+4915112345678")
	if err != nil {
		fmt.Println(err)
		return
	}
	text := "Pump 7: pressure 4.2 bar, level 81 %, no alarm. Pump 8: pressure 4.1 bar, level 79 %, no alarm. " +
		"Pump 9: pressure 0.0 bar, level 80 %, alarm since 03:12, valve closed."
	parts, err := tpdu.Split(text, &tpdu.SplitConfig{Reference: 0x1234, Wide: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(parts.Len(), "parts in", parts.Alphabet)

	submit := tpdu.Submit{
		Destination:         to,
		DCS:                 parts.DCS(tpdu.NoClass),
		Validity:            tpdu.Relative(24 * time.Hour),
		StatusReportRequest: true,
	}
	for i := range parts.Len() {
		submit.UserData = parts.At(i)
		octets, err := submit.AppendBinary(nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		line := tpdu.AppendHex(nil, tpdu.Address{}, octets)
		fmt.Printf("AT+CMGS=%d\n%.40s...\n", len(octets), line)
	}
	// Output:
	// 2 parts in GSM 7-bit
	// AT+CMGS=155
	// 0071000D91945111325476F80000A7A006080412...
	// AT+CMGS=35
	// 0071000D91945111325476F80000A71606080412...
}

// A character that the allowed tables lack makes the text twice as long; Forced says which.
func ExampleParts() {
	text := "Grenzwert überschritten: 95 °C am Kessel 2 (Soll 90), Anlage abgeschaltet"
	parts, err := tpdu.Split(text, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d parts in %v because of %q\n", parts.Len(), parts.Alphabet, parts.Forced.Rune)
	// Output: 2 parts in UCS-2 because of '°'
}

// What +CMT brings is decoded in three steps.
func ExampleDeliver() {
	pdu := "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
	smsc, octets, err := tpdu.DecodeHex(nil, pdu)
	if err != nil {
		fmt.Println(err)
		return
	}
	var d tpdu.Deliver
	if err := d.Decode(octets); err != nil {
		fmt.Println(err)
		return
	}
	text, err := d.AppendText(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	sent, _ := d.Timestamp.Time()
	fmt.Printf("through %v, from %v at %v: %s\n", smsc, d.Originator, sent.UTC().Format(time.DateTime), text)
	// Output: through +31624000000, from +31641600986 at 2002-08-26 19:37:41: How are you?
}
