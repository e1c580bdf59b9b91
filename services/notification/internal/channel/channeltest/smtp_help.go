package channeltest

import (
	"crypto/x509"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"net/http/httptest"
	"net/mail"
)

// trust is the pool that knows the server's certificate.
func trust(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// quoted undoes the encoding of a message of one part.
func quoted(m *mail.Message) io.Reader {
	switch m.Header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		return quotedprintable.NewReader(m.Body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, m.Body)
	}
	return m.Body
}
