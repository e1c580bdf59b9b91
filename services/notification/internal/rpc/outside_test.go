package rpc_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/rpc"
)

// directory answers with one hospital, or not at all.
type directory struct {
	grpc.ClientConnInterface
	away  bool
	calls int
}

func (d *directory) Invoke(_ context.Context, method string, _, reply any, _ ...grpc.CallOption) error {
	if d.calls++; d.away {
		return status.Error(codes.Unavailable, "away")
	}
	if out, ok := reply.(*directoryv1.ListOrganizationsResponse); ok && method == directoryv1.DirectoryService_ListOrganizations_FullMethodName {
		out.Organizations = []*directoryv1.Organization{{Id: "hospital", Name: "阳朔县人民医院"}}
	}
	return nil
}

func TestNamesAreReadSeldomAndADirectoryThatIsAwayIsLeftAlone(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	d := &directory{away: true}
	o := rpc.NewOutside(rpc.OutsidePeers{Directory: d}, clk)
	ask := func(wantName string, wantCalls int) {
		t.Helper()
		names, err := o.Names(t.Context(), "450321")
		if got := names.Organizations["hospital"].Name; got != wantName || (err == nil) != (wantName != "") || d.calls != wantCalls {
			t.Errorf("%q, %v after %d calls; want %q after %d", got, err, d.calls, wantName, wantCalls)
		}
	}
	ask("", 1)
	ask("", 1)
	clk.Advance(10 * time.Second)
	ask("", 2)
	d.away = false
	clk.Advance(10 * time.Second)
	ask("阳朔县人民医院", 4) // organisations, then departments
	ask("阳朔县人民医院", 4)
	d.away = true
	clk.Advance(10 * time.Minute)
	ask("阳朔县人民医院", 5) // older names are better than none
	ask("阳朔县人民医院", 5)
}
