package rpc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

const maxRequestID = 64

// caller is who calls; the server has verified it.
func caller(ctx context.Context) authn.Identity {
	c, _ := authn.FromContext(ctx)
	return c
}

// markRequest is the part that all writes have.
type markRequest interface {
	proto.Message
	GetRequestId() string
}

// command is a write as its caller named it. The hash is over the message in a form that is the same for the same content.
func command(ctx context.Context, method string, m markRequest) (app.Command, error) {
	if len(m.GetRequestId()) > maxRequestID {
		return app.Command{}, errs.Invalid(errs.Bad("requestId", errs.ReasonFieldTooLong, "max", fmt.Sprint(maxRequestID)))
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return app.Command{}, fmt.Errorf("hash the request: %w", err)
	}
	sum := sha256.Sum256(body)
	return app.Command{Caller: caller(ctx), Method: method, RequestID: m.GetRequestId(), BodyHash: sum[:]}, nil
}

// service is the command of a peer, which acts for the county that it names; one whose token names a county may name no other.
func service(ctx context.Context, method, county string) (app.Command, error) {
	c := caller(ctx)
	switch {
	case county == "" && c.County == "":
		return app.Command{}, errs.Invalid(errs.Required("county"))
	case county != "" && c.County != "" && county != c.County:
		return app.Command{}, errs.Denied(errs.ReasonRole)
	case county != "":
		c.County = county
	}
	return app.Command{Caller: c, Method: method}, nil
}

// draft is what the originator typed, without the blanks around it: a field of blanks is an empty one.
func draft(m *referralv1.CreateReferralRequest) domain.Draft {
	return domain.Draft{
		Direction: domain.Direction(word(m.GetDirection())), Kind: domain.Kind(word(m.GetKind())), Urgency: domain.Urgency(word(m.GetUrgency())),
		PatientID: m.GetPatientId(), Receiver: toParty(m.GetReceiver()), Diagnoses: typedDiagnoses(m.GetDiagnoses()),
		Form: typedForm(m.GetForm()), ReplyTo: m.GetReplyTo(), Medicines: typedMedicines(m.GetMedicines()), Plan: toPlan(m.GetPlan()),
		ExamItems: typedItems(m.GetExamItems()), Modality: m.GetModality(), FamilyDoctor: m.GetFamilyDoctor(),
		Consent: typedConsent(m.GetConsent()), TransferNote: trim(m.GetTransferNote()), Transport: m.GetTransport(),
		OriginatorPhone: trim(m.GetOriginatorPhone()), Values: clinicalValues(m.GetValues()),
	}
}

func typedForm(m *referralv1.Form) domain.Form {
	return domain.Form{
		InitialImpression: trim(m.GetInitialImpression()), PresentIllness: trim(m.GetPresentIllness()), PastHistory: trim(m.GetPastHistory()),
		Treatment: trim(m.GetTreatment()), Diagnosis: trim(m.GetDiagnosis()), InpatientNumber: trim(m.GetInpatientNumber()),
		ExaminationResults: trim(m.GetExaminationResults()), NextPlan: trim(m.GetNextPlan()), RehabilitationAdvice: trim(m.GetRehabilitationAdvice()),
	}
}

// typedItems are the tests that an EXAM asks for, in words or by code; a line left empty is none.
func typedItems(ms []*commonv1.Coding) []domain.Diagnosis {
	var out []domain.Diagnosis
	for _, d := range toDiagnoses(ms) {
		d = domain.Diagnosis{System: d.System, Code: trim(d.Code), Display: trim(d.Display)}
		if d.Code != "" || d.Display != "" {
			out = append(out, d)
		}
	}
	return out
}

func typedDiagnoses(ms []*commonv1.Coding) []domain.Diagnosis {
	out := toDiagnoses(ms)
	for i, d := range out {
		code := trim(d.Code)
		// The first letter is upper case; an x after the point is lower case.
		if code != "" {
			code = strings.ToUpper(code[:1]) + code[1:]
		}
		out[i] = domain.Diagnosis{System: "ICD-10", Code: code, Display: trim(d.Display)}
	}
	return out
}

func typedConsent(m *referralv1.Consent) domain.Consent {
	c := toConsent(m)
	c.GivenBy, c.DeferredReason = trim(c.GivenBy), trim(c.DeferredReason)
	return c
}

func typedReply(m *referralv1.Reply) domain.Reply {
	r := toReply(m)
	r.Diagnosis, r.Findings, r.Treatment, r.NextSteps = trim(r.Diagnosis), trim(r.Findings), trim(r.Treatment), trim(r.NextSteps)
	r.Answer = trim(r.Answer)
	for i, x := range r.Medications {
		r.Medications[i] = domain.Medication{Name: trim(x.Name), Dosage: trim(x.Dosage), Specification: trim(x.Specification)}
	}
	return r
}

func trim(s string) string { return strings.TrimSpace(s) }

func acceptance(m *referralv1.AcceptRequest, a domain.Action) app.Acceptance {
	in := app.Acceptance{ID: m.GetId(), Version: m.GetVersion(), Action: a, HoldID: m.GetHoldId(), Note: trim(m.GetNote())}
	if w := m.GetWalkIn(); w != nil {
		in.WalkIn = &domain.Window{From: instant(w.GetFrom()), To: instant(w.GetTo())}
	}
	return in
}

func filter(c authn.Identity, m *referralv1.ListReferralsRequest) app.Filter {
	f := app.Filter{ExpectedOn: m.GetExpectedOn(), SentFrom: m.GetSentFrom(), SentTo: m.GetSentTo(), PageToken: m.GetPageToken(), DeclinedLately: m.GetDeclinedLately(), Query: app.Query{
		Caller: c, Inbox: m.GetView() != "outbox", Outbox: m.GetView() != "inbox",
		Direction: domain.Direction(word(m.GetDirection())), Urgency: domain.Urgency(word(m.GetUrgency())), PatientID: m.GetPatientId(), PatientIDs: m.GetPatientIds(), Number: m.GetNumber(),
		Department: m.GetReceiverDepartment(), Sender: m.GetOriginatorOrganizationId(),
		OnTheWay: m.GetOnTheWay(), WithoutHold: m.GetWithoutHold(), Late: m.GetLate(), ByDue: m.GetOrder() == "due", Limit: int(m.GetPageSize()),
	}}
	for _, s := range m.GetState() {
		if w := word(s); w != "" {
			f.States = append(f.States, domain.State(w))
		}
	}
	for _, k := range m.GetKind() {
		if w := word(k); w != "" {
			f.Kinds = append(f.Kinds, domain.Kind(w))
		}
	}
	return f
}
