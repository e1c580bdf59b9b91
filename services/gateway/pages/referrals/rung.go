package referrals

import (
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// rung is at whom an emergency rang, and who telephoned about it.
type rung struct {
	*notificationv1.Rung
	ReferralID string
	// Sending: the visitor's organisation sent the patient, and may say that it telephoned.
	Sending   bool
	Form      shell.Form
	Problem   string
	RequestID string
}

// Ringing tells that nobody has taken it on yet.
func (g rung) Ringing() bool { return g.GetState() == "RINGING" }

// readRung reads it for an emergency that was sent up; without an answer the page does without.
func (p *Pages) readRung(r *http.Request, data *pageData) {
	if data.GetUrgency() != commonv1.Urgency_EMERGENCY || data.GetSubmitTime() == nil && data.GetState() == referralv1.State_DRAFT {
		return
	}
	answer, err := p.Alarm.GetRung(r.Context(), &notificationv1.GetRungRequest{ReferralId: data.GetId()})
	if err != nil {
		return
	}
	data.Rung = &rung{Rung: answer, ReferralID: data.GetId(), Sending: data.Sending && !data.Receiving, RequestID: id.New()}
}

// rows are what the timeline says of it: who took it on, and who telephoned.
func (g *rung) rows(receiver, sender string) (out []historyRow) {
	if g == nil {
		return nil
	}
	if name := g.GetAcknowledgeAccountName(); name != "" && g.GetAcknowledgeTime() != nil {
		out = append(out, historyRow{Organization: receiver, HistoryRow: &referralv1.HistoryRow{
			Kind: "MARK", Action: "alarm_taken", Time: g.GetAcknowledgeTime(), Actor: &commonv1.Actor{AccountId: g.GetAcknowledgeAccountId(), Name: name},
		}})
	}
	for _, c := range g.GetCalls() {
		one := historyRow{Call: c, HistoryRow: &referralv1.HistoryRow{
			Kind: "MARK", Action: "telephoned", Time: c.GetTime(), Actor: &commonv1.Actor{AccountId: c.GetAccountId(), Name: c.GetAccountName()}, Note: c.GetNote(),
		}}
		if c.GetOutcome() == "TELEPHONED" {
			one.Organization = sender
		}
		out = append(out, one)
	}
	return out
}

// newestFirst puts what the alarm says among the history.
func newestFirst(rows []historyRow) {
	slices.SortStableFunc(rows, func(a, b historyRow) int { return b.GetTime().AsTime().Compare(a.GetTime().AsTime()) })
}

// telephoned notes that the sender telephoned; who took it on meanwhile is told by the page itself.
func (p *Pages) telephoned(w http.ResponseWriter, r *http.Request) error {
	request := &notificationv1.RecordTelephonedRequest{
		ReferralId: r.PathValue("id"), ReachedName: r.PostFormValue("reachedName"), Note: r.PostFormValue("note"), RequestId: r.PostFormValue("requestId"),
	}
	var err error
	if request.Time, err = p.clockTime(r.PostFormValue("time")); err == nil {
		_, err = p.Alarm.RecordTelephoned(r.Context(), request)
	}
	switch {
	case err == nil:
		p.Shell.Flash(w, "calls.recorded")
	case errs.KindOf(err) == errs.KindWrongState:
		p.Shell.Flash(w, "rung.over")
	default:
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			data, err := p.load(r, "")
			if err != nil {
				return err
			}
			if data.Rung != nil {
				data.Rung.Form, data.Rung.Problem, data.Rung.RequestID = again.Form, again.Problem, again.RequestID
			}
			return p.show(w, r, again.Status, data)
		})
	}
	http.Redirect(w, r, "/referrals/"+r.PathValue("id"), http.StatusSeeOther)
	return nil
}

// clockTime is a time of today in the county's zone, or of yesterday where today's is still far away (it was just midnight); nil for "".
func (p *Pages) clockTime(typed string) (*timestamppb.Timestamp, error) {
	if typed == "" {
		return nil, nil
	}
	at, err := time.Parse("15:04", typed)
	if err != nil {
		return nil, errs.Invalid(errs.Bad("time", errs.ReasonFieldInvalid))
	}
	const half = 12 * time.Hour
	now := p.Shell.Now()
	out := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, now.Location())
	if out.Sub(now) > half {
		out = out.AddDate(0, 0, -1)
	}
	return timestamppb.New(out), nil
}
