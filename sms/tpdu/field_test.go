package tpdu_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/sms/tpdu"
)

func octets(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(tb, err)
	return b
}

// Packing vectors of python-gsmmodem test/test_pdu.py (TS 23.038 clause 6.1.2.1).
func TestKnownPacking(t *testing.T) {
	for text, packed := range map[string]string{
		"123":                            "31d90c",
		"12345678":                       "31d98c56b3dd70",
		"123456789":                      "31d98c56b3dd7039",
		"Hello World!":                   "c8329bfd065ddf72363904",
		"[{abc}]~":                       "1bde0615168f37a98d6fd303",
		"123456789012345678901234567890": "31d98c56b3dd7039584c36a3d56c375c0e1693cd6835db0d978301",
		"{åΦΓΛΩΠΨΣΘ€}":                   "1bd44332a1542c174c6653dea400",
		"a[]{}€":                         "e10d6fe3dba036a94d19",
	} {
		septets, err := tpdu.AppendSeptets(nil, text, 0, 0)
		require.NoError(t, err)
		require.Equal(t, packed, hex.EncodeToString(tpdu.AppendPacked(nil, septets, 0)), text)
		back := tpdu.AppendUnpacked(nil, octets(t, packed), 0, len(septets))
		require.Equal(t, text, string(tpdu.DecodeSeptets(nil, back, 0, 0)))
	}
}

func TestPackingAtEveryFillAndLength(t *testing.T) {
	var septets []byte
	for n := range 170 {
		for fill := range 7 {
			packed := tpdu.AppendPacked([]byte{0xee}, septets, fill)
			require.Equal(t, byte(0xee), packed[0])
			if n > 0 {
				require.Len(t, packed, 1+(fill+7*n+7)/8)
				require.Zero(t, packed[1]&(1<<fill-1), "fill bits are zero")
			}
			require.Equal(t, append([]byte{0xdd}, septets...), tpdu.AppendUnpacked([]byte{0xdd}, packed[1:], fill, n))
		}
		septets = append(septets, byte(n*37+11)&0x7f)
	}
}

// Address fields of python-gsmmodem test/test_pdu.py and of TS 23.040 clause 9.1.2.
func TestKnownAddresses(t *testing.T) {
	name := func(s string) tpdu.Address {
		a, err := tpdu.NewName(s)
		require.NoError(t, err)
		return a
	}
	number := func(kind tpdu.TypeOfAddress, s string) tpdu.Address {
		a, err := tpdu.NewAddress(kind, s)
		require.NoError(t, err)
		return a
	}
	for _, test := range []struct {
		field, text string
		address     tpdu.Address
	}{
		{"0a918967452301", "+9876543210", address(t, "+9876543210")},
		{"099189674523f1", "+987654321", address(t, "+987654321")},
		{"0b917228195339f4", "+27829135934", address(t, "+27829135934")},
		{"06d061f118", "abc", name("abc")},
		{"0ed04669d0397c26a7", "FRANCOIS", name("FRANCOIS")},
		{"14d0e10d6fe3dba036a94d19", "a[]{}€", name("a[]{}€")},
		{"0aa11092997856", "0129998765", number(tpdu.NationalNumber, "0129998765")},
		{"04818100", "1800", address(t, "1800")},
		{"0581badcfe", "*#abc", address(t, "*#abc")},
	} {
		require.Equal(t, test.text, test.address.String())
		submit := tpdu.Submit{Destination: test.address}
		b, err := submit.AppendBinary(nil)
		require.NoError(t, err)
		require.Equal(t, test.field, hex.EncodeToString(b[2:len(b)-3]))
		var back tpdu.Submit
		require.NoError(t, back.Decode(b))
		require.Equal(t, test.address, back.Destination)
	}
	require.Equal(t, "*#abc", address(t, "*#ABC").String())
}

