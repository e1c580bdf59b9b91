package shell

import (
	"context"
	"net/http"
	"sync"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// Criteria keeps the wording of the criteria, the same for every visitor, as long as the names of organisations are kept.
type Criteria struct {
	client referralv1.CriteriaServiceClient
	clock  clock.Clock

	mu    sync.Mutex
	known map[string]*referralv1.Criterion
	until time.Time
}

// NewCriteria makes an empty keeper.
func NewCriteria(client referralv1.CriteriaServiceClient, clk clock.Clock) *Criteria {
	return &Criteria{client: client, clock: clk}
}

// all answers the criteria by code. When they cannot be read an old answer is better than none.
func (c *Criteria) all(ctx context.Context) map[string]*referralv1.Criterion {
	c.mu.Lock()
	known, fresh := c.known, c.clock.Now().Before(c.until)
	c.mu.Unlock()
	if fresh {
		return known
	}
	list, err := c.client.ListCriteria(ctx, &referralv1.ListCriteriaRequest{})
	if err != nil {
		return known
	}
	known = make(map[string]*referralv1.Criterion, len(list.GetCriteria()))
	for _, one := range list.GetCriteria() {
		known[one.GetCode()] = one
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.until = known, c.clock.Now().Add(namesTTL)
	return known
}

// Criteria words criteria in the visitor's language; the code itself for what is not known.
func (s *Shell) Criteria(r *http.Request, codes []string) []string {
	if len(codes) == 0 {
		return nil
	}
	known := s.deps.Criteria.all(r.Context())
	out := make([]string, 0, len(codes))
	for _, code := range codes {
		word := code
		if one := known[code]; one != nil {
			word = s.T(r, "reason-text", "zh", one.GetText(), "en", one.GetTextEn())
		}
		out = append(out, word)
	}
	return out
}
