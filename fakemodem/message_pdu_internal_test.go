package fakemodem

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzSubmission: no TPDU can crash the service centre or a phone, and what
// passes keeps its user data octet by octet.
func FuzzSubmission(f *testing.F) {
	f.Add(submitTPDU("+15550100", 0, nil, []byte("hello"), true))
	f.Add(submitTPDU("+15550100", 8, []byte{5, 0, 3, 1, 2, 1}, toUCS2("Жук"), false))
	f.Add([]byte{0x31, 0, 12, 0x91, 0, 0, 0, 0, 0, 0, 0, 0xf6, 0xff, 140})
	f.Fuzz(func(t *testing.T, tpdu []byte) {
		parseReceived(tpdu)
		s, err := parseSubmit(tpdu)
		if err != nil {
			return
		}
		delivered := s.deliver("+15550001", time.Unix(0, 0))
		require.True(t, bytes.HasSuffix(delivered, s.rest))
		r := parseReceived(delivered)
		require.Equal(t, "+15550001", r.number)
		require.Equal(t, int(s.rest[0]), r.length)
		r.text()
		concatenation(r.header)
	})
}
