// Package trail asks every service for its audit record and answers as one: newest first, with one page token for all of them. A service
// that is away is named, and the others' entries are shown.
//
// Owns nothing. Who may ask is decided by each service. Safe for concurrent use.
package trail

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/auditrpc"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// patience is how long one slow service keeps the others' entries waiting.
const patience = 3 * time.Second

// defaultPage is the size of a page that nobody chose.
const defaultPage = 50

// Source is one service's record.
type Source struct {
	Name   string
	Client commonv1.AuditServiceClient
}

// Trail is the record of all services. It is an AuditServiceClient, so that REST answers by it.
type Trail struct{ sources []Source }

// New makes a trail over connections, in the order in which their states are shown.
func New(names []string, conns []grpc.ClientConnInterface) *Trail {
	t := &Trail{}
	for i, name := range names {
		t.sources = append(t.sources, Source{name, commonv1.NewAuditServiceClient(conns[i])})
	}
	return t
}

// Sources are the services.
func (t *Trail) Sources() []Source { return slices.Clone(t.sources) }

// SearchAudit asks every service and merges. It fails when none answers, or when one refuses.
func (t *Trail) SearchAudit(ctx context.Context, in *commonv1.SearchAuditRequest, opts ...grpc.CallOption) (*commonv1.SearchAuditResponse, error) {
	answers, problems := make([]*commonv1.SearchAuditResponse, len(t.sources)), make([]error, len(t.sources))
	var asked sync.WaitGroup
	for i, source := range t.sources {
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			answers[i], problems[i] = source.Client.SearchAudit(ctx, in, opts...)
		})
	}
	asked.Wait()
	out := &commonv1.SearchAuditResponse{}
	more := false
	for i, source := range t.sources {
		switch err := problems[i]; {
		case err == nil:
			for _, e := range answers[i].GetEntries() {
				e.Service = source.Name
				out.Entries = append(out.Entries, e)
			}
			more = more || answers[i].GetNextPageToken() != ""
		case errs.KindOf(err) == errs.KindUnavailable:
			out.Away = append(out.Away, source.Name)
		default:
			return nil, err
		}
	}
	if len(out.GetAway()) == len(t.sources) {
		return nil, problems[0]
	}
	size := int(in.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	slices.SortFunc(out.Entries, newestFirst)
	if len(out.GetEntries()) > size {
		out.Entries, more = out.GetEntries()[:size], true
	}
	if more {
		last := out.GetEntries()[len(out.GetEntries())-1]
		out.NextPageToken = auditrpc.Cursor(last.GetTime().AsTime(), last.GetId())
	}
	return out, nil
}

// newestFirst is the order in which each service answers.
func newestFirst(a, b *commonv1.AuditEntry) int {
	if by := b.GetTime().AsTime().Compare(a.GetTime().AsTime()); by != 0 {
		return by
	}
	return strings.Compare(b.GetId(), a.GetId())
}

// VerifyAudit has no answer for all: each chain is checked by itself, see Sources.
func (t *Trail) VerifyAudit(context.Context, *commonv1.VerifyAuditRequest, ...grpc.CallOption) (*commonv1.VerifyAuditResponse, error) {
	return nil, errs.NotFound("route")
}
