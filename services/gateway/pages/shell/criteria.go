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
	known words
	until time.Time
}

// NewCriteria makes an empty keeper.
func NewCriteria(client referralv1.CriteriaServiceClient, clk clock.Clock) *Criteria {
	return &Criteria{client: client, clock: clk}
}

// words are the criteria by code and the values that they ask for by name.
type words struct {
	criteria map[string]*referralv1.Criterion
	values   map[string]*referralv1.ValueDefinition
}

// all answers the words. When they cannot be read an old answer is better than none.
func (c *Criteria) all(ctx context.Context) words {
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
	known = words{make(map[string]*referralv1.Criterion, len(list.GetCriteria())), make(map[string]*referralv1.ValueDefinition, len(list.GetValues()))}
	for _, one := range list.GetCriteria() {
		known.criteria[one.GetCode()] = one
	}
	for _, one := range list.GetValues() {
		known.values[one.GetName()] = one
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.until = known, c.clock.Now().Add(namesTTL)
	return known
}

// Criterion is a criterion in the visitor's language, and the names of the values that it asks for.
type Criterion struct {
	Text   string
	Values []string
}

// Criteria words criteria in the visitor's language; the code itself for what is not known.
func (s *Shell) Criteria(r *http.Request, codes []string) []Criterion {
	if len(codes) == 0 {
		return nil
	}
	known := s.deps.Criteria.all(r.Context()).criteria
	out := make([]Criterion, 0, len(codes))
	for _, code := range codes {
		word := Criterion{Text: code}
		if one := known[code]; one != nil {
			word = Criterion{s.T(r, "reason-text", "zh", one.GetText(), "en", one.GetTextEn()), one.GetValues()}
		}
		out = append(out, word)
	}
	return out
}

// ClinicalValues are the values that criteria ask for, by name; empty while nobody knows them.
func (s *Shell) ClinicalValues(r *http.Request) map[string]*referralv1.ValueDefinition {
	return s.deps.Criteria.all(r.Context()).values
}
