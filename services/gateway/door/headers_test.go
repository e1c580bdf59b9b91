package door_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/door"
)

func TestOnlyAServerBehindTLSAsksForTLSAlone(t *testing.T) {
	t.Parallel()
	for secure, want := range map[bool]string{true: "max-age=31536000", false: ""} {
		w := httptest.NewRecorder()
		door.Headers(http.NotFoundHandler(), secure).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		if got := w.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("secure %v: %q, want %q", secure, got, want)
		}
	}
}
