package door_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/door"
)

// What came by TLS, here or to a proxy that is believed, sets cookies that go by TLS alone. No script reads any, and no form of another site sends one.
func TestCookiesGoByTLSWhereTheRequestDid(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.8/32")}
	for name, c := range map[string]struct {
		secure, tls   bool
		remote, proto string
		want          bool
	}{
		"plain":                          {false, false, "127.0.0.1:4711", "", false},
		"plain, and says otherwise":      {false, false, "203.0.113.5:4711", "https", false},
		"TLS":                            {false, true, "203.0.113.5:4711", "", true},
		"a proxy's word":                 {false, false, "10.0.0.8:4711", "HTTPS", true},
		"a proxy's word, of a list":      {false, false, "10.0.0.8:4711", "https, http", true},
		"a proxy that was asked plainly": {false, false, "10.0.0.8:4711", "http", false},
		"by the setting":                 {true, false, "127.0.0.1:4711", "", true},
	} {
		for how, answer := range map[string]func(http.ResponseWriter){
			"header": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
			"body":   func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) },
			"flush":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		} {
			handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				door.Keep(w, "one", "value", 60)
				door.Forget(w, "two")
				answer(w)
			})
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			if r.RemoteAddr = c.remote; c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			r.Header.Set("X-Forwarded-Proto", c.proto)
			w := httptest.NewRecorder()
			door.Behind(door.Headers(handler, c.secure), proxies).ServeHTTP(w, r)
			set := w.Result().Cookies()
			if len(set) != 2 || set[0].MaxAge != 60 || set[1].MaxAge >= 0 || set[0].Value != "value" {
				t.Fatalf("%s, %s: %v", name, how, set)
			}
			for _, cookie := range set {
				if cookie.Secure != c.want || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || strings.Count(cookie.Raw, "Secure") > 1 {
					t.Errorf("%s, %s: %s", name, how, cookie.Raw)
				}
			}
		}
	}
}
