package telemetry

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(killRole); role != "" {
		os.Exit(runKilled(role))
	}
	goleak.VerifyTestMain(m)
}
