package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// whoami answers the caller as the handler sees it.
func whoami(ctx context.Context, _ *commonv1.Coding) (*commonv1.Coding, error) {
	id, ok := authn.FromContext(ctx)
	if !ok {
		return &commonv1.Coding{Code: "nobody"}, nil
	}
	text := id.Subject + " of " + id.County
	if rpc.Token(ctx) != "" {
		text += ", forwarded"
	}
	return &commonv1.Coding{Code: text}, nil
}

func TestACallerIsAdmittedByTheTableAndKnownToTheHandler(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve(authz.Rule{Roles: []string{"INTAKE_DESK"}, Services: []string{"scheduling"}}, whoami)
	gateway, scheduling, directory := w.dial("gateway", "referral"), w.dial("scheduling", "referral"), w.dial("directory", "referral")
	ctx := t.Context()

	if got, err := ask(rpc.WithToken(ctx, w.token("INTAKE_DESK")), gateway, ""); err != nil || got != "account-1 of 450321, forwarded" {
		t.Errorf("the desk: %q, %v", got, err)
	}
	if _, err := ask(rpc.WithToken(ctx, w.token("SPECIALIST")), gateway, ""); errs.KindOf(err) != errs.KindDenied || errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("a specialist: %v", err)
	}
	if got, err := ask(rpc.WithCounty(ctx, "450321"), scheduling, ""); err != nil || got != "service:scheduling of 450321" {
		t.Errorf("scheduling: %q, %v", got, err)
	}
	if _, err := ask(ctx, directory, ""); errs.KindOf(err) != errs.KindDenied {
		t.Errorf("directory: %v", err)
	}
	if _, err := ask(rpc.WithToken(ctx, "rubbish"), gateway, ""); errs.ReasonOf(err) != errs.ReasonSessionExpired {
		t.Errorf("rubbish: %v", err)
	}
	old := w.token("INTAKE_DESK")
	w.clk.Advance(time.Hour)
	if _, err := ask(rpc.WithToken(ctx, old), gateway, ""); errs.ReasonOf(err) != errs.ReasonSessionExpired {
		t.Errorf("an old token: %v", err)
	}
}

func TestACallWithoutATokenReachesOpenMethodsOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule  authz.Rule
		token string
		want  errs.Kind
	}{
		"open, no token":   {authz.Rule{Open: true}, "", 0},
		"open, bad token":  {authz.Rule{Open: true}, "rubbish", 0},
		"persons only":     {authz.Rule{AnyPerson: true}, "", errs.KindUnauthenticated},
		"a service's rule": {authz.Rule{Services: []string{"gateway"}}, "", errs.KindUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.serve(c.rule, whoami)
			cfg := w.client("gateway")
			cfg.Signer = nil
			conn, err := w.network.Dial(t.Context(), "gateway", "referral", cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			got, err := ask(rpc.WithToken(t.Context(), c.token), conn, "")
			if errs.KindOf(err) != c.want || (err == nil && got != "nobody") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestAuthorizationFromOutsideIsNotPassedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve(authz.Rule{AnyPerson: true, Services: []string{"gateway"}}, whoami)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+w.token("SYSTEM"))
	if got, err := ask(ctx, w.dial("gateway", "referral"), ""); err != nil || got != "service:gateway of " {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAPersonIsForwardedToPeersAndAServiceIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	everybody := authz.Rule{AnyPerson: true, Services: []string{"gateway", "scheduling", "directory"}}
	w.serve(everybody, whoami)
	onward := w.dial("scheduling", "referral")
	w.run("scheduling", authz.Table{askPath: everybody}, registerAsk(func(ctx context.Context, in *commonv1.Coding) (*commonv1.Coding, error) {
		if in.GetCode() == "own" {
			ctx = rpc.AsService(ctx)
		}
		got, err := ask(ctx, onward, "")
		return &commonv1.Coding{Code: got}, err
	}))
	gateway := w.dial("gateway", "scheduling")
	person := rpc.WithToken(t.Context(), w.token("INTAKE_DESK"))
	for _, c := range []struct {
		ctx        context.Context
		code, want string
	}{
		{person, "", "account-1 of 450321, forwarded"},
		{person, "own", "service:scheduling of 450321"},
		{rpc.WithCounty(t.Context(), "450300"), "", "service:scheduling of 450300"},
	} {
		if got, err := ask(c.ctx, gateway, c.code); err != nil || got != c.want {
			t.Errorf("got %q, %v, want %q", got, err, c.want)
		}
	}
}

func TestInMemoryAServiceCannotUseAnothersToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve(authz.Rule{Services: []string{"scheduling"}}, whoami)
	stolen, err := w.signer.Sign(authn.Identity{Service: "scheduling"}, time.Minute, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(rpc.WithToken(t.Context(), stolen), w.dial("notification", "referral"), ""); errs.KindOf(err) != errs.KindDenied {
		t.Errorf("got %v, want denied", err)
	}
	if _, err := ask(rpc.WithToken(t.Context(), stolen), w.dial("scheduling", "referral"), ""); err != nil {
		t.Errorf("its owner: %v", err)
	}
}

func TestWithCertificatesAServicesTokenNeedsItsOwnCertificate(t *testing.T) {
	t.Parallel()
	w, ca := newWorld(t), newAuthority(t)
	addr := w.serveTCP(rpc.ServerConfig{TLS: ca.issue("referral")}, authz.Rule{Services: []string{"scheduling"}, AnyPerson: true})
	call := func(ctx context.Context, cfg *tls.Config) error {
		network := rpc.NewNetwork(map[string]string{"referral": addr})
		client := w.client("scheduling")
		client.TLS = cfg
		conn, err := network.Dial(ctx, "scheduling", "referral", client)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = ask(ctx, conn, "")
		return err
	}
	ctx := t.Context()
	person := rpc.WithToken(ctx, w.token())
	if err := call(ctx, ca.issue("scheduling")); err != nil {
		t.Errorf("its own certificate: %v", err)
	}
	if err := call(ctx, ca.issue("notification")); errs.KindOf(err) != errs.KindDenied {
		t.Errorf("another service's certificate: %v, want denied", err)
	}
	if err := call(person, ca.issue("notification")); err != nil {
		t.Errorf("a person forwarded by another service: %v", err)
	}
	without := ca.issue("scheduling")
	without.Certificates = nil
	if err := call(person, without); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("no certificate: %v, want unavailable", err)
	}
	foreign := newAuthority(t).issue("scheduling")
	foreign.RootCAs = ca.pool
	if err := call(person, foreign); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("a certificate of another authority: %v, want unavailable", err)
	}
}

