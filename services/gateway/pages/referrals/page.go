package referrals

import (
	"net/http"
	"net/url"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/followups"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/queue"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// pageData is what page.html sees.
type pageData struct {
	shell.Row
	Receiving bool // the visitor's organisation receives it
	Sending   bool // the visitor's organisation sent it
	Summary   *patientrecordv1.Summary
	// Whole: the visitor sees the whole record.
	Whole bool
	// Package is what was handed over, Complete how complete it was; nil and not judged for a draft.
	Package *patientrecordv1.Package
	// Back is what came back with the answer; nil until it has.
	Back *patientrecordv1.Package
	// PackageAway and BackAway tell that these could not be read, which is not the same as that there is nothing.
	PackageAway, BackAway bool
	Complete              parts.Completeness
	History               []historyRow
	Told                  []told
	Messages              []message
	// Recognised tells the receiver what need not be examined again.
	Recognised recognised
	// Silent tells that the messages could not be read.
	Silent  bool
	Links   []*referralv1.Link
	Booking *schedulingv1.Booking
	// Before is what the patient must do before an examination.
	Before    string
	Place     placeData
	Actions   actionsData
	Medicines []medicine
	// Matched words the criteria that were met.
	Matched []parts.Matched
	// Found is what else the doctor found.
	Found []parts.Used
	// Reason words why the referral was returned, declined or cancelled.
	Reason string
	// Asked words why one that was sent again had been returned.
	Asked string

	// Steps are how far it is, as a parcel is tracked; none for a draft.
	Steps []shell.Step
	// Unanswered is set while an emergency waits.
	Unanswered *unanswered
	// Rung is at whom an emergency rang; nil for every other, and while that cannot be read.
	Rung *rung
	// Queue is where the referral stands in the queue that is worked through; nil for who came from elsewhere.
	Queue *queue.Bar

	earlier map[string][]earlier
}

// Path is where the parts of the page are fetched again.
func (d pageData) Path() string {
	if d.Queue != nil {
		return "/referrals/" + d.GetId() + "?queue=1"
	}
	return onList(d.GetId(), d.Actions.List)
}

// onList is the page of a referral for who came from a work list of follow-ups; "" is none.
func onList(id, list string) string {
	if list == "" {
		return "/referrals/" + id
	}
	return "/referrals/" + id + "?list=" + url.QueryEscape(list)
}

// Down tells that the patient comes back to the township.
func (d pageData) Down() bool { return d.GetDirection().String() == "DOWN" }

// ConsentAwaited tells that the consent of an emergency is still to be brought.
func (d pageData) ConsentAwaited() bool {
	return d.GetConsent().GetDeferredReason() != "" && d.GetConsent().GetGivenBy() == ""
}

// Answered tells that something came back, or is on its way.
func (d pageData) Answered() bool { return d.GetReply() != nil && d.GetConcludeTime() != nil }

// ReplySlip tells that what came back can be printed as 回转单: nobody travels for a question.
func (d pageData) ReplySlip() bool {
	return d.Answered() && d.GetDirection() == commonv1.Direction_UP && d.GetKind() != commonv1.Kind_ADVICE
}

// AddDocuments tells that the visitor may add documents to the record: the sender always, the receiver when the patient has come.
func (d pageData) AddDocuments() bool {
	switch d.GetState() {
	case referralv1.State_ARRIVED, referralv1.State_ADMITTED, referralv1.State_CONCLUDED, referralv1.State_FOLLOW_UP:
		return d.Sending || d.Receiving && d.GetKind() != commonv1.Kind_ADVICE
	case referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW:
		return d.Sending
	}
	return false
}

// Rest tells that there is something to do beside what the page is for.
func (d pageData) Rest() bool { return d.SendDown() || len(d.Actions.rest()) > 0 }

// Unfolded tells that the rest is to be seen at once.
func (d pageData) Unfolded() bool { return d.Actions.Unfolded() }

// SendDown tells that the visitor's hospital may send this patient back from here; who was only asked about has not come.
func (d pageData) SendDown() bool {
	if d.GetKind() == commonv1.Kind_ADVICE {
		return false
	}
	switch d.GetState() {
	case referralv1.State_ARRIVED, referralv1.State_ADMITTED, referralv1.State_CONCLUDED:
		return d.Receiving && d.GetDirection().String() == "UP" && d.GetDownReferral() == ""
	}
	return false
}

// Missing is where the form has what the receiver asks for, for who sent it; nil where that is not said.
func (d pageData) Missing() *parts.Asked {
	if !d.Sending {
		return nil
	}
	return parts.AskedOf(d.Referral)
}

// Was is what stood at a path of the referral before it was corrected, the oldest first.
func (d pageData) Was(path string) []earlier { return d.earlier[path] }

func (p *Pages) page(w http.ResponseWriter, r *http.Request) error {
	part := r.Header.Get("X-Fragment")
	switch part {
	case "times":
		return p.times(w, r)
	case "head", "case", "timeline", "thread", "actions", "place", "rung":
	default:
		part = ""
	}
	data, err := p.load(r, part)
	if err != nil {
		return err
	}
	if data.Queue != nil {
		data.Queue.Answered = p.Queue.TakeAnswered(w, r)
	}
	if r.Header.Get("X-Fragment") == "panel" {
		return p.Shell.Fragment(w, r, p.pageSet, "panel", data)
	}
	if part != "" {
		if part == "actions" && data.Actions.unchanged(r) {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		if part == "rung" {
			return p.Shell.Fragment(w, r, p.pageSet, part, data.Rung)
		}
		if part == "place" {
			return p.Shell.Fragment(w, r, p.pageSet, part, data.Place)
		}
		return p.Shell.Fragment(w, r, p.pageSet, part, data)
	}
	return p.show(w, r, http.StatusOK, data)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, data pageData) error {
	nav := "referrals"
	switch {
	case data.Actions.List != "":
		nav = "followups"
	case data.Receiving:
		nav = "desk"
	}
	return p.Shell.Render(w, r, p.pageSet, shell.Page{Title: "referral.title", Nav: nav, Status: status, Data: data})
}

// load reads the referral and what stands in one part of its page, "" for all of it. Opening the page marks the referral as
// seen and the visitor's notices about it as read.
func (p *Pages) load(r *http.Request, part string) (pageData, error) {
	ctx := r.Context()
	referral, err := p.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: r.PathValue("id")})
	if err != nil {
		return pageData{}, err
	}
	visitor, _ := door.VisitorFrom(ctx)
	data := pageData{Row: p.Shell.Rows(r, []*referralv1.Referral{referral})[0]}
	p.reasons(r, &data)
	data.Receiving = referral.GetReceiver().GetOrganizationId() == visitor.Account.GetOrganizationId()
	data.Sending = referral.GetOriginator().GetOrganizationId() == visitor.Account.GetOrganizationId()
	data.Actions.List = followups.List(r.FormValue("list"))
	all := part == ""
	if all && r.Method == http.MethodGet {
		p.seen(r, referral)
	}
	if all && data.Receiving && r.FormValue("queue") != "" {
		// Without the queue its referral can be answered all the same.
		if bar, err := p.Queue.Bar(r, referral.GetId()); err == nil {
			data.Queue = &bar
		}
	}
	var history []*referralv1.HistoryRow
	if all || part == "head" || part == "timeline" {
		list, err := p.Referral.ListHistory(ctx, &referralv1.ListHistoryRequest{Id: data.GetId()})
		if err != nil {
			return pageData{}, err
		}
		history = list.GetHistory()
	}
	if all || part == "head" || part == "rung" || part == "timeline" {
		p.readRung(r, &data)
	}
	if all || part == "head" {
		p.booking(r, &data)
		p.track(&data, history)
		p.unanswered(r, &data)
	}
	if all || part == "place" {
		p.place(r, &data)
	}
	if all || part == "case" {
		p.content(r, &data)
	}
	if all || part == "thread" {
		p.thread(r, &data)
	}
	if all || part == "timeline" {
		p.story(r, &data, history)
	}
	if all || part == "actions" {
		if data.Actions, err = p.actions(r, referral); err != nil {
			return pageData{}, err
		}
		data.Actions.InQueue = data.Receiving && r.FormValue("queue") != ""
	}
	if all {
		p.record(r, &data)
		p.recognised(r, &data)
	}
	return data, nil
}

