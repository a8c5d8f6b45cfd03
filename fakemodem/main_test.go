package fakemodem_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The parallel tests are those with programs: they wait, they do not work.
	flag.Set("test.parallel", "8")
	goleak.VerifyTestMain(m)
}
