package rpc

import (
	"context"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Directory implements app.Directory over gRPC, as the service itself.
type Directory struct {
	client directoryv1.DirectoryServiceClient
	read   func(county string, a *directoryv1.Account) domain.Account
}

// NewDirectory calls through conn and reads accounts as the facts of accounts are read.
func NewDirectory(conn grpc.ClientConnInterface, read func(county string, a *directoryv1.Account) domain.Account) *Directory {
	return &Directory{client: directoryv1.NewDirectoryServiceClient(conn), read: read}
}

// Accounts implements app.Directory.
func (d *Directory) Accounts(ctx context.Context, county string) ([]domain.Account, error) {
	ctx = platform.WithCounty(platform.AsService(ctx), county)
	var out []domain.Account
	for token := ""; ; {
		page, err := d.client.ListAccounts(ctx, &directoryv1.ListAccountsRequest{PageSize: maxPage, PageToken: token})
		if err != nil {
			return nil, errs.FromStatus(err)
		}
		for _, a := range page.GetAccounts() {
			out = append(out, d.read(county, a))
		}
		if token = page.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}
