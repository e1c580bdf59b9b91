package rpc_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/rpc"
)

// directory answers with one hospital, or not at all: it is away, or hangs until it is let go.
type directory struct {
	grpc.ClientConnInterface
	away  atomic.Bool
	hangs chan struct{}
	calls atomic.Int64
}

func (d *directory) Invoke(ctx context.Context, method string, _, reply any, _ ...grpc.CallOption) error {
	d.calls.Add(1)
	if d.hangs != nil {
		select {
		case <-d.hangs:
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	if d.away.Load() {
		return status.Error(codes.Unavailable, "away")
	}
	if out, ok := reply.(*directoryv1.ListOrganizationsResponse); ok && method == directoryv1.DirectoryService_ListOrganizations_FullMethodName {
		out.Organizations = []*directoryv1.Organization{{Id: "hospital", Name: "阳朔县人民医院"}}
	}
	return nil
}

const hospital = "阳朔县人民医院"

func TestNamesAreReadSeldomAndADirectoryThatIsAwayIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, clk := &directory{}, clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
		d.away.Store(true)
		o := rpc.NewOutside(rpc.OutsidePeers{Directory: d}, clk)
		ask := func(wantName string, wantCalls int64) {
			t.Helper()
			names, err := o.Names(t.Context(), "450321")
			synctest.Wait()
			if got := names.Organizations["hospital"].Name; got != wantName || (err == nil) != (wantName != "") || d.calls.Load() != wantCalls {
				t.Errorf("%q, %v after %d calls; want %q after %d", got, err, d.calls.Load(), wantName, wantCalls)
			}
		}
		ask("", 1)
		ask("", 1)
		clk.Advance(10 * time.Second)
		ask("", 2)
		d.away.Store(false)
		clk.Advance(10 * time.Second)
		ask(hospital, 4) // organisations, then departments
		ask(hospital, 4)
		d.away.Store(true)
		clk.Advance(10 * time.Minute)
		ask(hospital, 5) // older names are better than none
		ask(hospital, 5)
	})
}

// Nobody stands behind the one who asks: a message waits a second for names that were never read, and not at all for newer ones.
func TestADirectoryThatHangsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, clk := &directory{hangs: make(chan struct{})}, clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
		o := rpc.NewOutside(rpc.OutsidePeers{Directory: d}, clk)
		took := func() time.Duration {
			var all sync.WaitGroup
			began := time.Now()
			for range 5 {
				all.Go(func() { _, _ = o.Names(t.Context(), "450321") })
			}
			all.Wait()
			return time.Since(began)
		}
		if got := took(); got > time.Second || d.calls.Load() != 1 {
			t.Errorf("five messages waited %s for %d readings", got, d.calls.Load())
		}
		close(d.hangs)
		synctest.Wait()
		if names, err := o.Names(t.Context(), "450321"); err != nil || names.Organizations["hospital"].Name != hospital {
			t.Fatalf("%v, %v", names, err)
		}
		d.hangs = make(chan struct{})
		clk.Advance(10 * time.Minute)
		if got := took(); got != 0 {
			t.Errorf("five messages waited %s for newer names", got)
		}
		close(d.hangs)
	})
}
