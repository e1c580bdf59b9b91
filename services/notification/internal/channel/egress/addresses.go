package egress

import "net/netip"

// may tells whether an address may be called. What leads to an address of version 4 by way of version 6 is judged by where it leads.
func (d *Door) may(ip netip.Addr) bool {
	if within(ip, "64:ff9b::/96") { // NAT64 (RFC 6052): how a network of version 6 alone reaches public addresses
		wide := ip.As16()
		ip = netip.AddrFrom4([4]byte(wide[12:]))
	}
	if ip.IsLoopback() || ip.IsPrivate() || within(ip, "100.64.0.0/10") { // the last is a carrier's network between (RFC 6598)
		return d.policy.Private
	}
	return ip.IsGlobalUnicast() && !within(ip, special()...)
}

// special are never anybody's to send to (the registries of RFC 6890): they lead nowhere, or somewhere else than they say.
func special() []string {
	return []string{
		"0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96",           // IPv4-compatible
		"::ffff:0:0:0/96", // IPv4-translated (RFC 2765)
		"64:ff9b:1::/48",  // NAT64 of a network of one's own (RFC 8215)
		"2002::/16",       // 6to4
		"2001::/32",       // Teredo
		"2001:db8::/32", "3fff::/20", "100::/64", "5f00::/16", "fec0::/10",
	}
}

func within(ip netip.Addr, prefixes ...string) bool {
	for _, p := range prefixes {
		if netip.MustParsePrefix(p).Contains(ip) {
			return true
		}
	}
	return false
}
