package referrals

import (
	"net/http"
	"slices"
	"strings"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// pageData is what page.html sees.
type pageData struct {
	shell.Row
	Receiving bool // the visitor's organisation receives it
	Sending   bool // the visitor's organisation sent it
	Summary   *patientrecordv1.Summary
	Results   []*patientrecordv1.Observation
	History   []historyRow
	Booking   *schedulingv1.Booking
	Actions   actionsData
	// Reason words why the referral was returned, declined or cancelled.
	Reason string
}

type historyRow struct {
	*referralv1.HistoryRow
	Organization string
	Reason       string
}

func (p *Pages) page(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r)
	if err != nil {
		return err
	}
	switch r.Header.Get("X-Fragment") {
	case "head", "timeline", "actions":
		return p.Shell.Fragment(w, r, p.pageSet, r.Header.Get("X-Fragment"), data)
	}
	return p.show(w, r, http.StatusOK, data)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, data pageData) error {
	nav := "referrals"
	if data.Receiving {
		nav = "desk"
	}
	return p.Shell.Render(w, r, p.pageSet, shell.Page{Title: "referral.title", Nav: nav, Status: status, Data: data})
}

// load reads the referral and all that stands on its page. Opening the page marks the referral as seen and the visitor's
// notices about it as read.
func (p *Pages) load(r *http.Request) (pageData, error) {
	ctx := r.Context()
	referralID := r.PathValue("id")
	referral, err := p.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: referralID})
	if err != nil {
		return pageData{}, err
	}
	visitor, _ := door.VisitorFrom(ctx)
	data := pageData{Row: p.Shell.Rows(r, []*referralv1.Referral{referral})[0]}
	data.Reason = p.Shell.ReasonOf(r, referral)
	data.Receiving = referral.GetReceiver().GetOrganizationId() == visitor.Account.GetOrganizationId()
	data.Sending = referral.GetOriginator().GetOrganizationId() == visitor.Account.GetOrganizationId()
	if r.Method == http.MethodGet && r.Header.Get("X-Fragment") == "" {
		p.seen(r, referral)
	}
	history, err := p.Referral.ListHistory(ctx, &referralv1.ListHistoryRequest{Id: referralID})
	if err != nil {
		return pageData{}, err
	}
	data.History = p.historyRows(r, history.GetHistory())
	if b := referral.GetBookingId(); b != "" {
		// Without scheduling the page shows the expected time that the referral keeps itself.
		data.Booking, _ = p.Scheduling.GetBooking(ctx, &schedulingv1.GetBookingRequest{Id: b})
	}
	if data.Actions, err = p.actions(r, referral); err != nil {
		return pageData{}, err
	}
	p.record(r, &data)
	return data, nil
}

func (p *Pages) seen(r *http.Request, referral *referralv1.Referral) {
	if referral.GetUnread() {
		_, _ = p.Referral.MarkSeen(r.Context(), &referralv1.MarkSeenRequest{Id: referral.GetId()})
	}
	_, _ = p.Notification.AcknowledgeReferral(r.Context(), &notificationv1.AcknowledgeReferralRequest{ReferralId: referral.GetId()})
}

func (p *Pages) historyRows(r *http.Request, rows []*referralv1.HistoryRow) []historyRow {
	county, err := p.Shell.Names().County(r.Context())
	out := make([]historyRow, 0, len(rows))
	for _, row := range slices.Backward(rows) {
		one := historyRow{HistoryRow: row, Reason: p.Shell.Reason(r, row.GetAction(), row.GetReasonCode())}
		if err == nil {
			language := p.Shell.Language(r)
			one.Organization = county.OrganizationName(language, row.GetActor().GetOrganizationId())
		}
		out = append(out, one)
	}
	return out
}

// record reads what the visitor may see of the record: the package as at submission for the receiver, which after arrival
// may read the whole summary, and the summary for the sender. Without it the page shows the form and says so.
func (p *Pages) record(r *http.Request, data *pageData) {
	ctx := r.Context()
	if data.Receiving {
		if pack, err := p.Record.GetPackage(ctx, &patientrecordv1.GetPackageRequest{ReferralId: data.GetId()}); err == nil {
			data.Summary, data.Results = pack.GetSummary(), pack.GetResults()
		}
	}
	early := data.GetState() == referralv1.State_SUBMITTED || data.GetState() == referralv1.State_RETURNED || data.GetState() == referralv1.State_ACCEPTED
	if data.Summary == nil || (data.Receiving && !early) {
		if summary, err := p.Record.GetSummary(ctx, &patientrecordv1.GetSummaryRequest{PatientId: data.GetPatientId()}); err == nil {
			data.Summary = summary
		}
	}
}

