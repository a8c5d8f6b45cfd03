package cmux

// fcsTable is the CRC of 3GPP TS 27.010 clause 5.2.1.6 and annex B: polynomial
// x^8+x^2+x+1, bits reversed (0xE0).
var fcsTable = func() (table [256]byte) {
	for i := range table {
		crc := byte(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xE0
			} else {
				crc >>= 1
			}
		}
		table[i] = crc
	}
	return table
}()

// The register starts with ones and is sent complemented; over data and FCS
// together it ends at fcsGood (clause 5.2.1.6).
const (
	fcsInit = 0xFF
	fcsGood = 0xCF
)

// fcsAdd runs the octets of p through the register.
func fcsAdd(register byte, p []byte) byte {
	for _, b := range p {
		register = fcsTable[register^b]
	}
	return register
}
