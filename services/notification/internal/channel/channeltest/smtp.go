package channeltest

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"mime"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// MailServer is a simulator of an SMTP server, with the certificate that clients must trust.
type MailServer struct {
	*Simulator
	Host string
	Port int
	TLS  *tls.Config
}

// Mail serves until the test ends. Implicit is TLS from the first byte; open asks for no TLS and no password, else both are needed.
func Mail(t testing.TB, implicit, open bool) *MailServer {
	t.Helper()
	certs := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(certs.Close)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: certs.TLS.Certificates, MinVersion: tls.VersionTLS12}
	roots := trust(certs)
	sim := &Simulator{URL: listener.Addr().String()}
	b := &mailbox{sim: sim, open: open, gone: make(chan struct{})}
	server := smtp.NewServer(b)
	server.Domain, server.AllowInsecureAuth, server.ErrorLog = "mail.example", false, log.New(io.Discard, "", 0)
	if !open {
		server.TLSConfig = config
	}
	var once sync.Once
	sim.close = func() {
		once.Do(func() {
			close(b.gone)
			_ = server.Close()
			_ = listener.Close()
		})
	}
	t.Cleanup(sim.close)
	serving := listener
	if implicit {
		serving = tls.NewListener(listener, config)
	}
	go func() { _ = server.Serve(serving) }()
	at, _ := listener.Addr().(*net.TCPAddr)
	return &MailServer{Simulator: sim, Host: "127.0.0.1", Port: at.Port, TLS: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}}
}

type mailbox struct {
	sim  *Simulator
	open bool
	gone chan struct{}
}

func (b *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{box: b, conn: c, signedIn: b.open}, nil
}

type session struct {
	box      *mailbox
	conn     *smtp.Conn
	signedIn bool
	fault    Fault
	to       string
}

func (s *session) AuthMechanisms() []string {
	if s.box.open {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != MailUser || password != MailPassword {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no"}
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	s.fault = s.box.sim.fault()
	switch {
	case !s.signedIn:
		return smtp.ErrAuthRequired
	case s.fault == Busy:
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "closing"}
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	switch s.fault {
	case TimeoutBefore:
		<-s.box.gone
	case TooMany:
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	case BadAddress:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user " + to}
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(quoted(m))
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return err
	}
	id, _, _ := strings.Cut(strings.Trim(m.Header.Get("Message-ID"), "<>"), "@")
	if s.fault == Broken {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "local error"}
	}
	s.box.sim.take(Taken{ID: id, To: s.to, Text: subject + "\n" + string(text)})
	switch s.fault {
	case TimeoutAfter:
		<-s.box.gone
	case HalfAnswer, Garbled:
		return errors.Join(errors.New("cut"), s.conn.Conn().Close())
	}
	return nil
}

func (s *session) Reset()        { s.to = "" }
func (s *session) Logout() error { return nil }
