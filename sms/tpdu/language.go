package tpdu

import "strconv"

// Language is a national language identifier (3GPP TS 23.038 clause
// 6.2.1.2.4). It names a table in the single and locking shift elements.
type Language byte

// The national language identifiers.
const (
	DefaultLanguage Language = iota // no national table
	Turkish
	Spanish // has a single shift table only
	Portuguese
	Bengali
	Gujarati
	Hindi
	Kannada
	Malayalam
	Oriya
	Punjabi
	Tamil
	Telugu
	Urdu

	numLanguages = 14
)

var languageNames = [numLanguages]string{
	"default", "Turkish", "Spanish", "Portuguese", "Bengali", "Gujarati", "Hindi",
	"Kannada", "Malayalam", "Oriya", "Punjabi", "Tamil", "Telugu", "Urdu",
}

// String returns the language's English name, or its number if the standard
// gives it none.
func (l Language) String() string {
	if l < numLanguages {
		return languageNames[l]
	}
	return "language " + strconv.Itoa(int(l))
}

// Languages is a set of languages. The zero value is empty: the default
// alphabet and its extension table only, which every handset understands.
type Languages uint16

// AllLanguages holds every language with a table in 3GPP TS 23.038 Annex A.
const AllLanguages Languages = 1<<numLanguages - 1<<1

// LanguageSet returns the set of the given languages. Identifiers without a
// table are left out.
func LanguageSet(languages ...Language) Languages {
	var s Languages
	for _, l := range languages {
		s |= 1 << l
	}
	return s & AllLanguages
}

// Has reports whether l is in the set.
func (s Languages) Has(l Language) bool { return l < numLanguages && s>>l&1 != 0 }
