package rpc

import (
	"context"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/events"
)

// Directory implements app.DirectoryPeer over gRPC.
type Directory struct {
	client directoryv1.DirectoryServiceClient
}

var _ app.DirectoryPeer = (*Directory)(nil)

// NewDirectory calls through conn.
func NewDirectory(conn grpc.ClientConnInterface) *Directory {
	return &Directory{client: directoryv1.NewDirectoryServiceClient(conn)}
}

const directoryPage = 200

// Organizations implements app.DirectoryPeer, as the service itself.
func (d *Directory) Organizations(ctx context.Context) (out []app.Organization, err error) {
	ctx = platform.AsService(ctx)
	for token := ""; ; {
		page, err := d.client.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: directoryPage, PageToken: token})
		if err != nil {
			return nil, err
		}
		for _, o := range page.GetOrganizations() {
			out = append(out, events.Organisation(o))
		}
		if token = page.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}
