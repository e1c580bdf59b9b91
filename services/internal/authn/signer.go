package authn

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tongzhen/tongzhen/services/internal/config"
)

const (
	issuer        = "tongzhen"
	servicePrefix = "service:"
	pemType       = "PRIVATE KEY"
)

// claims is the token's content. The names are the contract between the services.
type claims struct {
	Organization string   `json:"org,omitempty"`
	Department   string   `json:"dept,omitempty"`
	County       string   `json:"county,omitempty"`
	Name         string   `json:"name,omitempty"`
	Roles        []string `json:"roles,omitempty"`
	SessionID    string   `json:"sid,omitempty"`
	jwt.RegisteredClaims
}

// Signer signs with one Ed25519 key. It prints as its key id.
type Signer struct {
	kid string
	key ed25519.PrivateKey
	// former are public keys that signed before; they are good for what is kept (KnownKeys), not for tokens.
	former []ed25519.PublicKey
}

// WithFormer is the signer that knows the keys it had before as well.
func (s *Signer) WithFormer(keys ...ed25519.PublicKey) *Signer {
	return &Signer{kid: s.kid, key: s.key, former: keys}
}

// KnownKeys knows the signer's own key and those it had before.
func (s *Signer) KnownKeys() Keys {
	known := map[string]ed25519.PublicKey{}
	for _, pub := range s.former {
		known[KeyID(pub)] = pub
	}
	kid, pub := s.Public()
	known[kid] = pub
	return keysIn(known)
}

const publicType = "PUBLIC KEY"

// PublicPEM is the public half of the key.
func (s *Signer) PublicPEM() ([]byte, error) {
	_, pub := s.Public()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: der}), nil
}

// ParsePublicKeys reads any number of public keys, one PEM block each.
func ParsePublicKeys(text []byte) (keys []ed25519.PublicKey, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			if strings.TrimSpace(string(text)) != "" {
				return nil, errors.New("read public keys: something is not PEM")
			}
			return keys, nil
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read public keys: key %d: %w", len(keys)+1, err)
		}
		pub, ok := parsed.(ed25519.PublicKey)
		if block.Type != publicType || !ok {
			return nil, fmt.Errorf("read public keys: key %d is no public Ed25519 key", len(keys)+1)
		}
		keys, text = append(keys, pub), rest
	}
}

// NewSigner reads a PKCS #8 PEM.
func NewSigner(privPEM []byte) (*Signer, error) {
	block, _ := pem.Decode(privPEM)
	if block == nil || block.Type != pemType {
		return nil, errors.New("read signing key: no PEM block of type PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("read signing key: not PKCS #8") // err may quote the key
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read signing key: %T, want Ed25519", parsed)
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("read signing key: no public key")
	}
	return &Signer{kid: KeyID(pub), key: key}, nil
}

// LoadSigner reads the key from a file that nobody else may read.
func LoadSigner(path string) (*Signer, error) {
	text, err := config.ReadSecretFile(path)
	if err != nil {
		return nil, fmt.Errorf("load signing key: %w", err)
	}
	return NewSigner([]byte(text.Reveal()))
}

// GenerateKeyFile writes a new key as PEM, mode 0600. A file that exists is left alone: fs.ErrExist.
func GenerateKeyFile(path string) error {
	text, err := GenerateKey()
	if err != nil {
		return err
	}
	return config.CreateSecretFile(path, text)
}

// GenerateKey is a new key as PEM.
func GenerateKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode signing key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// KeyID is the name of a public key: 16 hexadecimal digits of its SHA-256.
func KeyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:8])
}

// Public is the key's id and public half.
func (s *Signer) Public() (keyID string, pub ed25519.PublicKey) {
	return s.kid, ed25519.PublicKey(s.key[ed25519.SeedSize:])
}

// Format keeps the private key out of whatever prints the signer.
func (s *Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "signer "+s.kid) }

// Sign makes a token that ends ttl after now. With Identity.Service set it is a service's token and carries the
// county alone; otherwise Subject is an account.
func (s *Signer) Sign(id Identity, ttl time.Duration, now time.Time) (string, error) {
	c := claims{
		County: id.County,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Subject:   id.Subject,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
	}
	switch {
	case ttl <= 0:
		return "", errors.New("sign token: it would be over already")
	case id.IsService():
		if len(id.Roles) > 0 || (id.Subject != "" && id.Subject != servicePrefix+id.Service) {
			return "", errors.New("sign token: a service has no roles and its own subject")
		}
		c.Subject = servicePrefix + id.Service
	case id.Subject == "" || strings.HasPrefix(id.Subject, servicePrefix):
		return "", errors.New("sign token: a person's subject is an account id")
	default:
		c.Organization, c.Department, c.Name = id.Organization, id.Department, id.Name
		c.Roles, c.SessionID = id.Roles, id.SessionID
	}
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	t.Header["kid"] = s.kid
	text, err := t.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// SignBytes signs data that is not a token. The purpose keeps signatures of different uses apart, and all of them
// apart from tokens.
func (s *Signer) SignBytes(purpose string, data []byte) []byte {
	return ed25519.Sign(s.key, detached(purpose, data))
}

// VerifyBytes checks what SignBytes made.
func VerifyBytes(pub ed25519.PublicKey, purpose string, data, signature []byte) bool {
	return len(pub) == ed25519.PublicKeySize && ed25519.Verify(pub, detached(purpose, data), signature)
}

// detached begins with a byte that no token begins with.
func detached(purpose string, data []byte) []byte {
	return append([]byte("\x00"+purpose+"\x00"), data...)
}
