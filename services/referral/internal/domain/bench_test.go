package domain_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// BenchmarkDecide is what the domain costs of one submission: create and submit, with the whole form checked.
func BenchmarkDecide(b *testing.B) {
	cal, d := calendar(b), draft(domain.KindOutpatient)
	for b.Loop() {
		r := domain.New("r1", "450321")
		for _, action := range []domain.Action{domain.ActionCreate, domain.ActionSubmit} {
			c := command(r, action, domain.Originator)
			c.Carry.Draft = &d
			if err := r.Decide(c, cal); err != nil {
				b.Fatal(err)
			}
		}
	}
}
