package egress_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
)

func TestWhereNobodyMaySendIsNotCalled(t *testing.T) {
	t.Parallel()
	open, listed, private := egress.New(egress.Policy{}, net.DefaultResolver), egress.New(egress.Policy{Hosts: []string{"hospital.example"}}, net.DefaultResolver), egress.New(egress.Policy{Private: true}, net.DefaultResolver)
	for _, c := range []struct {
		door          *egress.Door
		address, want string
	}{
		{open, "https://hospital.example/hook", ""},
		{open, "http://hospital.example/hook", "HTTPS"},
		{open, "ftp://hospital.example/hook", "HTTPS"},
		{open, "hospital.example", "FORMAT"},
		{open, "https://user:word@hospital.example/", "FORMAT"},
		{open, "https://hospital.example/a b", "FORMAT"},
		{open, "http://127.0.0.1:8080/", "PRIVATE"},
		{open, "https://localhost/", "PRIVATE"},
		{open, "https://10.1.2.3/", "PRIVATE"},
		{open, "https://192.168.1.1/", "PRIVATE"},
		{open, "https://100.64.1.1/", "PRIVATE"},
		{open, "https://169.254.169.254/", "PRIVATE"},
		{open, "https://[fd00::1]/", "PRIVATE"},
		{open, "https://[::ffff:10.1.2.3]/", "PRIVATE"},
		{listed, "https://hospital.example/", ""},
		{listed, "https://hooks.hospital.example/", ""},
		{listed, "https://evilhospital.example/", "HOST"},
		{private, "https://10.1.2.3/", ""},
		{private, "https://169.254.169.254/", "PRIVATE"},
		{private, "http://127.0.0.1:8080/", ""},
		{private, "http://10.1.2.3/", "HTTPS"},
	} {
		problems := c.door.Check(c.address)
		if got := len(problems); got > 1 || (c.want == "") != (got == 0) || got == 1 && problems[0].Remedy != c.want {
			t.Errorf("%s: %v, want %q", c.address, problems, c.want)
		}
	}
}

// book is a resolver that knows some names.
type book map[string][]string

func (b book) LookupNetIP(_ context.Context, _, host string) (ips []netip.Addr, err error) {
	for _, one := range b[host] {
		ips = append(ips, netip.MustParseAddr(one))
	}
	if len(ips) == 0 {
		err = &net.DNSError{Name: host, IsNotFound: true}
	}
	return ips, err
}

// Invariant 2: the name passes, the address behind it does not.
func TestANameThatLeadsInsideIsRefusedBeforeTheConnection(t *testing.T) {
	t.Parallel()
	for _, at := range []string{
		"10.1.2.3", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3", "::", "::1", "fd00::1", "fe80::1", "::ffff:10.1.2.3", "::10.1.2.3", "224.0.0.1", "240.0.0.1",
		"64:ff9b::10.1.2.3", "64:ff9b::169.254.169.254", "64:ff9b:1::a01:203", "2002:a01:203::1", "2001:0:a01:203::1", "::ffff:0:10.1.2.3", "198.18.0.1", "255.255.255.255",
	} {
		_, err := call(t, egress.New(egress.Policy{}, book{"inside.example": {at}}), "https://inside.example:1/")
		if c := channel.ClassOf(err).Class; err == nil || c != channel.Refused {
			t.Errorf("%s: %v", at, err)
		}
		if ip := netip.MustParseAddr(at); ip.Is6() {
			at = "[" + at + "]"
		}
		if p := egress.New(egress.Policy{}, book{}).Check("https://" + at + "/"); len(p) != 1 || p[0].Remedy != "PRIVATE" {
			t.Errorf("%s by itself: %v", at, p)
		}
	}
	if p := egress.New(egress.Policy{}, book{}).Check("https://[64:ff9b::8.8.8.8]/"); len(p) != 0 {
		t.Errorf("a public address by NAT64: %v", p)
	}
	if _, err := call(t, egress.New(egress.Policy{}, book{}), "https://nowhere.example/"); channel.ClassOf(err).Class != channel.Away {
		t.Errorf("a name that leads nowhere: %v", err)
	}
}

func call(t *testing.T, d *egress.Door, address string) (egress.Answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d.Call(t.Context(), r, []byte("{}"))
}

func TestANameIsReachedAtTheFirstAddressThatMayBeCalledAndAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// The first may not be called, nobody listens at the second.
	door := egress.New(egress.Policy{Private: true}, book{"localhost": {"169.254.169.254", "127.0.0.2", "127.0.0.1"}})
	if answer, err := call(t, door, "http://localhost:"+port+"/"); err != nil || answer.Status != http.StatusNoContent {
		t.Errorf("%+v, %v", answer, err)
	}
}

// Invariant 3.
func TestARedirectIsAnAnswer(t *testing.T) {
	t.Parallel()
	followed := false
	mux := http.NewServeMux()
	mux.HandleFunc("/a", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/b", http.StatusTemporaryRedirect) })
	mux.HandleFunc("/b", func(http.ResponseWriter, *http.Request) { followed = true })
	server := httptest.NewServer(mux)
	defer server.Close()
	answer, err := call(t, egress.New(egress.Policy{Private: true}, net.DefaultResolver), server.URL+"/a")
	if err != nil || answer.Status != http.StatusTemporaryRedirect || followed || channel.ClassOf(answer.Classify()).Class != channel.Setup {
		t.Errorf("%+v, %v", answer, err)
	}
}

// What a status says of a message: only what certainly was not taken may be repeated without a mark.
func TestWhatAStatusMeans(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]channel.Class{
		400: channel.Refused, 401: channel.Setup, 403: channel.Setup, 404: channel.Setup, 405: channel.Setup, 407: channel.Setup, 408: channel.Unknown, 410: channel.Refused,
		422: channel.Refused, 425: channel.Away, 429: channel.Limited, 500: channel.Unknown, 502: channel.Unknown, 503: channel.Unknown, 504: channel.Unknown, 302: channel.Setup,
	} {
		if err := (egress.Answer{Status: status}).Classify(); err == nil || channel.ClassOf(err).Class != want || channel.ClassOf(err).Whole {
			t.Errorf("%d: %v, want %s", status, err, want)
		}
	}
	if err := (egress.Answer{Status: 204}).Classify(); err != nil {
		t.Errorf("204: %v", err)
	}
	if err := (egress.Answer{Status: 401}).Provider(); !channel.ClassOf(err).Whole {
		t.Errorf("the channel's own address: %v", err)
	}
}
