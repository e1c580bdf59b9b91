package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func TestOpenBeforeIsOpensTheOtherWayRound(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("county", 8*60*60)
	present := time.Date(2026, time.March, 18, 9, 30, 0, 0, zone)
	for _, p := range []domain.Policy{
		domain.DefaultPolicy(), {CommonDays: 1, FallbackHours: 336}, {CommonDays: 7, ReserveLeadDays: 0, FallbackHours: 0}, {CommonDays: 30, ReserveLeadDays: 90, FallbackHours: 48},
	} {
		for _, pool := range []string{domain.Common, domain.Reserved} {
			for _, township := range []bool{true, false} {
				bound := p.OpenBefore(pool, present, township)
				for start := present; start.Before(present.AddDate(0, 0, 130)); start = start.Add(30 * time.Minute) {
					open := !present.Before(p.Opens(pool, start, township))
					if open != start.Before(bound) {
						t.Fatalf("%+v %s township %v: a slot at %s is open: %v, bound %s", p, pool, township, start, open, bound)
					}
				}
			}
		}
	}
}

func TestTheNearestPolicyHolds(t *testing.T) {
	t.Parallel()
	own, county := domain.Policy{CommonDays: 1}, domain.Policy{CommonDays: 2}
	p := domain.Policies{"o": own, "": county}
	if p.Of("o") != own || p.Of("other") != county || (domain.Policies{}).Of("o") != domain.DefaultPolicy() {
		t.Errorf("%+v", p)
	}
}
