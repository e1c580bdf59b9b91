// Package app holds what the directory does, one file a use case: signing in and out, sessions, lists, imports.
// It decides with the domain, keeps through Store, and classifies every refusal by errs. It refuses to know gRPC,
// protobuf and SQL.
package app

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Deps is what the app stands on.
type Deps struct {
	Store   Store
	Limiter Limiter
	Signer  Signer
	Clock   clock.Clock
	// Zone is the county's: a roster's week is in it.
	Zone *time.Location
	// Entropy is where session secrets come from; crypto/rand.Reader outside tests.
	Entropy io.Reader
}

// Limits bound how often signing in is tried within LimitWindow. They slow down guessing over many logins; the
// lock-out, which is kept in the database, does not depend on them.
type Limits struct {
	PerLogin   int
	PerAddress int
	// OneTime is how long a one-time password signs in.
	OneTime time.Duration
}

// LimitWindow is what Limits count over.
const LimitWindow = time.Minute

// App is safe for concurrent use.
type App struct {
	deps   Deps
	limits Limits
}

// New does nothing but keep what it is given.
func New(deps Deps, limits Limits) *App { return &App{deps: deps, limits: limits} }

// invalid makes violations of the domain an error of the contract.
func invalid(v domain.Violations) error {
	fields := make([]errs.Field, len(v))
	for i, one := range v {
		if one.Reason == domain.ReasonTooLong {
			fields[i] = errs.Bad(one.Field, one.Reason, "max", strconv.Itoa(one.Max))
			continue
		}
		fields[i] = errs.Bad(one.Field, one.Reason)
	}
	return errs.Invalid(fields...)
}

// oneDepartment names violations of an organisation with one changed department as parts of that one: the merged list is in the order of the codes.
func oneDepartment(err error) error {
	var v domain.Violations
	if !errors.As(err, &v) {
		return err
	}
	out := make(domain.Violations, len(v))
	for i, one := range v {
		if _, field, ok := strings.Cut(one.Field, "]."); ok && strings.HasPrefix(one.Field, "departments[") {
			one.Field = "department." + field
		}
		out[i] = one
	}
	return invalid(out)
}
