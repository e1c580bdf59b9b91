package referrals

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/followups"
	"github.com/tongzhen/tongzhen/services/gateway/pages/queue"
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

// draft is what the browser keeps the form under. Each visit has its own: what was typed for one is not proposed for the next.
func (c command) draft() string {
	name := c.action + ":" + c.id
	if c.action == "record_visit" {
		name += ":" + c.get("plan.number.0")
	}
	return name
}

// doer carries out a command and answers the address to go on to, "" for the referral's page.
type doer = func(context.Context, command) (next string, err error)

// everything is what can be done on the page, by the name of the action or mark.
func (p *Pages) everything() map[string]doer {
	all := p.plain()
	for _, group := range []map[string]doer{p.written(), p.followUps(), p.marks()} {
		maps.Copy(all, group)
	}
	return all
}

// act carries out an action and goes back to the referral.
func (p *Pages) act(w http.ResponseWriter, r *http.Request) error {
	do, ok := p.doers[r.PathValue("action")]
	if !ok {
		return errs.NotFound("action")
	}
	c, err := commandOf(r, r.PathValue("action"))
	if err != nil {
		return err
	}
	if c.get("do") == "times" {
		return p.look(w, r, c)
	}
	inQueue := c.get("queue") != "" && queue.Leads(c.action)
	after, following := "", ""
	if inQueue {
		after, following = p.Queue.After(r, c.id, c.get("queue"))
	}
	next, err := do(r.Context(), c)
	if err != nil {
		return p.refused(w, r, c, err)
	}
	if inQueue {
		queue.SayAnswered(w, c.action, c.id, following)
		http.Redirect(w, r, after, http.StatusSeeOther)
		return nil
	}
	if next == "" {
		next = onList(c.id, followups.List(c.get("list")))
	}
	if c.get("back") != "" { // a list from which it was done
		next = shell.LocalPath(c.get("back"))
		if c.action == "arrive" {
			queue.SayAnswered(w, c.action, c.id, "")
			http.Redirect(w, r, next, http.StatusSeeOther)
			return nil
		}
	}
	p.Shell.Flash(w, "done."+c.action, c.draft())
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// commandOf reads the form. A mark stands on no version.
func commandOf(r *http.Request, action string) (command, error) {
	if err := r.ParseForm(); err != nil {
		return command{}, errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	c := command{action: action, id: r.PathValue("id"), requestID: r.PostFormValue("requestId"), form: r.PostForm}
	if isMark(action) {
		return c, nil
	}
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return command{}, errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	c.version = int32(version)
	return c, nil
}

// refused shows the referral as it is now with the form as it was sent.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, c command, cause error) error {
	cause = shell.Called(cause, p.labels(r, c.action))
	maps.Copy(r.Form, c.form) // the page shows what can be done with what the form holds by now
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r, "")
		if err != nil {
			return err
		}
		again.Form.Errors = p.fieldErrors(r, cause)
		a := &data.Actions
		a.Failed, a.Form, a.RequestID = c.action, again.Form, again.RequestID
		if a.Problem = again.Problem; a.Problem == "" || errs.KindOf(cause) == errs.KindStale {
			a.Problem = p.Shell.ErrorText(r, cause)
		}
		switch errs.KindOf(cause) {
		case errs.KindStale, errs.KindWrongState:
			a.Since = since(data.History, c.version)
		default:
			if !isMark(c.action) {
				a.Version = again.Version(a.Version)
			}
		}
		if !a.Has(c.action) {
			a.Typed = typed(c.form)
		}
		switch c.action {
		case "begin_follow_up", "revise_plan":
			a.Plan.again(c.form, a.Form)
		}
		return p.show(w, r, again.Status, data)
	})
}

// fieldErrors are [shell.Shell.FieldErrors], and with them those of single items ("plan.visits[2].due"), which are shown
// beside the item.
func (p *Pages) fieldErrors(r *http.Request, cause error) []shell.FieldError {
	list := p.Shell.FieldErrors(r, cause)
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return list
	}
	for i, said := range list {
		if said.Name == "reply.medications" {
			list[i].Text = p.untold(r, e.Fields)
		}
	}
	for _, f := range e.Fields {
		if strings.Contains(f.Name, "[") && !strings.HasPrefix(f.Name, "reply.") {
			list = append(list, shell.FieldError{Name: f.Name, Text: p.Shell.ErrorText(r, errs.Invalid(f))})
		}
	}
	return list
}

