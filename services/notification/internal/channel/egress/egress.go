// Package egress is the one door by which HTTP leaves notification. It owns where a message may go at all and how a failed call is classified; it refuses
// to know any provider.
//
// Invariants:
//  1. Nothing goes out but by https; plain http to this machine only.
//  2. A host that is not on the list, where there is one, is not called, nor is this machine, a private, link-local or other special address, unless the
//     settings allow those; an address of version 6 that leads to one of version 4 is taken for that. The address is checked after the name was looked up,
//     and the connection is made to it, so that a name cannot change its mind.
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
	"slices"
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

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Door makes calls. Safe for concurrent use.
type Door struct {
	policy Policy
	names  Resolver
	dialer *net.Dialer
	client *http.Client
}

// New makes a door that looks names up by the resolver.
func New(p Policy, names Resolver) *Door {
	d := &Door{policy: p, names: names}
	d.dialer = &net.Dialer{Timeout: dialTimeout, Control: d.control}
	d.client = &http.Client{
		Transport: &http.Transport{
			DialContext: d.dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout, MaxIdleConnsPerHost: idleConns,
			IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return d
}

// errForbidden ends a connection to where nobody may send.
var errForbidden = errors.New("egress: address not allowed")

// dial connects to the first address of a name that may be called and answers.
func (d *Door) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ips := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		ips = append(ips, ip)
	} else if ips, err = d.names.LookupNetIP(ctx, "ip", host); err != nil {
		return nil, err
	}
	err = errForbidden
	for _, ip := range ips {
		if !d.may(ip.Unmap()) {
			continue
		}
		conn, failed := d.dialer.DialContext(ctx, network, net.JoinHostPort(ip.Unmap().String(), port))
		if failed == nil {
			return conn, nil
		}
		err = failed
	}
	return nil, err
}

// control sees the address once more as the connection is made.
func (d *Door) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !d.may(at.Addr().Unmap()) {
		return errForbidden
	}
	return nil
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

// Classify is what a status means by itself: nil for one of success. Not taken for certain are a 429, a 425 (too early), and what says that the address or
// its secret is wrong (401, 403, 404, 405, 407, a redirect): that can be mended. Any 5xx, and a 408, may come from a gateway that has passed the message on.
func (a Answer) Classify() error {
	code := strconv.Itoa(a.Status)
	switch {
	case a.Status >= 200 && a.Status < 300:
		return nil
	case a.Status == http.StatusTooManyRequests:
		return &channel.Error{Class: channel.Limited, Code: code, After: a.retryAfter()}
	case a.Status == http.StatusTooEarly:
		return channel.Fail(channel.Away, code)
	case a.Status >= 500, a.Status == http.StatusRequestTimeout:
		return channel.Fail(channel.Unknown, code)
	case a.Status < 400, slices.Contains(mendable(), a.Status):
		return channel.Fail(channel.Setup, code)
	}
	return channel.Fail(channel.Refused, code)
}

// mendable are the statuses that speak of the address or its secret, not of the message.
func mendable() []int {
	return []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired}
}

// retryAfter reads seconds; a date is nobody's habit among these providers, and any pause will do.
func (a Answer) retryAfter() time.Duration {
	n, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
