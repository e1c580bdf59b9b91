package settings

import (
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// condition is a condition with its criteria, those for going up first.
type condition struct {
	Code, Name string
	Criteria   []*referralv1.Criterion
}

func (p *Pages) criteria(w http.ResponseWriter, r *http.Request) error {
	answer, err := p.Criteria.ListCriteria(r.Context(), &referralv1.ListCriteriaRequest{})
	if err != nil {
		return err
	}
	var all []condition
	for _, c := range answer.GetCriteria() {
		i := slices.IndexFunc(all, func(known condition) bool { return known.Code == c.GetCondition() })
		if i < 0 {
			i = len(all)
			name := p.Shell.T(r, "reason-text", "zh", c.GetConditionName(), "en", c.GetConditionNameEn())
			all = append(all, condition{Code: c.GetCondition(), Name: name})
		}
		all[i].Criteria = append(all[i].Criteria, c)
	}
	for _, one := range all {
		slices.SortStableFunc(one.Criteria, func(a, b *referralv1.Criterion) int { return int(a.GetDirection()) - int(b.GetDirection()) })
	}
	return p.Shell.Render(w, r, p.criteriaSet, shell.Page{Title: "criteria.title", Nav: "candidates", Data: all})
}
