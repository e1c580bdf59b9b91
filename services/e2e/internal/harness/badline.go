package harness

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// segment is how many bytes a packet carries on most lines.
const segment = 1460

// Line is a line between a browser and the gateway on which things take long and get lost.
type Line struct {
	// URL of the gateway through the line.
	URL string

	t     testing.TB
	proxy *toxiproxy.Proxy
}

// Bad opens a line to the gateway: a round trip takes as long as said, and of so many packets in a hundred each is sent again because it was lost.
func (s *System) Bad(t testing.TB, roundTrip time.Duration, lost int) *Line {
	t.Helper()
	toxics.Register("loss", new(loss))
	metrics := toxiproxy.NewMetricsContainer(prometheus.NewRegistry())
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(metrics, zerolog.Nop()), "line", "127.0.0.1:0", strings.TrimPrefix(s.URL, "http://"))
	s.must(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	l := &Line{URL: "http://" + proxy.Listen, t: t, proxy: proxy}
	for _, stream := range []string{"upstream", "downstream"} {
		l.add("latency", stream, map[string]int64{"latency": roundTrip.Milliseconds() / 2})
		// What was lost is missed after a round trip, and there after another half.
		l.add("loss", stream, map[string]int64{"percent": int64(lost), "again": roundTrip.Milliseconds() * 3 / 2})
	}
	return l
}

// Swallow lets everything to the gateway and nothing back, until the answer is given up after a while.
func (l *Line) Swallow(giveUp time.Duration) {
	l.t.Helper()
	l.add("timeout", "downstream", map[string]int64{"timeout": giveUp.Milliseconds()})
}

// Mend ends what Swallow began.
func (l *Line) Mend() {
	l.t.Helper()
	if err := l.proxy.Toxics.RemoveToxic(l.t.Context(), "timeout_downstream"); err != nil {
		l.t.Fatal(err)
	}
}

func (l *Line) add(kind, stream string, attributes map[string]int64) {
	l.t.Helper()
	text, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "toxicity": 1.0, "attributes": attributes})
	if err == nil {
		_, err = l.proxy.Toxics.AddToxicJson(bytes.NewReader(text))
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// loss holds a packet back for as long as it takes to send it again, and with it all that follows, as TCP does.
type loss struct {
	Percent int64 `json:"percent"`
	// Again is in milliseconds.
	Again int64 `json:"again"`
}

// GetBufferSize implements a toxic.
func (l *loss) GetBufferSize() int { return 1024 }

// Pipe implements a toxic.
func (l *loss) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			select {
			case <-time.After(l.delay(len(c.Data))):
				stub.Output <- c
			case <-stub.Interrupt:
				stub.Output <- c
				return
			}
		}
	}
}

// delay of so many bytes: that of each of their packets that is lost.
func (l *loss) delay(size int) (sum time.Duration) {
	for ; size > 0; size -= segment {
		if rand.Int64N(100) < l.Percent {
			sum += time.Duration(l.Again) * time.Millisecond
		}
	}
	return sum
}
