package statistics

import (
	"cmp"
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// judgedMonth are the cases of a month on which the county gave a verdict, as the doctor who sent them reads them.
type judgedMonth struct {
	Month string
	Cases []shell.Row
	// Verdicts are how many got each, the most frequent first.
	Verdicts []verdictCount
}

type verdictCount struct {
	Verdict string
	Count   int
}

// judged are the newest cases behind the figures with what the county said about each, by month. Every verdict has the same denominator: all cases
// that were judged. It fails only as the figures do; a case that cannot be read any more is left out.
func (p *Pages) judged(r *http.Request, verdict string, about scope) ([]judgedMonth, error) {
	found, err := p.Statistics.ListStatisticCases(r.Context(), &referralv1.ListStatisticCasesRequest{
		Measure: verdict, Part: "DENOMINATOR", From: about.from, To: about.to, Doctor: about.doctor, PageSize: casesShown,
	})
	if err != nil {
		return nil, err
	}
	months, ids := map[string]string{}, []string(nil)
	for _, c := range found.GetCases() {
		if when, ok := monthFrom(c.GetDay()); ok && c.GetReferralId() != "" {
			months[c.GetReferralId()] = when.Label()
			ids = append(ids, c.GetReferralId())
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := p.Referral.BatchGetReferrals(r.Context(), &referralv1.BatchGetReferralsRequest{Ids: ids})
	if err != nil {
		return nil, err
	}
	var out []judgedMonth
	for _, row := range p.Shell.Rows(r, list.GetReferrals()) {
		i := slices.IndexFunc(out, func(m judgedMonth) bool { return m.Month == months[row.GetId()] })
		if i < 0 {
			i = len(out)
			out = append(out, judgedMonth{Month: months[row.GetId()]})
		}
		out[i].add(row)
	}
	slices.SortFunc(out, func(a, b judgedMonth) int { return cmp.Compare(b.Month, a.Month) })
	return out, nil
}

func (m *judgedMonth) add(row shell.Row) {
	m.Cases = append(m.Cases, row)
	i := slices.IndexFunc(m.Verdicts, func(v verdictCount) bool { return v.Verdict == row.GetVerdict() })
	if i < 0 {
		i = len(m.Verdicts)
		m.Verdicts = append(m.Verdicts, verdictCount{Verdict: row.GetVerdict()})
	}
	m.Verdicts[i].Count++
	slices.SortStableFunc(m.Verdicts, func(a, b verdictCount) int { return cmp.Compare(b.Count, a.Count) })
}
