package domain_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestAConsentWrittenAgainAsItStoodIsNotGivenAnew(t *testing.T) {
	t.Parallel()
	signed := domain.Consent{GivenBy: "张三", Relation: "0", Method: "SIGNED", At: now.AddDate(0, 0, -1), TextVersion: "2025-1"}
	edited := func(typed domain.Consent) domain.Consent {
		s := inState(domain.KindOutpatient, domain.StateReturned)
		s.Consent = signed
		r := domain.Restore(s)
		c := command(r, domain.ActionEdit, domain.Originator)
		c.Carry.Fields, c.Carry.Draft.Consent = []string{"consent"}, typed
		if err := r.Decide(c, calendar(t)); err != nil {
			t.Fatal(err)
		}
		return r.Snapshot().Consent
	}
	if got := edited(domain.Consent{GivenBy: "张三", Relation: "0", Method: "SIGNED"}); got != signed {
		t.Errorf("as it stood: %v, %q", got.At, got.TextVersion)
	}
	for what, typed := range map[string]domain.Consent{
		"giver": {GivenBy: "李四", Relation: "0", Method: "SIGNED"}, "relation": {GivenBy: "张三", Relation: "1", Method: "SIGNED"},
		"method": {GivenBy: "张三", Relation: "0", Method: "ELECTRONIC"},
	} {
		if got := edited(typed); !got.At.Equal(now) || got.TextVersion != domain.ConsentText {
			t.Errorf("another %s: %v, %q", what, got.At, got.TextVersion)
		}
	}
}
