package ppp

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// judgement is a Configure-Request's options and what they are answered with,
// in hex.
type judgement struct {
	name, request string
	answer        code
	options       string // empty for Ack: the request's own
}

func judgeAll(t *testing.T, start func() negotiator, list []judgement) {
	for _, j := range list {
		t.Run(j.name, func(t *testing.T) {
			request := unhex(t, j.request)
			options, err := parseOptions(request)
			require.NoError(t, err)
			var v verdict
			start().judge(options, &v)
			c, data := v.answer(request)
			want := unhex(t, j.options)
			if j.answer == codeConfigureAck {
				want = request
			}
			require.Equal(t, j.answer, c)
			require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(data))
		})
	}
}

func TestLCPJudges(t *testing.T) {
	start := func() negotiator {
		return &lcpOptions{magic: 0x01020304, newMagic: func() uint32 { return 0x55667788 }, accepted: AuthCHAP}
	}
	judgeAll(t, start, []judgement{
		{"nothing", "", codeConfigureAck, ""},
		// As Linux pppd, slirp and Qualcomm modems ask.
		{"pppd", "0206000a0000 0506aabbccdd 0702 0802", codeConfigureAck, ""},
		{"slirp", "010405dc 0506aabbccdd 0702 0802", codeConfigureAck, ""},
		{"a modem that wants CHAP", "020600000000 0305c22305 0506aabbccdd 0702 0802", codeConfigureAck, ""},
		{"PAP, not allowed", "0304c023", codeConfigureNak, "0305c22305"},
		{"EAP", "0304c227", codeConfigureNak, "0305c22305"},
		{"MRU too small", "01040040", codeConfigureNak, "01040080"},
		{"large MRU", "01042328", codeConfigureAck, ""},
		{"our own magic number", "050601020304", codeConfigureNak, "050655667788"},
		{"no magic number", "050600000000", codeConfigureNak, "050655667788"},
		{"callback, multilink, quality", "0d0306 110405dc 0408c02500000000 130300", codeConfigureReject, "0d0306 110405dc 0408c02500000000 130300"},
		{"rejects before naks", "050600000000 0d0306", codeConfigureReject, "0d0306"},
		{"wrong lengths", "0103ff 0203ff 070300", codeConfigureReject, "0103ff 0203ff 070300"},
	})
	judgeAll(t, func() negotiator { return &lcpOptions{} }, []judgement{
		{"authentication where we have none", "0305c22305", codeConfigureReject, "0305c22305"},
	})
}

func TestLCPLearns(t *testing.T) {
	settings, err := (&Config{MRU: 1400, Require: AuthPAP | AuthCHAP, Secret: func(string) (string, bool) { return "", false }}).settings(roleServe)
	require.NoError(t, err)
	fresh := func() *lcpOptions {
		o := settings.lcpOptions()
		o.magic, o.newMagic = 0x01020304, func() uint32 { return 0x55667788 }
		return o
	}
	const all = "01040578 020600000000 0305c22305 050601020304 0702 0802"
	cases := []struct {
		name        string
		nak, reject string
		next        string
	}{
		{"nothing", "", "", all},
		{"smaller MRU", "01040240", "", "01040240 020600000000 0305c22305 050601020304 0702 0802"},
		{"senseless MRU", "01040001", "", all},
		{"ACCM is joined", "0206000a0000", "", "01040578 0206000a0000 0305c22305 050601020304 0702 0802"},
		{"magic number", "050699999999", "", "01040578 020600000000 0305c22305 050655667788 0702 0802"},
		{"PAP instead", "0304c023", "", "01040578 020600000000 0304c023 050601020304 0702 0802"},
		{"unknown method instead", "0304c227", "", "01040578 020600000000 0304c023 050601020304 0702 0802"},
		{"no compression", "", "0702 0802", "01040578 020600000000 0305c22305 050601020304"},
		{"nothing at all", "", all, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := fresh()
			require.Equal(t, unhex(t, all), o.request(nil))
			naks, err := parseOptions(unhex(t, c.nak))
			require.NoError(t, err)
			o.nak(naks)
			rejects, err := parseOptions(unhex(t, c.reject))
			require.NoError(t, err)
			o.reject(rejects)
			require.Equal(t, hex.EncodeToString(unhex(t, c.next)), hex.EncodeToString(o.request(nil)))
		})
	}
	o := fresh()
	for range 2 {
		require.False(t, o.refused)
		o.nextMethod(noAuth)
	}
	require.True(t, o.refused, "no method is left")
}

