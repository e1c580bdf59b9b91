package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// ListVillage answers a page of the referrals of patients of the caller's village that are under way: AWAY up, or on the way BACK. Nobody travels for an
// advice.
func (s *Service) ListVillage(ctx context.Context, caller authn.Identity, where, pageToken string, size int) ([]View, string, error) {
	q := Query{
		Caller: caller, Village: true, Limit: size, Direction: domain.Up, Kinds: slices.DeleteFunc(domain.KindsOf(domain.Up), func(k domain.Kind) bool { return k == domain.KindAdvice }),
		States: []domain.State{domain.StateSubmitted, domain.StateReturned, domain.StateAccepted, domain.StateNoShow, domain.StateArrived, domain.StateAdmitted},
	}
	if where == "BACK" {
		q.Direction, q.Kinds = domain.Down, nil
		q.States = []domain.State{domain.StateSubmitted, domain.StateReturned, domain.StateAccepted, domain.StateNoShow, domain.StateArrived}
	}
	views, next, err := s.List(ctx, Filter{Query: q, PageToken: pageToken})
	if err != nil {
		return nil, "", err
	}
	var others []domain.Snapshot
	for _, v := range views {
		if v.Side(caller.Organization) == "" {
			others = append(others, v.Snapshot)
		}
	}
	return views, next, s.Reader.NoteListed(ctx, caller, others)
}
