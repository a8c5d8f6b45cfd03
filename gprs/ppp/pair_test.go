package ppp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// lineFaults are what one line does to what it carries.
type lineFaults struct {
	name                 string
	drop, double, damage int // per mille of frames
	delay, jitter        time.Duration
}

var lineFaultsList = []lineFaults{
	{name: "GPRS round trip", delay: 400 * time.Millisecond, jitter: 200 * time.Millisecond},
	{name: "loss", drop: 200},
	{name: "damage", damage: 200},
	{name: "every frame twice", double: 1000},
	{name: "copies", double: 300},
	{name: "copies late", double: 300, delay: time.Second, jitter: time.Second},
	{name: "round trip beyond the restart timer", delay: 2 * time.Second, jitter: 200 * time.Millisecond},
	{name: "all at once", drop: 100, double: 100, damage: 100, delay: 300 * time.Millisecond, jitter: time.Second},
}

// spoil gives both ends of a line its faults.
func (f lineFaults) spoil(seed uint64, ends ...*lineEnd) {
	for i, e := range ends {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		e.mangle = lossy(r, f.drop, f.double, f.damage)
		if f.delay > 0 {
			e.delay = func() time.Duration { return f.delay + time.Duration(r.Int64N(int64(f.jitter))) }
		}
	}
}

// Both roles on a line that loses, doubles, damages and delays: the link
// comes up, carries what the line carries, in order, and ends.
func TestPairsOnBadLines(t *testing.T) {
	for _, f := range lineFaultsList {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(40) {
				bubble(t, func(t *testing.T) { pairOnBadLine(t, f, seed) })
			}
		})
	}
}

func pairOnBadLine(t *testing.T, f lineFaults, seed uint64) {
	const packets = 200
	a, b := newLine()
	f.spoil(seed, a, b)
	both := &Config{Families: IPv4 | IPv6, EchoInterval: 20 * time.Second, EchoMisses: 8, MaxConfigure: 30, StartTimeout: -1}
	client, server := mustBring(t, a, b, both, both)
	// IPv6 may be up first if the line ate all that was said of IPv4.
	for range 60 {
		if client.LocalAddr().IsValid() && server.LocalAddr().IsValid() {
			break
		}
		time.Sleep(time.Second)
	}
	require.True(t, client.LocalAddr().Is4(), "seed %d", seed)
	got := make(chan int, 2)
	for _, c := range []*Conn{client, server} {
		go func() { got <- receiveNumbered(t, c, seed) }()
	}
	for i := range packets {
		for _, c := range []*Conn{client, server} {
			p := ipv4(100, byte(seed))
			binary.BigEndian.PutUint32(p[20:], uint32(i+1))
			require.NoError(t, c.WritePacket(p), "seed %d", seed)
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(time.Minute)
	require.NoError(t, errors.Join(client.Err(), server.Err()), "seed %d: still up", seed)
	require.NoError(t, client.Close(), "seed %d", seed)
	synctest.Wait()
	server.Close() // it may have been told or not: the Terminate-Request can be lost
	<-server.Done()
	for range 2 {
		n := <-got
		if f.drop+f.damage == 0 && f.delay < 2*time.Second {
			require.Equal(t, packets, n, "seed %d: nothing is lost but by the line", seed)
		}
		require.Greater(t, n, packets/4, "seed %d", seed)
	}
}

// receiveNumbered reads until the end and counts the different packets.
func receiveNumbered(t *testing.T, c *Conn, seed uint64) (n int) {
	last := uint32(0)
	p := make([]byte, 1500)
	for {
		m, err := c.ReadPacket(p)
		if err != nil {
			return n
		}
		number := binary.BigEndian.Uint32(p[20:])
		if m != 100 || number < last {
			t.Errorf("seed %d: packet %d of %d octets after packet %d", seed, number, m, last)
		}
		if number > last {
			n++
		}
		last = number
	}
}

func TestIPv6(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		both := &Config{Families: IPv4 | IPv6}
		client, server := mustBring(t, a, b, both, both)
		require.Equal(t, client.LocalAddr6(), server.PeerAddr6())
		require.Equal(t, server.LocalAddr6(), client.PeerAddr6())
		require.NotEqual(t, client.LocalAddr6(), client.PeerAddr6())
		require.True(t, client.LocalAddr6().IsLinkLocalUnicast())
		p := ipv4(1280, 3)
		p[0] = 0x60
		require.NoError(t, server.WritePacket(p))
		got := make([]byte, 1500)
		n, err := client.ReadPacket(got)
		require.NoError(t, err)
		require.Equal(t, p, got[:n])
	})
	bubble(t, func(t *testing.T) { // a network without IPv6
		a, b := newLine()
		client, _ := mustBring(t, a, b, &Config{Families: IPv4 | IPv6}, nil)
		require.False(t, client.LocalAddr6().IsValid())
		require.True(t, client.LocalAddr().IsValid())
	})
	bubble(t, func(t *testing.T) { // only IPv6
		a, b := newLine()
		only := &Config{Families: IPv6}
		client, _ := mustBring(t, a, b, only, only)
		require.False(t, client.LocalAddr().IsValid())
		require.True(t, client.LocalAddr6().IsValid())
	})
	bubble(t, func(t *testing.T) { // a network that says nothing to IPV6CP
		p, wait := startDial(t, &Config{Families: IPv4 | IPv6})
		at := time.Now()
		p.lcp()
		go func() {
			for {
				proto, info, ok := p.next(time.Minute)
				pkt, _ := parsePacket(info)
				if !ok {
					return
				}
				if proto == protocolIPCP && pkt.code == codeConfigureRequest {
					pkt.code = codeConfigureAck
					if bytes.Contains(pkt.data, unhex(t, "030600000000")) {
						pkt.code, pkt.data = codeConfigureNak, unhex(t, "03060a000007")
					}
					p.send(protocolIPCP, pkt)
				}
			}
		}()
		p.send(protocolIPCP, packet{codeConfigureRequest, 1, unhex(t, "03060a404001")})
		_, err := wait()
		require.NoError(t, err)
		require.Equal(t, 6*time.Second, time.Since(at), "two restart intervals for the other NCP")
	})
}

