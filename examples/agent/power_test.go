package main

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPowerCommand(t *testing.T) {
	require.Nil(t, powerCommand(" "))
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh here: ", err)
	}
	require.NoError(t, powerCommand("true")(t.Context()))
	require.ErrorContains(t, powerCommand("ls /no/such/hub")(t.Context()), "/no/such/hub")
	require.Error(t, powerCommand("no-such-command -x")(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, powerCommand("sleep 60")(ctx), "it ends with its context")
}
