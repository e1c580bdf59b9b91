// Package webhook posts a message as JSON to an https address, signed as Standard Webhooks lays down (https://www.standardwebhooks.com), so that the
// other end can verify it with a library there is.
//
// Headers: webhook-id (the message's, the same on a repeat), webhook-timestamp (seconds since 1970), webhook-signature ("v1," and base64 of
// HMAC-SHA-256 over id "." timestamp "." body). The secret is "whsec_" and base64 of 24 to 64 bytes.
//
// Body: {"type":"tongzhen.<event>","timestamp":RFC 3339,"data":{"text","urgent","again","number","link"}}. Any 2xx takes the message.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
)

// Headers that the other end reads.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
	secretPrefix    = "whsec_"
)

const (
	minSecret = 24
	maxSecret = 64
)

// Adapter implements channel.Adapter.
type Adapter struct {
	door *egress.Door
	clk  clock.Clock
}

// New sends through the door.
func New(door *egress.Door, clk clock.Clock) *Adapter { return &Adapter{door: door, clk: clk} }

type body struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	Text   string `json:"text"`
	Urgent bool   `json:"urgent"`
	Again  bool   `json:"again"`
	Number string `json:"number,omitempty"`
	Link   string `json:"link,omitempty"`
}

// Send implements channel.Adapter.
func (a *Adapter) Send(ctx context.Context, m channel.Message) (channel.Receipt, error) {
	key, ok := decode(m.To.Secret)
	if !ok {
		return channel.Receipt{}, channel.Fail(channel.Refused, "secret")
	}
	text, err := json.Marshal(body{
		Type: "tongzhen." + m.Event, Timestamp: m.Time.UTC(), Data: data{Text: m.Text, Urgent: m.Emergency, Again: m.Again, Number: m.Number, Link: m.Link},
	})
	if err != nil {
		return channel.Receipt{}, channel.Fail(channel.Refused, "encoding")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.To.Value, nil)
	if err != nil {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	at := strconv.FormatInt(a.clk.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(HeaderID, m.ID)
	r.Header.Set(HeaderTimestamp, at)
	r.Header.Set(HeaderSignature, Sign(key, m.ID, at, text))
	answer, err := a.door.Call(ctx, r, text)
	if err != nil {
		return channel.Receipt{}, err
	}
	if err := answer.Classify(); err != nil {
		return channel.Receipt{}, err
	}
	return channel.Receipt{Code: strconv.Itoa(answer.Status)}, nil
}

// Sign is the value of the signature's header.
func Sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func decode(secret string) ([]byte, bool) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	return key, ok && err == nil && len(key) >= minSecret && len(key) <= maxSecret
}

// Provider implements channel.Adapter: each host fails by itself.
func (a *Adapter) Provider(to channel.Address) string {
	u, err := url.Parse(to.Value)
	if err != nil {
		return ""
	}
	return u.Host
}

// Check implements channel.Adapter.
func (a *Adapter) Check(to channel.Address) []channel.Problem {
	problems := a.door.Check(to.Value)
	if to.Secret == "" {
		problems = append(problems, channel.Problem{Field: "secret", Remedy: "REQUIRED"})
	} else if _, ok := decode(to.Secret); !ok {
		problems = append(problems, channel.Problem{Field: "secret", Remedy: "FORMAT"})
	}
	return problems
}
