package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// historyPage is how many changes of an account are shown.
const historyPage = 200

// AccountWrite is what an account shall say. County is only for callers of the machine; ID and Version are of the one that is changed.
type AccountWrite struct {
	County    string
	ID        string
	Version   int32
	Data      domain.AccountData
	RequestID string
}

// IssuedAccount has the one-time password that was made, "" for a repeated request.
type IssuedAccount struct {
	View     AccountView
	Password string
	// Expires is until when it signs in.
	Expires time.Time
}

// AccountDetail is an account for whoever looks after it; Posts only for one.
type AccountDetail struct {
	KeptAccount
	// Expires is until when the one-time password signs in; zero without one.
	Expires       time.Time
	Editable, Own bool
	Posts         []domain.Post
}

// keeperOf is the caller as one who looks after accounts.
func keeperOf(caller authn.Identity) domain.Keeper {
	k := domain.Keeper{AccountID: caller.Subject, Machine: caller.IsService() || caller.Has(string(domain.System))}
	for _, r := range caller.Roles {
		k.Roles = append(k.Roles, domain.Role(r))
	}
	return k
}

// refusedBy words a refusal of the domain in the vocabulary of errors; violations are named as parts of path.
func refusedBy(err error, path string) error {
	var no domain.Refusal
	if !errors.As(err, &no) {
		return at(err, path)
	}
	if no == domain.RefusalLast {
		return errs.New(errs.KindWrongState, errs.ReasonLastAdministrator, "nobody could look after the accounts any more", nil)
	}
	return errs.Denied(string(no))
}

// SearchAccounts of the caller's county, with the roles that the caller may give.
func (a *App) SearchAccounts(ctx context.Context, caller authn.Identity, q AccountSearch, p Page) ([]AccountDetail, []domain.Role, string, error) {
	county, err := rosterCounty(caller, q.County)
	if err != nil {
		return nil, nil, "", err
	}
	after, size, err := p.read()
	if err != nil {
		return nil, nil, "", err
	}
	q.County, q.After, q.Limit = county, after, size+1
	found, err := a.deps.Store.FindAccounts(ctx, q)
	if err != nil {
		return nil, nil, "", err
	}
	next := ""
	if len(found) > size {
		found = found[:size]
		next = Position{county, found[size-1].Account.Data().Login}.token()
	}
	keeper := keeperOf(caller)
	out := make([]AccountDetail, len(found))
	for i, one := range found {
		out[i] = a.detailFor(keeper, one)
	}
	return out, keeper.Grantable(), next, nil
}

func (a *App) detailFor(k domain.Keeper, one KeptAccount) AccountDetail {
	return AccountDetail{KeptAccount: one, Expires: a.until(one.Issued), Editable: k.Keeps(one.Account), Own: one.Account.Data().ID == k.AccountID}
}

// GetAccount of the caller's county with the posts at which the person stands.
func (a *App) GetAccount(ctx context.Context, caller authn.Identity, county, accountID string) (AccountDetail, error) {
	county, err := rosterCounty(caller, county)
	if err != nil {
		return AccountDetail{}, err
	}
	one, err := a.deps.Store.KeptAccount(ctx, county, accountID)
	if err != nil {
		return AccountDetail{}, err
	}
	out := a.detailFor(keeperOf(caller), one)
	out.Posts, err = a.deps.Store.PostsOf(ctx, county, accountID, a.deps.Clock.Now())
	return out, err
}

// AccountChanges of an account of the caller's county, the newest first.
func (a *App) AccountChanges(ctx context.Context, caller authn.Identity, county, accountID string) ([]AccountChange, error) {
	county, err := rosterCounty(caller, county)
	if err != nil {
		return nil, err
	}
	if _, err := a.deps.Store.KeptAccount(ctx, county, accountID); err != nil {
		return nil, err
	}
	return a.deps.Store.AccountChanges(ctx, county, accountID, historyPage)
}

// CreateAccount makes an account with a one-time password. A repeat answers the account alone: the password was told once.
func (a *App) CreateAccount(ctx context.Context, caller authn.Identity, w AccountWrite) (IssuedAccount, error) {
	county, err := rosterCounty(caller, w.County)
	if err != nil {
		return IssuedAccount{}, err
	}
	w.Data.County, w.Data.Login, w.Data.Disabled = county, domain.NormalLogin(w.Data.Login), false
	by := requestBy(caller, county, Request{Method: "CreateAccount", ID: w.RequestID, Hash: hashOf(w.Data)})
	w.Data.ID = id.New()
	password, credential, err := a.oneTime()
	if err != nil {
		return IssuedAccount{}, err
	}
	var out IssuedAccount
	err = a.deps.Store.Change(ctx, by, func(u Unit) error {
		home, missing := homeOf(ctx, u, w.Data)
		have, err := u.AccountsByLogin(ctx, []string{w.Data.Login})
		if err != nil {
			return err
		}
		var known error
		if len(have) > 0 {
			known = taken()
		}
		account, wrong := domain.NewAccount(w.Data, home)
		if err := together(missing, known, at(wrong, "account")); err != nil {
			return err
		}
		if err := keeperOf(caller).Admits(domain.Account{}, account); err != nil {
			return refusedBy(err, "account")
		}
		out = IssuedAccount{View: AccountView{Account: account, OrganizationName: home.Data().Name}, Password: password, Expires: a.until(u.Now())}
		u.CreateAccount(out.View, credential)
		return nil
	})
	switch {
	case errs.KindOf(err) == errs.KindStale:
		return IssuedAccount{}, taken() // by somebody at the same moment
	case err != nil:
		return IssuedAccount{}, err
	case out.Password == "":
		out.View, err = a.deps.Store.AccountByLogin(ctx, county, w.Data.Login)
	}
	return out, err
}

