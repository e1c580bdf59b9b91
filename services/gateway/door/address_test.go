package door_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/door"
)

func TestAProxySaysWhomItSpeaksForAndNobodyElseDoes(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.8/32"), netip.MustParsePrefix("10.0.0.9/32")}
	for name, c := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"no proxy":                        {"203.0.113.5:4711", nil, "203.0.113.5"},
		"a header of somebody":            {"203.0.113.5:4711", []string{"198.51.100.1"}, "203.0.113.5"},
		"a proxy":                         {"10.0.0.8:4711", []string{"203.0.113.5"}, "203.0.113.5"},
		"two proxies":                     {"10.0.0.8:4711", []string{"203.0.113.5, 10.0.0.9"}, "203.0.113.5"},
		"what the visitor wrote before":   {"10.0.0.8:4711", []string{"198.51.100.1", "203.0.113.5"}, "203.0.113.5"},
		"a proxy without a header":        {"10.0.0.8:4711", nil, "10.0.0.8"},
		"a header that is no address":     {"10.0.0.8:4711", []string{"unknown"}, "10.0.0.8"},
		"one line's network":              {"[2001:db8:1:2:3:4:5:6]:4711", nil, "2001:db8:1:2::/64"},
		"an IPv4 address in IPv6 clothes": {"[::ffff:203.0.113.5]:4711", nil, "203.0.113.5"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			for _, v := range c.forwarded {
				r.Header.Add("X-Forwarded-For", v)
			}
			got := ""
			door.Behind(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = door.Address(r) }), proxies).ServeHTTP(httptest.NewRecorder(), r)
			if got != c.want {
				t.Errorf("counted as %q, want %q", got, c.want)
			}
		})
	}
}
