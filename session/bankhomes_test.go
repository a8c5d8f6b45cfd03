package session

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHomesForgetWhomTheyHaveNotMetForLongest(t *testing.T) {
	h := homes{limit: 3}
	for i := range 3 {
		h.set(fmt.Sprint(i), "a")
	}
	require.Equal(t, "a", h.of("0"), "met again")
	h.set("3", "b")
	require.Equal(t, []string{"a", "", "a", "b"}, []string{h.of("0"), h.of("1"), h.of("2"), h.of("3")})
	require.Len(t, h.byName, 3)
	require.Equal(t, 3, h.recent.Len())
	h.set("0", "c")
	require.Equal(t, "c", h.of("0"))
	require.Len(t, h.byName, 3)
}

func TestHomesWithoutRoom(t *testing.T) {
	h := homes{limit: -1}
	h.set("0", "a")
	require.Empty(t, h.of("0"))
}