// labels are what the form of an action calls its note.
func (p *Pages) labels(r *http.Request, action string) map[string]string {
	if key := "action.note." + action; p.Shell.T(r, key) != key {
		return map[string]string{"note": key}
	}
	return nil
}

// since are the transitions after a version, the oldest first.
func since(newestFirst []historyRow, version int32) []historyRow {
	var out []historyRow
	for _, row := range slices.Backward(newestFirst) {
		if row.GetKind() == "TRANSITION" && row.GetVersion() > version {
			out = append(out, row)
		}
	}
	return out
}

// typed is the free text of a form that has no place on the page any more.
func typed(form url.Values) []string {
	var out []string
	for _, name := range strings.Fields("answer reply.diagnosis reply.findings reply.treatment reply.nextSteps reply.medications findings.note plan.goal after text note") {
		if name == "plan.goal" && form.Has("visit") { // the plan on which a visit stands, which nobody typed
			continue
		}
		if text := strings.TrimSpace(form.Get(name)); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// call is a transition of the referral service.
type call[In any] = func(context.Context, In, ...grpc.CallOption) (*referralv1.Referral, error)

// plain are the actions that carry at most a reason.
func (p *Pages) plain() map[string]doer {
	simple := func(f call[*referralv1.ActionRequest]) doer {
		return func(ctx context.Context, c command) (string, error) {
			_, err := f(ctx, &referralv1.ActionRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Note: c.get("note")})
			return "", err
		}
	}
	reasoned := func(f call[*referralv1.ReasonRequest]) doer {
		return func(ctx context.Context, c command) (string, error) {
			_, err := f(ctx, &referralv1.ReasonRequest{Id: c.id, Version: c.version, RequestId: c.requestID, ReasonCode: c.get("reasonCode"), Note: c.get("note")})
			return "", err
		}
	}
	return map[string]doer{
		"resubmit": simple(p.Referral.Resubmit), "arrive": simple(p.Referral.Arrive), "no_show": simple(p.Referral.NoShow), "acknowledge": simple(p.Referral.Acknowledge),
		"return": reasoned(p.Referral.Return), "decline": reasoned(p.Referral.Decline), "cancel": reasoned(p.Referral.Cancel),
		"undo_arrive": reasoned(p.Referral.UndoArrive), "undo_admit": reasoned(p.Referral.UndoAdmit),
	}
}

// written are the receiver's answers that carry more.
func (p *Pages) written() map[string]doer {
	return map[string]doer{
		"accept": p.accept(p.Referral.Accept), "rebook": p.accept(p.Referral.Rebook),
		"redirect": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.Redirect(ctx, &referralv1.RedirectRequest{
				Id: c.id, Version: c.version, RequestId: c.requestID, ReasonCode: c.get("reasonCode"), Note: c.get("note"),
				Receiver: partyOf(c.get("receiver")),
			})
			return "", err
		},
		"admit": p.admit,
		"conclude": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.Conclude(ctx, concludeRequest(c))
			return "", err
		},
		"answer": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.Answer(ctx, &referralv1.AnswerRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Answer: c.get("answer")})
			return "", err
		},
	}
}

func concludeRequest(c command) *referralv1.ConcludeRequest {
	reply := &referralv1.Reply{
		Diagnosis: c.get("reply.diagnosis"), Findings: c.get("reply.findings"),
		Treatment: c.get("reply.treatment"), NextSteps: c.get("reply.nextSteps"),
	}
	reply.Medications = medicationsOf(c.get("reply.medications"))
	return &referralv1.ConcludeRequest{Id: c.id, Version: c.version, RequestId: c.requestID, OutcomeCode: c.get("outcomeCode"), Reply: reply, Note: c.get("note")}
}
