package port

import (
	"bytes"
	_ "embed"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ioregArchive has the shape of what ioreg -a -l -r -c IOUSBHostDevice prints:
// names, classes and nesting are those of listings that people have published
// (a CP2102 by the driver of Apple, CDC ACM functions, a hub), put together
// for this test. It was not recorded on one machine, and ioreg itself runs in
// no test of this package.
//
//go:embed testdata/ioreg.plist
var ioregArchive []byte

func TestUSBPorts(t *testing.T) {
	ports, err := usbPorts(ioregArchive)
	require.NoError(t, err)
	modem := USB{Vendor: "1546", Product: "1341", Serial: "359072061234567"}
	require.Equal(t, map[string]USB{
		"/dev/cu.usbmodem14121":  modem,
		"/dev/cu.usbmodem14123":  modem,
		"/dev/cu.usbmodem14125":  modem,
		"/dev/cu.usbserial-0001": {Vendor: "10c4", Product: "ea60", Serial: "0001"},
		"/dev/cu.usbserial-1420": {Vendor: "0403", Product: "6001"},
	}, ports, "each has the device it belongs to, not the hub, and none has that of another")
}

// registryOf is an archive of one entry.
func registryOf(properties string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><array><dict>` + properties + `</dict></array></plist>`)
}

const (
	deviceKeys = "<key>idProduct</key><integer>1</integer><key>idVendor</key><integer>65535</integer><key>locationID</key><integer>3</integer>"
	portKeys   = "<key>IORegistryEntryChildren</key><array><dict><key>IOCalloutDevice</key><string>/dev/cu.a</string></dict></array>"
)

func TestUSBPortsForms(t *testing.T) {
	for name, test := range map[string]struct {
		archive []byte
		want    map[string]USB
	}{
		"nothing on USB":                {nil, map[string]USB{}},
		"a line feed":                   {[]byte("\n"), map[string]USB{}},
		"an empty list":                 {[]byte("<plist><array/></plist>"), map[string]USB{}},
		"the identity behind the port":  {registryOf(portKeys + deviceKeys), map[string]USB{"/dev/cu.a": {Vendor: "ffff", Product: "0001"}}},
		"the identity before the port":  {registryOf(deviceKeys + portKeys), map[string]USB{"/dev/cu.a": {Vendor: "ffff", Product: "0001"}}},
		"a number of 17 bits":           {registryOf(portKeys + strings.Replace(deviceKeys, "65535", "65536", 1)), map[string]USB{}},
		"a negative number":             {registryOf(portKeys + strings.Replace(deviceKeys, "65535", "-1", 1)), map[string]USB{}},
		"a pattern instead of a number": {registryOf(portKeys + strings.Replace(deviceKeys, "<integer>65535</integer>", "<string>*</string>", 1)), map[string]USB{}},
		"an interface alone":            {registryOf(portKeys + deviceKeys + "<key>bInterfaceNumber</key><integer>0</integer>"), map[string]USB{}},
		"a driver alone":                {registryOf(portKeys + strings.Replace(deviceKeys, "locationID", "IOProbeScore", 1)), map[string]USB{}},
		"a serial number of odd octets": {registryOf(portKeys + deviceKeys + "<key>USB Serial Number</key><string>A\x01\xff</string>"), map[string]USB{"/dev/cu.a": {Vendor: "ffff", Product: "0001", Serial: "A\uFFFD\uFFFD"}}},
		"an empty serial number beside the true one": {registryOf(portKeys + deviceKeys + "<key>USB Serial Number</key><string>7</string><key>kUSBSerialNumberString</key><string></string>"),
			map[string]USB{"/dev/cu.a": {Vendor: "ffff", Product: "0001", Serial: "7"}}},
	} {
		got, err := usbPorts(test.archive)
		require.NoError(t, err, name)
		require.Equal(t, test.want, got, name)
	}
}

func TestUSBPortsErrors(t *testing.T) {
	for name, archive := range map[string][]byte{
		"text":           []byte("+-o Root  <class IORegistryEntry>\n"),
		"plain text":     []byte("ioreg: illegal option -- a\n"),
		"another format": []byte("<html></html>"),
		"too deep":       []byte("<plist>" + strings.Repeat("<dict>", registryDepth+1) + strings.Repeat("</dict>", registryDepth+1) + "</plist>"),
		"an entity":      []byte("<!DOCTYPE plist [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><plist><string>&x;</string></plist>"),
	} {
		_, err := usbPorts(archive)
		require.Error(t, err, name)
	}
	whole := bytes.TrimSpace(ioregArchive)
	for end := 1; end < len(whole); end += 997 {
		_, err := usbPorts(whole[:end])
		require.Error(t, err, "cut behind octet %d", end)
	}
}

func FuzzUSBPorts(f *testing.F) {
	f.Add(registryOf(portKeys + deviceKeys))
	f.Add([]byte("<plist><array><dict><key>IOCalloutDevice</key><string>/dev/cu.&amp;</string></dict></array></plist>"))
	f.Add([]byte("</dict>"))
	digits := regexp.MustCompile(`^[0-9a-f]{4}$`)
	f.Fuzz(func(t *testing.T, archive []byte) {
		ports, err := usbPorts(archive)
		if err != nil {
			return
		}
		for name, id := range ports {
			if !digits.MatchString(id.Vendor) || !digits.MatchString(id.Product) {
				t.Errorf("%q has %+v", name, id)
			}
		}
	})
}
