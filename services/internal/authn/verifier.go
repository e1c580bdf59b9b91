package authn

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Keys finds a public key by its id. An error of kind unavailable is passed on to the caller of Verify; any other
// means that there is no such key.
type Keys func(ctx context.Context, kid string) (ed25519.PublicKey, error)

// KeysOf knows the keys of the signers, e.g. where everything runs in one process.
func KeysOf(signers ...*Signer) Keys {
	known := make(map[string]ed25519.PublicKey, len(signers))
	for _, s := range signers {
		kid, pub := s.Public()
		known[kid] = pub
	}
	return keysIn(known)
}

func keysIn(known map[string]ed25519.PublicKey) Keys {
	return func(_ context.Context, kid string) (ed25519.PublicKey, error) {
		if pub, ok := known[kid]; ok {
			return pub, nil
		}
		return nil, errors.New("no signing key of that id")
	}
}

const (
	maxToken = 8 << 10
	// leeway is how far clocks may be apart: a replica further off is not ready.
	leeway = 2 * time.Second
)

// Verifier checks tokens.
type Verifier struct {
	keys   Keys
	clk    clock.Clock
	parser *jwt.Parser
	good   memory
}

// NewVerifier checks against the keys and the clock.
func NewVerifier(keys func(ctx context.Context, kid string) (ed25519.PublicKey, error), clk clock.Clock) *Verifier {
	return &Verifier{keys: keys, clk: clk, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithIssuer(issuer),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(clk.Now),
	)}
}

// Verify answers the identity of a good token; for any other Unauthenticated SESSION_EXPIRED, or Unavailable when the
// keys cannot be had.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, refused(errors.New("the token is too long"))
	}
	hash := sha256.Sum256([]byte(token))
	if m, ok := v.good.find(hash); ok && v.clk.Now().Before(m.end) {
		if pub, err := v.keys(ctx, m.kid); err == nil && pub.Equal(m.key) {
			return m.identity(), nil
		}
	}
	var c claims
	var key ed25519.PublicKey
	var away error
	parsed, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, ok := t.Header["kid"].(string)
		if !ok {
			return nil, errors.New("the token names no key")
		}
		pub, err := v.keys(ctx, kid)
		if errs.KindOf(err) == errs.KindUnavailable {
			away = err
		}
		key = pub
		return pub, err
	})
	if away != nil {
		return Identity{}, fmt.Errorf("find signing key: %w", away)
	}
	if err != nil {
		return Identity{}, refused(err)
	}
	id := Identity{
		Subject: c.Subject, Organization: c.Organization, Department: c.Department, County: c.County,
		Name: c.Name, Roles: c.Roles, SessionID: c.SessionID,
	}
	if name, ok := strings.CutPrefix(c.Subject, servicePrefix); ok {
		id = Identity{Subject: c.Subject, Service: name, County: c.County}
	}
	if id.Subject == "" || id.Subject == servicePrefix {
		return Identity{}, refused(errors.New("the token names nobody"))
	}
	if !id.IsService() {
		kid, _ := parsed.Header["kid"].(string)
		v.good.keep(hash, verified{id: id, kid: kid, key: key, end: c.ExpiresAt.Add(leeway)})
	}
	return id, nil
}

func refused(cause error) error {
	return errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the call token is not valid", cause)
}
