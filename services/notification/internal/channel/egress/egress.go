// Package egress is the one door by which HTTP leaves notification. It owns where a message may go at all and how a failed call is classified; it refuses
// to know any provider.
//
// Invariants:
//  1. Nothing goes out but by https; plain http to this machine only.
//  2. A host that is not on the list, where there is one, is not called, nor is this machine, a private, link-local or other special address, unless the
//     settings allow those. The address is checked when the connection is made, after the name was looked up, so that a name cannot change its mind.
//  3. No redirect is followed: it is an answer like any other.
//  4. A call of which no byte was written is Away; any other without an answer is Unknown.
package egress

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
)

// Policy is where messages may go.
type Policy struct {
	// Hosts are the only ones, each with what is below it (example.org also means a.example.org); empty: all.
	Hosts []string
	// Private allows addresses of private networks, e.g. a hospital's own, and of this machine.
	Private bool
}

const (
	dialTimeout = 5 * time.Second
	// maxAnswer bounds what is read of an answer: a code and an id.
	maxAnswer = 64 << 10
	idleConns = 8
)

// Door makes calls. Safe for concurrent use.
type Door struct {
	policy Policy
	client *http.Client
}

// New makes a door.
func New(p Policy) *Door {
	d := &Door{policy: p}
	dialer := &net.Dialer{Timeout: dialTimeout, Control: d.control}
	d.client = &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout, MaxIdleConnsPerHost: idleConns,
			IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return d
}

// errForbidden ends a connection to where nobody may send.
var errForbidden = errors.New("egress: address not allowed")

// control sees the address after the look-up of the name.
func (d *Door) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !d.may(at.Addr().Unmap()) {
		return errForbidden
	}
	return nil
}

// may tells whether an address may be called.
func (d *Door) may(ip netip.Addr) bool {
	carriers := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) // their network between (RFC 6598)
	if ip.IsLoopback() || ip.IsPrivate() || carriers.Contains(ip) {
		return d.policy.Private
	}
	return ip.IsGlobalUnicast()
}

// Check tells why an address cannot be called.
func (d *Door) Check(address string) []channel.Problem {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(address, " \t\r\n"):
		return []channel.Problem{{Field: "value", Remedy: "FORMAT"}}
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return []channel.Problem{{Field: "value", Remedy: "HTTPS"}}
	case loopback(u.Hostname()) && !d.policy.Private:
		return []channel.Problem{{Field: "value", Remedy: "PRIVATE"}}
	case !d.listed(u.Hostname()):
		return []channel.Problem{{Field: "value", Remedy: "HOST"}}
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !d.may(ip.Unmap()) {
		return []channel.Problem{{Field: "value", Remedy: "PRIVATE"}}
	}
	return nil
}

func (d *Door) listed(host string) bool {
	if len(d.policy.Hosts) == 0 {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, h := range d.policy.Hosts {
		if h = strings.ToLower(h); host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}

func loopback(host string) bool {
	if host = strings.TrimSuffix(strings.ToLower(host), "."); host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Whole  bool // nothing of the body is missing
}

// Call makes one call. An error is a *channel.Error: Refused where nobody may send, Away, or Unknown.
func (d *Door) Call(ctx context.Context, r *http.Request, body []byte) (Answer, error) {
	if len(d.Check(r.URL.String())) > 0 {
		return Answer{}, channel.Fail(channel.Refused, "egress")
	}
	var written atomic.Bool
	r = r.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(string, []string) { written.Store(true) }}))
	if body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	answer, err := d.client.Do(r)
	if err != nil {
		switch {
		case errors.Is(err, errForbidden):
			return Answer{}, channel.Fail(channel.Refused, "egress")
		case !written.Load():
			return Answer{}, channel.Fail(channel.Away, "unreachable")
		}
		return Answer{}, channel.Fail(channel.Unknown, "no answer")
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return Answer{Status: answer.StatusCode, Header: answer.Header, Body: text, Whole: err == nil}, nil
}

// Classify is what a status means by itself: nil for one of success. A 503 was not taken; any other of the server's may have been.
func (a Answer) Classify() error {
	code := strconv.Itoa(a.Status)
	switch {
	case a.Status >= 200 && a.Status < 300:
		return nil
	case a.Status == http.StatusTooManyRequests:
		return &channel.Error{Class: channel.Limited, Code: code, After: a.retryAfter()}
	case a.Status == http.StatusServiceUnavailable:
		return channel.Fail(channel.Away, code)
	case a.Status == http.StatusRequestTimeout, a.Status == http.StatusTooEarly:
		return channel.Fail(channel.Away, code)
	case a.Status >= 500:
		return channel.Fail(channel.Unknown, code)
	}
	return channel.Fail(channel.Refused, code)
}

// retryAfter reads seconds; a date is nobody's habit among these providers, and any pause will do.
func (a Answer) retryAfter() time.Duration {
	n, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
