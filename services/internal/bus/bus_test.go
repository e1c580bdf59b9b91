package bus_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tongzhen/tongzhen/services/internal/bustest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEmbeddedKeepsTheContract(t *testing.T) { t.Parallel(); bustest.Suite(t, bustest.Embedded) }

func TestRemoteKeepsTheContract(t *testing.T) { t.Parallel(); bustest.Suite(t, bustest.Remote) }
