package sessions

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// use is a slot with who has it.
type use struct {
	*schedulingv1.SlotUse
	// State is free, reserved, held, taken, blocked or over.
	State string
	Row   *shell.Row
	From  string
}

// Tied tells that a booking, or a hold tied to a referral, has the slot.
func (u use) Tied() bool {
	return u.GetState() == schedulingv1.HoldState_BOOKED || u.GetState() == schedulingv1.HoldState_ATTACHED
}

// Movable tells that it can have another slot, by a visitor who may know of it.
func (u use) Movable() bool { return u.Tied() && u.Place() != "" }

// Place is what a move names: the booking, else the hold.
func (u use) Place() string {
	if u.GetBookingId() != "" {
		return u.GetBookingId()
	}
	return u.GetHoldId()
}

// moved is what became of somebody in a session that was cancelled. Row is nil for who may not be read.
type moved struct {
	*schedulingv1.Moved
	Row *shell.Row
}

type sessionData struct {
	sitting
	Organization string
	Uses         []use
	Plans        bool
	RequestID    string
	// Failed is the form that was refused: substitute, cancel, slots or move.
	Failed  string
	Form    shell.Form
	Problem string
	// Moving is the slot whose booking is to be moved, Targets where it can go.
	Moving  *use
	Targets []*schedulingv1.Slot
	// Moved and Displaced are what the cancellation did, Lost how many it displaced: of those whom the visitor may not know there is the number alone.
	Cancelled bool
	Moved     []moved
	Displaced []moved
	Lost      int32
	Ended     bool
}

// Booked is how many patients have a place in the session.
func (d sessionData) Booked() int {
	n := 0
	for _, u := range d.Uses {
		if u.Tied() {
			n++
		}
	}
	return n
}

// FormOf is the refused form, an empty one for the others.
func (d sessionData) FormOf(name string) shell.Form {
	if d.Failed == name {
		return d.Form
	}
	return shell.Form{}
}

// Reasons are why a session may be cancelled, Blocks why a slot may be blocked.
func (sessionData) Reasons() []string {
	return []string{"LEAVE", "TRAINING", "EQUIPMENT", "EPIDEMIC", "HOLIDAY", "OTHER"}
}

func (sessionData) Blocks() []string { return []string{"OWN_PATIENT", "BREAK", "OTHER"} }

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r)
	if err != nil {
		return err
	}
	if slot := r.URL.Query().Get("move"); slot != "" {
		p.moving(r, &data, slot)
	}
	return p.draw(w, r, http.StatusOK, data)
}

func (p *Pages) draw(w http.ResponseWriter, r *http.Request, status int, data sessionData) error {
	return p.Shell.Render(w, r, p.one, shell.Page{Title: "sessions.one", Nav: "sessions", Status: status, Data: data})
}

func (p *Pages) load(r *http.Request) (sessionData, error) {
	detail, err := p.Calendar.GetSession(r.Context(), &schedulingv1.GetSessionRequest{Id: r.PathValue("id")})
	if err != nil {
		return sessionData{}, err
	}
	return p.dataOf(r, detail), nil
}

func (p *Pages) dataOf(r *http.Request, detail *schedulingv1.SessionDetail) sessionData {
	s := detail.GetSession()
	visitor, _ := door.VisitorFrom(r.Context())
	data := sessionData{sitting: sitting{s, s.GetDepartmentCode(), barOf(s)}, Plans: shell.Plans(visitor.Account), RequestID: id.New(), Ended: !p.Shell.Now().Before(s.GetEnd().AsTime())}
	language := p.Shell.Language(r)
	county, err := p.Shell.Names().County(r.Context())
	if err == nil {
		data.Organization = county.OrganizationName(language, s.GetOrganizationId())
		data.Department = county.DepartmentName(language, s.GetOrganizationId(), s.GetDepartmentCode())
	}
	ids := make([]string, 0, len(detail.GetSlots()))
	for _, u := range detail.GetSlots() {
		ids = append(ids, u.GetReferralId())
	}
	rows := p.Shell.RowsOf(r, p.Referral, ids)
	for _, u := range detail.GetSlots() {
		one := use{SlotUse: u, State: stateOf(u)}
		if row, ok := rows[u.GetReferralId()]; ok {
			one.Row, one.From = &row, row.From
		} else if err == nil {
			one.From = county.OrganizationName(language, u.GetSenderOrganizationId())
		}
		data.Uses = append(data.Uses, one)
	}
	return data
}