// Promise 9: nothing but digits becomes an address.
func TestAddressesRefused(t *testing.T) {
	for number, cause := range map[string]error{
		"": tpdu.ErrShort, "+": tpdu.ErrShort, "12 34": tpdu.ErrDigit, "12\r": tpdu.ErrDigit, "\"1": tpdu.ErrDigit,
		"++1": tpdu.ErrDigit, "123456789012345678901": tpdu.ErrTooLong, "12d": tpdu.ErrDigit, "١": tpdu.ErrDigit,
	} {
		_, err := tpdu.ParseAddress(number)
		require.ErrorIs(t, err, cause, "%q", number)
	}
	for name, cause := range map[string]error{"": tpdu.ErrShort, "twelve chars": tpdu.ErrTooLong, "Привет": tpdu.ErrDigit, "€€€€€€": tpdu.ErrTooLong} {
		_, err := tpdu.NewName(name)
		require.ErrorIs(t, err, cause, "%q", name)
	}
	_, err := tpdu.NewAddress(tpdu.AlphanumericAddress, "1")
	require.ErrorIs(t, err, tpdu.ErrMismatch)
}

// Time stamps of python-gsmmodem test_pdu.py and of the page dreamfabric.com/sms/scts.html.
func TestKnownTimestamps(t *testing.T) {
	zone := func(quarters int) *time.Location { return time.FixedZone("", quarters*900) }
	for s, want := range map[string]time.Time{
		"51117200000000": time.Date(2015, 11, 27, 0, 0, 0, 0, zone(0)),
		"51117200000080": time.Date(2015, 11, 27, 0, 0, 0, 0, zone(8)),
		"70402132522423": time.Date(2007, 4, 12, 23, 25, 42, 0, zone(32)),
		"7040213252242b": time.Date(2007, 4, 12, 23, 25, 42, 0, zone(-32)),
		"99202150750321": time.Date(1999, 2, 12, 5, 57, 30, 0, zone(12)),
		"99202150750329": time.Date(1999, 2, 12, 5, 57, 30, 0, zone(-12)),
		"62219211321523": time.Date(2026, 12, 29, 11, 23, 51, 0, zone(32)),
		"62219211321597": time.Date(2026, 12, 29, 11, 23, 51, 0, zone(79)),
		"6221921132159f": time.Date(2026, 12, 29, 11, 23, 51, 0, zone(-79)),
	} {
		stamp := tpdu.Timestamp(octets(t, s))
		got, err := stamp.Time()
		require.NoError(t, err, s)
		require.True(t, want.Equal(got), "%s: %v", s, got)
		require.Equal(t, stamp, tpdu.NewTimestamp(want), s)
	}
	for _, s := range []string{"00000000000000", "62139211321523", "622192113215f3", "ffffffffffffff", "62200311321523", "62219242321500"} {
		_, err := tpdu.Timestamp(octets(t, s)).Time()
		require.ErrorIs(t, err, tpdu.ErrTime, s)
	}
}

// The corners of the table of clause 9.2.3.12.1, and python-gsmmodem's and python-messaging's values.
func TestKnownValidity(t *testing.T) {
	const day = 24 * time.Hour
	for octet, d := range map[byte]time.Duration{
		0: 5 * time.Minute, 1: 10 * time.Minute, 5: 30 * time.Minute, 143: 12 * time.Hour, 144: 12*time.Hour + 30*time.Minute,
		145: 13 * time.Hour, 151: 16 * time.Hour, 167: day, 168: 2 * day, 169: 3 * day, 170: 4 * day, 196: 30 * day, 197: 35 * day, 255: 441 * day,
	} {
		v := tpdu.Relative(d)
		require.Equal(t, octet, v.Octets[0], d)
		got, ok := v.Duration()
		require.True(t, ok)
		require.Equal(t, d, got)
	}
	for octet := range 255 {
		d, _ := tpdu.Validity{Format: tpdu.RelativeValidity, Octets: [7]byte{byte(octet)}}.Duration()
		require.Equal(t, byte(octet), tpdu.Relative(d).Octets[0])
		require.Equal(t, byte(octet+1), tpdu.Relative(d + 1).Octets[0], "rounded up")
	}
	require.Equal(t, byte(255), tpdu.Relative(1 << 62).Octets[0])
	require.Equal(t, byte(0), tpdu.Relative(-1).Octets[0])
	for _, d := range []time.Duration{time.Second, 255 * time.Second, 256 * time.Second, 99*time.Hour + 59*time.Minute + 59*time.Second, 5 * day} {
		for _, once := range []bool{false, true} {
			v := tpdu.Enhanced(d, once)
			got, ok := v.Duration()
			require.True(t, ok)
			require.Equal(t, d, got)
			require.Equal(t, once, v.SingleShot())
		}
	}
	_, ok := tpdu.Enhanced(0, true).Duration()
	require.False(t, ok)
	_, ok = tpdu.Validity{}.Duration()
	require.False(t, ok)
	end := time.Date(2027, 1, 2, 3, 4, 5, 0, time.FixedZone("", -3600))
	got, err := tpdu.Until(end).Time()
	require.NoError(t, err)
	require.True(t, end.Equal(got))
	_, err = tpdu.Relative(day).Time()
	require.ErrorIs(t, err, tpdu.ErrMismatch)
}

