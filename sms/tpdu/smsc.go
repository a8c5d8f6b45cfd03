package tpdu

// PDU mode of 3GPP TS 27.005 writes the service centre's address before the
// TPDU (clause 3.1, <pdu>), as 3GPP TS 24.011 clause 8.2.5 has it: its length
// counts octets with the type of address, and 0 means "the one that the modem
// has stored".

// AppendSMSC appends a service centre's address as PDU mode has it. The zero
// Address appends one zero octet.
func AppendSMSC(dst []byte, smsc Address) []byte {
	if smsc.IsZero() {
		return append(dst, 0)
	}
	n := (smsc.semi + 1) / 2
	dst = append(dst, n+1, byte(smsc.Type))
	return append(dst, smsc.value[:n]...)
}

// DecodeSMSC reads the service centre's address at the start of a PDU and
// returns what follows it, the TPDU, aliasing pdu.
func DecodeSMSC(pdu []byte) (smsc Address, tpdu []byte, err error) {
	r := reader{octets: pdu}
	n := int(r.octet("SMSC address"))
	if n == 0 {
		return Address{}, pdu[r.next:], r.fault()
	}
	if n > maxAddressOctets+1 {
		r.fail(0, "SMSC address", ErrTooLong)
	}
	field := r.take(n, "SMSC address")
	if r.err != nil {
		return Address{}, nil, r.fault()
	}
	smsc = Address{Type: TypeOfAddress(field[0]), semi: uint8(2 * (n - 1))}
	copy(smsc.value[:], field[1:])
	if n > 1 && field[n-1] >= 0xf0 && !smsc.IsName() {
		smsc.semi--
	}
	return smsc, pdu[r.next:], nil
}

// AppendHex appends the hexadecimal text that AT+CMGS takes at its prompt:
// the service centre's address, then the TPDU. The length that the command
// itself announces is len(tpdu), without the address (3GPP TS 27.005 clause
// 3.1, <length>).
func AppendHex(dst []byte, smsc Address, tpdu []byte) []byte {
	var room [2 + maxAddressOctets]byte
	dst = appendHex(dst, AppendSMSC(room[:0], smsc))
	return appendHex(dst, tpdu)
}

const upperHex = "0123456789ABCDEF"

func appendHex(dst, octets []byte) []byte {
	for _, b := range octets {
		dst = append(dst, upperHex[b>>4], upperHex[b&15])
	}
	return dst
}

// DecodeHex reads the hexadecimal text of a PDU from +CMT, +CMGR and the like,
// upper or lower case. It appends the octets to dst, from which the TPDU it
// returns is cut. Spaces and line ends at either end are skipped.
func DecodeHex[T string | []byte](dst []byte, hex T) (smsc Address, tpdu []byte, err error) {
	from, to := 0, len(hex)
	for from < to && hex[from] <= ' ' {
		from++
	}
	for to > from && hex[to-1] <= ' ' {
		to--
	}
	start := len(dst)
	for i := from; i < to; i += 2 {
		hi := hexValue(hex[i])
		lo := byte(0xff)
		if i+1 < to {
			lo = hexValue(hex[i+1])
		}
		if hi|lo > 15 {
			return Address{}, nil, &Error{Offset: (i - from) / 2, Field: "PDU", Err: ErrHex}
		}
		dst = append(dst, hi<<4|lo)
	}
	return DecodeSMSC(dst[start:])
}

func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
