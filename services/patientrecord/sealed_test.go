package patientrecord_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/rekey/rekeytest"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

func TestEverySealedColumnComesUnderANewKey(t *testing.T) {
	t.Parallel()
	rekeytest.Declared(t, "internal", store.Sealed())
}
