package hl7_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// record is patient-record as the feed sees it.
type record struct {
	patientrecordv1.FeedServiceClient
	mu   sync.Mutex
	got  []*patientrecordv1.AcceptMessageRequest
	err  error
	hold chan struct{}
	here chan struct{}
}

func (r *record) AcceptMessage(_ context.Context, in *patientrecordv1.AcceptMessageRequest, _ ...grpc.CallOption) (*patientrecordv1.FeedAnswer, error) {
	if r.hold != nil {
		r.here <- struct{}{}
		<-r.hold
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	if len(in.GetRecord().GetEntries()) > 2000 { // as the contract says
		return nil, errs.Invalid(errs.Bad("record.entries", errs.ReasonFieldTooLong))
	}
	r.got = append(r.got, in)
	if p := in.GetProblem(); p != nil {
		return &patientrecordv1.FeedAnswer{State: patientrecordv1.FeedState_QUARANTINED, Problem: p}, nil
	}
	return &patientrecordv1.FeedAnswer{State: patientrecordv1.FeedState_STORED}, nil
}

type directory struct {
	directoryv1.DirectoryServiceClient
}

func (directory) ListOrganizations(context.Context, *directoryv1.ListOrganizationsRequest, ...grpc.CallOption) (*directoryv1.ListOrganizationsResponse, error) {
	return &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{{Id: organization, Code: "450321101"}}}, nil
}

func (directory) ListAccounts(context.Context, *directoryv1.ListAccountsRequest, ...grpc.CallOption) (*directoryv1.ListAccountsResponse, error) {
	feed := func(login string, disabled bool, roles ...commonv1.Role_Code) *directoryv1.Account {
		return &directoryv1.Account{Id: "id of " + login, Login: login, OrganizationId: organization, Disabled: disabled, Roles: roles}
	}
	return &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{
		feed("feed-his", false, commonv1.Role_INTEGRATION), feed("feed-lis", false, commonv1.Role_INTEGRATION),
		feed("feed-gone", true, commonv1.Role_INTEGRATION), feed("desk", false, commonv1.Role_INTAKE_DESK),
	}}, nil
}

// serve starts a server and answers a connection to it and what stops it.
func serve(t *testing.T, r *record, limits hl7.Limits) (dial func() net.Conn, stop func()) {
	t.Helper()
	return serveOn(t, r, limits, nil)
}

func serveOn(t *testing.T, r *record, limits hl7.Limits, config *tls.Config, more ...string) (dial func() net.Conn, stop func()) {
	t.Helper()
	list, err := hl7.ReadSenders([]byte(settings + strings.Join(more, "")))
	if err != nil {
		t.Fatal(err)
	}
	feed := hl7.NewFeed(hl7.Deps{
		Senders: list, Feed: r, Directory: directory{}, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), Zone: zone,
	})
	var open net.ListenConfig
	listener, err := open.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- hl7.NewServer(feed, limits, config).Serve(ctx, listener) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return func() net.Conn {
		var d net.Dialer
		conn, err := d.DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return conn
	}, stop
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, "\x0b"+text+"\x1c\r"); err != nil {
		t.Fatal(err)
	}
}

// answer reads one acknowledgement; "" when the connection ended without.
func answer(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	text, err := r.ReadString('\x1c')
	if err != nil {
		return ""
	}
	if b, err := r.ReadByte(); err != nil || b != '\r' {
		t.Error("no CR after the block")
	}
	return strings.Trim(text, "\x0b\x1c")
}

func admission(control string) string {
	return message(msh("ADT^A01", control), pid, "PV1|1|I|NK1||||||||||||||||V77")
}

func TestAMessageIsAcknowledgedByWhatBecameOfIt(t *testing.T) {
	r := &record{}
	dial, _ := serve(t, r, hl7.Limits{})
	conn := dial()
	reader := bufio.NewReader(conn)
	for _, c := range []struct{ text, code, also string }{
		{admission("C1"), "MSA|AA|C1", "MSH|^~\\&|TZ|450321|HIS|YSX|"},
		{message(msh("ADT^A99", "C2"), pid), "MSA|AE|C2", "ERR||MSH^1^9|201^^HL70357|E||||HL7_EVENT"},
		{strings.Replace(admission("C3"), "|HIS|", "|OTHER|", 1), "MSA|AR|C3", "HL7_SENDER"},
		{message(msh("RDE^O11", "C4"), pid), "MSA|AR|C4", "200^^HL70357"},
		{message(msh("ADT^A01", ""), pid), "MSA|AE|", "HL7_NO_CONTROL_ID"},
	} {
		send(t, conn, c.text)
		got := answer(t, reader)
		if !strings.Contains(got, c.code) || !strings.Contains(got, c.also) {
			t.Errorf("answer %q, want %s and %s", got, c.code, c.also)
		}
		if strings.Contains(got, "曾") || strings.Contains(got, "9901") {
			t.Errorf("the acknowledgement holds patient data: %q", got)
		}
	}
	if len(r.got) != 3 || r.got[0].GetOrganizationId() != organization || r.got[0].GetAccountId() != "id of feed-his" || r.got[0].GetType() != "ADT^A01" {
		t.Errorf("kept %d messages", len(r.got))
	}
}