// together is one refusal of all fields, of which each is refused once, by the first; what is no refusal of fields comes alone.
func together(refusals ...error) error {
	var fields []errs.Field
	for _, one := range refusals {
		e, ok := errs.As(one)
		switch {
		case one == nil:
			continue
		case !ok || e.Kind != errs.KindInvalid:
			return one
		}
		for _, f := range e.Fields {
			if !slices.ContainsFunc(fields, func(have errs.Field) bool { return have.Name == f.Name }) {
				fields = append(fields, f)
			}
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return errs.Invalid(fields...)
}

func taken() error { return errs.Invalid(errs.Bad("account.login", errs.ReasonFieldTaken)) }

// homeOf locks the organisation of an account.
func homeOf(ctx context.Context, u Unit, d domain.AccountData) (domain.Organization, error) {
	homes, err := u.OrganizationsByID(ctx, d.County, []string{d.OrganizationID})
	if err != nil {
		return domain.Organization{}, err
	}
	home, ok := homes[d.OrganizationID]
	switch {
	case d.OrganizationID == "":
		return home, errs.Invalid(errs.Required("account.organizationId"))
	case !ok:
		return home, errs.Invalid(errs.Bad("account.organizationId", errs.ReasonFieldUnknown))
	}
	return home, nil
}

// UpdateAccount says an account anew; what a form does not show (whether it is disabled, the practitioner) stays.
func (a *App) UpdateAccount(ctx context.Context, caller authn.Identity, w AccountWrite) (AccountView, error) {
	county, err := rosterCounty(caller, w.County)
	if err != nil {
		return AccountView{}, err
	}
	w.Data.County = county
	by := requestBy(caller, county, Request{Method: "UpdateAccount", ID: w.RequestID, Hash: hashOf(w.ID, w.Version, w.Data)})
	return a.changeAccount(ctx, by, w, func(u Unit, was AccountView, admins domain.Administrators) error {
		old := was.Account
		home, missing := homeOf(ctx, u, w.Data)
		d := w.Data
		d.Disabled, d.PractitionerID = old.Data().Disabled, old.Data().PractitionerID
		next, changed, wrong := old.Update(d, home)
		if err := together(missing, at(wrong, "account")); err != nil {
			return err
		}
		if err := admitted(keeperOf(caller), admins, old, next); err != nil {
			return refusedBy(err, "account")
		}
		if changed {
			u.UpdateAccount(AccountView{Account: next, OrganizationName: home.Data().Name}, "account.update")
		}
		return nil
	})
}

func admitted(k domain.Keeper, admins domain.Administrators, old, next domain.Account) error {
	if err := k.Admits(old, next); err != nil {
		return err
	}
	return admins.Remaining(old, next)
}

// DisableAccount ends the person's sessions; EnableAccount leaves the password as it was.
func (a *App) DisableAccount(ctx context.Context, caller authn.Identity, w AccountWrite) (AccountView, error) {
	return a.switchAccount(ctx, caller, w, true)
}

// EnableAccount is the way back from DisableAccount.
func (a *App) EnableAccount(ctx context.Context, caller authn.Identity, w AccountWrite) (AccountView, error) {
	return a.switchAccount(ctx, caller, w, false)
}

func (a *App) switchAccount(ctx context.Context, caller authn.Identity, w AccountWrite, disabled bool) (AccountView, error) {
	county, err := rosterCounty(caller, w.County)
	if err != nil {
		return AccountView{}, err
	}
	w.Data.County = county
	by := requestBy(caller, county, Request{Method: "SwitchAccount", ID: w.RequestID, Hash: hashOf(w.ID, w.Version, disabled)})
	return a.changeAccount(ctx, by, w, func(u Unit, was AccountView, admins domain.Administrators) error {
		next, changed := was.Account.Switch(disabled)
		if err := admitted(keeperOf(caller), admins, was.Account, next); err != nil {
			return refusedBy(err, "account")
		}
		was.Account = next
		switch {
		case changed && disabled:
			u.UpdateAccount(was, "account.disable")
		case changed:
			u.UpdateAccount(was, "account.enable")
		}
		return nil
	})
}

// changeAccount changes one whose version was seen, and answers it as it is then. Organisations are locked before administrators, and those
// before the account, as an import does.
func (a *App) changeAccount(ctx context.Context, by Command, w AccountWrite, fn func(Unit, AccountView, domain.Administrators) error) (AccountView, error) {
	if w.Version == 0 {
		return AccountView{}, errs.Invalid(errs.Bad("version", errs.ReasonVersionRequired))
	}
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		if w.Data.OrganizationID != "" {
			if _, err := homeOf(ctx, u, w.Data); err != nil {
				return err
			}
		}
		admins, err := u.Administrators(ctx, by.County)
		if err != nil {
			return err
		}
		old, err := u.Account(ctx, by.County, w.ID)
		if err != nil {
			return err
		}
		if v := old.Account.Version(); v != w.Version {
			return errs.Stale(v, "")
		}
		return fn(u, old, admins)
	})
	if err != nil {
		return AccountView{}, err
	}
	now, err := a.deps.Store.KeptAccount(ctx, by.County, w.ID)
	if err != nil {
		return AccountView{}, fmt.Errorf("read changed account: %w", err)
	}
	return now.AccountView, nil
}
