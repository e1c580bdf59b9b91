//go:build e2e

package e2e_test

import (
	"net/url"
	"slices"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// figure is one number of the story, with the referrals behind both of its parts.
type figure struct {
	measure                string
	numerator, denominator []*referralv1.Referral
}

// figures are what the story of a life counts. A part without cases has none; a count has no denominator.
func (l *life) figures() []figure {
	up, down, again := l.up, l.down, l.again
	all := []*referralv1.Referral{up, down, again}
	one := func(r *referralv1.Referral) []*referralv1.Referral { return []*referralv1.Referral{r} }
	return []figure{
		{"UP-N", []*referralv1.Referral{up, again}, nil},
		{"DN-N", one(down), nil},
		{"IND-T3-2", one(down), nil},
		{"IND-T3-2-INP", one(up), nil},
		{"IND-T3-2-OUT", nil, nil},
		{"ARRIVED-N", all, nil},
		{"IND-DN-A", one(up), one(up)},
		{"IND-DN-B", one(up), one(up)},
		{"DN-SENT", one(up), one(up)},
		{"IND-DN-C", one(down), []*referralv1.Referral{up, again}},
		{"DN-CANCELLED", nil, one(down)},
		{"BOUNCE", one(down), one(down)},
		{"BOUNCE-N", one(down), nil},
		{"IND-SUC", []*referralv1.Referral{up, down}, []*referralv1.Referral{up, down}},
		{"IND-CLS", []*referralv1.Referral{up, down}, []*referralv1.Referral{up, down}},
		{"IND-ACK", all, all},
		{"IND-REJ", nil, all},
		{"VERDICT-NECESSARY", one(up), one(up)},
		{"CAND-FOUND", one(up), nil},
		{"CAND-SENT", one(up), one(up)},
		{"FU-BEGUN", one(down), one(down)},
	}
}

// period holds all that the story plans, too.
func period() url.Values { return url.Values{"from": {day(-1)}, "to": {day(60)}} }

// ask is a measure as a person sees it; more are pairs of a parameter and its value.
func (l *life) ask(t *testing.T, p *harness.Person, measure string, more ...string) []*referralv1.Figure {
	t.Helper()
	query := period()
	query.Set("measure", measure)
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return get[referralv1.QueryStatisticsResponse](t, p, "/statistics/referrals?"+query.Encode()).GetFigures()
}

// checkFigures: every number as the story says, asked by the administrator; the same of the own organisation, asked by a doctor.
func (l *life) checkFigures(t *testing.T) {
	t.Helper()
	for _, f := range l.figures() {
		got := l.ask(t, l.admin, f.measure)
		if len(got) == 0 && len(f.numerator)+len(f.denominator) == 0 {
			continue
		}
		if len(got) != 1 || got[0].GetNumerator() != int64(len(f.numerator)) || got[0].GetDenominator() != int64(len(f.denominator)) {
			t.Errorf("%s is %v, want %d of %d", f.measure, got, len(f.numerator), len(f.denominator))
		}
	}
	// Two visits were planned and kept, before their days; the third was not waited for any more. None of the days is over yet.
	for _, measure := range []string{"FU-KEPT", "FU-DONE"} {
		if got := l.ask(t, l.admin, measure); len(got) != 0 {
			t.Errorf("%s counts visits whose day is not over: %v", measure, got)
		}
		if got := l.ask(t, l.admin, measure, "denominator", "DUE"); len(got) != 1 || got[0].GetNumerator() != 2 || got[0].GetDenominator() != 2 || got[0].GetValue() != 100 {
			t.Errorf("%s is %v, want 2 of 2", measure, got)
		}
	}
	if got := l.ask(t, l.admin, "TIME-ANSWER"); len(got) != 1 || got[0].GetNumerator() != 3 || got[0].GetMedian() > got[0].GetPercentile_90() {
		t.Errorf("the time to the answer is %v, want three referrals", got)
	}
	got := l.ask(t, l.admin, "ARRIVED-N", "groupBy", "centre")
	if len(got) != 1 || !slices.Equal(got[0].GetKey(), []string{l.centre}) || got[0].GetNumerator() != 3 {
		t.Errorf("by centre the arrivals are %v", got)
	}
	if got := l.ask(t, l.township, "UP-N"); len(got) != 1 || got[0].GetNumerator() != 2 {
		t.Errorf("the township sees %v of its own", got)
	}
	if got := l.ask(t, l.township2, "UP-N"); len(got) > 0 && got[0].GetNumerator() > 0 {
		t.Errorf("a centre that had no part in it sees %v", got)
	}
}

// checkCases: behind every figure there are exactly the referrals that made it.
func (l *life) checkCases(t *testing.T) {
	t.Helper()
	for _, f := range l.figures() {
		l.checkPart(t, f.measure, "NUMERATOR", f.numerator)
		if f.denominator != nil {
			l.checkPart(t, f.measure, "DENOMINATOR", f.denominator)
		}
	}
}

func (l *life) checkPart(t *testing.T, measure, part string, want []*referralv1.Referral) {
	t.Helper()
	query := period()
	query.Set("measure", measure)
	query.Set("part", part)
	var got, due []string
	for _, c := range get[referralv1.ListStatisticCasesResponse](t, l.admin, "/statistics/referrals/cases?"+query.Encode()).GetCases() {
		got = append(got, c.GetReferralId())
	}
	for _, r := range want {
		due = append(due, r.GetId())
	}
	slices.Sort(got)
	slices.Sort(due)
	if !slices.Equal(got, due) {
		t.Errorf("behind the %s of %s are %v, want %v", part, measure, got, due)
	}
}