// Every group of TS 23.038 clause 4, the reserved values read as it says.
func TestDataCodingSchemes(t *testing.T) {
	none := tpdu.Waiting{}
	for _, test := range []struct {
		dcs      tpdu.DCS
		alphabet tpdu.Alphabet
		class    tpdu.Class
		waiting  tpdu.Waiting
		reserved bool
	}{
		{0x00, tpdu.GSM7, tpdu.NoClass, none, false},
		{0x04, tpdu.Octets, tpdu.NoClass, none, false},
		{0x08, tpdu.UCS2, tpdu.NoClass, none, false},
		{0x0c, tpdu.GSM7, tpdu.NoClass, none, true},
		{0x10, tpdu.GSM7, tpdu.Class0, none, false},
		{0x03, tpdu.GSM7, tpdu.NoClass, none, false}, // class bits without meaning
		{0x19, tpdu.UCS2, tpdu.Class1, none, false},
		{0x24, tpdu.Octets, tpdu.NoClass, none, false},
		{0x48, tpdu.UCS2, tpdu.NoClass, none, false},
		{0x52, tpdu.GSM7, tpdu.Class2, none, false},
		{0x80, tpdu.GSM7, tpdu.NoClass, none, true},
		{0xbf, tpdu.GSM7, tpdu.NoClass, none, true},
		{0xc8, tpdu.GSM7, tpdu.NoClass, tpdu.Waiting{Kind: tpdu.VoicemailWaiting, Active: true}, false},
		{0xd1, tpdu.GSM7, tpdu.NoClass, tpdu.Waiting{Kind: tpdu.FaxWaiting, Store: true}, false},
		{0xda, tpdu.GSM7, tpdu.NoClass, tpdu.Waiting{Kind: tpdu.EmailWaiting, Active: true, Store: true}, false},
		{0xeb, tpdu.UCS2, tpdu.NoClass, tpdu.Waiting{Kind: tpdu.OtherWaiting, Active: true, Store: true}, false},
		{0xf0, tpdu.GSM7, tpdu.Class0, none, false},
		{0xf5, tpdu.Octets, tpdu.Class1, none, false},
		{0xff, tpdu.Octets, tpdu.Class3, none, false},
	} {
		require.Equal(t, test.alphabet, test.dcs.Alphabet(), "%v", test.dcs)
		require.Equal(t, test.class, test.dcs.Class(), "%v", test.dcs)
		require.Equal(t, test.reserved, test.dcs.Reserved(), "%v", test.dcs)
		w, ok := test.dcs.Waiting()
		require.Equal(t, test.waiting, w, "%v", test.dcs)
		require.Equal(t, test.dcs >= 0xc0 && test.dcs < 0xf0, ok)
		if ok {
			require.Equal(t, test.dcs, tpdu.WaitingDCS(w, test.alphabet))
		}
	}
	for a := range tpdu.Alphabet(3) {
		for c := range tpdu.Class(5) {
			d := tpdu.NewDCS(a, c)
			require.Equal(t, a, d.Alphabet())
			require.Equal(t, c, d.Class())
		}
	}
	require.True(t, tpdu.DCS(0x20).Compressed())
	require.False(t, tpdu.DCS(0xa0).Compressed())
	require.True(t, tpdu.DCS(0x52).AutoDelete())
	for d := range 256 {
		require.NotEmpty(t, tpdu.DCS(d).String())
	}
}

