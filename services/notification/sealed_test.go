package notification_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/rekey/rekeytest"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
)

func TestEverySealedColumnComesUnderANewKey(t *testing.T) {
	t.Parallel()
	rekeytest.Declared(t, "internal", store.Sealed())
}
