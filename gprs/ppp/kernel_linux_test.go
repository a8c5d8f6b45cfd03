package ppp_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
	"github.com/telemodem/telemodem/internal/umltest"
)

// length is how much of a test runs by default. TELEMODEM_LONG=1 runs all of
// each: the guest takes about 1 MB/s, and is slow to boot.
type length string

const (
	full     length = "10 MB each way"
	brief    length = "256 KB each way"
	onlyLong length = "nothing"
)

func (l length) volume(t *testing.T) int {
	switch {
	case l == full || os.Getenv("TELEMODEM_LONG") == "1":
		return 10 << 20
	case l == onlyLong:
		t.Skip("a variant of another test; TELEMODEM_LONG=1 runs it")
	}
	return 256 << 10
}

// bootPPPD starts a guest whose pppd is our peer. It has as much to send as
// size says on port 7001, and tells the hash of what it gets on port 7002.
func bootPPPD(t *testing.T, options, secrets string, size int) *umltest.Machine {
	if testing.Short() {
		t.Skip("boots a guest")
	}
	return umltest.Boot(t, &umltest.Config{
		Modules:  []string{"ppp_async", "ppp_deflate", "bsd_comp"},
		Programs: []string{"/usr/sbin/pppd"},
		Files: map[string]umltest.File{
			"/etc/ppp/options":      {},
			"/etc/ppp/pap-secrets":  {Text: secrets},
			"/etc/ppp/chap-secrets": {Text: secrets},
		},
		Init: fmt.Sprintf(`
mkdir -p /var/run /run /tmp /etc/ppp
head -c %d /dev/urandom >/tmp/blob
echo "blob $(sha256sum /tmp/blob)"
/usr/sbin/pppd /dev/ttyS0 115200 local nodetach nocrtscts debug %s &
link=$!
nc -l -p 7001 </tmp/blob &
nc -l -p 7002 >/tmp/taken
echo "taken $(sha256sum /tmp/taken)"
wait $link
`, size, options),
	})
}

// exchange moves data both ways through link and compares it by hash.
func exchange(t *testing.T, m *umltest.Machine, link *ppp.Conn, blob string, size int) {
	stack, err := netstack.New(link, nil)
	require.NoError(t, err)
	defer stack.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	peer := link.PeerAddr().String()

	start := time.Now()
	require.Equal(t, blob, download(t, ctx, stack, net.JoinHostPort(peer, "7001"), size))
	down := time.Since(start)
	start = time.Now()
	sum := upload(t, ctx, stack, net.JoinHostPort(peer, "7002"), size)
	require.Equal(t, sum, strings.Fields(m.Expect(t, "taken ", time.Minute))[1])
	t.Logf("%d octets down in %v, up in %v", size, down, time.Since(start))
}

func download(t *testing.T, ctx context.Context, stack *netstack.Net, address string, size int) string {
	c, err := stack.DialContext(ctx, "tcp", address)
	require.NoError(t, err)
	defer c.Close()
	hash := sha256.New()
	n, err := io.CopyN(hash, c, int64(size))
	require.NoError(t, err, "after %d octets", n)
	return hex.EncodeToString(hash.Sum(nil))
}

func upload(t *testing.T, ctx context.Context, stack *netstack.Net, address string, size int) string {
	c, err := stack.DialContext(ctx, "tcp", address)
	require.NoError(t, err)
	hash := sha256.New()
	source := rand.NewChaCha8([32]byte{1})
	_, err = io.CopyN(io.MultiWriter(c, hash), source, int64(size))
	require.NoError(t, err)
	require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
	io.Copy(io.Discard, c) // until the other end has taken it all
	require.NoError(t, c.Close())
	return hex.EncodeToString(hash.Sum(nil))
}

// The kernel's pppd is the network that we dial.
func TestKernelPPPDAsNetwork(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, options string
		allow         ppp.Auth
		length        length
	}{
		{"no authentication", "noauth", 0, full},
		{"PAP", "auth require-pap", ppp.AuthPAP, brief},
		{"CHAP", "auth require-chap", ppp.AuthCHAP, brief},
		{"MS-CHAPv2", "auth require-mschap-v2", 0, onlyLong},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			size := c.length.volume(t)
			m := bootPPPD(t, c.options+" name network ms-dns 10.9.0.53 10.9.0.1:10.9.0.2", "meter network s3cret *\n", size)
			blob := strings.Fields(m.Expect(t, "blob ", 30*time.Second))[1]
			link, err := ppp.Dial(t.Context(), m.Serial, &ppp.Config{
				User: "meter", Password: "s3cret", Allow: c.allow, Families: ppp.IPv4 | ppp.IPv6,
			})
			require.NoError(t, err)
			require.Equal(t, "10.9.0.2", link.LocalAddr().String())
			require.Equal(t, "10.9.0.1", link.PeerAddr().String())
			require.Equal(t, "10.9.0.53", link.DNS()[0].String())
			exchange(t, m, link, blob, size)
			require.NoError(t, link.Close())
			m.Expect(t, "LCP terminated by peer", 10*time.Second)
			stats := link.Stats()
			require.Zero(t, stats.Received.FCSErrors)
			require.Zero(t, stats.Received.Overflowed)
		})
	}
}

func TestKernelPPPDRefusesUs(t *testing.T) {
	t.Parallel()
	m := bootPPPD(t, "auth require-chap name network 10.9.0.1:10.9.0.2", "meter network s3cret *\n", 10)
	m.Expect(t, "blob ", 30*time.Second)
	_, err := ppp.Dial(t.Context(), m.Serial, &ppp.Config{User: "meter", Password: "wr0ng"})
	require.ErrorIs(t, err, ppp.ErrRefused)
	require.NotContains(t, err.Error(), "wr0ng")
}

// The kernel's pppd is the terminal that dials us.
func TestKernelPPPDAsTerminal(t *testing.T) {
	t.Parallel()
	secret := func(name string) (string, bool) { return "s3cret", name == "meter" }
	cases := []struct {
		name    string
		require ppp.Auth
		length  length
	}{
		{"no authentication", 0, onlyLong},
		{"PAP", ppp.AuthPAP, onlyLong},
		{"CHAP", ppp.AuthCHAP, brief},
		{"MS-CHAPv2", ppp.AuthMSCHAPv2, onlyLong},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			size := c.length.volume(t)
			m := bootPPPD(t, "noauth user meter noipdefault usepeerdns", "meter * s3cret *\n", size)
			blob := strings.Fields(m.Expect(t, "blob ", 30*time.Second))[1]
			link, err := ppp.Serve(t.Context(), m.Serial, &ppp.Config{Require: c.require, Secret: secret})
			require.NoError(t, err)
			require.Equal(t, "10.64.64.2", link.PeerAddr().String())
			if c.require != 0 {
				require.Equal(t, "meter", link.PeerName())
			}
			exchange(t, m, link, blob, size)
			require.NoError(t, link.Close())
			m.Expect(t, "LCP terminated by peer", 10*time.Second)
		})
	}
}
