package fanout

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

type event struct{ number, lost int }

func publish(h *Hub[event], number int) {
	h.Publish(func(lost int) event { return event{number, lost} })
}

func TestSlowListenerIsToldAndDelaysNobody(t *testing.T) {
	var h Hub[event]
	slow := h.Listen(t.Context())
	for i := range Queue + 3 {
		publish(&h, i)
	}
	for i := range Queue {
		require.Equal(t, event{i, 0}, <-slow)
	}
	publish(&h, 99)
	require.Equal(t, event{99, 3}, <-slow)
	publish(&h, 100)
	require.Equal(t, event{100, 0}, <-slow)
}

func TestListenerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Hub[event]
		ctx, cancel := context.WithCancel(t.Context())
		events := h.Listen(ctx)
		cancel()
		synctest.Wait()
		_, open := <-events
		require.False(t, open)
		publish(&h, 1)
		_, open = <-h.Listen(ctx)
		require.False(t, open)
	})
}

func TestCloseEndsEverybody(t *testing.T) {
	var h Hub[event]
	events := h.Listen(t.Context())
	publish(&h, 1)
	h.Close()
	h.Close()
	require.Equal(t, event{1, 0}, <-events, "what was there is still handed over")
	_, open := <-events
	require.False(t, open)
	_, open = <-h.Listen(t.Context())
	require.False(t, open)
	publish(&h, 2)
}
