package gateway

import (
	"net/netip"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/hl7"
)

// Config of the gateway; the zero value runs on loopback without TLS.
type Config struct {
	// Secure marks cookies Secure; must be set when the gateway is reached over TLS.
	Secure bool
	// Demo shows the demo accounts on the sign-in page.
	Demo bool
	// Zone is the time zone in which pages show days and times; nil = Asia/Shanghai.
	Zone *time.Location
	// RequestTimeout bounds a page or API call; 0 = 15 s. The live stream has no limit.
	RequestTimeout time.Duration
	// Proxies may say by X-Forwarded-For whom they speak for; none by default.
	Proxies []netip.Prefix
	// Senders are the systems that may send HL7 v2 messages; none by default.
	Senders hl7.Senders
}

func (c Config) withDefaults() (Config, error) {
	if c.Zone == nil {
		zone, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			return c, err
		}
		c.Zone = zone
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 15 * time.Second
	}
	return c, nil
}
