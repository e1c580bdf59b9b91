// Package authn says who calls. It owns the identity in a context, the signed call tokens (Ed25519 JWT) and password
// hashes. It refuses to decide what a caller may do (authz) and keeps no sessions (the directory service).
//
// Invariants:
//  1. An Identity in a context came out of a verified token.
//  2. A subject that begins with "service:" is a service, nobody else, and holds no roles.
//  3. Only EdDSA is accepted, and no token without an end.
//
// All types are safe for concurrent use.
package authn

import (
	"context"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
)

// Identity is who calls: a person's account, or a service.
type Identity struct {
	Subject      string // account id, or "service:<name>"
	Organization string
	Department   string
	County       string // six digits; empty only for a service that acts for no county
	Name         string // the person's name; never in logs
	Roles        []string
	SessionID    string
	Service      string // the service's name; empty for a person
}

// IsService tells a service from a person.
func (i Identity) IsService() bool { return i.Service != "" }

// Has tells whether a person holds the role, by its name in tongzhen.common.v1.Role.
func (i Identity) Has(role string) bool { return slices.Contains(i.Roles, role) }

// String is the subject, so that an identity that is printed shows no name.
func (i Identity) String() string { return i.Subject }

// KnownRole tells whether role is a name of tongzhen.common.v1.Role.
func KnownRole(role string) bool {
	n, ok := commonv1.Role_Code_value[role]
	return ok && n != 0
}

type identityKey struct{}

// FromContext is the caller's identity, if there is one.
func FromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(Identity)
	return id, ok
}

// WithIdentity is a context that carries the identity. The server calls it after it verified the token; tests call it.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}