// reasons are the words of the last answer's code, and of what was asked for before the referral was sent again.
func (p *Pages) reasons(r *http.Request, data *pageData) {
	data.Reason = p.Shell.ReasonOf(r, data.Referral)
	if data.GetState() == referralv1.State_SUBMITTED && data.GetReasonCode() != "" {
		data.Asked = p.Shell.Reason(r, "return", data.GetReasonCode())
	}
}

func (p *Pages) seen(r *http.Request, referral *referralv1.Referral) {
	if referral.GetUnread() {
		_, _ = p.Referral.MarkSeen(r.Context(), &referralv1.MarkSeenRequest{Id: referral.GetId()})
	}
	_, _ = p.Notification.AcknowledgeReferral(r.Context(), &notificationv1.AcknowledgeReferralRequest{ReferralId: referral.GetId()})
}

// booking reads what is booked, and not what was given up or left. Without scheduling the page shows the expected time that the referral keeps itself.
func (p *Pages) booking(r *http.Request, data *pageData) {
	if data.GetBookingId() == "" {
		return
	}
	booking, err := p.Scheduling.GetBooking(r.Context(), &schedulingv1.GetBookingRequest{Id: data.GetBookingId()})
	left := booking.GetWard() != "" && data.GetConcludeTime() != nil // the fact that frees the bed may still be on its way
	if err == nil && booking.GetState() != schedulingv1.BookingState_RELEASED && !left {
		data.Booking, data.Before = booking, p.Shell.Preparation(r, booking)
	}
}

