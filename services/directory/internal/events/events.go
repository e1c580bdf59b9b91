// Package events turns changes of the directory into facts: envelope, subject and payload. The directory consumes no
// facts. It also owns the one translation of organisations, accounts, medicines and capabilities into messages, which rpc
// uses too, so that a fact and an answer never tell different things.
package events

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
)

// Meta is what the envelope of a fact says. AccountID and OrganizationID are who did it; a service is
// "service:<name>" of no organisation.
type Meta struct {
	County         string
	AccountID      string
	OrganizationID string
	AggregateID    string
	Version        int32
	Time           time.Time
	Audience       []string
}

// OrganizationChanged is the fact that an organisation or one of its departments is new or different.
func OrganizationChanged(m Meta, o domain.Organization) (outbox.Fact, error) {
	meta := m.proto()
	return m.fact(meta, "organisation_changed", &directoryv1.OrganisationChanged{
		Meta: meta, Organization: Organization(o), Departments: Departments(o),
	})
}

// AccountChanged is the fact that an account is new or different.
func AccountChanged(m Meta, a domain.Account, organizationName string) (outbox.Fact, error) {
	meta := m.proto()
	return m.fact(meta, "account_changed", &directoryv1.AccountChanged{Meta: meta, Account: Account(a, organizationName)})
}

// FormularyChanged is the fact that medicines of an organisation's list are new or different.
func FormularyChanged(m Meta, organizationID string, items []domain.FormularyItem) (outbox.Fact, error) {
	meta := m.proto()
	msg := &directoryv1.FormularyChanged{Meta: meta, OrganizationId: organizationID}
	for _, item := range items {
		msg.Items = append(msg.Items, FormularyItem(item))
	}
	return m.fact(meta, "formulary_changed", msg)
}

// CapabilitiesChanged is the fact that an organisation can do other things than before.
func CapabilitiesChanged(m Meta, c domain.Capabilities) (outbox.Fact, error) {
	meta := m.proto()
	return m.fact(meta, "capabilities_changed", &directoryv1.CapabilitiesChanged{Meta: meta, Capabilities: Capabilities(c)})
}

// RosterChanged is the fact that the week or a hand-over of a post is new or different: the whole roster as it is then.
func RosterChanged(m Meta, r domain.Roster) (outbox.Fact, error) {
	meta := m.proto()
	return m.fact(meta, "roster_changed", &directoryv1.RosterChanged{Meta: meta, Roster: Roster(r)})
}

func (m Meta) proto() *commonv1.FactMeta {
	return &commonv1.FactMeta{
		FactId: id.New(), County: m.County, AggregateId: m.AggregateID, AggregateVersion: m.Version,
		OccurTime: timestamppb.New(m.Time),
		Actor:     &commonv1.Actor{AccountId: m.AccountID, OrganizationId: m.OrganizationID},
		Audience:  m.Audience,
	}
}

func (m Meta) fact(meta *commonv1.FactMeta, event string, msg proto.Message) (outbox.Fact, error) {
	payload, err := proto.Marshal(msg)
	if err != nil {
		return outbox.Fact{}, fmt.Errorf("encode fact %s: %w", event, err)
	}
	return outbox.Fact{
		ID: meta.GetFactId(), County: m.County, Subject: "directory.v1." + m.County + "." + event,
		Type: string(msg.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: m.Time,
	}, nil
}

// Organization as the contract writes it.
func Organization(o domain.Organization) *directoryv1.Organization {
	d := o.Data()
	return &directoryv1.Organization{
		Id: d.ID, Version: o.Version(), County: d.County, Code: d.Code, Name: d.Name, NameEn: d.NameEn,
		Type:    directoryv1.OrganizationType_Code(directoryv1.OrganizationType_Code_value[string(d.Type)]),
		Address: d.Address, Phone: d.Phone, Disabled: d.Disabled, ParentId: d.ParentID,
	}
}

// Departments of an organisation as the contract writes them.
func Departments(o domain.Organization) []*directoryv1.Department {
	deps := o.Departments()
	out := make([]*directoryv1.Department, len(deps))
	for i, d := range deps {
		out[i] = &directoryv1.Department{
			OrganizationId: o.Data().ID, Code: d.Code, Name: d.Name, NameEn: d.NameEn, Location: d.Location,
			Phone: d.Phone, HasBeds: d.HasBeds, Disabled: d.Disabled,
		}
	}
	return out
}

// Account as the contract writes it.
func Account(a domain.Account, organizationName string) *directoryv1.Account {
	d := a.Data()
	roles := make([]commonv1.Role_Code, len(d.Roles))
	for i, r := range d.Roles {
		roles[i] = commonv1.Role_Code(commonv1.Role_Code_value[string(r)])
	}
	return &directoryv1.Account{
		Id: d.ID, Version: a.Version(), Login: d.Login, Name: d.Name, OrganizationId: d.OrganizationID,
		OrganizationName: organizationName, DepartmentCode: d.DepartmentCode, County: d.County, Roles: roles,
		Phone: d.Phone, Disabled: d.Disabled, PractitionerId: d.PractitionerID, Email: d.Email,
	}
}

// FormularyItem as the contract writes it.
func FormularyItem(f domain.FormularyItem) *directoryv1.FormularyItem {
	d := f.Data()
	return &directoryv1.FormularyItem{
		Id: d.ID, Version: f.Version(), OrganizationId: d.OrganizationID, Name: d.Name, Specification: d.Specification,
		Atc: d.ATC, Stock: directoryv1.StockState_Code(directoryv1.StockState_Code_value[string(d.Stock)]),
		Orderable: d.Orderable, RestrictedClass: d.RestrictedClass, Removed: d.Removed,
	}
}

// Capabilities of an organisation as the contract writes them.
func Capabilities(c domain.Capabilities) *directoryv1.OrganizationCapabilities {
	out := &directoryv1.OrganizationCapabilities{OrganizationId: c.OrganizationID(), Version: c.Version()}
	for _, one := range c.List() {
		out.Capabilities = append(out.Capabilities, &directoryv1.Capability{Code: one.Code, Note: one.Note})
	}
	return out
}

// Roster as the contract writes it, without duties.
func Roster(r domain.Roster) *directoryv1.Roster {
	p := r.Post()
	out := &directoryv1.Roster{OrganizationId: p.OrganizationID, DepartmentCode: p.Department, Version: r.Version()}
	for _, s := range r.Shifts() {
		out.Shifts = append(out.Shifts, &directoryv1.Shift{
			Weekday: int32(s.Weekday), From: s.From, To: s.To, AccountId: s.AccountID, Line: int32(s.Line), FirstDay: s.FirstDay, LastDay: s.LastDay,
		})
	}
	for _, h := range r.HandOvers() {
		out.HandOvers = append(out.HandOvers, &directoryv1.HandOverRecord{
			Id: h.ID, FromAccountId: h.From, ToAccountId: h.To, Start: timestamppb.New(h.Start), End: timestamppb.New(h.End), Note: h.Note,
			AccountId: h.AccountID, CreateTime: timestamppb.New(h.CreateTime),
		})
	}
	return out
}