func TestAServerMustCarryTheNameThatWasDialled(t *testing.T) {
	t.Parallel()
	w, ca := newWorld(t), newAuthority(t)
	addr := w.serveTCP(rpc.ServerConfig{TLS: ca.issue("notification")}, authz.Rule{AnyPerson: true})
	cfg := w.client("gateway")
	cfg.TLS = ca.issue("gateway")
	conn, err := rpc.NewNetwork(map[string]string{"referral": addr}).Dial(t.Context(), "gateway", "referral", cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := ask(rpc.WithToken(t.Context(), w.token()), conn, ""); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestTLSWithoutAnAuthorityOrACertificateMakesNoServer(t *testing.T) {
	t.Parallel()
	w, ca := newWorld(t), newAuthority(t)
	noCA, noCert := ca.issue("referral"), ca.issue("referral")
	noCA.ClientCAs, noCert.Certificates = nil, nil
	for name, cfg := range map[string]*tls.Config{"no authority": noCA, "no certificate": noCert} {
		c := w.config("referral", authz.Table{askPath: {Open: true}})
		c.TLS = cfg
		if _, err := rpc.NewServer(c, registerAsk(yes)); err == nil {
			t.Errorf("%s: the server was made", name)
		}
	}
}

// serveTCP answers Ask with what it was asked, on a free port of loopback.
func (w *world) serveTCP(cfg rpc.ServerConfig, rule authz.Rule) (addr string) {
	w.t.Helper()
	return w.serveAsk(cfg, rule, yes)
}

// serveAsk answers Ask on a free port of loopback. Of cfg only TLS is used.
func (w *world) serveAsk(cfg rpc.ServerConfig, rule authz.Rule, h asked) (addr string) {
	w.t.Helper()
	c := w.config("referral", authz.Table{askPath: rule})
	c.TLS = cfg.TLS
	s, err := rpc.NewServer(c, registerAsk(h))
	if err != nil {
		w.t.Fatal(err)
	}
	lis, err := rpc.ListenLoopback(w.t.Context(), "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, lis) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return lis.Addr().String()
}

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	pem  []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t: t, pool: x509.NewCertPool()}
	der, key := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	})
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, a.key = cert, key
	a.pool.AddCert(cert)
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

// sign issues; without a certificate of its own the authority signs itself.
func (a authority) sign(c *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, by := a.cert, a.key
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// issue is the configuration of a service, read by LoadTLS from files as in production.
func (a authority) issue(service string) *tls.Config {
	a.t.Helper()
	der, key := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{service}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	dir := a.t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			a.t.Fatal(err)
		}
		return path
	}
	cfg, err := rpc.LoadTLS(
		write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		write("ca.pem", a.pem))
	if err != nil {
		a.t.Fatal(err)
	}
	return cfg
}
