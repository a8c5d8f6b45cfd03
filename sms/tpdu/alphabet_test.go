package tpdu_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/warthog618/sms/encoding/gsm7/charset"

	"github.com/telemodem/telemodem/sms/tpdu"
)

var languages = []tpdu.Language{
	tpdu.DefaultLanguage, tpdu.Turkish, tpdu.Spanish, tpdu.Portuguese, tpdu.Bengali, tpdu.Gujarati, tpdu.Hindi,
	tpdu.Kannada, tpdu.Malayalam, tpdu.Oriya, tpdu.Punjabi, tpdu.Tamil, tpdu.Telugu, tpdu.Urdu,
}

// septetText is the text of septets.
func septetText(locking, single tpdu.Language, septets ...byte) string {
	return string(tpdu.DecodeSeptets(nil, septets, locking, single))
}

// A letter at the start, in the middle and at the end of each table of TS
// 23.038 Annex A, as printed there; - where the table has no national letter.
func TestLandmarksOfAnnexA(t *testing.T) {
	for _, test := range []struct {
		language                   tpdu.Language
		locking00, locking40, last string
		single1C                   string
	}{
		{tpdu.DefaultLanguage, "@", "¡", "à", "Æ"},
		{tpdu.Turkish, "@", "İ", "à", "Ş"},
		{tpdu.Spanish, "@", "¡", "à", "Æ"},
		{tpdu.Portuguese, "@", "Í", "à", "Â"},
		{tpdu.Bengali, "ঁ", "ব", "ৱ", "২"},
		{tpdu.Gujarati, "ઁ", "બ", "૱", "૦"},
		{tpdu.Hindi, "ँ", "ब", "ॿ", "०"},
		{tpdu.Kannada, " ", "ಬ", "ೣ", "೦"},
		{tpdu.Malayalam, " ", "ബ", "൹", "൦"},
		{tpdu.Oriya, "ଁ", "ବ", "ୣ", "୦"},
		{tpdu.Punjabi, "ਁ", "ਬ", "ੴ", "੦"},
		{tpdu.Tamil, " ", " ", "௹", "௦"},
		{tpdu.Telugu, "ఁ", "బ", "ౣ", "౦"},
		{tpdu.Urdu, "ا", "ص", "ٰ", "۰"},
	} {
		require.Equal(t, test.locking00, septetText(test.language, 0, 0x00), "%v locking 00", test.language)
		require.Equal(t, test.locking40, septetText(test.language, 0, 0x40), "%v locking 40", test.language)
		require.Equal(t, test.last, septetText(test.language, 0, 0x7f), "%v locking 7F", test.language)
		if test.language >= tpdu.Bengali {
			require.Equal(t, test.single1C, septetText(0, test.language, 0x1b, 0x1c), "%v single 1C", test.language)
		}
	}
}

// Every septet of every pair of tables reads as a character and, where that
// character is the table's own, is written as it was.
func TestEveryTableBothWays(t *testing.T) {
	for _, l := range languages {
		for septet := range byte(0x80) {
			if septet == 0x1b {
				continue
			}
			text := septetText(l, 0, septet)
			require.Equal(t, 1, utf8.RuneCountInString(text), "%v %#x", l, septet)
			back, err := tpdu.AppendSeptets(nil, text, l, 0)
			require.NoError(t, err)
			require.Equal(t, text, string(tpdu.DecodeSeptets(nil, back, l, 0)))
			if text != " " {
				require.Equal(t, []byte{septet}, back, "%v locking %q", l, text)
			}
			escaped := septetText(tpdu.DefaultLanguage, l, 0x1b, septet)
			require.Equal(t, 1, utf8.RuneCountInString(escaped), "%v single %#x", l, septet)
			back, err = tpdu.AppendSeptets(nil, escaped, tpdu.DefaultLanguage, l)
			require.NoError(t, err)
			require.Equal(t, escaped, string(tpdu.DecodeSeptets(nil, back, tpdu.DefaultLanguage, l)))
		}
	}
}

// TS 23.038 clauses 6.2.1 and 6.2.1.1 on what has no place in the tables.
func TestSeptetsWithoutACharacter(t *testing.T) {
	require.Equal(t, "a@", septetText(0, 0, 'a', 0x1b, 0x00), "not in the extension table: as in the main table")
	require.Equal(t, "a a", septetText(0, 0, 'a', 0x1b, 0x1b, 'a'), "a second escape is reserved: a space")
	require.Equal(t, "a ", septetText(0, 0, 'a', 0x1b), "an escape at the end")
	require.Equal(t, "\f^{}\\[~]|€", septetText(0, 0, 0x1b, 0x0a, 0x1b, 0x14, 0x1b, 0x28, 0x1b, 0x29, 0x1b, 0x2f, 0x1b, 0x3c, 0x1b, 0x3d, 0x1b, 0x3e, 0x1b, 0x40, 0x1b, 0x65))
	require.Equal(t, "à", septetText(99, 99, 0xff), "an unknown language is the default; bit 7 is ignored")
	_, err := tpdu.AppendSeptets(nil, "a\x1bb", 0, 0)
	require.Error(t, err, "an escape is no character of a text")
}

