package ppp

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example of RFC 2759 section 9.2.
func TestMSCHAPv2Example(t *testing.T) {
	who := credentials{"User", "clientPass"}
	challenge := unhex(t, "5B5D7C7D7B3F2F3E3C2C602132262628")
	peer := unhex(t, "21402324255E262A28295F2B3A337C7E")
	require.Equal(t, "d02e4386bce91226", hex.EncodeToString(challengeHash(challenge, peer, who.name)))
	require.Equal(t, "d02e4386bce91226", hex.EncodeToString(challengeHash(challenge, peer, `BIGCO\User`)))
	require.Equal(t, "44ebba8d5312b8d611474411f56989ae", hex.EncodeToString(ntPasswordHash(who.secret)))
	response := ntResponse(challenge, peer, who)
	require.Equal(t, strings.ToLower("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"), hex.EncodeToString(response))
	require.Equal(t, "S=407A5589115FD0D6209F510FE9C04566932CDA56", authenticatorResponse(challenge, peer, response, who))
}

// Both sides prove themselves, and neither takes a wrong proof.
func TestMSCHAPv2BothWays(t *testing.T) {
	who := credentials{"user", "pässword"}
	challenge := unhex(t, "000102030405060708090a0b0c0d0e0f")
	var peer, server msAlgorithm
	value := peer.respond(1, challenge, who)
	message, ok := server.check(1, challenge, value, who)
	require.True(t, ok)
	require.True(t, peer.prove([]byte(message)))
	require.False(t, peer.prove([]byte("S="+strings.Repeat("0", 40))), "a server that does not know the password")
	require.False(t, peer.prove([]byte("S=")))
	_, ok = server.check(1, challenge, value, credentials{"user", "other"})
	require.False(t, ok)
	_, ok = server.check(1, challenge, value[:48], who)
	require.False(t, ok)
	require.Nil(t, peer.respond(1, challenge[:8], who), "the challenge has 16 octets")
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}
