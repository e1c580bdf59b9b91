// Package e2e_test drives the built product from outside: over REST, in browsers, and while its processes are killed.
//
// What needs real servers or a browser has the build tag e2e and runs by `make e2e`; the bounded crash test on the
// embedded parts runs with all others.
package e2e_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// binary is the product as built for this run.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tz-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary, err = harness.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