// The tables against those of the peer. Where they differ, TS 23.038 Annex A
// decides, and the difference is a line here.
func TestTablesAgainstPeer(t *testing.T) {
	type place struct {
		single   bool
		language tpdu.Language
		septet   byte
	}
	settled := map[place]string{
		// A.3.6: candrabindu, anusvara and visarga of Devanagari; the peer has
		// those of Bengali.
		{false, tpdu.Hindi, 0}: "\u0901",
		{false, tpdu.Hindi, 1}: "\u0902",
		{false, tpdu.Hindi, 2}: "\u0903",
		// A.2.3: the peer leaves this one out.
		{true, tpdu.Portuguese, 0x1f}: "Ê",
	}
	for _, l := range languages {
		mains, extras := charset.NewDecoder(int(l)), charset.NewExtDecoder(int(l))
		for septet := range byte(0x80) {
			if septet == 0x1b || septet == 0x0d {
				continue // control codes
			}
			if theirs, ok := mains[septet]; ok || settled[place{false, l, septet}] != "" {
				want := settled[place{false, l, septet}]
				if want == "" {
					want = string(theirs)
				}
				require.Equal(t, want, septetText(l, 0, septet), "%v locking %#x", l, septet)
			}
			if theirs, ok := extras[septet]; ok || settled[place{true, l, septet}] != "" {
				want := settled[place{true, l, septet}]
				if want == "" {
					want = string(theirs)
				}
				require.Equal(t, want, septetText(0, l, 0x1b, septet), "%v single %#x", l, septet)
			}
		}
	}
}

func TestNamesAndSets(t *testing.T) {
	require.Equal(t, "Urdu", tpdu.Urdu.String())
	require.Equal(t, "language 99", tpdu.Language(99).String())
	set := tpdu.LanguageSet(tpdu.Turkish, tpdu.Spanish, tpdu.DefaultLanguage, 200)
	require.True(t, set.Has(tpdu.Turkish))
	require.False(t, set.Has(tpdu.DefaultLanguage))
	require.False(t, set.Has(200))
	for _, l := range languages[1:] {
		require.True(t, tpdu.AllLanguages.Has(l), l)
	}
}

// Texts whose best tables are known: the fewest parts within what is allowed.
func TestChoiceOfTables(t *testing.T) {
	all := tpdu.AllLanguages
	for _, test := range []struct {
		name, text      string
		locking, single tpdu.Languages
		wantLocking     tpdu.Language
		wantSingle      tpdu.Language
		parts           int
	}{
		{"plain text stays in the default tables", "plain", all, all, 0, 0, 1},
		{"a few Turkish letters: single shift", "İyi günler Şebnem", all, all, 0, tpdu.Turkish, 1},
		{"many Turkish letters: locking shift", strings.Repeat("ığşĞİŞ", 30), all, all, tpdu.Turkish, 0, 2},
		{"the same without locking tables", strings.Repeat("ığşĞİŞ", 30), 0, all, 0, tpdu.Turkish, 3},
		{"Portuguese with both", strings.Repeat("ãõçÂÊ", 20) + "Φ", all, all, tpdu.Portuguese, tpdu.Portuguese, 1},
		{"Spanish has a single table only", "Él cantó aquí á", all, tpdu.LanguageSet(tpdu.Spanish), 0, tpdu.Spanish, 1},
		{"Hindi letters and digits", "नमस्ते १२३", all, all, tpdu.Hindi, tpdu.Hindi, 1},
		{"only what is allowed", "ñÁ", 0, tpdu.LanguageSet(tpdu.Spanish), 0, tpdu.Spanish, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			parts, err := tpdu.Split(test.text, &tpdu.SplitConfig{Locking: test.locking, Single: test.single})
			require.NoError(t, err)
			require.Equal(t, tpdu.GSM7, parts.Alphabet)
			require.Nil(t, parts.Forced)
			require.Equal(t, test.parts, parts.Len())
			require.Equal(t, test.wantLocking, parts.Locking)
			require.Equal(t, test.wantSingle, parts.Single)
			require.Equal(t, test.text, textOf(t, parts))
		})
	}
}

// textOf joins the text of all parts.
func textOf(tb testing.TB, parts *tpdu.Parts) string {
	tb.Helper()
	var (
		text tpdu.TextDecoder
		out  []byte
		err  error
	)
	for i := range parts.Len() {
		u := parts.At(i)
		out, err = text.Append(out, parts.DCS(tpdu.NoClass), &u)
		require.NoError(tb, err)
	}
	return string(text.Finish(out))
}

// No pair of allowed tables is better than the one chosen.
func TestChoiceIsTheBest(t *testing.T) {
	texts := []string{
		strings.Repeat("Ğğ", 100), strings.Repeat("ação não é Único ", 12), "मेरा नाम" + strings.Repeat(" क", 100),
		strings.Repeat("€{}Ş", 50), strings.Repeat("سلام ", 40), strings.Repeat("ஂஃஅ௦", 50),
	}
	for _, text := range texts {
		best, err := tpdu.Split(text, &tpdu.SplitConfig{Locking: tpdu.AllLanguages, Single: tpdu.AllLanguages, Encoding: tpdu.OnlyGSM7})
		require.NoError(t, err, text)
		require.Equal(t, text, textOf(t, best))
		for _, l := range languages {
			for _, s := range languages {
				if _, err := tpdu.AppendSeptets(nil, text, l, s); err != nil {
					continue
				}
				other, err := tpdu.Split(text, &tpdu.SplitConfig{Locking: tpdu.LanguageSet(l), Single: tpdu.LanguageSet(s)})
				require.NoError(t, err)
				require.GreaterOrEqual(t, other.Len(), best.Len(), "%v and %v for %.20q", l, s, text)
			}
		}
	}
}
