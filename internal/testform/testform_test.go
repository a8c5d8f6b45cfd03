package testform

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, in string
		groups   int
		check    func(t *testing.T, g []Group)
	}{
		{"SIM800 +CNMI=?", "(0-3),(0-3),(0,2),(0,1),(0,1)", 5, func(t *testing.T, g []Group) {
			require.True(t, g[0].Has(3))
			require.False(t, g[2].Has(1))
		}},
		{"Cinterion MC75i +CPMS=?", `("ME","SM","MT"),("ME","SM","MT"),("SM","MT")`, 3, func(t *testing.T, g []Group) {
			require.True(t, g[0].HasString("ME"))
			require.False(t, g[2].HasString("ME"))
		}},
		{"Wavecom Q2 +CPMS=?", `(("SM","BM","SR"),("SM"))`, 2, func(t *testing.T, g []Group) {
			require.Equal(t, []string{"SM"}, g[1].Strings)
		}},
		{"a bare value", "0,(1-3)", 2, func(t *testing.T, g []Group) {
			n, ok := g[1].Best(7, 2)
			require.True(t, ok)
			require.Equal(t, 2, n)
		}},
		{"a parenthesis in quotes", `("a)b")`, 1, func(t *testing.T, g []Group) {
			require.Equal(t, []string{"a)b"}, g[0].Strings)
		}},
		{"empty", "", 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, err := Parse(test.in)
			require.NoError(t, err)
			require.Len(t, g, test.groups)
			if test.check != nil {
				test.check(t, g)
			}
		})
	}
}

func TestParseFaults(t *testing.T) {
	for _, in := range []string{"(1", "(x)", "(3-1)", "(1-)"} {
		_, err := Parse(in)
		require.Error(t, err, in)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("(0-3),(0,2),(\"SM\",\"ME\")")
	f.Add("((")
	f.Fuzz(func(t *testing.T, s string) {
		g, err := Parse(s)
		if err == nil && len(g) > MaxGroups {
			t.Fatal("too many groups")
		}
	})
}
