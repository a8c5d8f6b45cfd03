package ppp_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// selectWrapper maps the time-out that slirp hands to select, and that today's
// C library refuses, to "no time-out".
const selectWrapper = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/select.h>

int select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t) {
	int (*next)(int, fd_set *, fd_set *, fd_set *, struct timeval *) = dlsym(RTLD_NEXT, "select");
	if (t && (t->tv_sec < 0 || t->tv_usec < 0 || t->tv_usec >= 1000000))
		t = 0;
	return next(n, r, w, e, t);
}
`

// startSlirp runs slirp on a pseudo-terminal and returns our end of it.
func startSlirp(t *testing.T, options ...string) *os.File {
	if testing.Short() {
		t.Skip("runs another program")
	}
	slirp, err := exec.LookPath("slirp-fullbolt")
	if err != nil {
		t.Skip("slirp-fullbolt is not installed (Debian package slirp)")
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not installed, and slirp needs a wrapper")
	}
	folder := t.TempDir()
	// The fourth column is the address that the name may have.
	for _, file := range []string{".pap-secrets", ".chap-secrets"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte("meter * s3cret 10.0.2.15\n"), 0o600))
	}
	source, wrapper := filepath.Join(folder, "select.c"), filepath.Join(folder, "select.so")
	require.NoError(t, os.WriteFile(source, []byte(selectWrapper), 0o600))
	out, err := exec.Command(gcc, "-shared", "-fPIC", "-o", wrapper, source, "-ldl").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(slirp, append([]string{"ppp"}, options...)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "LD_PRELOAD="+wrapper, "HOME="+folder)
	line, err := pty.Start(cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		line.Close()
	})
	// Before that the terminal echoes what it gets.
	greeting, buf := "", make([]byte, 256)
	for !strings.Contains(greeting, "SLiRP Ready") {
		n, err := line.Read(buf)
		require.NoError(t, err, greeting)
		greeting += string(buf[:n])
	}
	return line
}

// echoHash is a TCP server on the host's loopback, which slirp calls
// 10.0.2.2. It sends size octets, takes as many, and tells the hash of both.
func echoHash(t *testing.T, size int) (port string, sums chan [2]string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	sums = make(chan [2]string, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		sent, taken := sha256.New(), sha256.New()
		io.CopyN(io.MultiWriter(c, sent), rand.NewChaCha8([32]byte{2}), int64(size))
		io.CopyN(taken, c, int64(size))
		sums <- [2]string{hex.EncodeToString(sent.Sum(nil)), hex.EncodeToString(taken.Sum(nil))}
	}()
	_, port, err = net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port, sums
}

// A network that nobody here wrote, and that is not Linux's either.
func TestSlirpAsNetwork(t *testing.T) {
	const size = 10 << 20
	line := startSlirp(t)
	link, err := ppp.Dial(t.Context(), line, &ppp.Config{PeerAddr: netip.MustParseAddr("10.0.2.2"), Families: ppp.IPv4 | ppp.IPv6,
		RestartInterval: 500 * time.Millisecond}) // it goes without a Terminate-Ack
	require.NoError(t, err)
	require.Equal(t, "10.0.2.15", link.LocalAddr().String())
	require.Equal(t, "10.0.2.2", link.PeerAddr().String())
	require.Len(t, link.DNS(), 1)
	stack, err := netstack.New(link, nil)
	require.NoError(t, err)
	defer stack.Close()

	port, sums := echoHash(t, size)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := stack.DialContext(ctx, "tcp", net.JoinHostPort("10.0.2.2", port))
	require.NoError(t, err)
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	start := time.Now()
	taken, sent := sha256.New(), sha256.New()
	_, err = io.CopyN(taken, c, size)
	require.NoError(t, err)
	_, err = io.CopyN(io.MultiWriter(c, sent), rand.NewChaCha8([32]byte{3}), size)
	require.NoError(t, err)
	sum := <-sums
	require.Equal(t, sum, [2]string{hex.EncodeToString(taken.Sum(nil)), hex.EncodeToString(sent.Sum(nil))})
	t.Logf("%d octets each way in %v", size, time.Since(start))
	require.Zero(t, link.Stats().Received.FCSErrors)
}

func TestSlirpAuthentication(t *testing.T) {
	for _, c := range []struct {
		option string
		allow  ppp.Auth
	}{{"+pap", ppp.AuthPAP}, {"+chap", ppp.AuthCHAP}} {
		t.Run(c.option, func(t *testing.T) {
			line := startSlirp(t, c.option)
			link, err := ppp.Dial(t.Context(), line, &ppp.Config{
				User: "meter", Password: "s3cret", Allow: c.allow, PeerAddr: netip.MustParseAddr("10.0.2.2"),
			})
			require.NoError(t, err)
			require.NoError(t, link.Close())
		})
	}
}
