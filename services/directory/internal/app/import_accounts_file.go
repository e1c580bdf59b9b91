package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tongzhen/tongzhen/services/directory/internal/accountfile"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// fileBatch is how many lines one call writes, in one transaction: a one-time password that was told belongs to an account that is there, and the
// other way round. They are locked in the order of their logins, and hashing that many passwords takes a second or two.
const fileBatch = 100

// AccountFile is a file of accounts. Row is how many lines were dealt with before.
type AccountFile struct {
	County  string
	Content []byte
	DryRun  bool
	Row     int
}

// FileOutcome is what became of a line.
type FileOutcome string

// What becomes of a line.
const (
	FileCreated   FileOutcome = "CREATED"
	FileUpdated   FileOutcome = "UPDATED"
	FileUnchanged FileOutcome = "UNCHANGED"
)

// FiledAccount is a line that was written, or would be. Password is that of a new account.
type FiledAccount struct {
	Line     int
	View     AccountView
	Outcome  FileOutcome
	Password string
	// Expires is until when it signs in.
	Expires time.Time
}

// AccountFileResult is what a call did. Next is the Row of the call that goes on, 0 when the file is done.
type AccountFileResult struct {
	Accounts []FiledAccount
	Problems []accountfile.Problem
	Next     int
}

// errTried ends the transaction of a dry run.
var errTried = errors.New("tried")

// ImportAccountFile writes what the lines say under the rules of CreateAccount, UpdateAccount and DisableAccount; what is refused is named by line
// and column, and the others go in.
func (a *App) ImportAccountFile(ctx context.Context, caller authn.Identity, in AccountFile) (AccountFileResult, error) {
	county, err := rosterCounty(caller, in.County)
	if err != nil {
		return AccountFileResult{}, err
	}
	rows, wrong := accountfile.Read(in.Content)
	logins := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		if r.Login != "" && logins[r.Login] {
			r.Bad = append(r.Bad, domain.Violation{Field: "login", Reason: domain.ReasonTaken})
		}
		logins[r.Login] = true
	}
	if in.Row > 0 {
		wrong = nil // told before
	}
	out := AccountFileResult{Problems: wrong}
	part := rows[min(in.Row, len(rows)):]
	if len(part) > fileBatch {
		part, out.Next = part[:fileBatch], in.Row+fileBatch
	}
	known, err := a.deps.Store.Logins(ctx, loginsOf(part))
	if err != nil {
		return AccountFileResult{}, fmt.Errorf("look for logins: %w", err)
	}
	secrets := map[string]secret{}
	if !in.DryRun {
		if secrets, err = a.secretsFor(part, known); err != nil {
			return AccountFileResult{}, err
		}
	}
	filing := filing{accountImport{keeper: keeperOf(caller), county: county}, known, secrets, a.until}
	var done fileBatchResult
	err = a.deps.Store.Change(ctx, commandBy(caller, county), func(u Unit) error {
		if done, err = filing.rows(ctx, u, part); err != nil {
			return err
		}
		if in.DryRun {
			return errTried
		}
		return nil
	})
	if err != nil && !errors.Is(err, errTried) {
		return AccountFileResult{}, err
	}
	out.Accounts, out.Problems = done.accounts, append(out.Problems, done.problems...)
	slices.SortStableFunc(out.Problems, func(x, y accountfile.Problem) int { return cmp.Compare(x.Line, y.Line) })
	return out, nil
}

// secret is a one-time password with how it is kept.
type secret struct {
	password   string
	credential Credential
}

func loginsOf(rows []accountfile.Row) []string {
	logins := make([]string, len(rows))
	for i, r := range rows {
		logins[i] = r.Login
	}
	return logins
}

