package telemetry

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyIsNeverShown(t *testing.T) {
	k, err := KeyFromBytes([]byte(strings.Repeat("S", KeySize)))
	require.NoError(t, err)
	c := PeerConfig{Name: "a", Key: k}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k, "config", c)
	text, err := json.Marshal(c.Key)
	require.NoError(t, err)
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %d %v %s %s", k, c, c, k, k, k, k, &c, log.String(), text)
	for _, secret := range []string{"SSSS", "5353", "83 83", "0x53", k.Encode()} {
		require.NotContains(t, shown, secret)
	}
	require.Contains(t, shown, "hidden")

	again, err := ParseKey(k.Encode())
	require.NoError(t, err)
	require.Equal(t, k, again)
	_, err = ParseKey("SSSS!" + k.Encode())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "SSSS")
	_, err = ParseKey("U1NT")
	require.Error(t, err)
	require.NotEqual(t, NewKey(), NewKey())
}

func TestEachDirectionHasItsKey(t *testing.T) {
	k := NewKey()
	seen := make(map[string]string)
	for _, pair := range [][2]string{{"a", "b"}, {"b", "a"}, {"ab", ""}, {"a", "bc"}, {"ab", "c"}} {
		key, tag := k.derive(pair[0], pair[1])
		require.Empty(t, seen[string(key)], "%v", pair)
		seen[string(key)] = strings.Join(pair[:], " to ")
		require.NotZero(t, tag)
	}
}

func TestReadKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	_, err := ReadKey(file)
	require.ErrorIs(t, err, fs.ErrNotExist)
	k := NewKey()
	require.NoError(t, os.WriteFile(file, []byte("  "+k.Encode()+"\r\n"), 0o600))
	again, err := ReadKey(file)
	require.NoError(t, err)
	require.Equal(t, k, again)
	require.NoError(t, os.WriteFile(file, []byte("SSSS!"+k.Encode()), 0o600))
	_, err = ReadKey(file)
	require.ErrorContains(t, err, file)
	require.NotContains(t, err.Error(), "SSSS")
}
