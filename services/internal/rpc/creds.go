package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tongzhen/tongzhen/services/internal/config"
)

// LoadTLS reads a service's certificate, its key and the authority that signs all services' certificates. The same
// configuration serves and dials. A certificate's DNS names are the names of the services it stands for.
func LoadTLS(certFile, keyFile, caFile string) (*tls.Config, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	key, err := config.ReadSecretFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("read key of certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, []byte(key.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", certFile, err)
	}
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("read authority %s: no certificate in it", caFile)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}, nil
}

// serviceNames is an AuthInfo that proves which services the other end is.
type serviceNames interface{ serviceNames() []string }

// certInfo proves by certificate.
type certInfo struct{ credentials.TLSInfo }

func (i certInfo) serviceNames() []string {
	if len(i.State.VerifiedChains) == 0 {
		return nil
	}
	return i.State.PeerCertificates[0].DNSNames
}

// memInfo proves by the in-memory handshake: the other end is code of this process.
type memInfo struct {
	credentials.CommonAuthInfo
	service string
}

func (memInfo) AuthType() string               { return memNetwork }
func (memInfo) ValidateAuthority(string) error { return nil }
func (i memInfo) serviceNames() []string       { return []string{i.service} }

func newMemInfo(service string) memInfo {
	return memInfo{credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}, service}
}

var errWrongEnd = errors.New("these credentials are of the other end")

// serverCreds takes in-memory connections by their handshake, all others by TLS if there is any.
type serverCreds struct {
	credentials.TransportCredentials
}

func newServerCreds(cfg *tls.Config) (serverCreds, error) {
	if cfg == nil {
		return serverCreds{insecure.NewCredentials()}, nil
	}
	if cfg.ClientCAs == nil || (len(cfg.Certificates) == 0 && cfg.GetCertificate == nil) {
		return serverCreds{}, errors.New("TLS needs a certificate and the authority of the clients")
	}
	cfg = cfg.Clone()
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS13)
	return serverCreds{credentials.NewTLS(cfg)}, nil
}

func (c serverCreds) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if _, ok := conn.(memConn); ok {
		var size [1]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return nil, nil, fmt.Errorf("read caller: %w", err)
		}
		name := make([]byte, size[0])
		if _, err := io.ReadFull(conn, name); err != nil {
			return nil, nil, fmt.Errorf("read caller: %w", err)
		}
		return conn, newMemInfo(string(name)), nil
	}
	conn, info, err := c.TransportCredentials.ServerHandshake(conn)
	if t, ok := info.(credentials.TLSInfo); ok {
		info = certInfo{t}
	}
	return conn, info, err
}

func (c serverCreds) Clone() credentials.TransportCredentials {
	return serverCreds{c.TransportCredentials.Clone()}
}

// memCreds is the client's end of the in-memory handshake: it says which service calls, as a certificate would.
type memCreds struct{ self string }

func (c memCreds) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if len(c.self) > 255 {
		return nil, nil, errors.New("the service's name is too long")
	}
	if _, err := conn.Write(append([]byte{byte(len(c.self))}, c.self...)); err != nil {
		return nil, nil, fmt.Errorf("tell caller: %w", err)
	}
	return conn, newMemInfo(""), nil
}

func (memCreds) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errWrongEnd
}
func (memCreds) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: memNetwork}
}
func (c memCreds) Clone() credentials.TransportCredentials { return c }
func (memCreds) OverrideServerName(string) error           { return nil }
