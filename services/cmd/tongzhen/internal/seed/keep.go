package seed

import (
	"context"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// The most that one answer of the directory holds.
const pageSize = 200

// missingOrganizations are those of a chunk that the county does not have yet, open or closed.
func (p place) missingOrganizations(ctx context.Context, client directoryv1.DirectoryServiceClient, chunk []*directoryv1.OrganizationEntry) (out []*directoryv1.OrganizationEntry, err error) {
	there := map[string]bool{}
	ask := &directoryv1.ListOrganizationsRequest{PageSize: pageSize}
	for more := true; more; more = ask.GetPageToken() != "" {
		list, err := client.ListOrganizations(ctx, ask)
		if err != nil {
			return nil, err
		}
		for _, o := range list.GetOrganizations() {
			there[o.GetCode()] = there[o.GetCode()] || o.GetCounty() == p.code
		}
		ask.PageToken = list.GetNextPageToken()
	}
	for _, e := range chunk {
		if !there[e.GetOrganization().GetCode()] {
			out = append(out, e)
		}
	}
	return out, nil
}

// missingAccounts are those of a chunk that nobody signs in with yet, enabled or not. A login is one in all counties.
func (p place) missingAccounts(ctx context.Context, client directoryv1.DirectoryServiceClient, chunk []*directoryv1.AccountEntry) (out []*directoryv1.AccountEntry, err error) {
	there := map[string]bool{}
	ask := &directoryv1.ListAccountsRequest{PageSize: pageSize}
	for more := true; more; more = ask.GetPageToken() != "" {
		list, err := client.ListAccounts(ctx, ask)
		if err != nil {
			return nil, err
		}
		for _, a := range list.GetAccounts() {
			there[a.GetLogin()] = true
		}
		ask.PageToken = list.GetNextPageToken()
	}
	for _, e := range chunk {
		if !there[e.GetAccount().GetLogin()] {
			out = append(out, e)
		}
	}
	return out, nil
}

// missingCapabilities are those of a chunk whose organisation has never said what it can do.
func (p place) missingCapabilities(ctx context.Context, client directoryv1.DirectoryServiceClient, chunk []*directoryv1.CapabilityEntry) (out []*directoryv1.CapabilityEntry, err error) {
	list, err := client.ListCapabilities(ctx, &directoryv1.ListCapabilitiesRequest{})
	if err != nil {
		return nil, err
	}
	said := map[string]bool{}
	for _, o := range list.GetOrganizations() {
		said[o.GetOrganizationId()] = o.GetVersion() > 0
	}
	for _, e := range chunk {
		if !said[p.organizationID(e.GetOrganizationCode())] {
			out = append(out, e)
		}
	}
	return out, nil
}

// planned is what the calendar of the county has, by id, asked for once for each organisation.
type planned struct {
	client schedulingv1.CalendarServiceClient
	at     map[string]map[string]bool
}

// has tells whether the organisation has the template or equipment, whoever changed it and whether it has ended.
func (k planned) has(ctx context.Context, organization, id string) (bool, error) {
	if k.at[organization] == nil {
		equipment, err := k.client.ListEquipment(ctx, &schedulingv1.ListEquipmentRequest{OrganizationId: organization})
		if err != nil {
			return false, err
		}
		templates, err := k.client.ListTemplates(ctx, &schedulingv1.ListTemplatesRequest{OrganizationId: organization, Ended: true})
		if err != nil {
			return false, err
		}
		there := map[string]bool{}
		for _, e := range equipment.GetEquipment() {
			there[e.GetId()] = true
		}
		for _, t := range templates.GetTemplates() {
			there[t.GetId()] = true
		}
		k.at[organization] = there
	}
	return k.at[organization][id], nil
}
