package trail_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/gateway/trail"
	"github.com/tongzhen/tongzhen/services/internal/auditrpc"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// peer is a service with entries, newest first, that answers as the real one does.
type peer struct {
	entries []*commonv1.AuditEntry
	err     error
}

func (p *peer) Invoke(_ context.Context, _ string, in, out any, _ ...grpc.CallOption) error {
	if p.err != nil {
		return p.err
	}
	ask, _ := in.(*commonv1.SearchAuditRequest)
	answer, _ := out.(*commonv1.SearchAuditResponse)
	after, err := auditrpc.ParseCursor(ask.GetPageToken())
	if err != nil {
		return err
	}
	for _, e := range p.entries {
		at := e.GetTime().AsTime()
		if after.ID != "" && (at.After(after.Time) || at.Equal(after.Time) && e.GetId() >= after.ID) {
			continue
		}
		if len(answer.GetEntries()) == int(ask.GetPageSize()) {
			answer.NextPageToken = "more"
			break
		}
		answer.Entries = append(answer.Entries, &commonv1.AuditEntry{Id: e.GetId(), Time: e.GetTime()})
	}
	return nil
}

func (*peer) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errs.NotFound("stream")
}

// peers share 40 entries, pairs of them at the same instant.
func peers(n int) []*peer {
	list := make([]*peer, n)
	for i := range list {
		list[i] = &peer{}
	}
	for i := 39; i >= 0; i-- {
		at := timestamppb.New(time.Date(2026, 3, 2, 0, 0, i/2, 0, time.UTC))
		p := list[i*7%n]
		p.entries = append(p.entries, &commonv1.AuditEntry{Id: fmt.Sprintf("0192f0c1-0000-7000-8000-0000000000%02d", i), Time: at})
	}
	return list
}

func over(list []*peer) *trail.Trail {
	names, conns := []string{}, []grpc.ClientConnInterface{}
	for i, p := range list {
		names, conns = append(names, fmt.Sprintf("service%d", i)), append(conns, p)
	}
	return trail.New(names, conns)
}

func TestTheRecordsOfAllServicesComeAsOneNewestFirst(t *testing.T) {
	t.Parallel()
	all := over(peers(5))
	ask, next := &commonv1.SearchAuditRequest{PageSize: 7}, 39
	for {
		page, err := all.SearchAudit(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.GetEntries() {
			if want := fmt.Sprintf("0192f0c1-0000-7000-8000-0000000000%02d", next); e.GetId() != want {
				t.Fatalf("%s comes instead of %s", e.GetId(), want)
			}
			if want := fmt.Sprintf("service%d", next*7%5); e.GetService() != want {
				t.Errorf("%s is said to be of %s", e.GetId(), e.GetService())
			}
			next--
		}
		if ask.PageToken = page.GetNextPageToken(); ask.PageToken == "" {
			break
		}
	}
	if next != -1 {
		t.Errorf("%d entries never came", next+1)
	}
}

func TestAServiceThatIsAwayIsNamedAndTheOthersAreShown(t *testing.T) {
	t.Parallel()
	list := peers(5)
	list[2].err = errs.Unavailable("service2", nil)
	page, err := over(list).SearchAudit(t.Context(), &commonv1.SearchAuditRequest{PageSize: 200})
	if err != nil || len(page.GetAway()) != 1 || page.GetAway()[0] != "service2" || len(page.GetEntries()) != 32 {
		t.Errorf("%v, %d entries, away %v", err, len(page.GetEntries()), page.GetAway())
	}
	for _, p := range list {
		p.err = errs.Unavailable("all", nil)
	}
	if _, err := over(list).SearchAudit(t.Context(), &commonv1.SearchAuditRequest{}); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("nobody is there: %v", err)
	}
}

func TestARefusalIsNotHiddenByTheOthersAnswers(t *testing.T) {
	t.Parallel()
	list := peers(5)
	list[4].err = errs.Denied(errs.ReasonRole)
	if _, err := over(list).SearchAudit(t.Context(), &commonv1.SearchAuditRequest{}); errs.KindOf(err) != errs.KindDenied {
		t.Error(err)
	}
}
