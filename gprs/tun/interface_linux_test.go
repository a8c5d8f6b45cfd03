package tun

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/telemodem/telemodem/gprs/netstack"
)

// inNamespace says that the test runs in a network namespace of its own.
const inNamespace = "TELEMODEM_TUN_NAMESPACE"

// namespaced runs the calling test once more in a fresh network namespace and
// tells whether this is that run. It skips where the machine forbids it.
func namespaced(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		return true
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("no TUN interfaces here: ", err)
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=120s")
	child.Env = append(os.Environ(), inNamespace+"=1")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		child.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		child.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	output, err := child.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skip("this machine allows no network namespace: ", err)
	}
	if strings.Contains(string(output), "--- SKIP") {
		t.Skip("in the namespace: ", string(output))
	}
	require.NoError(t, err, "in the namespace:\n%s", output)
	return false
}

// newInterface makes an interface, with a stack as its peer.
func newInterface(t *testing.T, config *Config) (*Interface, *memoryLink, *netstack.Net) {
	t.Helper()
	near, far := newMemoryLinks()
	i, err := New(near, config)
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("a namespace without the privilege: ", err)
	}
	require.NoError(t, err)
	peer, err := netstack.New(far, &netstack.Config{AnyAddress: true})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = i.Close()
		_ = peer.Close()
	})
	return i, near, peer
}

func TestKernelSpeaksThroughTheLink(t *testing.T) {
	if !namespaced(t) {
		return
	}
	i, _, peer := newInterface(t, &Config{Routes: []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("2001:db8::/32"),
	}, Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8::2/64")}, Metric: 700})
	l, err := peer.Listen("tcp", ":80")
	require.NoError(t, err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	for _, to := range []string{"10.64.0.1:80", "203.0.113.9:80", "[fe80::1%" + i.Name() + "]:80", "[2001:db8::1]:80"} {
		dialer := net.Dialer{Timeout: 5 * time.Second}
		conn, err := dialer.DialContext(context.Background(), "tcp", to)
		require.NoError(t, err, to)
		require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		sent := make([]byte, 300_000) // long enough for the kernel's segmentation offload
		for n := range sent {
			sent[n] = byte(n * 7)
		}
		go func() { _, _ = conn.Write(sent) }()
		got := make([]byte, len(sent))
		_, err = io.ReadFull(conn, got)
		require.NoError(t, err, to)
		require.Equal(t, sent, got)
		require.NoError(t, conn.Close())
	}
	device, err := netlink.LinkByName(i.Name())
	require.NoError(t, err)
	require.Equal(t, 1400, device.Attrs().MTU)
	require.True(t, strings.HasPrefix(i.Name(), "cell"))
	routes, err := netlink.RouteList(device, netlink.FAMILY_V4)
	require.NoError(t, err)
	var metric int
	for _, r := range routes {
		if r.Dst == nil || r.Dst.String() == "0.0.0.0/0" {
			metric = r.Priority
		}
	}
	require.Equal(t, 700, metric, "the default route is there")

	require.NoError(t, i.Close())
	require.NoError(t, i.Close())
	require.ErrorIs(t, i.Err(), net.ErrClosed)
	_, err = netlink.LinkByName(i.Name())
	require.Error(t, err, "the interface is gone")
}

func TestEndOfLinkRemovesInterface(t *testing.T) {
	if !namespaced(t) {
		return
	}
	i, link, _ := newInterface(t, nil)
	require.NoError(t, i.Err())
	carrier := errors.New("NO CARRIER")
	link.end(carrier)
	<-i.Done()
	require.ErrorIs(t, i.Err(), carrier)
	_, err := netlink.LinkByName(i.Name())
	require.Error(t, err)
}

func TestRemovedInterfaceEndsLink(t *testing.T) {
	if !namespaced(t) {
		return
	}
	i, link, _ := newInterface(t, nil)
	device, err := netlink.LinkByName(i.Name())
	require.NoError(t, err)
	require.NoError(t, netlink.LinkDel(device))
	<-i.Done()
	var e *Error
	require.ErrorAs(t, i.Err(), &e)
	<-link.Done()
}

// What fails half way leaves nothing behind.
func TestFailureLeavesNothing(t *testing.T) {
	if !namespaced(t) {
		return
	}
	near, _ := newMemoryLinks()
	near.local6 = netip.Addr{}
	for _, c := range []struct {
		name   string
		config *Config
	}{
		{"a route of a family that the link has not", &Config{Name: "half0", Routes: []netip.Prefix{netip.MustParsePrefix("::/0")}}},
		{"a route twice", &Config{Name: "half0", Routes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}}},
		{"no address", &Config{Name: "half0", Addresses: []netip.Prefix{{}}}},
		{"no route", &Config{Name: "half0", Routes: []netip.Prefix{{}}}},
	} {
		_, err := New(near, c.config)
		if errors.Is(err, fs.ErrPermission) {
			t.Skip("a namespace without the privilege: ", err)
		}
		var e *Error
		require.ErrorAs(t, err, &e, c.name)
		require.Equal(t, "half0", e.Interface)
		_, err = netlink.LinkByName("half0")
		require.Error(t, err, c.name)
		require.NoError(t, near.Err(), "the link stays the caller's")
	}
}

func TestWithoutPrivilege(t *testing.T) {
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("no TUN interfaces here: ", err)
	}
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			failed <- err
			return
		}
		near, _ := newMemoryLinks()
		i, err := New(near, nil)
		if err == nil {
			_ = i.Close()
		}
		failed <- err
	}()
	err := <-failed
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "CAP_NET_ADMIN")
	var e *Error
	require.ErrorAs(t, err, &e)
}
