package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

func TestOptions(t *testing.T) {
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{listen: "pty", kind: "SIM800", http: "127.0.0.1:0"}, o, "a page on a free port of loopback")

	o, err = parse(strings.Fields("-modem ec25 -pin 4711 -listen unix:///tmp/x -http localhost:8080 -fault F43,F22:delay=3s -fault F23"), io.Discard)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8080", o.http, "a name might lead elsewhere")
	require.Equal(t, []fakemodem.Fault{{ID: "F43"}, {ID: "F22", Delay: 3 * time.Second}, {ID: "F23"}}, o.faults)
}

func TestBadOptions(t *testing.T) {
	for args, says := range map[string]string{
		"-nosuch":                "-help",
		"modem":                  "-help",
		"-modem Nokia":           "SIM800",
		"-listen /dev/ttyUSB0":   "unix:///path",
		"-listen tcp://":         "tcp://host:port",
		"-pin 12":                "four to eight digits",
		"-pin 12a4":              "four to eight digits",
		"-http 8080":             "127.0.0.1:8080",
		"-http :8080":            "this machine alone: use 127.0.0.1:8080",
		"-http 0.0.0.0:8080":     "this machine alone",
		"-http [::]:8080":        "this machine alone",
		"-http 192.168.1.2:8080": "this machine alone",
		"-http example.com:8080": "this machine alone",
		"-fault F999":            "-list",
		"-fault F22:delay=soon":  "F22: delay",
	} {
		t.Run(args, func(t *testing.T) {
			_, err := parse(strings.Fields(args), io.Discard)
			require.ErrorContains(t, err, says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
	for _, address := range []string{"127.0.0.1:80", "127.9.9.9:0", "[::1]:8080"} {
		_, err := loopback(address)
		require.NoError(t, err, address)
	}
}

// TestList: everything that the flags take is in the list.
func TestList(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, run([]string{"-list"}, nil, &out))
	for _, p := range fakemodem.Personalities() {
		require.Contains(t, out.String(), p.Name)
	}
	for _, f := range fakemodem.Faults() {
		require.Contains(t, out.String(), f.ID+" ")
		require.Contains(t, out.String(), f.Name)
	}
	require.Zero(t, run([]string{"-help"}, nil, &out))
	require.Equal(t, 2, run([]string{"-nosuch"}, nil, &out))
}
