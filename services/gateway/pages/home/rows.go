package home

import (
	"net/http"
	"slices"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// takenWithin is how many days a patient who is taken over with one click has to arrive, as the form of the referral proposes.
const takenWithin = 7

// row is a referral with what the part says of it.
type row struct {
	shell.Row
	// Reason is why it came back.
	Reason string
	// Stock is how the medicines stand at the visitor's centre; nil where none go along.
	Stock *stock
	// Take is the form that takes a patient over with one click; nil where it is not that turn.
	Take *take
}

// stock is the check of the medicines as it was made when the referral was sent.
type stock struct {
	Total int
	// Lacking are those that the centre has not, each with what was decided about it.
	Lacking []*referralv1.DischargeMedicine
	// Unknown: the centre keeps no list, or the medicine is on none by that name.
	Unknown int
}

// take is what its hidden fields carry.
type take struct{ RequestID, From, Until string }

// list asks for one part of the visitor's referrals.
func (p *Pages) list(r *http.Request, out *part, ask *referralv1.ListReferralsRequest) error {
	ask.PageSize = counted
	answer, err := p.Referral.ListReferrals(r.Context(), ask)
	if err != nil {
		return err
	}
	found := answer.GetReferrals()
	out.Count, out.More = len(found), answer.GetNextPageToken() != ""
	now := p.Shell.Now()
	for _, one := range found {
		if one.GetDueTime() != nil && one.GetDueTime().AsTime().Before(now) {
			out.Urgent++
		}
	}
	for _, one := range p.Shell.Rows(r, found[:min(len(found), shown)]) {
		out.Referrals = append(out.Referrals, row{Row: one})
	}
	return nil
}

// returned are those that lack something, those whose patient did not come, and those that were declined lately: all wait for the sender.
func (p *Pages) returned(r *http.Request, out *part) error {
	err := p.list(r, out, &referralv1.ListReferralsRequest{
		View: "outbox", Order: "due", State: []referralv1.State_Code{referralv1.State_RETURNED, referralv1.State_NO_SHOW},
	})
	if err == nil {
		err = p.declined(r, out)
	}
	if err != nil || len(out.Referrals) == 0 {
		return err
	}
	returned, declined := p.Shell.Reasons(r, "return"), p.Shell.Reasons(r, "decline")
	for i, one := range out.Referrals {
		switch one.GetState() {
		case referralv1.State_RETURNED:
			out.Referrals[i].Reason = returned(one.GetReasonCode())
		case referralv1.State_DECLINED:
			out.Referrals[i].Reason = declined(one.GetReasonCode())
		}
	}
	return nil
}

// declined adds those of the last days, after what has a time to be kept.
func (p *Pages) declined(r *http.Request, out *part) error {
	lately, err := p.Shell.DeclinedLately(r, p.Referral)
	if err != nil {
		return err
	}
	out.Count += len(lately)
	for _, one := range p.Shell.Rows(r, lately[:min(len(lately), shown-len(out.Referrals))]) {
		out.Referrals = append(out.Referrals, row{Row: one})
	}
	return nil
}

// back are the patients who come down until their follow-up has begun: to be taken over, to arrive, to be seen for the first time.
func (p *Pages) back(r *http.Request, out *part) error {
	err := p.list(r, out, &referralv1.ListReferralsRequest{
		View: "inbox", Order: "due", Direction: commonv1.Direction_DOWN,
		State: []referralv1.State_Code{referralv1.State_SUBMITTED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW, referralv1.State_ARRIVED},
	})
	now := p.Shell.Now()
	visitor, _ := door.VisitorFrom(r.Context())
	for i, one := range out.Referrals {
		out.Referrals[i].Stock = stockOf(one.GetMedicines())
		if one.GetState() == referralv1.State_SUBMITTED && !shell.IsVillage(visitor.Account) {
			out.Referrals[i].Take = &take{RequestID: id.New(), From: now.Format(time.DateOnly), Until: now.AddDate(0, 0, takenWithin).Format(time.DateOnly)}
		}
	}
	return err
}

func stockOf(medicines []*referralv1.DischargeMedicine) *stock {
	if len(medicines) == 0 {
		return nil
	}
	out := &stock{Total: len(medicines)}
	for _, m := range medicines {
		switch m.GetAvailability() {
		case "MISSING":
			out.Lacking = append(out.Lacking, m)
		case "UNKNOWN", "UNCONFIRMED", "":
			out.Unknown++
		}
	}
	return out
}

func (p *Pages) replies(r *http.Request, out *part) error {
	return p.list(r, out, &referralv1.ListReferralsRequest{View: "outbox", State: []referralv1.State_Code{referralv1.State_CONCLUDED}})
}

// waiting are those at which the county is to act, and those with an appointment, the soonest due first.
func (p *Pages) waiting(r *http.Request, out *part) error {
	return p.list(r, out, &referralv1.ListReferralsRequest{
		View: "outbox", Order: "due", State: []referralv1.State_Code{referralv1.State_SUBMITTED, referralv1.State_ACCEPTED},
	})
}

func (p *Pages) drafts(r *http.Request, out *part) error {
	return p.list(r, out, &referralv1.ListReferralsRequest{View: "outbox", State: []referralv1.State_Code{referralv1.State_DRAFT}})
}

// followUp is one that is due.
type followUp struct {
	*referralv1.FollowUp
	Diagnosis string
	// Organization makes it, when that is not the visitor's.
	Organization string
}

// Late tells that it should have been done before today.
func (f followUp) Late() bool { return f.GetOverdueDays() > 0 }

func (p *Pages) followUps(r *http.Request, out *part) error {
	answer, err := p.FollowUp.ListFollowUps(r.Context(), &referralv1.ListFollowUpsRequest{Due: "today", PageSize: shown})
	if err != nil {
		return err
	}
	out.Urgent = int(answer.GetOverdue())
	out.Count = int(answer.GetDueToday()) + out.Urgent
	for _, f := range answer.GetFollowUps() {
		one := followUp{FollowUp: f}
		if len(f.GetDiagnoses()) > 0 {
			one.Diagnosis = f.GetDiagnoses()[0].GetDisplay()
		}
		if f.GetTheirs() {
			if county, err := p.Shell.Names().County(r.Context()); err == nil {
				one.Organization = county.OrganizationName(p.Shell.Language(r), f.GetOrganizationId())
			}
		}
		out.FollowUps = append(out.FollowUps, one)
	}
	return nil
}

// notice is an unread message.
type notice struct {
	*notificationv1.Notification
	// Patient and Diagnosis are of its referral, "" when it has none that the visitor may read.
	Patient, Diagnosis string
	Organization       string
	// Now is the referral as it stands, nil when the visitor may not read it: a colleague may have done already what the message asks for.
	Now *shell.Row
}

func (p *Pages) notices(r *http.Request, out *part) error {
	list, err := p.Notification.ListNotifications(r.Context(), &notificationv1.ListNotificationsRequest{State: "OPEN", PageSize: shown})
	if err != nil {
		return err
	}
	out.Count = int(list.GetOpenCount())
	var ids []string
	for _, n := range list.GetNotifications() {
		if about := n.GetReferralId(); about != "" && !slices.Contains(ids, about) {
			ids = append(ids, about)
		}
	}
	about := map[string]shell.Row{}
	if len(ids) > 0 {
		// Notices hold ids only; without their referrals they still say what happened.
		if found, err := p.Referral.BatchGetReferrals(r.Context(), &referralv1.BatchGetReferralsRequest{Ids: ids}); err == nil {
			for _, one := range p.Shell.Rows(r, found.GetReferrals()) {
				about[one.GetId()] = one
			}
		}
	}
	county, cerr := p.Shell.Names().County(r.Context())
	for _, n := range list.GetNotifications() {
		one := notice{Notification: n}
		if referral, ok := about[n.GetReferralId()]; ok {
			one.Patient, one.Diagnosis, one.Now = referral.GetPatient().GetName(), referral.Diagnosis, &referral
		}
		if cerr == nil {
			one.Organization = county.OrganizationName(p.Shell.Language(r), n.GetFromOrganizationId())
		}
		out.Notices = append(out.Notices, one)
	}
	return nil
}
