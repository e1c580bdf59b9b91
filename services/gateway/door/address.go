package door

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

type (
	addressKey struct{}
	tlsKey     struct{}
)

// Behind lets the proxies of these networks say whom they speak for, by X-Forwarded-For, and that TLS was spoken with them, by X-Forwarded-Proto; everybody
// else's headers count for nothing. The address is the last of the list that is no proxy's: what stands before it was written by whoever sent it.
func Behind(next http.Handler, proxies []netip.Prefix) http.Handler {
	trusted := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		from := at.Addr().Unmap()
		proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
		ctx := context.WithValue(r.Context(), tlsKey{}, trusted(from) && strings.EqualFold(strings.TrimSpace(proto), "https"))
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && trusted(from); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			from = hop.Unmap()
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, addressKey{}, from)))
	})
}

// OverTLS tells that a request came by TLS, here or to a proxy in front.
func OverTLS(r *http.Request) bool {
	proxied, _ := r.Context().Value(tlsKey{}).(bool)
	return proxied || r.TLS != nil
}

// Address is what tries are counted by: the IPv4 address a request comes from, or the /64 network of an IPv6 address, of which one line has
// the whole.
func Address(r *http.Request) string {
	from, ok := r.Context().Value(addressKey{}).(netip.Addr)
	if !ok {
		return r.RemoteAddr // no address of a network
	}
	if from.Is6() {
		return netip.PrefixFrom(from.WithZone(""), 64).Masked().String()
	}
	return from.String()
}