// secretsFor are those of the logins that are new.
func (a *App) secretsFor(rows []accountfile.Row, known map[string]string) (map[string]secret, error) {
	made := make([]secret, len(rows))
	var group errgroup.Group
	for i, r := range rows {
		if known[r.Login] != "" || len(r.Bad) > 0 {
			continue
		}
		group.Go(func() (err error) {
			made[i].password, made[i].credential, err = a.oneTime()
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := map[string]secret{}
	for i, r := range rows {
		if made[i].password != "" {
			out[r.Login] = made[i]
		}
	}
	return out, nil
}

type fileBatchResult struct {
	accounts []FiledAccount
	problems []accountfile.Problem
}

// filing is one call's import; known are the organisations of the logins that exist.
type filing struct {
	accountImport
	known   map[string]string
	secrets map[string]secret
	until   func(issued time.Time) time.Time
}

func (in filing) rows(ctx context.Context, u Unit, rows []accountfile.Row) (fileBatchResult, error) {
	var out fileBatchResult
	entries := make([]AccountEntry, len(rows))
	for i, r := range rows {
		entries[i] = AccountEntry{Data: domain.AccountData{Login: r.Login, OrganizationID: in.known[r.Login]}, OrganizationCode: r.OrganizationCode}
	}
	if err := in.load(ctx, u, entries); err != nil {
		return out, err
	}
	for _, r := range rows {
		for _, v := range r.Bad {
			out.refuse(r.Line, v.Field, v.Reason)
		}
		secret := in.secrets[r.Login]
		entry := in.entryOf(r, secret)
		if len(r.Bad) > 0 {
			// What else is wrong with the line is told at once.
			if _, _, err := in.judge(entry); err != nil {
				if err := out.explain(r, err); err != nil {
					return out, err
				}
			}
			continue
		}
		view, outcome, err := in.one(u, entry)
		if err != nil {
			if err := out.explain(r, err); err != nil {
				return out, err
			}
			continue
		}
		filed := FiledAccount{Line: r.Line, View: view, Outcome: outcome}
		if outcome == FileCreated {
			filed.Password, filed.Expires = secret.password, in.until(u.Now())
		}
		out.accounts = append(out.accounts, filed)
	}
	return out, nil
}

// entryOf is what a line says; of an account that exists, what it does not say stays.
func (i *accountImport) entryOf(r accountfile.Row, s secret) AccountEntry {
	e := AccountEntry{OrganizationCode: r.OrganizationCode, credential: s.credential, Data: domain.AccountData{ID: id.New(), County: i.county, Login: r.Login}}
	if old, ok := i.have[r.Login]; ok && old.Data().County == i.county {
		e.Data = old.Data()
	}
	moved := r.OrganizationCode != "" && i.byCode[r.OrganizationCode].Data().ID != e.Data.OrganizationID
	if r.OrganizationCode != "" {
		e.Data.OrganizationID = ""
	}
	if moved {
		e.Data.DepartmentCode = "" // the one that stood is of another organisation
	}
	e.Data.Name, e.Data.DepartmentCode = cmp.Or(r.Name, e.Data.Name), cmp.Or(r.DepartmentCode, e.Data.DepartmentCode)
	e.Data.Phone, e.Data.Email = cmp.Or(r.Phone, e.Data.Phone), cmp.Or(r.Email, e.Data.Email)
	if len(r.Roles) > 0 {
		e.Data.Roles = r.Roles
	}
	if r.Disabled != nil {
		e.Data.Disabled = *r.Disabled
	}
	return e
}

func (o *fileBatchResult) refuse(line int, field, reason string) {
	field = strings.TrimPrefix(field, "account.")
	names := map[string]string{"login": "account", "organizationCode": "organization_code", "organizationId": "organization_code", "departmentCode": "department"}
	o.problems = append(o.problems, accountfile.Problem{Line: line, Field: cmp.Or(names[field], field), Reason: reason})
}

// explain names what a line was refused for, or answers what is not the line's fault.
func (o *fileBatchResult) explain(r accountfile.Row, err error) error {
	line := r.Line
	var wrong domain.Violations
	var no domain.Refusal
	switch e, ok := errs.As(err); {
	case errors.As(err, &wrong):
		for _, v := range wrong {
			if !slices.ContainsFunc(r.Bad, func(b domain.Violation) bool { return b.Field == v.Field }) {
				o.refuse(line, v.Field, v.Reason)
			}
		}
	case errors.As(err, &no):
		o.refuse(line, "", string(no))
	case ok && len(e.Fields) > 0:
		for _, f := range e.Fields {
			o.refuse(line, f.Name, f.Reason)
		}
	default:
		return fmt.Errorf("import line %d: %w", line, err)
	}
	return nil
}