// Elements of clause 9.2.3.24, the ports and concatenations of python-gsmmodem test_pdu.py.
func TestHeaderElements(t *testing.T) {
	concat := tpdu.Concat{Reference: 0x98, Total: 3, Part: 1}
	wide := tpdu.Concat{Reference: 0x1234, Wide: true, Total: 3, Part: 3}
	require.Equal(t, tpdu.Header(octets(t, "0003980301")), tpdu.AppendConcat(nil, concat))
	require.Equal(t, tpdu.Header(octets(t, "080412340303")), tpdu.AppendConcat(nil, wide))
	for _, want := range []tpdu.Concat{concat, wide} {
		got, ok := tpdu.AppendConcat(nil, want).Concat()
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	narrow := tpdu.Ports{Destination: 100, Source: 50}
	ports := tpdu.Ports{Destination: 1234, Source: 5222, Wide: true}
	require.Equal(t, tpdu.Header(octets(t, "04026432")), tpdu.AppendPorts(nil, narrow))
	require.Equal(t, tpdu.Header(octets(t, "050404d21466")), tpdu.AppendPorts(nil, ports))
	for _, want := range []tpdu.Ports{narrow, ports} {
		got, ok := tpdu.AppendPorts(nil, want).Ports()
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	i := tpdu.Indication{Kind: tpdu.EmailWaiting, Extended: 1, Store: true, Count: 4}
	h := tpdu.AppendIndication(nil, i)
	require.Equal(t, tpdu.Header(octets(t, "01028604")), h)
	for got := range tpdu.AppendIndication(h, tpdu.Indication{}).Indications() {
		require.Equal(t, i, got)
		break
	}
	for id := range 256 {
		require.NotEmpty(t, tpdu.ElementID(id).String())
	}
	require.Equal(t, "national language locking shift", tpdu.ElementID(0x25).String())
}

// Clause 9.2.3.24: what a receiver does with headers that are not right.
func TestHeaderFaults(t *testing.T) {
	for _, test := range []struct{ name, header string }{
		{"part 0", "0003010200"}, {"part above total", "0003010203"}, {"no parts", "0003010000"},
		{"element too short", "00020102"}, {"element runs past the end", "000301020124"}, {"data run past the end", "0003010201240301"},
	} {
		_, ok := tpdu.Header(octets(t, test.header)).Concat()
		require.False(t, ok, test.name)
	}
	last, ok := tpdu.Header(octets(t, "00030103010003020302")).Concat()
	require.True(t, ok)
	require.Equal(t, tpdu.Concat{Reference: 2, Total: 3, Part: 2}, last, "the last of repeated elements counts")
	locking, single := tpdu.Header(octets(t, "24010d250163")).Languages()
	require.Equal(t, [2]tpdu.Language{0, tpdu.Urdu}, [2]tpdu.Language{locking, single}, "unknown tables are the default")
	unknown := tpdu.Header(octets(t, "a003010203"))
	data, ok := unknown.Find(0xa0)
	require.True(t, ok)
	require.Equal(t, []byte{1, 2, 3}, data, "unknown elements are kept")
}

// One TPDU of each type that captures seldom show, laid out by clauses 9.2.2.1a to 9.2.2.4.
func TestKnownReports(t *testing.T) {
	for _, test := range []struct {
		direction tpdu.Direction
		hex       string
		want      tpdu.Message
	}{
		{fromMobile, "0000", &tpdu.DeliverReport{}},
		{fromMobile, "00d300", &tpdu.DeliverReport{Failure: tpdu.MemoryExceeded}},
		{fromMobile, "000100", &tpdu.DeliverReport{Extra: tpdu.Extra{Parameters: 1, HasPID: true}}},
		{fromMobile, "00d5077ff6029f00", &tpdu.DeliverReport{Failure: tpdu.SIMDownloadError, Extra: tpdu.Extra{Parameters: 7, HasPID: true, HasDCS: true, HasUserData: true, PID: tpdu.SIMDataDownload, DCS: 0xf6, UserData: tpdu.UserData{Body: []byte{0x9f, 0}}}}},
		{toMobile, "010062303121436500", &tpdu.SubmitReport{Timestamp: tpdu.Timestamp{0x62, 0x30, 0x31, 0x21, 0x43, 0x65, 0}}},
		{toMobile, "01c50062303121436500", &tpdu.SubmitReport{Failure: tpdu.DuplicateRejected, Timestamp: tpdu.Timestamp{0x62, 0x30, 0x31, 0x21, 0x43, 0x65, 0}}},
		{toMobile, "01c006623031214365000004c8b2bc0c", &tpdu.SubmitReport{Failure: tpdu.SCBusy, Timestamp: tpdu.Timestamp{0x62, 0x30, 0x31, 0x21, 0x43, 0x65, 0}, Extra: tpdu.Extra{Parameters: 6, HasDCS: true, HasUserData: true, UserData: tpdu.UserData{Body: []byte{0xc8, 0xb2, 0xbc, 0x0c}, Septets: 4}}}},
		{toMobile, "0605039121f3623031214365006230312143650046", &tpdu.StatusReport{Reference: 5, Recipient: address(t, "+123"), Status: tpdu.ValidityExpired, Timestamp: tpdu.Timestamp{0x62, 0x30, 0x31, 0x21, 0x43, 0x65, 0}, Discharge: tpdu.Timestamp{0x62, 0x30, 0x31, 0x21, 0x43, 0x65, 0}}},
		{toMobile, "2205039121f36230312143650062303121436500000204", &tpdu.StatusReport{MoreMessages: true, ForCommand: true, Reference: 5, Recipient: address(t, "+123"), Timestamp: tpdu.Timestamp{0x62, 0x30, 0x31, 0x21, 0x43, 0x65, 0}, Discharge: tpdu.Timestamp{0x62, 0x30, 0x31, 0x21, 0x43, 0x65, 0}, Extra: tpdu.Extra{Parameters: 2, HasDCS: true, DCS: 4}}},
		{fromMobile, "2207000209039121f300", &tpdu.Command{StatusReportRequest: true, Reference: 7, Command: tpdu.DeleteMessage, Number: 9, Destination: address(t, "+123"), Data: []byte{}}},
		{fromMobile, "020800e009039121f302abcd", &tpdu.Command{Reference: 8, Command: 0xe0, Number: 9, Destination: address(t, "+123"), Data: []byte{0xab, 0xcd}}},
	} {
		m, err := tpdu.Decode(test.direction, octets(t, test.hex))
		require.NoError(t, err, test.hex)
		require.Equal(t, test.want, m, test.hex)
		b, err := m.AppendBinary(nil)
		require.NoError(t, err)
		require.Equal(t, test.hex, hex.EncodeToString(b))
	}
}

func TestTypeOf(t *testing.T) {
	for first, want := range map[byte][2]tpdu.Type{
		0: {tpdu.TypeDeliver, tpdu.TypeDeliverReport}, 1: {tpdu.TypeSubmitReport, tpdu.TypeSubmit}, 2: {tpdu.TypeStatusReport, tpdu.TypeCommand},
	} {
		for d, kind := range want {
			got, err := tpdu.TypeOf(tpdu.Direction(d), []byte{first | 0xf0})
			require.NoError(t, err)
			require.Equal(t, kind, got)
		}
	}
	got, err := tpdu.TypeOf(toMobile, []byte{3})
	require.NoError(t, err, "clause 9.2.3.1: read as SMS-DELIVER")
	require.Equal(t, tpdu.TypeDeliver, got)
	_, err = tpdu.TypeOf(fromMobile, []byte{3})
	require.ErrorIs(t, err, tpdu.ErrReserved)
	_, err = tpdu.TypeOf(toMobile, nil)
	require.ErrorIs(t, err, tpdu.ErrShort)
	require.ErrorIs(t, new(tpdu.Submit).Decode([]byte{0}), tpdu.ErrWrongType)
}

// An error says at which octet and in which field.
func TestErrorsNameThePlace(t *testing.T) {
	for _, test := range []struct {
		hex, field string
		offset     int
		cause      error
	}{
		{"", "TP-MTI", 0, tpdu.ErrShort},
		{"02", "TP-MTI", 0, tpdu.ErrWrongType},
		{"0415912143658709", "TP-OA", 1, tpdu.ErrTooLong},
		{"040391", "TP-OA", 3, tpdu.ErrShort},
		{"04039121f3", "TP-PID", 5, tpdu.ErrShort},
		{"04039121f30000623031", "TP-SCTS", 10, tpdu.ErrShort},
		{"44039121f300046230312143650003050003", "TP-UDHL", 15, tpdu.ErrHeader},
	} {
		var fault *tpdu.Error
		require.ErrorAs(t, new(tpdu.Deliver).Decode(octets(t, test.hex)), &fault, test.hex)
		require.Equal(t, test.field, fault.Field, test.hex)
		require.Equal(t, test.offset, fault.Offset, test.hex)
		require.True(t, errors.Is(fault, test.cause), "%v", fault)
	}
}

func TestWhatCannotBeEncoded(t *testing.T) {
	for name, test := range map[string]struct {
		m     tpdu.Message
		cause error
	}{
		"too much user data":      {&tpdu.Submit{DCS: 4, UserData: tpdu.UserData{Body: make([]byte, 141)}}, tpdu.ErrTooLong},
		"header too long":         {&tpdu.Deliver{DCS: 4, UserData: tpdu.UserData{Header: make(tpdu.Header, 140)}}, tpdu.ErrTooLong},
		"torn header":             {&tpdu.Deliver{DCS: 4, UserData: tpdu.UserData{Header: tpdu.Header{0, 3, 1}}}, tpdu.ErrHeader},
		"septets without body":    {&tpdu.Deliver{UserData: tpdu.UserData{Septets: 8}}, tpdu.ErrMismatch},
		"body without septets":    {&tpdu.Deliver{UserData: tpdu.UserData{Body: make([]byte, 3)}}, tpdu.ErrMismatch},
		"failure below 0x80":      {&tpdu.DeliverReport{Failure: 5}, tpdu.ErrReserved},
		"command data too long":   {&tpdu.Command{Data: make([]byte, 158)}, tpdu.ErrTooLong},
		"report data too long":    {&tpdu.DeliverReport{Extra: tpdu.Extra{HasDCS: true, DCS: 4, HasUserData: true, UserData: tpdu.UserData{Body: make([]byte, 160)}}}, tpdu.ErrTooLong},
		"unknown validity format": {&tpdu.Submit{Validity: tpdu.Validity{Format: 4}}, tpdu.ErrReserved},
	} {
		b, err := test.m.AppendBinary([]byte{1, 2})
		require.ErrorIs(t, err, test.cause, name)
		require.Equal(t, []byte{1, 2}, b, name)
	}
}

func TestStatusAndFailureNames(t *testing.T) {
	require.Equal(t, tpdu.StatusPending, tpdu.Status(0x22).Kind())
	require.Equal(t, tpdu.StatusPermanent, tpdu.ValidityExpired.Kind())
	require.Equal(t, tpdu.StatusTemporary, tpdu.Status(0x63).Kind())
	require.Equal(t, tpdu.StatusTemporary, tpdu.Status(0x90).Kind())
	require.True(t, tpdu.Received.Delivered())
	require.False(t, tpdu.Status(0x20).Final())
	for i := range 256 {
		require.NotEmpty(t, tpdu.Status(i).String())
		require.NotEmpty(t, tpdu.Failure(i).String())
	}
	require.Equal(t, 3, tpdu.PID(0x43).ReplaceType())
	require.True(t, tpdu.PID(0x80).Reserved())
	device, ok := tpdu.PID(0x32).Telematic()
	require.True(t, ok)
	require.Equal(t, byte(0x12), device)
}

func TestHexIsRefused(t *testing.T) {
	for _, s := range []string{"0", "0G", "00ABC", "zz"} {
		_, _, err := tpdu.DecodeHex(nil, s)
		require.ErrorIs(t, err, tpdu.ErrHex, s)
	}
	for s, cause := range map[string]error{"": tpdu.ErrShort, "0c91": tpdu.ErrTooLong, "079112": tpdu.ErrShort} {
		_, _, err := tpdu.DecodeHex(nil, s)
		require.ErrorIs(t, err, cause, s)
	}
	smsc, octets, err := tpdu.DecodeHex(nil, " 0011ff\r\n")
	require.NoError(t, err)
	require.True(t, smsc.IsZero())
	require.Equal(t, []byte{0x11, 0xff}, octets)
}
