package desk

import (
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// registered is a resident whom the hospital registered and who has no referral.
type registered struct {
	*referralv1.Registration
	Department, Centre string
	RequestID          string
	// Form is what was typed into the dismissal and what was wrong; Problem says it when no field is to blame.
	Form    shell.Form
	Problem string
}

// undoable is a referral whose arrival a registration made.
type undoable struct {
	shell.Row
	RequestID string
}

// registrations are what the hospital's own system said of today's patients.
type registrations struct {
	Open     []registered
	Arrivals []undoable
	Next     string
	Reasons  []*referralv1.Reason
	// Undo are the reasons why an arrival may be undone.
	Undo []*referralv1.Reason
}

// dismissal is a form that was refused, of the registration id.
type dismissal struct {
	id string
	shell.Refused
}

func (p *Pages) registrations(r *http.Request, refused dismissal) (registrations, error) {
	answer, err := p.Referral.ListRegistrations(r.Context(), &referralv1.ListRegistrationsRequest{PageSize: pageSize, PageToken: r.URL.Query().Get("registered")})
	if err != nil {
		return registrations{}, err
	}
	out := registrations{Next: answer.GetNextPageToken()}
	county, err := p.Shell.Names().County(r.Context())
	language := p.Shell.Language(r)
	for _, one := range answer.GetRegistrations() {
		row := registered{Registration: one, Department: one.GetDepartmentCode(), RequestID: id.New()}
		if err == nil {
			row.Department = county.DepartmentName(language, one.GetOrganizationId(), one.GetDepartmentCode())
			row.Centre = county.OrganizationName(language, one.GetCentreId())
		}
		if one.GetId() == refused.id {
			row.Form, row.Problem, row.RequestID = refused.Form, refused.Problem, refused.RequestID
		}
		out.Open = append(out.Open, row)
	}
	if refused.id != "" && !slices.ContainsFunc(out.Open, func(one registered) bool { return one.GetId() == refused.id }) {
		return out, errs.NotFound("registration") // it stands on another page of the list
	}
	for _, row := range p.Shell.Rows(r, answer.GetArrivals()) {
		out.Arrivals = append(out.Arrivals, undoable{Row: row, RequestID: id.New()})
	}
	out.Reasons, out.Undo = p.reasons(r, "dismiss_registration"), p.reasons(r, "undo_arrive")
	return out, nil
}

// reasons of an action; without them the list still says whom it is about.
func (p *Pages) reasons(r *http.Request, action string) []*referralv1.Reason {
	list, err := p.Referral.ListReasons(r.Context(), &referralv1.ListReasonsRequest{Action: action})
	if err != nil {
		return nil
	}
	return shell.Offered(list.GetReasons())
}

// dismiss takes a registration off the list.
func (p *Pages) dismiss(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	_, err := p.Referral.DismissRegistration(r.Context(), &referralv1.DismissRegistrationRequest{
		Id: r.PathValue("id"), RequestId: r.PostFormValue("requestId"), ReasonCode: r.PostFormValue("reasonCode"), Note: r.PostFormValue("note"),
	})
	flash := "registrations.dismissed"
	if errs.KindOf(err) == errs.KindWrongState {
		err, flash = nil, "registrations.gone" // somebody was faster: the list shows it
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			return p.showArrivals(w, r, shownArrivals{status: again.Status, refused: dismissal{r.PathValue("id"), again}})
		})
	}
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, "/desk/arrivals", http.StatusSeeOther)
	return nil
}
