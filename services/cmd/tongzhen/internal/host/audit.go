package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// AuditCheck is what VerifyAudit looks at.
type AuditCheck struct {
	// Services by name.
	Services []string
	// Heads from outside of the databases, by service.
	Heads map[string][]audit.Head
	// Progress may be nil.
	Progress func(service, county string, checked, end int64)
}

// VerifyAudit walks the audit chains in the databases themselves, beside a running system or without one; it writes nothing. Heads are
// checked with the signing key of the settings and those before it: the deployment's own copy, which no database holds.
func VerifyAudit(ctx context.Context, s Settings, check AuditCheck) (map[string]audit.Report, error) {
	signer, err := loadSigner(s)
	if err != nil {
		return nil, err
	}
	reports := map[string]audit.Report{}
	for _, name := range check.Services {
		if !slices.Contains(Backends(), name) {
			return nil, fmt.Errorf("unknown service %q; there are %s", name, strings.Join(Backends(), ", "))
		}
		one := audit.Check{Keys: audit.Keys(signer.KnownKeys()), Known: check.Heads[name]}
		if check.Progress != nil {
			one.Progress = func(county string, checked, end int64) { check.Progress(name, county, checked, end) }
		}
		if reports[name], err = verifyOne(ctx, s, name, one); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return reports, nil
}

func verifyOne(ctx context.Context, s Settings, name string, check audit.Check) (_ audit.Report, err error) {
	db, err := openDatabase(ctx, s, name, clock.System())
	if err != nil {
		return audit.Report{}, fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return check.Run(ctx, db)
}
