package ppp

import (
	"crypto/des"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"

	//lint:ignore SA1019 RFC 2759 section 8.3 has no other hash
	"golang.org/x/crypto/md4"
)

// Lengths of MS-CHAPv2, in octets (RFC 2759 sections 3 and 4).
const (
	msChallenge = 16
	msReserved  = 8
	msResponse  = 24
	msValue     = msChallenge + msReserved + msResponse + 1 // with the flags
)

// msAlgorithm is MS-CHAPv2. It proves both sides at once, so it remembers what
// the authenticator has to answer. DES, MD4 and SHA-1 are what RFC 2759 asks
// for; none of them protects anything today.
type msAlgorithm struct {
	expect string // of the Success packet
}

// respond makes the Value of RFC 2759 section 4.
func (a *msAlgorithm) respond(_ byte, challenge []byte, who credentials) []byte {
	if len(challenge) != msChallenge {
		return nil
	}
	var own [msChallenge]byte
	rand.Read(own[:])
	response := ntResponse(challenge, own[:], who)
	a.expect = authenticatorResponse(challenge, own[:], response, who)
	value := append(own[:], make([]byte, msReserved)...)
	return append(append(value, response...), 0)
}

func (a *msAlgorithm) check(_ byte, challenge, value []byte, who credentials) (string, bool) {
	if len(value) != msValue {
		return "", false
	}
	own, response := value[:msChallenge], value[msChallenge+msReserved:msValue-1]
	want := ntResponse(challenge, own, who)
	if subtle.ConstantTimeCompare(want, response) != 1 {
		return "", false
	}
	return authenticatorResponse(challenge, own, response, who) + " M=Welcome", true
}

// prove checks the authenticator's own proof (RFC 2759 section 5).
func (a *msAlgorithm) prove(message []byte) bool {
	return a.expect != "" && len(message) >= len(a.expect) &&
		subtle.ConstantTimeCompare(message[:len(a.expect)], []byte(a.expect)) == 1
}

// failure is the text of RFC 2759 section 6: no retry is offered, so the
// challenge in it is never used.
func (a *msAlgorithm) failure() string {
	var next [msChallenge]byte
	rand.Read(next[:])
	return fmt.Sprintf("E=691 R=0 C=%X V=3 M=Authentication failed", next)
}

func (a *msAlgorithm) size() int { return msChallenge }

// ntResponse is GenerateNTResponse of RFC 2759 section 8.1.
func ntResponse(challenge, peerChallenge []byte, who credentials) []byte {
	hash := challengeHash(challenge, peerChallenge, who.name)
	return challengeResponse(hash, ntPasswordHash(who.secret))
}

// challengeHash is that of RFC 2759 section 8.2; a domain before the name
// does not count.
func challengeHash(challenge, peerChallenge []byte, name string) []byte {
	name = name[strings.LastIndexByte(name, '\\')+1:]
	h := sha1.New()
	h.Write(peerChallenge)
	h.Write(challenge)
	h.Write([]byte(name))
	return h.Sum(nil)[:8]
}

// ntPasswordHash is that of RFC 2759 section 8.3.
func ntPasswordHash(password string) []byte {
	h := md4.New()
	for _, u := range utf16.Encode([]rune(password)) {
		h.Write(binary.LittleEndian.AppendUint16(nil, u))
	}
	return h.Sum(nil)
}

// challengeResponse is that of RFC 2759 section 8.5: the hash is the key of
// three DES blocks.
func challengeResponse(challenge, hash []byte) []byte {
	var keys [21]byte
	copy(keys[:], hash)
	var response [msResponse]byte
	for i := range 3 {
		cipher, err := des.NewCipher(desKey(keys[7*i : 7*i+7]))
		if err != nil {
			panic(err) // the key has eight octets
		}
		cipher.Encrypt(response[8*i:], challenge)
	}
	return response[:]
}

// desKey spreads seven octets over eight, with room for the parity bits that
// DES ignores.
func desKey(k []byte) []byte {
	var v uint64
	for _, c := range k {
		v = v<<8 | uint64(c)
	}
	key := make([]byte, 8)
	for i := range key {
		key[i] = byte(v>>(49-7*i)) << 1
	}
	return key
}

// authenticatorResponse is GenerateAuthenticatorResponse of RFC 2759 section
// 8.7.
func authenticatorResponse(challenge, peerChallenge, response []byte, who credentials) string {
	hash := md4.New()
	hash.Write(ntPasswordHash(who.secret))
	h := sha1.New()
	h.Write(hash.Sum(nil))
	h.Write(response)
	h.Write([]byte("Magic server to client signing constant"))
	digest := h.Sum(nil)
	h.Reset()
	h.Write(digest)
	h.Write(challengeHash(challenge, peerChallenge, who.name))
	h.Write([]byte("Pad to make it do more than one iteration"))
	return "S=" + strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
}
