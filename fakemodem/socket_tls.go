package fakemodem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// StoreCertificate puts a certificate, PEM or DER, into the modem's memory under
// the name by which its TLS commands call it: "UFS:ca.pem" for Quectel, "ca"
// for u-blox. It stays there through a restart. The makers' own commands,
// AT+QFUPL and AT+USECMNG, do the same.
func (m *Modem) StoreCertificate(name string, certificate []byte) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.sockets.store(name, certificate)
}

// store keeps a file in the modem's memory.
func (s *socketSet) store(name string, data []byte) {
	if s.files == nil {
		s.files = make(map[string][]byte)
	}
	s.files[name] = append([]byte(nil), data...)
}

// certificateLimit bounds a file that is stored, in octets.
const certificateLimit = 64 << 10

// tlsProfile is a set of TLS settings in a modem.
type tlsProfile struct {
	verify bool   // the certificate must come from the stored root
	named  bool   // and be for the host
	dates  bool   // and be valid now
	root   string // the name of the stored root certificate
	host   string // whom the certificate has to be for; empty: the host that was dialled
	sni    string // what is sent as server name; "*" is the host that was dialled
}

// profile finds or makes the TLS settings with a number.
func (s *socketSet) profile(id int) *tlsProfile {
	if s.secure == nil {
		s.secure = make(map[int]*tlsProfile)
	}
	if s.secure[id] == nil {
		s.secure[id] = new(tlsProfile)
	}
	return s.secure[id]
}

var errNoRoot = errors.New("the root certificate is not stored, or is none")

// config makes what crypto/tls wants of the settings as they are now.
func (p tlsProfile) config(files map[string][]byte, host string) (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: true, ServerName: p.sni}
	if p.sni == "*" {
		config.ServerName = host
	}
	if !p.verify {
		return config, nil
	}
	roots := x509.NewCertPool()
	root, err := parseCertificate(files[p.root])
	if err != nil {
		return nil, err
	}
	roots.AddCert(root)
	name := ""
	if p.named {
		if name = p.host; name == "" {
			name = host
		}
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		return verify(state.PeerCertificates, roots, name, p.dates)
	}
	return config, nil
}

// parseCertificate reads a certificate as PEM or DER.
func parseCertificate(data []byte) (*x509.Certificate, error) {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, errNoRoot
	}
	return cert, nil
}

// verify checks a chain against roots and, unless name is empty, whom it is for.
func verify(chain []*x509.Certificate, roots *x509.CertPool, name string, dates bool) error {
	if len(chain) == 0 {
		return errNoRoot
	}
	options := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	if !dates {
		options.CurrentTime = chain[0].NotBefore
	}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(options)
	return err
}

// handshake makes conn a TLS connection, or closes it.
func handshake(ctx context.Context, n *Network, conn net.Conn, config *tls.Config) (net.Conn, error) {
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return &secureConn{Conn: secure, raw: conn, n: n}, nil
}

// secureConn is a TLS connection whose Close does not wait for the peer.
type secureConn struct {
	*tls.Conn
	raw  net.Conn
	n    *Network
	once sync.Once
}

// Close says so to the peer, aside and not for ever, and closes.
func (c *secureConn) Close() error {
	c.once.Do(func() {
		c.n.start(func() {
			cut := time.AfterFunc(socketLinger, func() { c.raw.Close() })
			defer cut.Stop()
			c.Conn.Close()
		})
	})
	return nil
}
