package fakemodem

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// messageHeader is what stands behind +CMT: in the mode that is set.
func (m *Modem) messageHeader(tpdu []byte) string {
	if m.messages.text {
		return m.textHeader(tpdu, false)
	}
	return fmt.Sprintf(",%d", len(tpdu))
}

// reportHeader is what stands behind +CDS:.
func (m *Modem) reportHeader(tpdu []byte) string {
	if m.messages.text {
		return m.textReport(tpdu)
	}
	return fmt.Sprint(len(tpdu))
}

// messageBody is the line behind a header: the PDU with its service centre
// address (3GPP TS 27.005 clause 3.1), or the text.
func (m *Modem) messageBody(tpdu []byte) string {
	if m.messages.text {
		return m.textBody(tpdu)
	}
	return m.hexPDU(tpdu, true)
}

func (m *Modem) hexPDU(tpdu []byte, centre bool) string {
	address := []byte{0}
	if centre && m.sim.center != "" {
		octets := addressOctets(m.sim.center)
		address = append([]byte{byte(len(octets) - 1)}, octets[1:]...)
	}
	return strings.ToUpper(hex.EncodeToString(append(address, tpdu...)))
}

// storedText is what stands behind +CMGR: or the index of +CMGL, with its body. A
// status report in text mode has none.
func (m *Modem) storedText(msg *storedMessage) string {
	report := len(msg.pdu) > 0 && msg.pdu[0]&bitMTI == mtiReport && msg.state < stoUnsent
	switch {
	case m.messages.text && report:
		return fmt.Sprintf(`"%s",`, stateNames[msg.state]) + m.textReport(msg.pdu)
	case m.messages.text:
		return fmt.Sprintf(`"%s",`, stateNames[msg.state]) + m.textHeader(msg.pdu, true) + "\r\n" + m.textBody(msg.pdu)
	}
	return fmt.Sprintf("%d,,%d\r\n", msg.state, len(msg.pdu)) + m.hexPDU(msg.pdu, msg.state < stoUnsent)
}
