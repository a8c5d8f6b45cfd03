package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// powerCommand is a session's way to cut the modem's power and give it back: a
// command of this machine, as "uhubctl -l 1-1 -p 2 -a cycle" for a stick on a
// USB hub that can be switched. Nil for an empty command.
func powerCommand(command string) func(context.Context) error {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil
	}
	return func(ctx context.Context) error {
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		cmd.WaitDelay = time.Second // for what it has started itself
		said, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %.200s", words[0], err, bytes.TrimSpace(said))
		}
		return nil
	}
}
