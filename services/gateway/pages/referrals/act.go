package referrals

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// command is one sent action form.
type command struct {
	action    string
	id        string
	version   int32
	requestID string
	form      url.Values
}

func (c command) get(name string) string { return strings.TrimSpace(c.form.Get(name)) }

// act carries out an action and goes back to the referral.
func (p *Pages) act(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	c := command{action: r.PathValue("action"), id: r.PathValue("id"), version: int32(version), requestID: r.PostFormValue("requestId"), form: r.PostForm}
	if err := p.carryOut(r.Context(), c); err != nil {
		return p.refused(w, r, c, err)
	}
	p.Shell.Flash(w, "done."+c.action)
	http.Redirect(w, r, "/referrals/"+c.id, http.StatusSeeOther)
	return nil
}

func (p *Pages) refused(w http.ResponseWriter, r *http.Request, c command, cause error) error {
	switch errs.KindOf(cause) {
	case errs.KindUnauthenticated, errs.KindNotFound, errs.KindInternal, errs.KindDenied:
		return cause
	}
	data, err := p.load(r)
	if err != nil {
		return err
	}
	data.Actions.Failed = c.action
	data.Actions.Form = shell.Form{Values: c.form, Errors: p.Shell.FieldErrors(r, cause)}
	data.Actions.Problem = p.Shell.ErrorText(r, cause)
	if errs.KindOf(cause) == errs.KindUnavailable {
		// The answer may have been lost on its way: the same request id makes the repetition harmless.
		data.Actions.RequestID = c.requestID
	}
	return p.show(w, r, errs.HTTPStatus(cause), data)
}

// call is a transition of the referral service.
type call[In any] = func(context.Context, In, ...grpc.CallOption) (*referralv1.Referral, error)

func (p *Pages) carryOut(ctx context.Context, c command) error {
	simple := map[string]call[*referralv1.ActionRequest]{
		"resubmit": p.Referral.Resubmit, "arrive": p.Referral.Arrive, "no_show": p.Referral.NoShow, "acknowledge": p.Referral.Acknowledge,
	}
	reasoned := map[string]call[*referralv1.ReasonRequest]{
		"return": p.Referral.Return, "decline": p.Referral.Decline, "cancel": p.Referral.Cancel,
		"undo_arrive": p.Referral.UndoArrive, "undo_admit": p.Referral.UndoAdmit,
	}
	var err error
	switch {
	case simple[c.action] != nil:
		_, err = simple[c.action](ctx, &referralv1.ActionRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Note: c.get("note")})
	case reasoned[c.action] != nil:
		_, err = reasoned[c.action](ctx, &referralv1.ReasonRequest{Id: c.id, Version: c.version, RequestId: c.requestID, ReasonCode: c.get("reasonCode"), Note: c.get("note")})
	case c.action == "accept" || c.action == "rebook":
		err = p.accept(ctx, c)
	case c.action == "redirect":
		organization, department, _ := strings.Cut(c.get("receiver"), "|")
		_, err = p.Referral.Redirect(ctx, &referralv1.RedirectRequest{
			Id: c.id, Version: c.version, RequestId: c.requestID, ReasonCode: c.get("reasonCode"), Note: c.get("note"),
			Receiver: &commonv1.Party{OrganizationId: organization, DepartmentCode: department},
		})
	case c.action == "admit":
		_, err = p.Referral.Admit(ctx, &referralv1.AdmitRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Ward: c.get("ward"), Bed: c.get("bed"), Note: c.get("note")})
	case c.action == "conclude":
		_, err = p.Referral.Conclude(ctx, concludeRequest(c))
	default:
		return errs.NotFound("action")
	}
	return err
}

// accept books what the desk chose: the hold that came with the referral, another slot, a bed, or a walk-in window.
func (p *Pages) accept(ctx context.Context, c command) error {
	request := &referralv1.AcceptRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Note: c.get("note")}
	choice, slot, _ := strings.Cut(c.get("choice"), ":")
	switch choice {
	case "hold":
		request.HoldId = slot
	case "slot", "bed":
		hold, err := p.take(ctx, c, slot)
		if err != nil {
			return err
		}
		request.HoldId = hold
	case "walkin":
		window, err := p.window(c)
		if err != nil {
			return err
		}
		request.WalkIn = window
	default:
		return errs.Invalid(errs.Required("holdId"))
	}
	book := p.Referral.Accept
	if c.action == "rebook" {
		book = p.Referral.Rebook
	}
	_, err := book(ctx, request)
	return err
}

// take holds another slot, or a bed of the receiving department when slot is empty.
func (p *Pages) take(ctx context.Context, c command, slot string) (string, error) {
	referral, err := p.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: c.id})
	if err != nil {
		return "", err
	}
	request := &schedulingv1.CreateHoldRequest{SlotId: slot, PatientId: referral.GetPatientId()}
	if slot == "" {
		request.Bed = &schedulingv1.BedRequest{OrganizationId: referral.GetReceiver().GetOrganizationId(), DepartmentCode: referral.GetReceiver().GetDepartmentCode()}
	}
	hold, err := p.Shell.Hold(ctx, p.Scheduling, request, "answer", c.id, strconv.Itoa(int(c.version)), slot)
	return hold.GetId(), err
}

func (p *Pages) window(c command) (*referralv1.WalkIn, error) {
	parse := func(field string) (time.Time, error) {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.get("date")+" "+c.get(field), p.Shell.Zone())
		if err != nil {
			return at, errs.Invalid(errs.Bad("walkIn."+field, errs.ReasonFieldInvalid))
		}
		return at, nil
	}
	from, err := parse("from")
	if err != nil {
		return nil, err
	}
	to, err := parse("to")
	if err != nil {
		return nil, err
	}
	return &referralv1.WalkIn{From: timestamppb.New(from), To: timestamppb.New(to)}, nil
}

func concludeRequest(c command) *referralv1.ConcludeRequest {
	reply := &referralv1.Reply{
		Diagnosis: c.get("reply.diagnosis"), Findings: c.get("reply.findings"),
		Treatment: c.get("reply.treatment"), NextSteps: c.get("reply.nextSteps"),
	}
	for line := range strings.Lines(c.get("reply.medications")) {
		// One medicine a line: the name, then how it is taken.
		name, dosage, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" {
			reply.Medications = append(reply.Medications, &referralv1.ReplyMedication{Name: name, Dosage: strings.TrimSpace(dosage)})
		}
	}
	return &referralv1.ConcludeRequest{Id: c.id, Version: c.version, RequestId: c.requestID, OutcomeCode: c.get("outcomeCode"), Reply: reply, Note: c.get("note")}
}