// tired is a listener of a machine that had nothing to spare for a moment.
func TestWithoutTheRecordNothingIsAcknowledged(t *testing.T) {
	r := &record{err: errs.Unavailable("patientrecord", nil)}
	dial, _ := serve(t, r, hl7.Limits{})
	conn := dial()
	send(t, conn, admission("C1"))
	if got := answer(t, bufio.NewReader(conn)); got != "" {
		t.Errorf("acknowledged with %q", got)
	}
}

func TestAStopAcknowledgesWhatIsUnderWay(t *testing.T) {
	r := &record{hold: make(chan struct{}), here: make(chan struct{})}
	dial, stop := serve(t, r, hl7.Limits{})
	idle, busy := dial(), dial()
	send(t, busy, admission("C1"))
	<-r.here
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	// The one that waits is closed while the other is still at work.
	if got := answer(t, bufio.NewReader(idle)); got != "" {
		t.Errorf("idle connection got %q", got)
	}
	close(r.hold)
	if got := answer(t, bufio.NewReader(busy)); !strings.Contains(got, "MSA|AA|C1") {
		t.Errorf("under way: %q", got)
	}
	<-stopped
}

func TestAMessageBeyondTheLimitIsKeptByItsHead(t *testing.T) {
	r := &record{}
	dial, _ := serve(t, r, hl7.Limits{})
	conn := dial()
	reader := bufio.NewReader(conn)
	send(t, conn, admission("C1")+"ZZZ|"+strings.Repeat("x", hl7.MaxSize))
	if got := answer(t, reader); !strings.Contains(got, "MSA|AE|C1") || !strings.Contains(got, "HL7_TOO_LARGE") {
		t.Errorf("answer %q", got)
	}
	send(t, conn, admission("C2"))
	if got := answer(t, reader); !strings.Contains(got, "MSA|AA|C2") {
		t.Errorf("the next message: %q", got)
	}
	if len(r.got) != 2 || len(r.got[0].GetRaw()) > 32<<10 {
		t.Errorf("kept %d messages", len(r.got))
	}
}

func TestAMessageThatBeginsAnewCounts(t *testing.T) {
	r := &record{}
	dial, _ := serve(t, r, hl7.Limits{})
	conn := dial()
	if _, err := io.WriteString(conn, "\r\n\x0bMSH|broken off"); err != nil {
		t.Fatal(err)
	}
	send(t, conn, admission("C1"))
	if got := answer(t, bufio.NewReader(conn)); !strings.Contains(got, "MSA|AA|C1") {
		t.Errorf("answer %q", got)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	dial, _ := serve(t, &record{}, hl7.Limits{Connections: 1})
	first := dial()
	reader := bufio.NewReader(first)
	send(t, first, admission("C1"))
	if answer(t, reader) == "" {
		t.Fatal("the first connection is not served")
	}
	if got := answer(t, bufio.NewReader(dial())); got != "" {
		t.Errorf("a second connection got %q", got)
	}
}

func TestASenderNeedsAnAccountOfItsOrganisationThatIsNotDisabled(t *testing.T) {
	r := &record{}
	more := ""
	for _, account := range []string{"feed-gone", "desk", "nobody"} {
		more += "  - {application: " + account + ", facility: YSX, addresses: [127.0.0.1], county: \"450321\", organization: \"450321101\", account: " + account + "}\n"
	}
	dial, _ := serveOn(t, r, hl7.Limits{}, nil, more)
	conn := dial()
	reader := bufio.NewReader(conn)
	for _, account := range []string{"feed-gone", "desk", "nobody"} {
		send(t, conn, strings.Replace(admission("C1"), "|HIS|", "|"+account+"|", 1))
		if got := answer(t, reader); !strings.Contains(got, "MSA|AR|C1") || !strings.Contains(got, "HL7_SENDER") {
			t.Errorf("%s: %q", account, got)
		}
	}
	if len(r.got) != 0 {
		t.Errorf("%d messages are kept", len(r.got))
	}
}

// certificate makes files of a certificate for this machine, and a pool that trusts it.
func certificate(t *testing.T) (certFile, keyFile string, trusted *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, block []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: block}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted = x509.NewCertPool()
	trusted.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private), trusted
}

func TestMessagesComeOverTLSFromCertificateFiles(t *testing.T) {
	certFile, keyFile, trusted := certificate(t)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	r := &record{}
	dial, _ := serveOn(t, r, hl7.Limits{Message: 2 * time.Second}, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	conn := tls.Client(dial(), &tls.Config{RootCAs: trusted, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
	send(t, conn, admission("C1"))
	if got := answer(t, bufio.NewReader(conn)); !strings.Contains(got, "MSA|AA|C1") {
		t.Errorf("answer %q", got)
	}
	stranger := tls.Client(dial(), &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
	if err := stranger.HandshakeContext(t.Context()); err == nil {
		t.Error("a sender trusts a certificate that it does not know")
	}
	plain := dial()
	send(t, plain, admission("C2"))
	if got := answer(t, bufio.NewReader(plain)); strings.Contains(got, "MSA") {
		t.Errorf("plain text is answered %q", got)
	}
	if len(r.got) != 1 {
		t.Errorf("%d messages are kept", len(r.got))
	}
}
