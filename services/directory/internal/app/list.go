package app

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Size of a page: what a caller that names none gets, and the most.
const (
	defaultPage = 50
	maxPage     = 200
)

// Page asks for a part of a list. Token is "" or the Next of the part before.
type Page struct {
	Size  int
	Token string
}

// ListOrganizations of the caller's county; a service whose token names none sees every county.
func (a *App) ListOrganizations(ctx context.Context, caller authn.Identity, t domain.OrganizationType, p Page) ([]domain.Organization, string, error) {
	county, err := visible(caller)
	if err != nil {
		return nil, "", err
	}
	after, size, err := p.read()
	if err != nil {
		return nil, "", err
	}
	rows, err := a.deps.Store.Organizations(ctx, OrganizationQuery{County: county, Type: t, After: after, Limit: size + 1})
	if err != nil || len(rows) <= size {
		return rows, "", err
	}
	last := rows[size-1].Data()
	return rows[:size], Position{last.County, last.Code}.token(), nil
}

// CountyName is what the caller's county is called; "" where it has no name, and for a service whose token names no county.
func (a *App) CountyName(ctx context.Context, caller authn.Identity) (string, error) {
	if caller.County == "" {
		return "", nil
	}
	return a.deps.Store.CountyName(ctx, caller.County)
}

// GetOrganization of the caller's county.
func (a *App) GetOrganization(ctx context.Context, caller authn.Identity, id string) (domain.Organization, error) {
	if caller.County == "" {
		return domain.Organization{}, errs.NotFound("organization")
	}
	return a.deps.Store.Organization(ctx, caller.County, id)
}

// ListDepartments of one organisation, or of all of the county, as the organisations that have them.
func (a *App) ListDepartments(ctx context.Context, caller authn.Identity, organizationID string) ([]domain.Organization, error) {
	if organizationID != "" {
		o, err := a.GetOrganization(ctx, caller, organizationID)
		if err != nil {
			return nil, err
		}
		return []domain.Organization{o}, nil
	}
	county, err := visible(caller)
	if err != nil {
		return nil, err
	}
	return a.deps.Store.Organizations(ctx, OrganizationQuery{County: county})
}

// ListAccounts of the caller's county, or of one organisation in it.
func (a *App) ListAccounts(ctx context.Context, caller authn.Identity, organizationID string, p Page) ([]AccountView, string, error) {
	county, err := visible(caller)
	switch {
	case err != nil:
		return nil, "", err
	case MerelyColleague(caller) && !caller.Has(string(domain.CountyAdmin)) && organizationID != caller.Organization:
		return nil, "", errs.NotFound("organization")
	case MerelyColleague(caller) && organizationID == "":
		return nil, "", errs.Invalid(errs.Required("organizationId"))
	}
	after, size, err := p.read()
	if err != nil {
		return nil, "", err
	}
	rows, err := a.deps.Store.Accounts(ctx, AccountQuery{County: county, OrganizationID: organizationID, After: after, Limit: size + 1})
	if err != nil || len(rows) <= size {
		return rows, "", err
	}
	last := rows[size-1].Account.Data()
	return rows[:size], Position{last.County, last.Login}.token(), nil
}

// MerelyColleague tells who sees the names of an organisation's people to plan duty and to hand it over, and no more of them.
func MerelyColleague(caller authn.Identity) bool {
	has := func(r domain.Role) bool { return caller.Has(string(r)) }
	return !caller.IsService() && slices.ContainsFunc(append(clinicians(), domain.CountyAdmin), has) &&
		!slices.ContainsFunc([]domain.Role{domain.SystemAdmin, domain.SecurityAdmin, domain.System, domain.Auditor}, has)
}

// MayTelephone tells who sees the telephones of accounts: who looks after them, and the service that sends messages to them. An auditor asks
// what people did, and needs their names.
func MayTelephone(caller authn.Identity) bool {
	return caller.IsService() && caller.Service != "gateway" || caller.Has(string(domain.SystemAdmin)) || caller.Has(string(domain.System))
}

// visible is the county whose rows the caller sees; "" is every county, which only a service may see: it reads the
// directory of all counties when it starts.
func visible(caller authn.Identity) (string, error) {
	if caller.County == "" && !caller.IsService() {
		return "", errs.Denied(errs.ReasonRole)
	}
	return caller.County, nil
}

func (p Page) read() (Position, int, error) {
	size := p.Size
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	if p.Token == "" {
		return Position{}, size, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Token)
	county, key, ok := strings.Cut(string(raw), " ")
	if err != nil || !ok {
		return Position{}, 0, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return Position{County: county, Key: key}, size, nil
}

func (p Position) token() string {
	return base64.RawURLEncoding.EncodeToString([]byte(p.County + " " + p.Key))
}
