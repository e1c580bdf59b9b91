package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// AuditArchive is what ArchiveAudit takes out of one service's database.
type AuditArchive struct {
	Service, County string
	Before          time.Time
	// File to write, mode 0600; one that exists is not replaced.
	File string
	// By is who does it, for the audit itself.
	By string
}

// keep is how long entries stay in the databases at least.
func (s Settings) keep() time.Duration {
	if s.AuditKeep == 0 {
		return 3 * 365 * 24 * time.Hour
	}
	return s.AuditKeep
}

// ArchiveAudit writes the part of a chain that was signed before a time to a file, reads the file back, and only when that is whole takes the
// part out of the database. audit.ErrNothingToArchive when there is none. It may run beside a running system.
func ArchiveAudit(ctx context.Context, s Settings, in AuditArchive) (a audit.Archived, err error) {
	now := clock.System().Now()
	if !slices.Contains(Backends(), in.Service) {
		return a, fmt.Errorf("unknown service %q; there are %s", in.Service, strings.Join(Backends(), ", "))
	}
	if latest := now.Add(-s.keep()); in.Before.After(latest) {
		return a, fmt.Errorf("entries are kept in the databases for %s (TONGZHEN_AUDIT_KEEP): only those from before %s may be archived", s.keep(), latest.UTC().Format(time.DateOnly))
	}
	signer, err := loadSigner(s)
	if err != nil {
		return a, err
	}
	db, err := openDatabase(ctx, s, in.Service, clock.System())
	if err != nil {
		return a, fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := current(ctx, db, in.Service, migrations(in.Service)); err != nil {
		return a, err
	}
	a, err = writeArchive(ctx, db, in.File, audit.Archiving{Service: in.Service, County: in.County, Before: in.Before, Signer: signer, Now: now})
	if err != nil {
		return a, err
	}
	back, problems, err := readArchive(ctx, in.File, audit.Keys(signer.KnownKeys()))
	if err == nil && (len(problems) > 0 || back.Entries != a.Entries || back.ToSeq != a.ToSeq) {
		err = fmt.Errorf("what would be archived is not what was sealed (%d problems); nothing was taken out: run admin audit verify", len(problems))
	}
	if err != nil {
		return a, errors.Join(err, os.Remove(in.File))
	}
	return a, audit.Forget(ctx, db, a, audit.Entry{AccountID: in.By})
}

func writeArchive(ctx context.Context, db *sqldb.DB, path string, in audit.Archiving) (a audit.Archived, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return a, fmt.Errorf("%s exists; name another file or move it away", path)
	} else if err != nil {
		return a, fmt.Errorf("write archive: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	out := bufio.NewWriter(file)
	if a, err = audit.WriteArchive(ctx, db, in, out); err != nil {
		return a, err
	}
	if err := errors.Join(out.Flush(), file.Sync()); err != nil {
		return a, fmt.Errorf("write archive: %w", err)
	}
	return a, nil
}

func readArchive(ctx context.Context, path string, keys audit.Keys, known ...audit.Head) (audit.Archived, []audit.Problem, error) {
	file, err := os.Open(path)
	if err != nil {
		return audit.Archived{}, nil, fmt.Errorf("read archive: %w", err)
	}
	defer func() { _ = file.Close() }()
	return audit.ReadArchive(ctx, file, keys, known...)
}

// VerifyArchive checks an archive by itself, and whether the database of its service was told of it.
func VerifyArchive(ctx context.Context, s Settings, path string, heads map[string][]audit.Head) (a audit.Archived, problems []audit.Problem, err error) {
	signer, err := loadSigner(s)
	if err != nil {
		return a, nil, err
	}
	var all []audit.Head
	for _, list := range heads {
		all = append(all, list...)
	}
	a, problems, err = readArchive(ctx, path, audit.Keys(signer.KnownKeys()))
	if err == nil && len(all) > 0 {
		// Now that the service is known: heads of others say nothing of this chain.
		a, problems, err = readArchive(ctx, path, audit.Keys(signer.KnownKeys()), heads[a.Service]...)
	}
	if err != nil {
		return a, problems, err
	}
	if !slices.Contains(Backends(), a.Service) {
		return a, problems, fmt.Errorf("%s is of %q, which is no service", path, a.Service)
	}
	db, err := openDatabase(ctx, s, a.Service, clock.System())
	if err != nil {
		return a, problems, fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	known, err := audit.Knows(ctx, db, a)
	if err == nil && !known {
		err = fmt.Errorf("the database of %s was not told of %s: its entries are there still, or it is another archive", a.Service, path)
	}
	return a, problems, err
}