// track follows the referral as a parcel is followed; when it was answered stands in its history.
func (p *Pages) track(data *pageData, history []*referralv1.HistoryRow) {
	var answered *timestamppb.Timestamp
	for _, row := range history {
		if row.GetAction() == "accept" || row.GetAction() == "rebook" {
			answered = row.GetTime()
		}
	}
	data.Steps = shell.Track(data.Referral, answered, p.Shell.Now())
}

// handedOver reads the package, of the submission that the address names or else of the latest, and how complete it was.
func (p *Pages) handedOver(r *http.Request, data *pageData) {
	if data.GetState() == referralv1.State_DRAFT || data.GetDirection() == commonv1.Direction_OUT {
		return
	}
	// What is no number is the latest.
	version, _ := strconv.ParseInt(r.URL.Query().Get("package"), 10, 32)
	var err error
	data.Package, err = p.Record.GetPackage(r.Context(), &patientrecordv1.GetPackageRequest{ReferralId: data.GetId(), Version: int32(max(0, version))})
	data.PackageAway = err != nil && errs.KindOf(err) != errs.KindNotFound
	if data.Answered() {
		data.Back, err = p.Record.GetPackage(r.Context(), &patientrecordv1.GetPackageRequest{ReferralId: data.GetId(), Reply: true})
		data.BackAway = err != nil && errs.KindOf(err) != errs.KindNotFound
	}
	answer, err := p.Handover.GetCompleteness(r.Context(), &referralv1.GetCompletenessRequest{ReferralId: data.GetId()})
	data.Complete = parts.Completeness{Away: err != nil}
	if err == nil {
		data.Complete = parts.Completed(p.Shell, r, answer, false)
	}
}

// record reads what the visitor may see of the record: the package as at submission for the receiver, which after arrival
// may read the whole summary, and the summary for the sender. Without it the page shows the form and says so.
func (p *Pages) record(r *http.Request, data *pageData) {
	ctx := r.Context()
	p.handedOver(r, data)
	if data.Receiving && data.Package != nil {
		data.Summary = data.Package.GetSummary()
	}
	early := data.GetState() == referralv1.State_SUBMITTED || data.GetState() == referralv1.State_RETURNED || data.GetState() == referralv1.State_ACCEPTED
	if data.Summary == nil || (data.Receiving && !early) {
		if summary, err := p.Record.GetSummary(ctx, &patientrecordv1.GetSummaryRequest{PatientId: data.GetPatientId()}); err == nil {
			data.Summary, data.Whole = summary, true
		}
	}
}
