package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
	"github.com/tongzhen/tongzhen/services/directory/internal/placefile"
	"github.com/tongzhen/tongzhen/services/internal/authz"
)

// Places implements PlaceService.
type Places struct {
	directoryv1.UnimplementedPlaceServiceServer
	app *app.App
}

// placePolicy is who may call what of PlaceService. Of whose list of medicines, and of which subject, the use case decides.
func placePolicy(table authz.Table) authz.Table {
	county := authz.Rule{Roles: []string{"COUNTY_ADMIN"}}
	lists := authz.Rule{Roles: []string{"COUNTY_ADMIN", "CENTRE_HEAD"}, Need: authz.Own}
	table[directoryv1.PlaceService_ListPlaces_FullMethodName] = county
	table[directoryv1.PlaceService_GetPlace_FullMethodName] = county
	table[directoryv1.PlaceService_SavePlace_FullMethodName] = county
	table[directoryv1.PlaceService_SaveDepartment_FullMethodName] = county
	table[directoryv1.PlaceService_SetCapabilities_FullMethodName] = county
	table[directoryv1.PlaceService_ListMedicines_FullMethodName] = authz.Rule{Roles: append(lists.Roles, "TOWNSHIP_DOCTOR"), Need: authz.Own}
	table[directoryv1.PlaceService_SaveMedicine_FullMethodName] = lists
	table[directoryv1.PlaceService_ListPlaceVersions_FullMethodName] = lists
	table[directoryv1.PlaceService_RestorePlaceVersion_FullMethodName] = lists
	table[directoryv1.PlaceService_ImportTable_FullMethodName] = authz.Rule{Roles: append(lists.Roles, "SYSTEM"), Services: []string{"cli"}, Need: authz.Own}
	return table
}

// ListPlaces implements PlaceService.
func (s *Places) ListPlaces(ctx context.Context, _ *directoryv1.ListPlacesRequest) (*directoryv1.ListPlacesResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.app.ListPlaces(ctx, caller)
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListPlacesResponse{}
	for _, p := range all {
		one := place(p)
		one.Departments, one.Capabilities = nil, nil
		out.Places = append(out.Places, one)
	}
	return out, nil
}

// GetPlace implements PlaceService.
func (s *Places) GetPlace(ctx context.Context, r *directoryv1.GetPlaceRequest) (*directoryv1.Place, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return placeOrError(s.app.GetPlace(ctx, caller, r.GetId()))
}

// SavePlace implements PlaceService.
func (s *Places) SavePlace(ctx context.Context, r *directoryv1.SavePlaceRequest) (*directoryv1.Organization, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	o, err := s.app.SavePlace(ctx, caller, app.PlaceChange{
		Data: organization(r.GetOrganization()), Version: r.GetOrganization().GetVersion(), RequestID: r.GetRequestId(),
	})
	if err != nil {
		return nil, err
	}
	return events.Organization(o), nil
}

// SaveDepartment implements PlaceService.
func (s *Places) SaveDepartment(ctx context.Context, r *directoryv1.SaveDepartmentRequest) (*directoryv1.Place, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return placeOrError(s.app.SaveDepartment(ctx, caller, app.DepartmentChange{
		OrganizationID: r.GetOrganizationId(), Version: r.GetVersion(), Department: department(r.GetDepartment()), Adds: r.GetAdds(), RequestID: r.GetRequestId(),
	}))
}

// SetCapabilities implements PlaceService.
func (s *Places) SetCapabilities(ctx context.Context, r *directoryv1.SetCapabilitiesRequest) (*directoryv1.OrganizationCapabilities, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.app.SetCapabilities(ctx, caller, app.AbilityChange{
		OrganizationID: r.GetOrganizationId(), Version: r.GetVersion(), Capabilities: capabilities(r.GetCapabilities()), RequestID: r.GetRequestId(),
	})
	if err != nil {
		return nil, err
	}
	return events.Capabilities(c), nil
}

