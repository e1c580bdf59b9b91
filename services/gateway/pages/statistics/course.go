package statistics

import (
	"net/http"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// courseData is what course.html sees: how far a case has come, for who sees figures and no records.
type courseData struct {
	Case  caseRow
	Place [2]string
	Steps []courseStep
	Waits []lateRow
}

// courseStep is a transition with its names.
type courseStep struct {
	*referralv1.CaseStep
	By, Reason string
}

// course shows one case without the patient.
func (p *Pages) course(w http.ResponseWriter, r *http.Request) error {
	found, err := p.Statistics.GetStatisticCase(r.Context(), &referralv1.GetStatisticCaseRequest{ReferralId: r.PathValue("id")})
	if err != nil {
		return err
	}
	names := p.namer(r, "")
	data := courseData{Case: p.rows(r, []*referralv1.StatisticCase{found.GetCase()})[0], Waits: p.lateRows(r, found.GetWaits())}
	for i, code := range []string{found.GetCase().GetOriginator().GetDepartmentCode(), found.GetCase().GetReceiver().GetDepartmentCode()} {
		if code != "" {
			data.Place[i] = names("department", code)
		}
	}
	worded := map[string]func(code string) string{}
	for _, s := range found.GetSteps() {
		one := courseStep{CaseStep: s}
		if s.GetOrganizationId() != "" {
			one.By = names("organization", s.GetOrganizationId())
		}
		if action, code := s.GetAction(), s.GetReasonCode(); code != "" {
			if worded[action] == nil {
				worded[action] = p.Shell.Reasons(r, action)
			}
			one.Reason = worded[action](code)
		}
		data.Steps = append(data.Steps, one)
	}
	return p.Shell.Render(w, r, p.courseSet, shell.Page{Title: "statistics.course", Nav: "statistics", Data: data})
}
