package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func TestWhenASlotOpens(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("county", 8*60*60)
	start := time.Date(2026, time.December, 30, 9, 30, 0, 0, zone)
	day := func(d int) time.Time { return time.Date(2026, time.December, d, 0, 0, 0, 0, zone) }
	p := domain.DefaultPolicy()
	for _, c := range []struct {
		name, pool string
		township   bool
		want       time.Time
	}{
		{"common", domain.Common, false, day(16)},
		{"common, for a township", domain.Common, true, day(16)},
		{"reserved, for a township: two weeks earlier", domain.Reserved, true, day(2)},
		{"reserved, for others: when it falls back", domain.Reserved, false, start.Add(-24 * time.Hour)},
	} {
		if got := p.Opens(c.pool, start, c.township); !got.Equal(c.want) {
			t.Errorf("%s opens %s, want %s", c.name, got, c.want)
		}
	}
	p.FallbackHours, p.CommonDays = 100, 1
	if got := p.Opens(domain.Reserved, start, false); !got.Equal(day(29)) {
		t.Errorf("a reserved slot never opens to others before a common one: %s", got)
	}
}

func TestAPolicyOutOfRangeIsRefused(t *testing.T) {
	t.Parallel()
	if err := domain.DefaultPolicy().Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*domain.Policy){
		"reserve": func(p *domain.Policy) { p.ReservePercent = 101 }, "experts": func(p *domain.Policy) { p.ExpertPercent = -1 },
		"days": func(p *domain.Policy) { p.CommonDays = 0 }, "lead": func(p *domain.Policy) { p.ReserveLeadDays = 91 },
		"fallback": func(p *domain.Policy) { p.FallbackHours = 337 },
	} {
		p := domain.DefaultPolicy()
		spoil(&p)
		if !errors.Is(p.Check(), domain.ErrPolicy) {
			t.Errorf("%s was let through", name)
		}
	}
}