func stateOf(u *schedulingv1.SlotUse) string {
	switch {
	case u.GetState() == schedulingv1.HoldState_BOOKED:
		return "taken"
	case u.GetState() == schedulingv1.HoldState_ATTACHED || u.GetState() == schedulingv1.HoldState_HELD:
		return "held"
	case u.GetSlot().GetClosedBy() != "":
		return "blocked"
	case u.GetSlot().GetPool() == "RESERVED":
		return "reserved"
	default:
		return "free"
	}
}

// command reads a form of the page.
func command(r *http.Request) (version int32, err error) {
	if err := r.ParseForm(); err != nil {
		return 0, errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	n, err := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return 0, errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	return int32(n), nil
}

// again shows the session as it is now with the form that was refused.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, form string, cause error) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r)
		if err != nil {
			return err
		}
		data.Failed, data.Form, data.Problem, data.RequestID = form, again.Form, again.Problem, again.RequestID
		if form == "move" {
			p.moving(r, &data, r.PostFormValue("from"))
		}
		return p.draw(w, r, again.Status, data)
	})
}

func (p *Pages) done(w http.ResponseWriter, r *http.Request, flash string) error {
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, "/sessions/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
	return nil
}

func (p *Pages) substitute(w http.ResponseWriter, r *http.Request) error {
	version, err := command(r)
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	if err == nil && get("practitionerName") == "" && get("location") == "" {
		err = errs.Invalid(errs.Required("practitionerName"))
	}
	if err == nil {
		_, err = p.Calendar.SubstituteSession(r.Context(), &schedulingv1.SubstituteSessionRequest{
			Id: r.PathValue("id"), Version: version, RequestId: get("requestId"),
			PractitionerId: get("practitionerId"), PractitionerName: get("practitionerName"), Location: get("location"),
		})
	}
	if err != nil {
		return p.again(w, r, "substitute", err)
	}
	return p.done(w, r, "sessions.substituted")
}

// cancel ends the session and shows what became of everybody in it.
func (p *Pages) cancel(w http.ResponseWriter, r *http.Request) error {
	version, err := command(r)
	if err == nil && r.PostFormValue("reasonCode") == "" {
		err = errs.Invalid(errs.Required("reasonCode"))
	}
	before := sessionData{}
	if err == nil {
		before, err = p.load(r)
	}
	var answer *schedulingv1.CancelSessionResponse
	if err == nil {
		answer, err = p.Calendar.CancelSession(r.Context(), &schedulingv1.CancelSessionRequest{
			Id: r.PathValue("id"), Version: version, ReasonCode: r.PostFormValue("reasonCode"), Note: strings.TrimSpace(r.PostFormValue("note")), RequestId: r.PostFormValue("requestId"),
		})
	}
	if err != nil {
		return p.again(w, r, "cancel", err)
	}
	data, err := p.load(r)
	if err != nil {
		return err
	}
	data.Cancelled, data.Lost = true, max(answer.GetDisplaced(), int32(len(answer.GetDisplacedBookingIds())))
	was := func(place string) use {
		i := slices.IndexFunc(before.Uses, func(u use) bool { return place != "" && (u.GetBookingId() == place || u.GetHoldId() == place) })
		if i < 0 {
			return use{}
		}
		return before.Uses[i]
	}
	for _, m := range answer.GetMoved() {
		data.Moved = append(data.Moved, moved{m, was(m.GetHoldId()).Row})
	}
	for _, place := range answer.GetDisplacedBookingIds() {
		u := was(place)
		data.Displaced = append(data.Displaced, moved{&schedulingv1.Moved{ReferralId: u.GetReferralId(), ReferralNumber: u.GetReferralNumber()}, u.Row})
	}
	return p.draw(w, r, http.StatusOK, data)
}

// slots blocks the ticked slots, or gives them back.
func (p *Pages) slots(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	ids, flash := r.PostForm["slot"], "sessions.blocked"
	err := error(nil)
	switch {
	case len(ids) == 0:
		err = errs.Invalid(errs.Required("slotIds"))
	case r.PostFormValue("do") == "unblock":
		flash = "sessions.unblocked"
		_, err = p.Calendar.UnblockSlots(r.Context(), &schedulingv1.UnblockSlotsRequest{SlotIds: ids, RequestId: r.PostFormValue("requestId")})
	default:
		_, err = p.Calendar.BlockSlots(r.Context(), &schedulingv1.BlockSlotsRequest{SlotIds: ids, ReasonCode: r.PostFormValue("reasonCode"), RequestId: r.PostFormValue("requestId")})
	}
	if err != nil {
		return p.again(w, r, "slots", err)
	}
	return p.done(w, r, flash)
}
