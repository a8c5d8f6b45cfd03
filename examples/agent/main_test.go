package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/internal/senml"
	"github.com/telemodem/telemodem/session/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The main job, in short: the network loses its coverage for data, and every
// reading arrives once. It stands on gVisor's stack and so in real time.
func TestSimulation(t *testing.T) {
	var out bytes.Buffer
	o, err := parseOptions([]string{"-for", "4s", "-every", "200ms"}, io.Discard)
	require.NoError(t, err)
	require.NoError(t, simulate(t.Context(), o, &out))
	require.Contains(t, out.String(), "coverage for data is lost")
	require.Contains(t, out.String(), "acknowledged over data")
	require.Contains(t, out.String(), "acknowledged over SMS")
	require.Regexp(t, `lost +0\n`, out.String())
	require.Regexp(t, `delivered twice +0\n`, out.String())
}

func TestBadOptions(t *testing.T) {
	for args, says := range map[string]string{
		"-nosuch":                        "-help",
		"readings":                       "only flags",
		"-every 0s":                      "-every",
		"-for -1s":                       "-for",
		"-for soon":                      "invalid value",
		"-to 123":                        "needs -modem",
		"-modem /dev/x":                  "-collector host:port, -to NUMBER",
		"-modem /dev/x -to pump":         "is not a number",
		"-modem /dev/x -collector here":  "is not host:port",
		"-modem /dev/x -to 123 -baud -3": "-baud",
	} {
		t.Run(args, func(t *testing.T) {
			_, err := parseOptions(strings.Fields(args), io.Discard)
			require.ErrorContains(t, err, says)
			require.NotContains(t, oneLine(err), "\n")
		})
	}
}

// onTCP puts a simulated modem on TCP, as a serial server would.
func onTCP(t *testing.T, choices ...fakemodem.Option) (network *fakemodem.Network, address string) {
	network = fakemodem.NewNetwork(nil)
	t.Cleanup(func() { network.Close() })
	place, err := network.NewModem(fakemodem.SIM800, choices...).ListenTCP("127.0.0.1:0")
	require.NoError(t, err)
	return network, "tcp://" + place.String()
}

// optionsFor returns the options for a run on a modem, with a store of its own.
func optionsFor(t *testing.T, modem string, more ...string) options {
	args := append([]string{"-modem", modem, "-to", "+15555550123", "-store", t.TempDir()}, more...)
	o, err := parseOptions(args, io.Discard)
	require.NoError(t, err)
	return o
}

// A wrong PIN is tried once; the line says how many tries are left.
func TestWrongPIN(t *testing.T) {
	_, modem := onTCP(t, fakemodem.WithPIN("1111"))
	err := operate(t.Context(), optionsFor(t, modem, "-pin", "2222"), io.Discard)
	require.ErrorContains(t, err, "2 tries left")
	require.NotContains(t, err.Error(), "2222")
}

func TestMissingPIN(t *testing.T) {
	_, modem := onTCP(t, fakemodem.WithPIN("1111"))
	err := operate(t.Context(), optionsFor(t, modem), io.Discard)
	require.ErrorContains(t, err, "asks for a PIN")
	require.ErrorContains(t, err, "3 tries left")
}

func TestMissingPort(t *testing.T) {
	err := operate(t.Context(), optionsFor(t, filepath.Join(t.TempDir(), "ttyUSB7")), io.Discard)
	require.ErrorContains(t, err, "ttyUSB7")
}

// A line that sends garbage and never an answer ends in an error in time.
func TestGarbageOnTheLine(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			conn.Write([]byte(strings.Repeat("\x00\xff~\r\n", 100)))
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // a user's patience
	defer cancel()
	err = operate(ctx, optionsFor(t, "tcp://"+listener.Addr().String()), io.Discard)
	require.Error(t, err)
}

// What nobody acknowledges stays in the outbox, and the next run finds it.
func TestUnreachableCollector(t *testing.T) {
	_, modem := onTCP(t)
	o := optionsFor(t, modem, "-for", "100ms", "-wait", "100ms")
	err := operate(t.Context(), o, io.Discard)
	require.ErrorContains(t, err, "1 readings are not acknowledged")
	require.ErrorContains(t, err, o.store)
	store, err := telemetry.OpenStore(filepath.Join(o.store, "agent.db"))
	require.NoError(t, err)
	defer store.Close()
	endpoint, err := telemetry.Open(telemetry.Config{Name: deviceName, Store: store})
	require.NoError(t, err)
	defer endpoint.Close()
	peer, err := endpoint.AddPeer(telemetry.PeerConfig{Name: collectorName, Key: telemetry.NewKey()})
	require.NoError(t, err)
	require.Equal(t, 1, peer.Stats().Outstanding)
}

func TestBrokenKey(t *testing.T) {
	o := optionsFor(t, "tcp://127.0.0.1:1")
	require.NoError(t, os.WriteFile(o.keyFile, []byte("not a key"), 0o600))
	err := operate(t.Context(), o, io.Discard)
	require.ErrorContains(t, err, o.keyFile)
	require.NotContains(t, err.Error(), "not a key")
}

func TestShort(t *testing.T) {
	for _, v := range []float64{0, 0.42, 48.25, 99.97, 123456789, -17.3} {
		require.InEpsilon(t, v+1000, short(v)+1000, 1e-3)
		require.LessOrEqual(t, math.Abs(short(v)-v), math.Abs(v)/2048)
	}
}

func TestPackFitsOneSMS(t *testing.T) {
	payload, err := senml.Encode(pack(99999, time.Now(), []quantity{
		{"load", "", short(0.42)}, {"mem", "By", short(23456789012)}, {"disk", "%", short(37.3)}, {"up", "s", short(1234567)}}))
	require.NoError(t, err)
	require.LessOrEqual(t, len(payload), 81, "133 octets less the frame's own")
	number, err := readingNumber(payload)
	require.NoError(t, err)
	require.Equal(t, 99999, number)
}
