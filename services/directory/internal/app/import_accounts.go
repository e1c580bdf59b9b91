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
	credential       Credential
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
			one, err = importAccounts(ctx, u, keeperOf(caller), batch, first)
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
		if err := domain.CheckPassword("password", e.Data.Login, e.Password); err != nil {
			return at(err, path)
		}
	}
	known, err := a.deps.Store.Logins(ctx, logins)
	if err != nil {
		return fmt.Errorf("look for logins: %w", err)
	}
	for i := range in.Entries {
		e := &in.Entries[i]
		if known[e.Data.Login] != "" || e.Password == "" {
			continue
		}
		if e.credential.Hash, err = authn.HashPassword(e.Password); err != nil {
			return fmt.Errorf("hash password: %w", err)
		}
	}
	return nil
}

// importAccounts handles one batch; first is the place of its first entry in the request.
func importAccounts(ctx context.Context, u Unit, k domain.Keeper, batch []AccountEntry, first int) (ImportResult, error) {
	in := accountImport{keeper: k, county: batch[0].Data.County}
	if err := in.load(ctx, u, batch); err != nil {
		return ImportResult{}, err
	}
	out := ImportResult{IDs: map[string]string{}}
	for i, e := range batch {
		view, outcome, err := in.one(u, e)
		if err != nil {
			return ImportResult{}, named(err, entryPath("accounts", first+i))
		}
		switch outcome {
		case FileCreated:
			out.Created++
		case FileUpdated:
			out.Updated++
		default:
			out.Unchanged++
		}
		out.IDs[view.Account.Data().Login] = view.Account.Data().ID
	}
	return out, nil
}

// named puts the refusal of an entry under its place in the request.
func named(err error, path string) error {
	if e, ok := errs.As(err); ok && len(e.Fields) == 1 {
		field := e.Fields[0]
		field.Name = path + "." + field.Name
		return errs.Invalid(field)
	}
	return refusedBy(err, path+".account")
}

// accountImport is what a batch of entries is held against, read in the order in which everybody locks: organisations, administrators,
// accounts.
type accountImport struct {
	keeper        domain.Keeper
	county        string
	homes, byCode map[string]domain.Organization
	admins        domain.Administrators
	have          map[string]domain.Account
}

func (i *accountImport) load(ctx context.Context, u Unit, entries []AccountEntry) (err error) {
	var logins, codes, ids []string
	for _, e := range entries {
		logins, codes, ids = append(logins, e.Data.Login), append(codes, e.OrganizationCode), append(ids, e.Data.OrganizationID)
	}
	if i.byCode, err = u.OrganizationsByCode(ctx, i.county, codes); err != nil {
		return err
	}
	if i.homes, err = u.OrganizationsByID(ctx, i.county, ids); err != nil {
		return err
	}
	if i.admins, err = u.Administrators(ctx, i.county); err != nil {
		return err
	}
	if i.have, err = u.AccountsByLogin(ctx, logins); err != nil {
		return err
	}
	return nil
}

// one creates or updates an account, or refuses it as judge does.
func (i *accountImport) one(u Unit, e AccountEntry) (AccountView, FileOutcome, error) {
	view, outcome, err := i.judge(e)
	if err != nil {
		return view, "", err
	}
	switch d := view.Account.Data(); {
	case outcome == FileCreated:
		u.CreateAccount(view, e.credential)
	case outcome == FileUpdated && d.Disabled && !i.have[d.Login].Data().Disabled:
		u.UpdateAccount(view, "account.disable")
	case outcome == FileUpdated:
		u.UpdateAccount(view, "account.update")
	}
	i.admins = i.admins.After(view.Account)
	return view, outcome, nil
}

// judge is what an entry makes of an account. It is refused by Violations, by a Refusal, or by the organisation or login as an Invalid error.
func (i *accountImport) judge(e AccountEntry) (AccountView, FileOutcome, error) {
	home, ok := i.homes[e.Data.OrganizationID]
	if e.Data.OrganizationID == "" {
		home, ok = i.byCode[e.OrganizationCode]
		e.Data.OrganizationID = home.Data().ID
	}
	old := i.have[e.Data.Login]
	switch {
	case !ok && e.Data.OrganizationID == "" && e.OrganizationCode == "":
		return AccountView{}, "", errs.Invalid(errs.Required("organizationCode"))
	case !ok:
		return AccountView{}, "", errs.Invalid(errs.Bad("organizationCode", errs.ReasonFieldUnknown))
	case old.Version() > 0 && old.Data().County != i.county:
		return AccountView{}, "", errs.Invalid(errs.Bad("account.login", errs.ReasonFieldTaken))
	}
	next, outcome, err := entered(old, e.Data, home)
	if err == nil {
		err = admitted(i.keeper, i.admins, old, next)
	}
	return AccountView{Account: next, OrganizationName: home.Data().Name}, outcome, err
}

// entered is the account after an entry, and what that makes of it.
func entered(old domain.Account, d domain.AccountData, home domain.Organization) (domain.Account, FileOutcome, error) {
	if old.Version() == 0 {
		account, err := domain.NewAccount(d, home)
		return account, FileCreated, err
	}
	account, changed, err := old.Update(d, home)
	if !changed {
		return account, FileUnchanged, err
	}
	return account, FileUpdated, err
}
