package session_test

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// bulk is how many octets go each way; TELEMODEM_LONG=1 makes it 100 MB.
func bulk() int64 {
	if os.Getenv("TELEMODEM_LONG") != "" {
		return 100_000_000
	}
	return 4_000_000
}

// Everything that goes over a data call, of the multiplexer or not, arrives
// as it was: compared by hash, both ways at once.
func TestBulkDataByHash(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string]bool{"multiplexed": false, "on a line of its own": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := newNetwork(t)
			address := echo(t, network)
			cfg := on(network.NewModem(fakemodem.SIM800))
			cfg.NoMultiplexer = plain
			s := open(t, cfg)
			conn, err := s.DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			defer conn.Close()
			sent, back := sha256.New(), sha256.New()
			failed := make(chan error, 1)
			go func() {
				source := io.LimitReader(rand.NewChaCha8([32]byte{1}), bulk())
				_, err := io.Copy(io.MultiWriter(conn, sent), source)
				failed <- err
			}()
			n, err := io.CopyN(back, conn, bulk())
			require.NoError(t, err)
			require.NoError(t, <-failed)
			require.Equal(t, bulk(), n)
			require.Equal(t, sent.Sum(nil), back.Sum(nil))
		})
	}
}