func TestIPCPJudges(t *testing.T) {
	server, err := (&Config{DNS: []netip.Addr{netip.MustParseAddr("1.1.1.1")}}).settings(roleServe)
	require.NoError(t, err)
	judgeAll(t, func() negotiator { return server.ipcpOptions() }, []judgement{
		{"no address yet", "030600000000", codeConfigureNak, "03060a404002"},
		{"another address", "03060a000001", codeConfigureNak, "03060a404002"},
		{"the given address", "03060a404002", codeConfigureAck, ""},
		{"address not asked for", "", codeConfigureNak, "03060a404002"},
		{"VJ compression", "0206002d0f01 03060a404002", codeConfigureReject, "0206002d0f01"},
		{"withdrawn addresses", "010a0a0000010a000002 03060a404002", codeConfigureReject, "010a0a0000010a000002"},
		{"DNS", "03060a404002 810600000000", codeConfigureNak, "810601010101"},
		{"a second DNS that we do not have, and NBNS", "03060a404002 820600000000 830600000000 840600000000", codeConfigureReject, "820600000000 830600000000 840600000000"},
		{"the given DNS", "03060a404002 810601010101", codeConfigureAck, ""},
	})
	client, err := (*Config)(nil).settings(roleDial)
	require.NoError(t, err)
	judgeAll(t, func() negotiator { return client.ipcpOptions() }, []judgement{
		{"a network with its address", "03060a404040", codeConfigureAck, ""},
		{"a network without one", "", codeConfigureAck, ""},
		{"a network that wants one", "030600000000", codeConfigureReject, "030600000000"},
	})
	// slirp must be told its address by Nak; a Reject makes it close IPCP.
	slirp, err := (&Config{PeerAddr: netip.MustParseAddr("10.0.2.2")}).settings(roleDial)
	require.NoError(t, err)
	judgeAll(t, func() negotiator { return slirp.ipcpOptions() }, []judgement{
		{"slirp", "030600000000", codeConfigureNak, "03060a000202"},
		{"slirp, told", "03060a000202", codeConfigureAck, ""},
	})
}

func TestIPCPLearns(t *testing.T) {
	cases := []struct {
		name        string
		nak, reject string
		next        string
		dns         []netip.Addr
	}{
		{"nothing", "", "", "030600000000 810600000000 830600000000", nil},
		{"all", "03060a000002 810601010101 830602020202", "", "03060a000002 810601010101 830602020202",
			[]netip.Addr{netip.MustParseAddr("1.1.1.1"), netip.MustParseAddr("2.2.2.2")}},
		{"the same DNS twice", "810601010101 830601010101", "", "030600000000 810601010101 830601010101", []netip.Addr{netip.MustParseAddr("1.1.1.1")}},
		{"F69: no second DNS, said by Nak", "810601010101 830600000000", "", "030600000000 810601010101", []netip.Addr{netip.MustParseAddr("1.1.1.1")}},
		{"no DNS", "", "810600000000 830600000000", "030600000000", nil},
		{"wrong lengths", "0303ff 8103ff", "", "030600000000 810600000000 830600000000", nil},
	}
	client, err := (*Config)(nil).settings(roleDial)
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := client.ipcpOptions()
			naks, err := parseOptions(unhex(t, c.nak))
			require.NoError(t, err)
			o.nak(naks)
			rejects, err := parseOptions(unhex(t, c.reject))
			require.NoError(t, err)
			o.reject(rejects)
			require.Equal(t, hex.EncodeToString(unhex(t, c.next)), hex.EncodeToString(o.request(nil)))
			require.Equal(t, c.dns, o.names())
		})
	}
}

func TestIPV6CPJudges(t *testing.T) {
	start := func() negotiator {
		return &ipv6cpOptions{local: 1, newID: func() interfaceID { return 0x0102030405060708 }}
	}
	judgeAll(t, start, []judgement{
		{"an identifier", "010aaabbccddeeff0011", codeConfigureAck, ""},
		{"none", "010a0000000000000000", codeConfigureNak, "010a0102030405060708"},
		{"our own", "010a0000000000000001", codeConfigureNak, "010a0102030405060708"},
		{"compression", "0204004f", codeConfigureReject, "0204004f"},
		{"not asked for", "", codeConfigureAck, ""},
	})
	require.Equal(t, "fe80::102:304:506:708", interfaceID(0x0102030405060708).linkLocal().String())
}

func TestMalformedOptions(t *testing.T) {
	for _, s := range []string{"01", "0100", "0101", "0103", "010405", "0702 08"} {
		_, err := parseOptions(unhex(t, s))
		require.ErrorIs(t, err, errOption, s)
	}
}

func TestControlPacketTruncations(t *testing.T) {
	b := packet{codeConfigureRequest, 9, []byte{1, 4, 5, 0xdc}}.append(nil)
	for n := range b {
		_, ok := parsePacket(b[:n])
		require.False(t, ok, n)
	}
	p, ok := parsePacket(append(b, "padding"...))
	require.True(t, ok)
	require.Equal(t, packet{codeConfigureRequest, 9, []byte{1, 4, 5, 0xdc}}, p)
	_, ok = parsePacket([]byte{1, 1, 0, 3})
	require.False(t, ok, "shorter than its own header")
}