// ListMedicines implements PlaceService.
func (s *Places) ListMedicines(ctx context.Context, r *directoryv1.ListMedicinesRequest) (*directoryv1.ListMedicinesResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.app.ListMedicines(ctx, caller, app.MedicineQuery{
		OrganizationID: r.GetOrganizationId(), Text: r.GetQuery(), Stock: stock(r.GetStock()), Removed: r.GetRemoved(),
	}, app.Page{Size: int(r.GetPageSize()), Token: r.GetPageToken()})
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListMedicinesResponse{NextPageToken: next}
	for _, m := range list {
		one := &directoryv1.Medicine{Item: events.FormularyItem(m.Item), UpdateTime: timestamppb.New(m.UpdateTime), AccountName: m.AccountName}
		if !m.StockTime.IsZero() {
			one.StockTime = timestamppb.New(m.StockTime)
		}
		out.Medicines = append(out.Medicines, one)
	}
	return out, nil
}

// SaveMedicine implements PlaceService.
func (s *Places) SaveMedicine(ctx context.Context, r *directoryv1.SaveMedicineRequest) (*directoryv1.FormularyItem, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	item, err := s.app.SaveMedicine(ctx, caller, app.MedicineChange{Data: medicine(r.GetItem()), Version: r.GetItem().GetVersion(), RequestID: r.GetRequestId()})
	if err != nil {
		return nil, err
	}
	return events.FormularyItem(item), nil
}

// ListPlaceVersions implements PlaceService.
func (s *Places) ListPlaceVersions(ctx context.Context, r *directoryv1.ListPlaceVersionsRequest) (*directoryv1.ListPlaceVersionsResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	subject := app.Subject(r.GetSubject().String())
	list, err := s.app.ListPlaceVersions(ctx, caller, subject, r.GetId())
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListPlaceVersionsResponse{}
	for _, v := range list {
		one := &directoryv1.PlaceVersion{Version: v.Version, ChangeTime: timestamppb.New(v.At), AccountName: v.AccountName}
		switch subject {
		case app.SubjectAbilities:
			one.Capabilities = events.Capabilities(v.Capabilities)
		case app.SubjectMedicine:
			one.Medicine = events.FormularyItem(v.Medicine)
		default:
			one.Organization, one.Departments = events.Organization(v.Organization), events.Departments(v.Organization)
		}
		out.Versions = append(out.Versions, one)
	}
	return out, nil
}

// RestorePlaceVersion implements PlaceService.
func (s *Places) RestorePlaceVersion(ctx context.Context, r *directoryv1.RestorePlaceVersionRequest) (*directoryv1.RestorePlaceVersionResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	version, err := s.app.RestorePlaceVersion(ctx, caller, app.Restoration{
		Subject: app.Subject(r.GetSubject().String()), ID: r.GetId(), Restore: r.GetRestore(), Version: r.GetVersion(), RequestID: r.GetRequestId(),
	})
	if err != nil {
		return nil, err
	}
	return &directoryv1.RestorePlaceVersionResponse{Version: version}, nil
}

// ImportTable implements PlaceService.
func (s *Places) ImportTable(ctx context.Context, r *directoryv1.ImportTableRequest) (*directoryv1.ImportTableResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	done, err := s.app.ImportTable(ctx, caller, app.TableImport{
		Kind: placefile.Kind(r.GetTable().String()), Content: r.GetContent(), DryRun: r.GetDryRun(), County: r.GetCounty(),
	})
	if err != nil {
		return nil, err
	}
	// At most placefile.MaxBytes are read.
	out := &directoryv1.ImportTableResponse{Created: int32(done.Created), Updated: int32(done.Updated), Unchanged: int32(done.Unchanged)}
	for _, p := range done.Problems {
		out.Problems = append(out.Problems, &directoryv1.TableProblem{
			Line: int32(p.Line), Field: p.Field, Reason: p.Reason, First: int32(p.First), Max: int32(p.Max),
		})
	}
	return out, nil
}

func placeOrError(p app.Place, err error) (*directoryv1.Place, error) {
	if err != nil {
		return nil, err
	}
	return place(p), nil
}

func place(p app.Place) *directoryv1.Place {
	open := int32(0)
	for _, d := range p.Organization.Departments() {
		if !d.Disabled {
			open++
		}
	}
	h := p.Hanging
	return &directoryv1.Place{
		Organization: events.Organization(p.Organization), Departments: events.Departments(p.Organization), Capabilities: events.Capabilities(p.Capabilities),
		Accounts: int32(h.Accounts), Below: int32(h.Below), OpenDepartments: open, Medicines: int32(h.Medicines),
	}
}
