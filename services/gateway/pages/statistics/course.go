package statistics

import (
	"net/http"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// courseData is what course.html sees: how far a case has come, for who sees figures and no records.
type courseData struct {
	Case  caseRow
	Place [2]string
	Steps []courseStep
	Waits []waitingRow
	Links []linkRow
	// Stands are how the case stands in every share.
	Stands []standRow
	// Back leads to the list that the visitor came from, at the row; "" when it is not known.
	Back string
}

// waitingRow is a limit that runs, and whom to call about it.
type waitingRow struct {
	lateRow
	Lines []shell.Line
}

// linkRow is a linked referral with the address of its own course; without one of a referral of others, of which nothing more is known.
type linkRow struct {
	*referralv1.CaseLink
	Direction commonv1.Direction_Code
	At        string
}

// linkOf words a link: that with a down-referral is named by it.
func linkOf(l *referralv1.CaseLink, back string) linkRow {
	out := linkRow{CaseLink: l, Direction: commonv1.Direction_UP}
	if l.GetReferralId() != "" {
		out.At = caseAt(l.GetReferralId(), back)
	}
	if l.GetRelation() == "SENT_DOWN" || l.GetRelation() == "BOUNCE_OF" {
		out.Direction = commonv1.Direction_DOWN
	}
	return out
}

// standRow is how a case stands in a measure. Its fields are those that the template of a ground reads.
type standRow struct {
	Measure *referralv1.Measure
	Ground  *referralv1.CaseGround
	Count   int32
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
	data := courseData{Case: p.rows(r, []*referralv1.StatisticCase{found.GetCase()})[0], Waits: p.called(r, p.lateRows(r, found.GetWaits()))}
	if data.Back, err = backTo(r.URL.Query().Get("back")); err != nil {
		return err
	}
	for _, l := range found.GetLinks() {
		data.Links = append(data.Links, linkOf(l, data.Back))
	}
	if data.Stands, err = p.stands(r, found.GetStandings()); err != nil {
		return err
	}
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
