package socket_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// authority issues certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{t, key, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue makes a certificate for a host that is valid until then.
func (a *authority) issue(host string, until time.Time) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(a.t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// greet serves TLS at 10.65.0.9:443, known as gateway.example, and tells the
// server names that clients sent. Each client is greeted and echoed.
func greet(r *rig, cert tls.Certificate) (names chan string) {
	names = make(chan string, 64)
	inner, err := r.n.Listen("tcp", "10.65.0.9:443")
	require.NoError(r.t, err)
	r.n.AddName("gateway.example", netip.MustParseAddr("10.65.0.9"))
	listener := tls.NewListener(inner, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		names <- hello.ServerName
		return &cert, nil
	}})
	r.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := fmt.Fprint(conn, "hello "); err == nil {
					io.Copy(conn, conn)
				}
			}()
		}
	}()
	return names
}

// secured are the modems that have TLS, with what they can check.
var secured = []struct {
	kind    *fakemodem.Personality
	dialect socket.Dialect
	can     []socket.Verification
	dates   bool
	sni     bool
}{
	{fakemodem.BG96, socket.Quectel, []socket.Verification{socket.VerifyServer, socket.VerifyChain, socket.VerifyNothing}, true, true},
	{fakemodem.EC25, socket.Quectel, []socket.Verification{socket.VerifyChain, socket.VerifyNothing}, true, true},
	{fakemodem.SARAR410, socket.UBlox, []socket.Verification{socket.VerifyServer, socket.VerifyChain, socket.VerifyNothing}, true, true},
	{fakemodem.SIM800, socket.SIM800, []socket.Verification{socket.VerifyNothing}, false, false},
}

// Real TLS by the modem, with each of the certificates that a server can show:
// what is asked for is checked, and what is wrong is refused.
func TestTLSRefusesWrongCertificates(t *testing.T) {
	for _, m := range secured {
		for _, verify := range m.can {
			for _, c := range []struct {
				name    string
				foreign bool // of another authority
				host    string
				lasts   time.Duration
				dates   bool // checked
				refused bool
			}{
				{name: "right", host: "gateway.example", lasts: time.Hour},
				{name: "of another authority", foreign: true, host: "gateway.example", lasts: time.Hour, refused: verify != socket.VerifyNothing},
				{name: "for another host", host: "other.example", lasts: time.Hour, refused: verify == socket.VerifyServer},
				{name: "expired, dates not checked", host: "gateway.example", lasts: -time.Hour},
				{name: "expired", host: "gateway.example", lasts: -time.Hour, dates: true, refused: true},
			} {
				if c.dates && (!m.dates || verify == socket.VerifyNothing || m.dialect.String() == socket.UBlox.String() && verify != socket.VerifyServer) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/%s", m.kind.Name, verify, c.name), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						r := newOnline(t, m.kind)
						trusted, issuer := newAuthority(t), newAuthority(t)
						if !c.foreign {
							issuer = trusted
						}
						names := greet(r, issuer.issue(c.host, time.Now().Add(c.lasts)))
						r.fake.StoreCertificate("ca", trusted.pem)
						cfg := &socket.Config{APN: "internet", TLS: &socket.TLS{Verify: verify, CA: "ca", CheckDates: c.dates}}
						stack, err := socket.Open(t.Context(), r.modem, m.dialect, cfg)
						require.NoError(t, err)
						defer stack.Close()
						conn, err := stack.DialContext(t.Context(), "tcp", "gateway.example:443")
						if m.sni {
							require.Equal(t, "gateway.example", <-names)
						}
						if c.refused {
							require.ErrorIs(t, err, socket.ErrRefused)
							require.Zero(t, r.fake.OpenSockets(), "no number is left in use")
							return
						}
						require.NoError(t, err)
						_, err = conn.Write([]byte("meter"))
						require.NoError(t, err)
						got := make([]byte, len("hello meter"))
						_, err = io.ReadFull(conn, got)
						require.NoError(t, err)
						require.Equal(t, "hello meter", string(got))
						require.NoError(t, conn.Close())
						require.Zero(t, r.fake.OpenSockets())
					})
				})
			}
		}
	}
}

