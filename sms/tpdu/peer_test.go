package tpdu_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	peer "github.com/warthog618/sms"
	peertpdu "github.com/warthog618/sms/encoding/tpdu"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// alphabets are the characters that random texts are made of.
var alphabets = []string{"abc XYZ 019 @£$¥èéùìòÇØøÅå", "abc{}[]~\\^|€", "abc жщ", "é😀本x"}

func randomText(random *rand.Rand) string {
	from := []rune(alphabets[random.IntN(len(alphabets))])
	var b strings.Builder
	for range 1 + random.IntN(500) {
		b.WriteRune(from[random.IntN(len(from))])
	}
	return b.String()
}

// What the peer writes we read, what we write the peer reads, octet by octet
// the same where the standard leaves no choice.
func TestAgainstPeer(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 40))
	for range 100 {
		text := randomText(random)
		theirs, err := peer.Encode([]byte(text), peer.To("+4915112345678"), peer.WithAllCharsets)
		require.NoError(t, err)
		ours, err := tpdu.Split(text, &tpdu.SplitConfig{Reference: 1})
		require.NoError(t, err)
		require.Equal(t, len(theirs), ours.Len(), "%q", text)
		var read []*peertpdu.TPDU
		for i := range theirs {
			submit := tpdu.Submit{Reference: theirs[i].MR, Destination: address(t, "+4915112345678"), DCS: ours.DCS(tpdu.NoClass), UserData: ours.At(i)}
			if c, ok := submit.UserData.Header.Concat(); ok {
				_, _, ref, _ := theirs[i].ConcatInfo() // a counter of the peer's own
				c.Reference = uint16(ref)
				submit.UserData.Header = tpdu.AppendConcat(nil, c)
			}
			b, err := submit.AppendBinary(nil)
			require.NoError(t, err)
			theirOctets, err := theirs[i].MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, theirOctets, b, "part %d of %q", i, text)
			back, err := peer.Unmarshal(b, peer.AsMO)
			require.NoError(t, err)
			read = append(read, back)
		}
		joined, err := peer.Decode(read)
		require.NoError(t, err)
		require.Equal(t, text, string(joined))
	}
}

// Known PDUs read the same, but for the disagreements below.
func TestKnownPDUsAgainstPeer(t *testing.T) {
	for _, p := range allPDUs() {
		_, b, m := p.sides(t)
		number, text := far(m)
		direction := peer.AsMT
		if p.direction == fromMobile {
			direction = peer.AsMO
		}
		theirs, err := peer.Unmarshal(b, direction)
		if p.repaired != "" && p.repaired != zeroPI {
			require.Error(t, err, "%s: the peer is strict where this package is lenient", p.repaired)
			continue
		}
		require.NoError(t, err, p.hex)
		their := theirs.OA
		switch m.Type() {
		case tpdu.TypeSubmit:
			their = theirs.DA
		case tpdu.TypeStatusReport:
			their = theirs.RA
		}
		require.Equal(t, number, their.Number(), p.hex)
		if text == "" {
			continue
		}
		theirText, err := peer.Decode([]*peertpdu.TPDU{theirs})
		require.NoError(t, err)
		require.Equal(t, text, string(theirText), p.hex)
	}
}

// Settled by TS 23.040 clause 9.2.3.24: the national language elements are 24
// and 25 hexadecimal. The peer writes decimal 24 and 25, which are
// reserved for the Enhanced Message Service.
func TestDisagreementNationalLanguageElements(t *testing.T) {
	text := "ığışğ"
	ours, err := tpdu.Split(text, &tpdu.SplitConfig{Locking: tpdu.LanguageSet(tpdu.Turkish)})
	require.NoError(t, err)
	require.Equal(t, tpdu.Header{0x25, 1, byte(tpdu.Turkish)}, ours.At(0).Header)
	theirs, err := peer.Encode([]byte(text), peer.To("1"), peer.WithAllCharsets)
	require.NoError(t, err)
	require.Equal(t, byte(25), theirs[0].UDH[0].ID, "the peer has mended its element: drop this test")
}

// Settled by TS 23.040 clause 9.2.3.24.1: the reference tells the messages to
// one recipient apart. The peer's convenience function begins at 1 each time.
func TestDisagreementReference(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, reference := range []uint16{1, 2} {
		ours, err := tpdu.Split(long, &tpdu.SplitConfig{Reference: reference})
		require.NoError(t, err)
		c, _ := ours.At(0).Header.Concat()
		require.Equal(t, reference, c.Reference)
		theirs, err := peer.Encode([]byte(long), peer.To("1"))
		require.NoError(t, err)
		_, _, ref, _ := theirs[0].ConcatInfo()
		require.Equal(t, 1, ref)
	}
}

// Settled by TS 23.038 clause 4: reserved coding groups are read as the default
// alphabet. The peer refuses them.
func TestDisagreementReservedCoding(t *testing.T) {
	_, err := peertpdu.DCS(0x80).Alphabet()
	require.Error(t, err)
	require.Equal(t, tpdu.GSM7, tpdu.DCS(0x80).Alphabet())
}
