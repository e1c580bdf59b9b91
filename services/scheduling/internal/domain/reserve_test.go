package domain_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// sitting is n slots of a session.
func sitting(session, grade string, n int) []domain.ReserveSlot {
	out := make([]domain.ReserveSlot, n)
	for i := range out {
		out[i] = domain.ReserveSlot{ID: fmt.Sprintf("%s-%02d", session, i), SessionID: session, Grade: grade,
			Start: now.Add(time.Duration(i) * 10 * time.Minute), Pool: domain.Common}
	}
	return out
}

// spread is the day after the policy was applied.
func spread(p domain.Policy, day []domain.ReserveSlot) []domain.ReserveSlot {
	changed := p.Spread(day)
	out := make([]domain.ReserveSlot, len(day))
	for i, s := range day {
		if pool, ok := changed[s.ID]; ok {
			s.Pool = pool
		}
		out[i] = s
	}
	return out
}

func reserved(day []domain.ReserveSlot, session string) (n int) {
	for _, s := range day {
		if s.Pool == domain.Reserved && (session == "" || s.SessionID == session) {
			n++
		}
	}
	return n
}

func join(parts ...[]domain.ReserveSlot) (out []domain.ReserveSlot) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func TestTheReserveOfADay(t *testing.T) {
	t.Parallel()
	taken := func(slots []domain.ReserveSlot, pool string, n int) []domain.ReserveSlot {
		for i := range n {
			slots[i].Fixed, slots[i].Pool = true, pool
		}
		return slots
	}
	p := domain.DefaultPolicy()
	for _, c := range []struct {
		name              string
		day               []domain.ReserveSlot
		generals, experts int
	}{
		{"nothing", nil, 0, 0},
		{"one slot: rounded up", sitting("g", domain.General, 1), 1, 0},
		{"30 % of ten", sitting("g", domain.General, 10), 3, 0},
		{"half of six with experts", join(sitting("g", domain.General, 10), sitting("e", domain.Expert, 10)), 3, 3},
		{"of seven four with experts", join(sitting("g", domain.General, 12), sitting("e", domain.Expert, 9)), 3, 4},
		{"as far as there are experts", join(sitting("g", domain.General, 18), sitting("e", domain.Expert, 2)), 4, 2},
		{"experts alone", sitting("e", domain.Expert, 10), 0, 3},
		{"taken ones of the reserve count", taken(sitting("g", domain.General, 10), domain.Reserved, 2), 3, 0},
		{"more taken than wanted stay", taken(sitting("g", domain.General, 10), domain.Reserved, 5), 5, 0},
		{"taken common ones stay common", taken(sitting("g", domain.General, 10), domain.Common, 9), 1, 0},
	} {
		got := spread(p, c.day)
		if g, e := reserved(got, "g"), reserved(got, "e"); g != c.generals || e != c.experts {
			t.Errorf("%s: %d general and %d expert, want %d and %d", c.name, g, e, c.generals, c.experts)
		}
	}
	everyThird := spread(domain.Policy{ReservePercent: 33}, sitting("g", domain.General, 9))
	for i, s := range everyThird {
		if (s.Pool == domain.Reserved) != (i%3 == 2) {
			t.Errorf("slot %d is %s: the reserve lies evenly", i, s.Pool)
		}
	}
}

func TestTheReserveOfAnyDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := domain.Policy{ReservePercent: rapid.IntRange(0, 100).Draw(t, "reserve"), ExpertPercent: rapid.IntRange(0, 100).Draw(t, "experts")}
		var day []domain.ReserveSlot
		for i := range rapid.IntRange(0, 4).Draw(t, "sessions") {
			grade := rapid.SampledFrom([]string{domain.General, domain.Expert}).Draw(t, "grade")
			day = append(day, sitting(fmt.Sprintf("s%d", i), grade, rapid.IntRange(1, 20).Draw(t, "slots"))...)
		}
		fixed := 0
		for i := range day {
			day[i].Pool = rapid.SampledFrom([]string{domain.Common, domain.Reserved}).Draw(t, "pool")
			if day[i].Fixed = rapid.Bool().Draw(t, "fixed"); day[i].Fixed && day[i].Pool == domain.Reserved {
				fixed++
			}
		}
		after := spread(p, day)
		free := 0
		for i, s := range after {
			if day[i].Fixed && s.Pool != day[i].Pool {
				t.Fatalf("fixed slot %s changed", s.ID)
			}
			if !s.Fixed {
				free++
			}
		}
		want := (len(day)*p.ReservePercent + 99) / 100
		if got := reserved(after, ""); got < min(want, fixed+free) || got > max(want, fixed) {
			t.Fatalf("%d of %d reserved, want %d (%d fixed, %d free)", got, len(day), want, fixed, free)
		}
		if again := p.Spread(after); len(again) != 0 {
			t.Fatalf("a second time it changes %v", again)
		}
		back := rapid.Permutation(day).Draw(t, "order")
		if a, b := fmt.Sprint(p.Spread(day)), fmt.Sprint(p.Spread(back)); a != b {
			t.Fatalf("the order of the slots decides: %s, %s", a, b)
		}
	})
}