// actionsData is what actions.html sees.
type actionsData struct {
	Names     []string
	Referral  *referralv1.Referral
	Reasons   map[string][]*referralv1.Reason
	RequestID string
	Slots     []*schedulingv1.Slot
	Beds      int32
	Hold      *schedulingv1.Hold
	// Walk is the proposed walk-in window, as the form's values.
	Date, From, To string
	Redirects      []redirect
	// Failed is the action whose form was refused, with what was typed.
	Failed  string
	Form    shell.Form
	Problem string
}

type redirect struct{ Value, Name string }

// Has tells whether an action is offered.
func (a actionsData) Has(name string) bool { return slices.Contains(a.Names, name) }

// Waits tells that the other side is to act: what is offered, if anything, only takes something back.
func (a actionsData) Waits() bool {
	return !slices.ContainsFunc(a.Names, func(name string) bool { return name != "cancel" && !strings.HasPrefix(name, "undo_") })
}

// FormOf is the refused form of an action; an empty one for the others.
func (a actionsData) FormOf(name string) shell.Form {
	if a.Failed == name {
		return a.Form
	}
	return shell.Form{}
}

func (p *Pages) actions(r *http.Request, referral *referralv1.Referral) (actionsData, error) {
	ctx := r.Context()
	list, err := p.Referral.ListActions(ctx, &referralv1.ListActionsRequest{Id: referral.GetId()})
	if err != nil {
		return actionsData{}, err
	}
	data := actionsData{Referral: referral, Reasons: map[string][]*referralv1.Reason{}, RequestID: id.New()}
	for _, action := range list.GetActions() {
		data.Names = append(data.Names, action.GetName())
		if slices.Contains(action.GetCarries(), "reason_code") {
			reasons, rerr := p.Referral.ListReasons(ctx, &referralv1.ListReasonsRequest{Action: action.GetName()})
			if rerr != nil {
				return actionsData{}, rerr
			}
			data.Reasons[action.GetName()] = reasons.GetReasons()
		}
	}
	if data.Has("accept") || data.Has("rebook") {
		p.capacity(r, &data)
	}
	if data.Has("redirect") {
		data.Redirects = p.redirects(r, referral)
	}
	return data, nil
}

// capacity reads what an acceptance can book. Without scheduling the walk-in window is left.
func (p *Pages) capacity(r *http.Request, data *actionsData) {
	ctx, referral := r.Context(), data.Referral
	now := p.Shell.Now()
	data.Date, data.From, data.To = now.Format("2006-01-02"), now.Format("15:04"), "17:30"
	if referral.GetKind().String() == "EMERGENCY" {
		data.To = "23:59"
	}
	if referral.GetHoldId() != "" {
		if hold, err := p.Scheduling.GetHold(ctx, &schedulingv1.GetHoldRequest{Id: referral.GetHoldId()}); err == nil && hold.GetState() == schedulingv1.HoldState_ATTACHED {
			data.Hold = hold
		}
	}
	organization, code := referral.GetReceiver().GetOrganizationId(), referral.GetReceiver().GetDepartmentCode()
	switch referral.GetKind().String() {
	case "OUTPATIENT":
		list, err := p.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{OrganizationId: organization, Department: code, Kind: "CLINIC", FreeOnly: true, PageSize: 24})
		if err == nil {
			data.Slots = list.GetSlots()
		}
	case "INPATIENT":
		list, err := p.Scheduling.ListBeds(ctx, &schedulingv1.ListBedsRequest{OrganizationId: organization, Department: code})
		if err == nil {
			for _, b := range list.GetBeds() {
				data.Beds += b.GetFree()
			}
		}
	}
}

func (p *Pages) redirects(r *http.Request, referral *referralv1.Referral) []redirect {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return nil
	}
	language := p.Shell.Language(r)
	var out []redirect
	for _, o := range county.Organizations {
		if !isCounty(o) {
			continue
		}
		for _, d := range county.Departments(o.GetId()) {
			if o.GetId() == referral.GetReceiver().GetOrganizationId() && d.GetCode() == referral.GetReceiver().GetDepartmentCode() {
				continue
			}
			out = append(out, redirect{o.GetId() + "|" + d.GetCode(), county.OrganizationName(language, o.GetId()) + " " + county.DepartmentName(language, o.GetId(), d.GetCode())})
		}
	}
	return out
}