func TestMRUAndMTU(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		client, server := mustBring(t, a, b, &Config{MRU: 576}, &Config{MRU: 990})
		require.Equal(t, 576, client.MTU())
		require.Equal(t, 576, server.MTU())
		require.ErrorIs(t, client.WritePacket(ipv4(577, 0)), ErrPacket)
	})
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		both := &Config{MRU: 9000}
		client, server := mustBring(t, a, b, both, both)
		require.Equal(t, 9000, client.MTU())
		require.NoError(t, client.WritePacket(ipv4(9000, 0)))
		n, err := server.ReadPacket(make([]byte, 9000))
		require.NoError(t, err)
		require.Equal(t, 9000, n)
	})
}

// ACCM: a line that eats XON and XOFF carries everything else.
func TestLineThatEatsXONAndXOFF(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		strip := func(p []byte) [][]byte {
			return [][]byte{bytes.ReplaceAll(bytes.ReplaceAll(p, []byte{0x11}, nil), []byte{0x13}, nil)}
		}
		a.mangle, b.mangle = strip, strip
		both := &Config{ACCM: 0x000a0000}
		client, server := mustBring(t, a, b, both, both)
		p := ipv4(1500, 0)
		require.NoError(t, client.WritePacket(p))
		got := make([]byte, 1500)
		n, err := server.ReadPacket(got)
		require.NoError(t, err)
		require.Equal(t, p, got[:n])
	})
}

func TestAuthentication(t *testing.T) {
	secret := func(name string) (string, bool) { return "s3cret-" + name, name == "meter" }
	good, bad := "s3cret-meter", "wr0ng-pass"
	cases := []struct {
		name           string
		allow, require Auth
		user, password string
		clientErr      error
		serverErr      error
	}{
		{"PAP", AuthPAP, AuthPAP, "meter", good, nil, nil},
		{"CHAP", AuthCHAP, AuthCHAP, "meter", good, nil, nil},
		{"MS-CHAPv2", AuthMSCHAPv2, AuthMSCHAPv2, "meter", good, nil, nil},
		{"the best of all", 0, AuthPAP | AuthCHAP | AuthMSCHAPv2, "meter", good, nil, nil},
		{"CHAP of two, by Nak", AuthCHAP, AuthCHAP | AuthMSCHAPv2, "meter", good, nil, nil},
		{"PAP of three, by Nak", AuthPAP, AuthPAP | AuthCHAP | AuthMSCHAPv2, "meter", good, nil, nil},
		{"PAP, wrong password", AuthPAP, AuthPAP, "meter", bad, ErrRefused, ErrPeerNotAuthentic},
		{"CHAP, wrong password", AuthCHAP, AuthCHAP, "meter", bad, ErrRefused, ErrPeerNotAuthentic},
		{"MS-CHAPv2, wrong password", AuthMSCHAPv2, AuthMSCHAPv2, "meter", bad, ErrRefused, ErrPeerNotAuthentic},
		{"CHAP, unknown name", AuthCHAP, AuthCHAP, "pump", "s3cret-pump", ErrRefused, ErrPeerNotAuthentic},
		{"no password", 0, AuthCHAP, "", "", ErrRefused, ErrPeerNotAuthentic},
		{"PAP is not allowed", AuthCHAP, AuthPAP, "meter", good, ErrTerminated, ErrPeerNotAuthentic},
	}
	for _, c := range cases {
		for _, f := range []lineFaults{{name: "good line"}, {name: "bad line", drop: 150, double: 150}} {
			t.Run(fmt.Sprintf("%s, %s", c.name, f.name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					a, b := newLine()
					f.spoil(1, a, b)
					client, server, clientErr, serverErr := bring(t, a, b,
						&Config{User: c.user, Password: c.password, Allow: c.allow, MaxConfigure: 30},
						&Config{Require: c.require, Secret: secret, MaxConfigure: 30})
					for _, err := range []error{clientErr, serverErr} {
						if err != nil && c.password != "" {
							require.NotContains(t, err.Error(), c.password, "secrets stay secret")
						}
					}
					if c.clientErr == nil {
						require.NoError(t, errors.Join(clientErr, serverErr))
						require.Equal(t, "meter", server.PeerName())
						require.NotNil(t, client)
						return
					}
					require.ErrorIs(t, serverErr, c.serverErr)
					if f.drop == 0 {
						require.ErrorIs(t, clientErr, c.clientErr)
					}
					require.Error(t, clientErr)
				})
			})
		}
	}
}

