package ppp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// captured is one Enhanced Packet Block.
type captured struct {
	direction direction
	frame     []byte
	dropped   uint64
}

// readCapture reads a pcapng file as its specification has it.
func readCapture(t *testing.T, b []byte) (list []captured) {
	for first := true; len(b) > 0; first = false {
		kind, length := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		require.Zero(t, length%4)
		require.Equal(t, length, binary.LittleEndian.Uint32(b[length-4:]), "the length stands at both ends")
		body := b[8 : length-4]
		b = b[length:]
		require.Equal(t, first, kind == blockSection)
		switch kind {
		case blockSection:
			require.EqualValues(t, byteOrderMagic, binary.LittleEndian.Uint32(body))
		case blockInterface:
			require.EqualValues(t, linkTypePPP, binary.LittleEndian.Uint16(body))
		case blockPacket:
			n := binary.LittleEndian.Uint32(body[12:])
			c := captured{frame: body[20 : 20+n]}
			for o := body[20+(n+3)/4*4:]; ; {
				code, size := binary.LittleEndian.Uint16(o), binary.LittleEndian.Uint16(o[2:])
				switch code {
				case optionFlags:
					c.direction = direction(binary.LittleEndian.Uint32(o[4:]))
				case optionDropCount:
					c.dropped = binary.LittleEndian.Uint64(o[4:])
				}
				if code == optionEnd {
					break
				}
				o = o[4+(size+3)/4*4:]
			}
			list = append(list, c)
		}
	}
	return list
}

func TestCapture(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		var file bytes.Buffer
		client, server := mustBring(t, a, b, &Config{Capture: &file, User: "meter", Password: "s3cret"},
			&Config{Require: AuthPAP, Secret: func(string) (string, bool) { return "s3cret", true }})
		require.NoError(t, client.WritePacket(ipv4(41, 0)))
		require.NoError(t, server.WritePacket(ipv4(1500, 0)))
		_, err := client.ReadPacket(make([]byte, 1500))
		require.NoError(t, err)
		require.NoError(t, client.Close())
		list := readCapture(t, file.Bytes())
		seen := map[direction]map[protocol]int{inbound: {}, outbound: {}}
		for _, c := range list {
			p, _, ok := splitFrame(c.frame)
			require.True(t, ok)
			seen[c.direction][p]++
		}
		for _, d := range []direction{inbound, outbound} {
			require.Equal(t, 1, seen[d][protocolIPv4])
			require.Equal(t, 1, seen[d][protocolPAP])
			require.GreaterOrEqual(t, seen[d][protocolLCP], 3)
			require.GreaterOrEqual(t, seen[d][protocolIPCP], 2)
		}
		require.Contains(t, file.String(), "meter")
		require.NotContains(t, file.String(), "s3cret", "secrets stay secret")
		openElsewhere(t, file.Bytes())
	})
}

// openElsewhere has a program that nobody here wrote read the file, where
// there is one.
func openElsewhere(t *testing.T, file []byte) {
	name, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Log("tcpdump is not installed; only our own reader has read the file")
		return
	}
	path := filepath.Join(t.TempDir(), "link.pcapng")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	// -Z: without it tcpdump started by root wants to become another user.
	out, err := exec.Command(name, "-Z", "root", "-nr", path).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "LCP")
	require.Contains(t, string(out), "IPCP")
}

// blocked is a writer that waits until it is let go.
type blocked struct {
	bytes.Buffer
	free chan struct{}
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.free
	return b.Buffer.Write(p)
}

func TestCaptureToASlowDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		file := &blocked{free: make(chan struct{})}
		client, _ := mustBring(t, a, b, &Config{Capture: file}, nil)
		for range 3000 { // more than the disk holds back and the backlog together
			require.NoError(t, client.WritePacket(ipv4(1500, 0)), "the link does not wait for the disk")
		}
		client.capture.mu.Lock()
		require.Less(t, len(client.capture.blocks), captureBacklog+2000)
		client.capture.mu.Unlock()
		close(file.free)
		require.NoError(t, client.Close())
		list := readCapture(t, file.Bytes())
		kept, dropped := uint64(0), uint64(0)
		for _, c := range list {
			dropped += c.dropped
			if len(c.frame) > 1000 {
				kept++
			}
		}
		require.Positive(t, dropped, "and the file tells")
		require.GreaterOrEqual(t, kept+dropped, uint64(3000))
	})
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestCaptureToABrokenDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		client, _ := mustBring(t, a, b, &Config{Capture: fullDisk{}}, nil)
		require.NoError(t, client.WritePacket(ipv4(1500, 0)))
		require.NoError(t, client.Close(), "the link does not care")
	})
}
