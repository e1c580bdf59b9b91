package rpc

import (
	"context"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
)

// ListFormulary implements DirectoryService.
func (s *Server) ListFormulary(ctx context.Context, r *directoryv1.ListFormularyRequest) (*directoryv1.ListFormularyResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.app.ListFormulary(ctx, caller, r.GetOrganizationId(), r.GetQuery(),
		app.Page{Size: int(r.GetPageSize()), Token: r.GetPageToken()})
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListFormularyResponse{NextPageToken: next}
	for _, item := range list {
		out.Items = append(out.Items, events.FormularyItem(item))
	}
	return out, nil
}

// ListCapabilities implements DirectoryService.
func (s *Server) ListCapabilities(ctx context.Context, r *directoryv1.ListCapabilitiesRequest) (*directoryv1.ListCapabilitiesResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.app.ListCapabilities(ctx, caller, r.GetOrganizationId())
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListCapabilitiesResponse{}
	for _, c := range list {
		out.Organizations = append(out.Organizations, events.Capabilities(c))
	}
	if r.GetOrganizationId() != "" {
		out.Capabilities = out.GetOrganizations()[0].GetCapabilities()
	}
	return out, nil
}

// SetStock implements DirectoryService.
func (s *Server) SetStock(ctx context.Context, r *directoryv1.SetStockRequest) (*directoryv1.FormularyItem, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	item, err := s.app.SetStock(ctx, caller, app.StockChange{
		ID: r.GetId(), Version: r.GetVersion(), Stock: stock(r.GetStock()), Orderable: r.GetOrderable(), RequestID: r.GetRequestId(),
	})
	if err != nil {
		return nil, err
	}
	return events.FormularyItem(item), nil
}

// ImportFormulary implements DirectoryService.
func (s *Server) ImportFormulary(ctx context.Context, r *directoryv1.ImportFormularyRequest) (*directoryv1.ImportResult, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	in := app.FormularyImport{County: r.GetCounty()}
	for _, e := range r.GetItems() {
		in.Entries = append(in.Entries, formularyEntry(e))
	}
	result, err := s.app.ImportFormulary(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	return importResult(result), nil
}

// ImportCapabilities implements DirectoryService.
func (s *Server) ImportCapabilities(ctx context.Context, r *directoryv1.ImportCapabilitiesRequest) (*directoryv1.ImportResult, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	in := app.CapabilityImport{County: r.GetCounty()}
	for _, e := range r.GetEntries() {
		in.Entries = append(in.Entries, capabilityEntry(e))
	}
	result, err := s.app.ImportCapabilities(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	return importResult(result), nil
}
