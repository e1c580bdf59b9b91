package rpc

import (
	"context"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Readings read what the directory answers as its facts are read.
type Readings struct {
	Account func(county string, a *directoryv1.Account) domain.Account
	Roster  func(r *directoryv1.Roster) app.Roster
}

// Directory implements app.Directory over gRPC, as the service itself.
type Directory struct {
	client  directoryv1.DirectoryServiceClient
	rosters directoryv1.RosterServiceClient
	read    Readings
}

// NewDirectory calls through conn.
func NewDirectory(conn grpc.ClientConnInterface, read Readings) *Directory {
	return &Directory{client: directoryv1.NewDirectoryServiceClient(conn), rosters: directoryv1.NewRosterServiceClient(conn), read: read}
}

// Accounts implements app.Directory.
func (d *Directory) Accounts(ctx context.Context, county string) (out []domain.Account, err error) {
	err = d.accounts(ctx, county, "", func(a *directoryv1.Account) { out = append(out, d.read.Account(county, a)) })
	return out, err
}

func (d *Directory) accounts(ctx context.Context, county, organization string, each func(*directoryv1.Account)) error {
	ctx = platform.WithCounty(platform.AsService(ctx), county)
	for token := ""; ; {
		page, err := d.client.ListAccounts(ctx, &directoryv1.ListAccountsRequest{OrganizationId: organization, PageSize: maxPage, PageToken: token})
		if err != nil {
			return errs.FromStatus(err)
		}
		for _, a := range page.GetAccounts() {
			each(a)
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

// Rosters implements app.Directory.
func (d *Directory) Rosters(ctx context.Context, county string) ([]app.Roster, error) {
	ctx = platform.WithCounty(platform.AsService(ctx), county)
	all, err := d.rosters.ListRosters(ctx, &directoryv1.ListRostersRequest{})
	if err != nil {
		return nil, errs.FromStatus(err)
	}
	out := make([]app.Roster, len(all.GetRosters()))
	for i, r := range all.GetRosters() {
		out[i] = d.read.Roster(r)
	}
	return out, nil
}

// Telephones implements app.Directory.
func (d *Directory) Telephones(ctx context.Context, county, organizationID string) (map[string]string, error) {
	out := map[string]string{}
	if err := d.accounts(ctx, county, organizationID, func(a *directoryv1.Account) { out[a.GetId()] = a.GetPhone() }); err != nil {
		return nil, err
	}
	ctx = platform.WithCounty(platform.AsService(ctx), county)
	o, err := d.client.GetOrganization(ctx, &directoryv1.GetOrganizationRequest{Id: organizationID})
	if err != nil {
		return nil, errs.FromStatus(err)
	}
	out[""] = o.GetPhone()
	return out, nil
}
