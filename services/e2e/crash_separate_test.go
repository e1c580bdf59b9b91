//go:build e2e

package e2e_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

func TestNoCrashOfAnyProcessLosesOrDoublesAnythingOnPostgreSQL(t *testing.T) {
	crash(t, harness.Separate(t, binary))
}
