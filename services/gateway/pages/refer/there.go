package refer

import (
	"net/http"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// there is what is known of a patient at one of the hospitals: a stay that is not over, and referrals to it that are on their way or not answered. Who
// sends another referral there is asked whether that is meant.
type there struct {
	receiver
	Admitted *timestamppb.Timestamp
	Rows     []shell.Row
}

// asks tells that a referral of a kind there is to be asked about. One of the same kind is none to ask about: the referral service refuses it and names
// the first.
func (t there) asks(kind string) bool {
	return shows("travel", kind) && (t.Admitted != nil || slices.ContainsFunc(t.Rows, func(one shell.Row) bool { return one.GetKind().String() != kind }))
}

// thereOf is what is known at each hospital, those at which nothing is left out.
func thereOf(options choices, summary *patientrecordv1.Summary, open []shell.Row) (out []there) {
	for _, hospital := range options.Receivers {
		one := there{receiver: hospital}
		for _, e := range summary.GetRecentEncounters() {
			if e.GetOrganizationId() == hospital.ID && e.GetClassCode() == "IMP" && e.GetStatus() == "in-progress" && e.GetEndTime() == nil {
				one.Admitted = e.GetStartTime()
			}
		}
		for _, row := range open {
			if row.GetReceiver().GetOrganizationId() == hospital.ID && row.GetKind() != commonv1.Kind_ADVICE && underWay(row.GetState()) {
				one.Rows = append(one.Rows, row)
			}
		}
		if one.Admitted != nil || len(one.Rows) > 0 {
			out = append(out, one)
		}
	}
	return out
}

// underWay tells that the hospital has the patient, or may expect them.
func underWay(state referralv1.State_Code) bool {
	switch state {
	case referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW, referralv1.State_ARRIVED, referralv1.State_ADMITTED:
		return true
	default:
		return false
	}
}

// unasked is the question that the doctor did not answer yet. Without the record or the list of referrals nothing is asked.
func (p *Pages) unasked(r *http.Request, patientID string) []errs.Field {
	form := r.PostForm
	hospital := form.Get("organization")
	if form.Get("anyway") == hospital || !shows("travel", form.Get("kind")) {
		return nil
	}
	summary, _ := p.Record.GetSummary(r.Context(), &patientrecordv1.GetSummaryRequest{PatientId: patientID})
	chosen := choices{Receivers: []receiver{{ID: hospital}}}
	for _, one := range thereOf(chosen, summary, p.open(r, patientID, r.PathValue("id"))) {
		if one.asks(form.Get("kind")) {
			return []errs.Field{errs.Bad("anyway", errs.ReasonFieldRequired)}
		}
	}
	return nil
}