// A dialect that cannot check what is asked for says so before a connection is
// made: nothing is silently weaker than it looks.
func TestTLSThatCannotBeCheckedIsAnError(t *testing.T) {
	for _, m := range []struct {
		kind    *fakemodem.Personality
		dialect socket.Dialect
		tls     socket.TLS
		want    error
	}{
		{fakemodem.EC25, socket.Quectel, socket.TLS{CA: "ca"}, errors.ErrUnsupported},
		{fakemodem.BG96, socket.Quectel, socket.TLS{CA: "ca", ServerName: "other.example"}, errors.ErrUnsupported},
		{fakemodem.SIM800, socket.SIM800, socket.TLS{CA: "ca"}, errors.ErrUnsupported},
		{fakemodem.SIM800, socket.SIM800, socket.TLS{CA: "ca", Verify: socket.VerifyChain}, errors.ErrUnsupported},
		{fakemodem.SIM800, socket.SIM800, socket.TLS{Verify: socket.VerifyNothing, CheckDates: true}, errors.ErrUnsupported},
		{fakemodem.SARAR410, socket.UBlox, socket.TLS{CA: "ca", Verify: socket.VerifyChain, CheckDates: true}, errors.ErrUnsupported},
		{fakemodem.SIM7600, socket.SIM7600, socket.TLS{Verify: socket.VerifyNothing}, errors.ErrUnsupported},
		{fakemodem.BG96, socket.Quectel, socket.TLS{}, at.ErrInvalid}, // no CA
		{fakemodem.BG96, socket.Quectel, socket.TLS{Verify: socket.VerifyChain}, at.ErrInvalid},
		{fakemodem.BG96, socket.Quectel, socket.TLS{Verify: 9, CA: "ca"}, at.ErrInvalid},
		{fakemodem.BG96, socket.Quectel, socket.TLS{CA: "ca", Profile: -1}, at.ErrInvalid},
		{fakemodem.BG96, socket.Quectel, socket.TLS{CA: "c\"a"}, at.ErrInvalid},
		{fakemodem.SARAR410, socket.UBlox, socket.TLS{CA: "ca", ServerName: "a\r\nAT+CFUN=0"}, at.ErrInvalid},
	} {
		t.Run(fmt.Sprintf("%s %+v", m.kind.Name, m.tls), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newOnline(t, m.kind)
				_, err := socket.Open(t.Context(), r.modem, m.dialect, &socket.Config{TLS: &m.tls})
				require.ErrorIs(t, err, m.want)
				_, err = at.Exec(t.Context(), r.modem, "+CFUN?")
				require.NoError(t, err)
			})
		})
	}
}

// A root certificate that is not in the modem is no reason to trust anybody.
func TestTLSWithoutTheRootIsRefused(t *testing.T) {
	for _, m := range secured[:3] {
		synctest.Test(t, func(t *testing.T) {
			r := newOnline(t, m.kind)
			ca := newAuthority(t)
			greet(r, ca.issue("gateway.example", time.Now().Add(time.Hour)))
			stack, err := socket.Open(t.Context(), r.modem, m.dialect, &socket.Config{TLS: &socket.TLS{Verify: m.can[0], CA: "ca"}})
			require.NoError(t, err)
			defer stack.Close()
			_, err = stack.DialContext(t.Context(), "tcp", "gateway.example:443")
			require.ErrorIs(t, err, socket.ErrRefused)
		})
	}
}

// u-blox alone can expect another name than the one that is dialled.
func TestTLSServerName(t *testing.T) {
	for want, name := range map[string]string{"ok": "gateway.example", "refused": "other.example"} {
		synctest.Test(t, func(t *testing.T) {
			r := newOnline(t, fakemodem.SARAR510)
			ca := newAuthority(t)
			names := greet(r, ca.issue("gateway.example", time.Now().Add(time.Hour)))
			r.fake.StoreCertificate("ca", ca.pem)
			stack, err := socket.Open(t.Context(), r.modem, socket.UBlox, &socket.Config{TLS: &socket.TLS{CA: "ca", ServerName: name, Profile: 3}})
			require.NoError(t, err)
			defer stack.Close()
			_, err = stack.DialContext(t.Context(), "tcp", "10.65.0.9:443")
			require.Equal(t, name, <-names)
			if want == "refused" {
				require.ErrorIs(t, err, socket.ErrRefused)
				return
			}
			require.NoError(t, err)
		})
	}
}

