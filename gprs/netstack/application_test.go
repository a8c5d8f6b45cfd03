package netstack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
)

// An HTTP client and server of net/http, over PPP.
func TestHTTP(t *testing.T) {
	left, right := newMemoryLine()
	device, network := pppPair(t, left, right, nil)
	l, err := network.Listen("tcp", ":80")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", int(n)))
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: device.DialContext}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	response, err := client.Post("http://10.64.0.1/", "text/plain", strings.NewReader(strings.Repeat("y", 100_000)))
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Len(t, body, 100_000)
}

func TestTLS(t *testing.T) {
	device, network := newPair(t, nil)
	certificate, pool := newCertificate(t)
	l, err := network.Listen("tcp", ":443")
	require.NoError(t, err)
	secure := tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}})
	go func() {
		c, err := secure.Accept()
		if err == nil {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	conn, err := device.DialContext(t.Context(), "tcp", "10.64.0.1:443")
	require.NoError(t, err)
	client := tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: "gateway.example"})
	defer client.Close()
	requireEcho(t, client)
}

func newCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway.example"}, DNSNames: []string{"gateway.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// allowAll lets every client in.
type allowAll struct{ broker.HookBase }

func (*allowAll) ID() string { return "allow all" }

func (*allowAll) Provides(hook byte) bool {
	return hook == broker.OnConnectAuthenticate || hook == broker.OnACLCheck
}

func (*allowAll) OnConnectAuthenticate(*broker.Client, packets.Packet) bool { return true }
func (*allowAll) OnACLCheck(*broker.Client, string, bool) bool              { return true }

// An MQTT client that dials through the stack, and a broker on the listener of
// the other one.
func TestMQTT(t *testing.T) {
	device, network := newPair(t, nil)
	l, err := network.Listen("tcp", ":1883")
	require.NoError(t, err)
	server := broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, server.AddHook(new(allowAll), nil))
	require.NoError(t, server.AddListener(listeners.NewNet("modem", l)))
	require.NoError(t, server.Serve())
	defer server.Close()

	options := mqtt.NewClientOptions().AddBroker("tcp://10.64.0.1:1883").SetClientID("meter").SetAutoReconnect(false).
		SetCustomOpenConnectionFn(func(uri *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
			return device.DialContext(context.Background(), "tcp", uri.Host)
		})
	client := mqtt.NewClient(options)
	token := client.Connect()
	require.True(t, token.WaitTimeout(5*time.Second))
	require.NoError(t, token.Error())
	defer client.Disconnect(100)
	got := make(chan string, 1)
	token = client.Subscribe("readings/#", 1, func(_ mqtt.Client, m mqtt.Message) { got <- m.Topic() + " " + string(m.Payload()) })
	require.True(t, token.WaitTimeout(5*time.Second))
	require.NoError(t, token.Error())
	token = client.Publish("readings/1", 1, false, "42")
	require.True(t, token.WaitTimeout(5*time.Second))
	require.NoError(t, token.Error())
	select {
	case m := <-got:
		require.Equal(t, "readings/1 42", m)
	case <-time.After(5 * time.Second):
		t.Fatal("the message does not come back")
	}
}

// The end of a PPP link, here by its peer, reaches the connections over it.
func TestEndOfPPPLinkReachesConnections(t *testing.T) {
	left, right := newMemoryLine()
	device, network := pppPair(t, left, right, nil)
	l, err := network.Listen("tcp", ":80")
	require.NoError(t, err)
	defer l.Close()
	conn, err := device.DialContext(t.Context(), "tcp", "10.64.0.1:80")
	require.NoError(t, err)
	require.NoError(t, network.Close())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.False(t, errors.Is(err, io.EOF), "an end that nobody asked for is no EOF: %v", err)
	select {
	case <-device.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the stack outlives its link")
	}
	require.Error(t, device.Err())
}
