package seed

import (
	"context"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
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
