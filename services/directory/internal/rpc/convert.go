package rpc

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
)

// The translations are total: what a message leaves out or a newer peer adds becomes a zero value, which the domain
// then refuses by name.

func organizationEntry(e *directoryv1.OrganizationEntry) app.OrganizationEntry {
	out := app.OrganizationEntry{Data: organization(e.GetOrganization())}
	for _, d := range e.GetDepartments() {
		out.Departments = append(out.Departments, department(d))
	}
	return out
}

func department(d *directoryv1.Department) domain.Department {
	return domain.Department{
		Code: d.GetCode(), Name: d.GetName(), NameEn: d.GetNameEn(), Location: d.GetLocation(), Phone: d.GetPhone(),
		HasBeds: d.GetHasBeds(), Disabled: d.GetDisabled(),
	}
}

func organization(o *directoryv1.Organization) domain.OrganizationData {
	return domain.OrganizationData{
		ID: o.GetId(), County: o.GetCounty(), Code: o.GetCode(), Name: o.GetName(), NameEn: o.GetNameEn(),
		Type: organizationType(o.GetType()), Address: o.GetAddress(), Phone: o.GetPhone(), Disabled: o.GetDisabled(),
		ParentID: o.GetParentId(),
	}
}

func accountEntry(e *directoryv1.AccountEntry) app.AccountEntry {
	return app.AccountEntry{Data: accountData(e.GetAccount()), OrganizationCode: e.GetOrganizationCode(), Password: e.GetPassword()}
}

func accountData(a *directoryv1.Account) domain.AccountData {
	roles := make([]domain.Role, len(a.GetRoles()))
	for i, r := range a.GetRoles() {
		roles[i] = role(r)
	}
	return domain.AccountData{
		ID: a.GetId(), County: a.GetCounty(), Login: a.GetLogin(), Name: a.GetName(), OrganizationID: a.GetOrganizationId(),
		DepartmentCode: a.GetDepartmentCode(), Roles: roles, Phone: a.GetPhone(), Disabled: a.GetDisabled(),
		PractitionerID: a.GetPractitionerId(), Email: a.GetEmail(),
	}
}

// role is "" for UNSPECIFIED, which is every role in a query and refused in an account.
func role(r commonv1.Role_Code) domain.Role {
	if r == commonv1.Role_UNSPECIFIED {
		return ""
	}
	return domain.Role(r.String())
}

func formularyEntry(e *directoryv1.FormularyEntry) app.FormularyEntry {
	return app.FormularyEntry{Data: medicine(e.GetItem()), OrganizationCode: e.GetOrganizationCode()}
}

func medicine(f *directoryv1.FormularyItem) domain.FormularyData {
	return domain.FormularyData{
		ID: f.GetId(), OrganizationID: f.GetOrganizationId(), Name: f.GetName(), Specification: f.GetSpecification(), ATC: f.GetAtc(),
		Stock: stock(f.GetStock()), Orderable: f.GetOrderable(), RestrictedClass: f.GetRestrictedClass(), Removed: f.GetRemoved(),
	}
}

func capabilityEntry(e *directoryv1.CapabilityEntry) app.CapabilityEntry {
	return app.CapabilityEntry{OrganizationCode: e.GetOrganizationCode(), Capabilities: capabilities(e.GetCapabilities())}
}

func capabilities(list []*directoryv1.Capability) (out []domain.Capability) {
	for _, c := range list {
		out = append(out, domain.Capability{Code: c.GetCode(), Note: c.GetNote()})
	}
	return out
}

// stock is "" for UNSPECIFIED, which is refused.
func stock(s directoryv1.StockState_Code) domain.Stock {
	if s == directoryv1.StockState_UNSPECIFIED {
		return ""
	}
	return domain.Stock(s.String())
}

// organizationType is "" for UNSPECIFIED, which is every type in a query and refused in an import.
func organizationType(t directoryv1.OrganizationType_Code) domain.OrganizationType {
	if t == directoryv1.OrganizationType_UNSPECIFIED {
		return ""
	}
	return domain.OrganizationType(t.String())
}

func session(s app.SignedIn) *directoryv1.Session {
	return &directoryv1.Session{
		AccessToken: s.Secret, ExpiresAt: timestamppb.New(s.ExpiresAt), Account: account(s.View), PasswordChangeRequired: s.ChangePassword,
	}
}

func callToken(t app.CallToken) *directoryv1.CallToken {
	return &directoryv1.CallToken{
		Token: t.Token, ExpiresAt: timestamppb.New(t.ExpiresAt), Account: account(t.View),
		SessionExpiresAt: timestamppb.New(t.SessionExpiresAt), PasswordChangeRequired: t.ChangePassword,
	}
}

func account(v app.AccountView) *directoryv1.Account {
	return events.Account(v.Account, v.OrganizationName)
}

func importResult(r app.ImportResult) *directoryv1.ImportResult {
	// At most 500 entries a request.
	return &directoryv1.ImportResult{
		Created: int32(r.Created), Updated: int32(r.Updated), Unchanged: int32(r.Unchanged), Ids: r.IDs,
	}
}
