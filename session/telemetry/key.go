package telemetry

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// KeySize is the length of a Key in octets.
const KeySize = 32

// Key is the secret that two endpoints share, different for every pair. It
// never shows itself: every way of printing it prints a placeholder.
type Key struct{ secret [KeySize]byte }

// NewKey makes a random key.
func NewKey() Key {
	var k Key
	rand.Read(k.secret[:]) // never fails (crypto/rand)
	return k
}

// KeyFromBytes takes the KeySize octets in b as a key.
func KeyFromBytes(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, fmt.Errorf("telemetry: a key has %d octets, not %d", KeySize, len(b))
	}
	var k Key
	copy(k.secret[:], b)
	return k, nil
}

// ParseKey reads a key in the form that Encode writes.
func ParseKey(text string) (Key, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil { // the cause would quote the secret's place, and says no more
		return Key{}, errors.New("telemetry: a key is written in base64")
	}
	return KeyFromBytes(b)
}

// ReadKey reads the key in a file, as Encode writes it; blanks and line ends
// around it do no harm. No error holds anything of the file's content.
func ReadKey(file string) (Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Key{}, fmt.Errorf("telemetry: the key: %w", err)
	}
	key, err := ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return Key{}, fmt.Errorf("the key in %s: %w", file, err)
	}
	return key, nil
}

// Encode returns the key in base64: the one way to get it out, for
// provisioning the other endpoint.
func (k Key) Encode() string { return base64.StdEncoding.EncodeToString(k.secret[:]) }

const hidden = "telemetry.Key(hidden)"

// String implements fmt.Stringer without the secret.
func (k Key) String() string { return hidden }

// Format implements fmt.Formatter without the secret, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, hidden) }

// LogValue implements slog.LogValuer without the secret.
func (k Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler without the secret.
func (k Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

func (k Key) isZero() bool { return k == Key{} }

// derive makes what one direction of a link is sealed with: its own key, so
// that the two ends never share a nonce, and the tag by which a receiver finds
// the link (HKDF with SHA-256, RFC 5869).
func (k Key) derive(from, to string) (sealing []byte, t tag) {
	info := fmt.Sprintf("telemodem telemetry 1\x00%d:%s%d:%s", len(from), from, len(to), to)
	out, err := hkdf.Key(sha256.New, k.secret[:], nil, info, KeySize+len(t))
	if err != nil {
		panic(err) // only a longer output can fail (RFC 5869 section 2.3)
	}
	copy(t[:], out[KeySize:])
	return out[:KeySize], t
}
