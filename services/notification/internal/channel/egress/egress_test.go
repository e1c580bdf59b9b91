package egress_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
)

func TestWhereNobodyMaySendIsNotCalled(t *testing.T) {
	t.Parallel()
	open, listed, private := egress.New(egress.Policy{}), egress.New(egress.Policy{Hosts: []string{"hospital.example"}}), egress.New(egress.Policy{Private: true})
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

// Invariant 2: the name passes, the address behind it does not.
func TestANameThatLeadsInsideIsRefusedAtTheConnection(t *testing.T) {
	t.Parallel()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	found, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", name)
	if err != nil || slices.ContainsFunc(found, func(ip netip.Addr) bool { return !ip.Unmap().IsPrivate() && !ip.Unmap().IsLoopback() }) {
		t.Skipf("the name of this machine leads outside, or nowhere: %v", err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+name+":1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = egress.New(egress.Policy{}).Call(t.Context(), r, []byte("{}"))
	if c := channel.ClassOf(err).Class; err == nil || c != channel.Refused {
		t.Errorf("%v", err)
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
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := egress.New(egress.Policy{Private: true}).Call(t.Context(), r, []byte("{}"))
	if err != nil || answer.Status != http.StatusTemporaryRedirect || followed || channel.ClassOf(answer.Classify()).Class != channel.Refused {
		t.Errorf("%+v, %v", answer, err)
	}
}
