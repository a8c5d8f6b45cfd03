package port

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// registryDepth bounds how deep the archive may be nested; a port behind seven
// hubs, the most that USB has, is about 60 deep.
const registryDepth = 512

// usbPorts reads an archive of the I/O registry of macOS, a property list in
// XML, and returns the identity of each call-out device that is on USB. An
// empty archive is what ioreg gives where there is no USB device.
//
// A registry entry is a dict; what is below it is the array of dicts
// IORegistryEntryChildren. A port is an IOSerialBSDClient, whose property
// IOCalloutDevice has its name, some entries below the IOUSBHostDevice that it
// belongs to, which in turn may be below hubs.
func usbPorts(archive []byte) (map[string]USB, error) {
	ports := make(map[string]USB)
	if len(bytes.TrimSpace(archive)) == 0 {
		return ports, nil
	}
	r := registryReader{ports: ports}
	d := xml.NewDecoder(bytes.NewReader(bytes.Map(legalXML, archive)))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && r.isList:
			return ports, nil
		case errors.Is(err, io.EOF):
			err = errors.New("not a property list")
		case err == nil:
			err = r.take(token)
		}
		if err != nil {
			return nil, fmt.Errorf("the I/O registry: %w", err)
		}
	}
}

// legalXML replaces what XML cannot have: texts of a registry come from
// devices, and one device with a strange name must not hide the others.
func legalXML(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000:
		return r
	}
	return '\uFFFD'
}

// registryReader follows an archive token by token.
type registryReader struct {
	ports  map[string]USB
	isList bool
	open   []registryEntry // the dict that is being read and those around it
	text   []byte          // of the element that is being read
}

// registryEntry is a dict of which a part has been read. Its keys come in the
// order of their names, so what is below an entry comes before its identity.
type registryEntry struct {
	key             string // whose value comes next
	vendor, product string
	serial          string
	address         bool     // it has a place on the bus
	number          bool     // it is an interface of a device, or a driver of one
	ports           []string // below it and not below a device below it
}

func (r *registryReader) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		r.text = r.text[:0]
		switch t.Name.Local {
		case "plist":
			r.isList = true
		case "dict":
			if len(r.open) >= registryDepth {
				return errors.New("nested too deep")
			}
			r.open = append(r.open, registryEntry{})
		}
	case xml.CharData:
		r.text = append(r.text, t...)
	case xml.EndElement:
		r.end(t.Name.Local)
	}
	return nil
}

func (r *registryReader) end(element string) {
	if len(r.open) == 0 {
		return
	}
	top := &r.open[len(r.open)-1]
	switch element {
	case "key":
		top.key = string(r.text)
	case "string":
		top.setText(string(r.text))
	case "integer":
		top.setNumber(string(r.text))
	case "dict":
		r.close()
	}
}

// close ends a dict: a device has the ports below it, any other entry hands
// them up.
func (r *registryReader) close() {
	e := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	switch {
	case e.isDevice():
		for _, name := range e.ports {
			r.ports[name] = USB{Vendor: e.vendor, Product: e.product, Serial: e.serial}
		}
	case len(r.open) > 0:
		above := &r.open[len(r.open)-1]
		above.ports = append(above.ports, e.ports...)
	}
}

// isDevice tells a device from its interfaces and their drivers, which bear
// its vendor and product too. It does not ask for the class, which is
// IOUSBHostDevice or one derived from it, such as AppleUSBDevice.
func (e *registryEntry) isDevice() bool {
	return e.vendor != "" && e.product != "" && e.address && !e.number
}

func (e *registryEntry) setText(text string) {
	switch e.key {
	case "IOCalloutDevice":
		e.ports = append(e.ports, text)
	case "kUSBSerialNumberString", "USB Serial Number": // the same; not each macOS has both
		if text != "" {
			e.serial = text
		}
	}
}

func (e *registryEntry) setNumber(text string) {
	switch e.key {
	case "idVendor":
		e.vendor = hexadecimal(text)
	case "idProduct":
		e.product = hexadecimal(text)
	case "locationID":
		e.address = true
	case "bInterfaceNumber":
		e.number = true
	}
}

// hexadecimal turns a decimal number of 16 bits into four digits, and anything
// else into nothing.
func hexadecimal(text string) string {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%04x", n)
}
