package desk

import (
	"net/http"
	"net/url"

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
	// Form is what was typed into the dismissal and what was wrong.
	Form shell.Form
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

// dismissal is a form that was refused.
type dismissal struct {
	id   string
	form shell.Form
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
			row.Form = refused.form
		}
		out.Open = append(out.Open, row)
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
	if errs.KindOf(err) == errs.KindInvalid {
		refused := dismissal{r.PathValue("id"), shell.Form{Values: r.PostForm, Errors: p.Shell.FieldErrors(r, err)}}
		return p.showArrivals(w, r, errs.HTTPStatus(err), shell.Form{Values: url.Values{}}, refused)
	}
	// Somebody was faster: the list shows it.
	if err != nil && errs.KindOf(err) != errs.KindWrongState {
		return err
	}
	p.Shell.Flash(w, "registrations.dismissed")
	http.Redirect(w, r, "/desk/arrivals", http.StatusSeeOther)
	return nil
}
