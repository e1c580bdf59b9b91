package refer

import (
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// there is what is known of a patient at one of the hospitals, as the referral service tells it: a stay that is not over, and referrals to it that are on
// their way or not answered. Who sends another referral there is asked whether that is meant.
type there struct {
	receiver
	Admitted *timestamppb.Timestamp
	Rows     []shell.Row
	// kinds are those of a new referral that are to be asked about.
	kinds []string
}

// When is the choice at which it is asked, for the script; Asked tells that a kind is, for browsers without scripts.
func (t there) When() string { return "kind=" + strings.Join(t.kinds, "|") }

// Asked tells that a new referral of a kind is to be asked about.
func (t there) Asked(kind string) bool { return slices.Contains(t.kinds, kind) }

// thereOf is what is known at each hospital, those at which nothing is left out. Without an answer nothing is asked: it stops nobody.
func (p *Pages) thereOf(r *http.Request, options choices, patientID, editing string) (out []there) {
	answer, err := p.Referral.ListUnderWay(r.Context(), &referralv1.ListUnderWayRequest{PatientId: patientID, ExceptId: editing})
	if err != nil {
		return nil
	}
	for _, hospital := range options.Receivers {
		for _, u := range answer.GetHospitals() {
			if u.GetOrganizationId() != hospital.ID || len(u.GetAskedKinds()) == 0 {
				continue
			}
			one := there{receiver: hospital, Admitted: u.GetAdmitTime(), Rows: p.Shell.Rows(r, u.GetReferrals())}
			for _, kind := range u.GetAskedKinds() {
				one.kinds = append(one.kinds, kind.String())
			}
			out = append(out, one)
		}
	}
	return out
}

// unasked is the question that the doctor did not answer yet.
func (p *Pages) unasked(r *http.Request, patientID string) []errs.Field {
	form := r.PostForm
	hospital := form.Get("organization")
	if form.Get("anyway") == hospital {
		return nil
	}
	chosen := choices{Receivers: []receiver{{ID: hospital}}}
	for _, one := range p.thereOf(r, chosen, patientID, r.PathValue("id")) {
		if one.Asked(form.Get("kind")) {
			return []errs.Field{errs.Bad("anyway", errs.ReasonFieldRequired)}
		}
	}
	return nil
}