func TestAuthenticationOfTheNetwork(t *testing.T) {
	secret := func(name string) (string, bool) { return "net-pass", name == "network" }
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		client, _ := mustBring(t, a, b, &Config{Require: AuthCHAP, Secret: secret}, &Config{User: "network", Password: "net-pass"})
		require.Equal(t, "network", client.PeerName())
	})
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		_, _, clientErr, serverErr := bring(t, a, b, &Config{Require: AuthCHAP, Secret: secret}, nil)
		require.ErrorIs(t, clientErr, ErrPeerNotAuthentic, "a network without a name rejects the option")
		require.Error(t, serverErr)
	})
}

// How many round trips it takes until the terminal can send: one for LCP, one
// for authentication, and two for IPCP, which first tells the address.
func TestRoundTripsToCarryIP(t *testing.T) {
	const trip = 500 * time.Millisecond
	secret := func(string) (string, bool) { return "s3cret", true }
	dns := []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("192.0.2.54")}
	for _, c := range []struct {
		name  string
		serve Config
		trips float64
	}{
		{"address and name servers", Config{DNS: dns}, 3},
		{"no name servers, said first by a Reject", Config{}, 4},
		{"PAP", Config{DNS: dns, Require: AuthPAP, Secret: secret}, 4},
		{"CHAP", Config{DNS: dns, Require: AuthCHAP, Secret: secret}, 4.5}, // the challenge comes after the last Ack
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a, b := newLine()
				lineFaults{delay: trip / 2, jitter: 1}.spoil(0, a, b)
				start := time.Now()
				go Serve(t.Context(), b, &c.serve)
				client, err := Dial(t.Context(), a, &Config{User: "meter", Password: "s3cret"})
				require.NoError(t, err)
				took := time.Since(start)
				time.Sleep(time.Second) // the other end comes up as well
				require.NoError(t, client.Close())
				time.Sleep(time.Minute)
				require.InDelta(t, c.trips, float64(took)/float64(trip), 0.01)
			})
		})
	}
}

// A network may ask again at any time (RFC 1994 section 4.1), and refuse.
func TestCHAPAgainWhileUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wait := startDial(t, &Config{User: "meter", Password: "s3cret"})
		p.agree(protocolLCP, "0305c22305")
		challenge := append([]byte{4}, "abcdnetwork"...)
		ask := func(id byte, verdict code) {
			p.send(protocolCHAP, packet{chapChallenge, id, challenge})
			response := p.want("its response", protocolCHAP, chapResponse)
			require.Equal(t, id, response.id)
			require.Equal(t, md5Algorithm{}.respond(id, []byte("abcd"), credentials{"meter", "s3cret"}), response.data[1:17])
			require.Equal(t, "meter", string(response.data[17:]))
			p.send(protocolCHAP, packet{verdict, id, []byte("you said s3cret\x00")})
		}
		ask(9, chapSuccess)
		p.ipcp("0a000007")
		c, err := wait()
		require.NoError(t, err)
		ask(10, chapSuccess)
		require.NoError(t, c.WritePacket(ipv4(40, 0)))
		proto, _, _ := p.next(time.Second)
		require.Equal(t, protocolIPv4, proto)
		ask(11, chapFailure)
		p.send(protocolLCP, packet{codeTerminateAck, p.want("the end", protocolLCP, codeTerminateRequest).id, nil})
		<-c.Done()
		require.ErrorIs(t, c.Err(), ErrRefused)
		require.NotContains(t, c.Err().Error(), "s3cret", "not even if the peer says it")
	})
}

// 1,000 links in a row on one line; goleak sees to the goroutines.
func TestThousandLinksOnOneLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		for i := range 1000 {
			client, server, err1, err2 := bring(t, a, b, nil, nil)
			require.NoError(t, errors.Join(err1, err2), i)
			if i%2 == 0 {
				client, server = server, client
			}
			require.NoError(t, client.Close(), i)
			<-server.Done()
			require.Empty(t, client.Rest())
		}
	})
}