// SIM800 has one TLS session, and plain ones when a later run asks for no TLS.
func TestTLSOfSIM800IsOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newOnline(t, fakemodem.SIM800)
		greet(r, newAuthority(t).issue("anybody.example", time.Now().Add(time.Hour)))
		cfg := &socket.Config{TLS: &socket.TLS{Verify: socket.VerifyNothing}}
		stack, err := socket.Open(t.Context(), r.modem, socket.SIM800, cfg)
		require.NoError(t, err)
		first, err := stack.DialContext(t.Context(), "tcp", "gateway.example:443")
		require.NoError(t, err)
		_, err = stack.DialContext(t.Context(), "tcp", "gateway.example:443")
		require.ErrorIs(t, err, socket.ErrNoSocket)
		require.NoError(t, first.Close())
		_, err = stack.DialContext(t.Context(), "tcp", "gateway.example:443")
		require.NoError(t, err, "the session is free again")
		require.NoError(t, stack.Close())

		plain, err := r.n.Listen("tcp", "10.65.0.9:80")
		require.NoError(t, err)
		defer plain.Close()
		stack, err = socket.Open(t.Context(), r.modem, socket.SIM800, nil)
		require.NoError(t, err)
		defer stack.Close()
		conn, err := stack.DialContext(t.Context(), "tcp", "10.65.0.9:80")
		require.NoError(t, err)
		_, err = conn.Write([]byte("plain"))
		require.NoError(t, err)
		far, err := plain.Accept()
		require.NoError(t, err)
		got := make([]byte, 5)
		_, err = io.ReadFull(far, got)
		require.NoError(t, err)
		require.Equal(t, "plain", string(got), "the TLS of the former run is off")
		far.Close()
	})
}

// The makers' own commands put the root certificate into the modem.
func TestTLSRootByTheMakersCommand(t *testing.T) {
	for _, m := range []struct {
		kind    *fakemodem.Personality
		dialect socket.Dialect
		name    string
		upload  string
		mark    string
	}{
		{fakemodem.BG96, socket.Quectel, "UFS:ca.pem", `+QFUPL="UFS:ca.pem",%d`, "CONNECT"},
		{fakemodem.SARAR410, socket.UBlox, "ca", `+USECMNG=0,0,"ca",%d`, ">"},
	} {
		t.Run(m.kind.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newOnline(t, m.kind)
				ca := newAuthority(t)
				greet(r, ca.issue("gateway.example", time.Now().Add(time.Hour)))
				_, err := r.modem.Command(t.Context(), at.Command{Text: fmt.Sprintf(m.upload, len(ca.pem)),
					Prompt: &at.Prompt{Mark: m.mark, Data: ca.pem, Fixed: true}})
				require.NoError(t, err)
				stack, err := socket.Open(t.Context(), r.modem, m.dialect, &socket.Config{TLS: &socket.TLS{CA: m.name}})
				require.NoError(t, err)
				defer stack.Close()
				conn, err := stack.DialContext(t.Context(), "tcp", "gateway.example:443")
				require.NoError(t, err)
				got, err := io.ReadAll(io.LimitReader(conn, 6))
				require.NoError(t, err)
				require.Equal(t, "hello ", string(got))
			})
		})
	}
}

// Bulk data by TLS is what was sent, and a slow handshake is waited for.
func TestTLSBulkAndSlowHandshake(t *testing.T) {
	for _, m := range secured[:3] {
		t.Run(m.kind.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newOnline(t, m.kind)
				ca := newAuthority(t)
				greet(r, ca.issue("gateway.example", time.Now().Add(time.Hour)))
				r.fake.StoreCertificate("ca", ca.pem)
				r.fake.SetSocketFaults(fakemodem.SocketFaults{SlowTLS: 30 * time.Second})
				stack, err := socket.Open(t.Context(), r.modem, m.dialect, &socket.Config{TLS: &socket.TLS{Verify: m.can[0], CA: "ca"}})
				require.NoError(t, err)
				defer stack.Close()
				conn, err := stack.DialContext(t.Context(), "tcp", "gateway.example:443")
				require.NoError(t, err)
				sent := strings.Repeat("\r\nOK\r\n+QSSLURC: \"closed\",0\r\n", 3000)
				go io.WriteString(conn, sent)
				got, err := io.ReadAll(io.LimitReader(conn, int64(len("hello ")+len(sent))))
				require.NoError(t, err)
				require.True(t, "hello "+sent == string(got))
			})
		})
	}
}
