package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// AccountEntry is one account to import. Its organisation is named by Data.OrganizationID or, failing that, by code.
// Password counts only when the account is new; without one it cannot sign in.
type AccountEntry struct {
	Data             domain.AccountData
	OrganizationCode string
	Password         string
	hash             string
}

// AccountImport is one request.
type AccountImport struct {
	County  string
	Entries []AccountEntry
}

// ImportAccounts creates or updates accounts by login. Existing passwords are left alone.
func (a *App) ImportAccounts(ctx context.Context, caller authn.Identity, in AccountImport) (ImportResult, error) {
	if err := mayImport(caller, in.County); err != nil {
		return ImportResult{}, err
	}
	if err := a.prepareAccounts(ctx, in); err != nil {
		return ImportResult{}, err
	}
	result := ImportResult{IDs: map[string]string{}}
	first := 0
	for batch := range slices.Chunk(in.Entries, importBatch) {
		var one ImportResult
		err := a.deps.Store.Change(ctx, commandBy(caller, in.County), func(u Unit) (err error) {
			one, err = importAccounts(ctx, u, batch, first)
			return err
		})
		if err != nil {
			return ImportResult{}, err
		}
		result.add(one)
		first += len(batch)
	}
	return result, nil
}

// prepareAccounts normalises logins, gives ids, and hashes the passwords of new accounts before any transaction:
// hashing is slow on purpose.
func (a *App) prepareAccounts(ctx context.Context, in AccountImport) error {
	logins := make([]string, len(in.Entries))
	for i := range in.Entries {
		e := &in.Entries[i]
		path := entryPath("accounts", i)
		e.Data.County = in.County
		e.Data.Login = domain.NormalLogin(e.Data.Login)
		if slices.Contains(logins[:i], e.Data.Login) {
			return errs.Invalid(errs.Bad(path+".account.login", errs.ReasonFieldInvalid))
		}
		logins[i] = e.Data.Login
		if err := giveID(&e.Data.ID, path+".account"); err != nil {
			return err
		}
		if e.Password == "" {
			continue
		}
		if err := domain.CheckNewPassword(e.Password); err != nil {
			return at(err, path)
		}
	}
	known, err := a.deps.Store.Logins(ctx, logins)
	if err != nil {
		return fmt.Errorf("look for logins: %w", err)
	}
	for i := range in.Entries {
		e := &in.Entries[i]
		if known[e.Data.Login] || e.Password == "" {
			continue
		}
		if e.hash, err = authn.HashPassword(e.Password); err != nil {
			return fmt.Errorf("hash password: %w", err)
		}
	}
	return nil
}

func importAccounts(ctx context.Context, u Unit, batch []AccountEntry, first int) (ImportResult, error) {
	county := batch[0].Data.County
	var logins, codes, ids []string
	for _, e := range batch {
		logins = append(logins, e.Data.Login)
		codes = append(codes, e.OrganizationCode)
		ids = append(ids, e.Data.OrganizationID)
	}
	homes, err := u.OrganizationsByID(ctx, county, ids)
	if err != nil {
		return ImportResult{}, err
	}
	byCode, err := u.OrganizationsByCode(ctx, county, codes)
	if err != nil {
		return ImportResult{}, err
	}
	have, err := u.AccountsByLogin(ctx, logins)
	if err != nil {
		return ImportResult{}, err
	}
	out := ImportResult{IDs: map[string]string{}}
	for i, e := range batch {
		path := entryPath("accounts", first+i)
		home, ok := homes[e.Data.OrganizationID]
		if e.Data.OrganizationID == "" {
			home, ok = byCode[e.OrganizationCode]
			e.Data.OrganizationID = home.Data().ID
		}
		if !ok {
			return ImportResult{}, errs.Invalid(errs.Bad(path+".organizationCode", errs.ReasonFieldUnknown))
		}
		old, exists := have[e.Data.Login]
		if exists && old.Data().County != county {
			return ImportResult{}, errs.Invalid(errs.Bad(path+".account.login", errs.ReasonFieldInvalid))
		}
		account, err := out.account(u, old, e, home)
		if err != nil {
			return ImportResult{}, at(err, path+".account")
		}
		out.IDs[account.Data().Login] = account.Data().ID
	}
	return out, nil
}

func (r *ImportResult) account(u Unit, old domain.Account, e AccountEntry, home domain.Organization) (domain.Account, error) {
	if old.Version() == 0 {
		account, err := domain.NewAccount(e.Data, home)
		if err != nil {
			return account, err
		}
		u.CreateAccount(AccountView{Account: account, OrganizationName: home.Data().Name}, e.hash)
		r.Created++
		return account, nil
	}
	account, changed, err := old.Update(e.Data, home)
	switch {
	case err != nil:
	case changed:
		u.UpdateAccount(AccountView{Account: account, OrganizationName: home.Data().Name})
		r.Updated++
	default:
		r.Unchanged++
	}
	return account, err
}
