package rpc

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// The two directions of a referral are total and each other's inverse on what a referral shows. What stays inside (the creator, the state
// before an arrival, what only figures go by) is not in the message.

// Referral is the message of a view.
func Referral(v app.View) *referralv1.Referral {
	s := v.Snapshot
	out := &referralv1.Referral{
		Id: s.ID, Number: s.Number.Printed(), Version: s.Version, State: state(s.State),
		Direction: commonv1.Direction_Code(commonv1.Direction_Code_value[string(s.Direction)]),
		Kind:      commonv1.Kind_Code(commonv1.Kind_Code_value[string(s.Kind)]),
		Urgency:   commonv1.Urgency_Code(commonv1.Urgency_Code_value[string(s.Urgency)]),
		PatientId: s.PatientID, Patient: patient(s.Patient), Originator: party(s.Originator), Receiver: party(s.Receiver),
		Form: form(s.Form), Consent: consent(s.Consent), HoldId: s.HoldID, HoldLost: s.HoldLost, BookingId: s.Booking.ID,
		ExpectedFrom: stamp(s.Expected.From), ExpectedTo: stamp(s.Expected.To), Ward: s.Ward, Bed: s.Bed,
		OutcomeCode: s.Outcome, Reply: reply(s.Reply), ReasonCode: s.ReasonCode, Note: s.Note,
		SubmitTime: stamp(s.SubmitTime), DueTime: stamp(s.DueTime), CreateTime: stamp(s.CreateTime), UpdateTime: stamp(s.UpdateTime),
		Unread: v.Unread, TransferNote: s.TransferNote, Transport: s.Transport, OriginatorPhone: s.OriginatorPhone,
	}
	for _, d := range s.Diagnoses {
		out.Diagnoses = append(out.Diagnoses, coding(d))
	}
	if s.WalkIn {
		out.WalkIn = &referralv1.WalkIn{From: stamp(s.Expected.From), To: stamp(s.Expected.To)}
	}
	life(out, s)
	return out
}

// referralCase is the referral as facts tell of it.
func referralCase(s domain.Snapshot) *referralv1.ReferralCase {
	return &referralv1.ReferralCase{
		Id: s.ID, Version: s.Version, Number: s.Number.Printed(), State: state(s.State),
		Direction: commonv1.Direction_Code(commonv1.Direction_Code_value[string(s.Direction)]),
		Kind:      commonv1.Kind_Code(commonv1.Kind_Code_value[string(s.Kind)]),
		Urgency:   commonv1.Urgency_Code(commonv1.Urgency_Code_value[string(s.Urgency)]),
		PatientId: s.PatientID, Originator: party(s.Originator), Receiver: party(s.Receiver), DueTime: stamp(s.DueTime),
	}
}

// View is what a message shows.
func View(m *referralv1.Referral) app.View {
	number, _ := domain.ParseNumber(m.GetNumber())
	s := domain.Snapshot{
		ID: m.GetId(), Number: number, Version: m.GetVersion(), State: domain.State(word(m.GetState())),
		Direction: domain.Direction(word(m.GetDirection())), Kind: domain.Kind(word(m.GetKind())), Urgency: domain.Urgency(word(m.GetUrgency())),
		PatientID: m.GetPatientId(), Patient: toPatient(m.GetPatient()), Originator: toParty(m.GetOriginator()), Receiver: toParty(m.GetReceiver()),
		Form: toForm(m.GetForm()), Consent: toConsent(m.GetConsent()), HoldID: m.GetHoldId(), HoldLost: m.GetHoldLost(),
		Booking: domain.Booking{ID: m.GetBookingId()}, WalkIn: m.GetWalkIn() != nil,
		Expected: domain.Window{From: instant(m.GetExpectedFrom()), To: instant(m.GetExpectedTo())}, Ward: m.GetWard(), Bed: m.GetBed(),
		Outcome: m.GetOutcomeCode(), Reply: toReply(m.GetReply()), ReasonCode: m.GetReasonCode(), Note: m.GetNote(),
		SubmitTime: instant(m.GetSubmitTime()), DueTime: instant(m.GetDueTime()),
		CreateTime: instant(m.GetCreateTime()), UpdateTime: instant(m.GetUpdateTime()),
		TransferNote: m.GetTransferNote(), Transport: m.GetTransport(), OriginatorPhone: m.GetOriginatorPhone(),
	}
	s.Diagnoses = toDiagnoses(m.GetDiagnoses())
	toLife(&s, m)
	return app.View{Snapshot: s, Unread: m.GetUnread()}
}

// EncodeAnswer is an answer as the request log keeps it.
func EncodeAnswer(v app.View) ([]byte, error) { return proto.Marshal(Referral(v)) }

// DecodeAnswer reads an answer of the request log.
func DecodeAnswer(b []byte) (app.View, error) {
	var m referralv1.Referral
	if err := proto.Unmarshal(b, &m); err != nil {
		return app.View{}, fmt.Errorf("decode an answer: %w", err)
	}
	return View(&m), nil
}

func state(s domain.State) referralv1.State_Code {
	return referralv1.State_Code(referralv1.State_Code_value[string(s)])
}

// word is the bare word of an enumeration; "" when it is unspecified.
func word(e fmt.Stringer) string {
	if w := e.String(); w != "UNSPECIFIED" {
		return w
	}
	return ""
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}

func party(p domain.Party) *commonv1.Party {
	return &commonv1.Party{OrganizationId: p.OrganizationID, DepartmentCode: p.DepartmentCode, PractitionerId: p.PractitionerID}
}

func toParty(m *commonv1.Party) domain.Party {
	return domain.Party{OrganizationID: m.GetOrganizationId(), DepartmentCode: m.GetDepartmentCode(), PractitionerID: m.GetPractitionerId()}
}

func coding(d domain.Diagnosis) *commonv1.Coding {
	return &commonv1.Coding{System: d.System, Code: d.Code, Display: d.Display}
}

func toDiagnoses(ms []*commonv1.Coding) []domain.Diagnosis {
	var out []domain.Diagnosis
	for _, m := range ms {
		out = append(out, domain.Diagnosis{System: m.GetSystem(), Code: m.GetCode(), Display: m.GetDisplay()})
	}
	return out
}

func patient(p domain.Patient) *referralv1.PatientSummary {
	return &referralv1.PatientSummary{
		Name: p.Name, Sex: commonv1.Sex_Code(commonv1.Sex_Code_value[p.Sex]), BirthDate: p.BirthDate, MaskedIdentityNumber: p.MaskedIdentityNumber,
		Phone: p.Phone, Address: p.Address, HealthRecordNumber: p.HealthRecordNumber,
	}
}

func toPatient(m *referralv1.PatientSummary) domain.Patient {
	return domain.Patient{
		Name: m.GetName(), Sex: word(m.GetSex()), BirthDate: m.GetBirthDate(), MaskedIdentityNumber: m.GetMaskedIdentityNumber(),
		Phone: m.GetPhone(), Address: m.GetAddress(), HealthRecordNumber: m.GetHealthRecordNumber(),
	}
}

func form(f domain.Form) *referralv1.Form {
	return &referralv1.Form{
		InitialImpression: f.InitialImpression, PresentIllness: f.PresentIllness, PastHistory: f.PastHistory, Treatment: f.Treatment,
		Diagnosis: f.Diagnosis, InpatientNumber: f.InpatientNumber, ExaminationResults: f.ExaminationResults, NextPlan: f.NextPlan,
		RehabilitationAdvice: f.RehabilitationAdvice,
	}
}

func toForm(m *referralv1.Form) domain.Form {
	return domain.Form{
		InitialImpression: m.GetInitialImpression(), PresentIllness: m.GetPresentIllness(), PastHistory: m.GetPastHistory(),
		Treatment: m.GetTreatment(), Diagnosis: m.GetDiagnosis(), InpatientNumber: m.GetInpatientNumber(),
		ExaminationResults: m.GetExaminationResults(), NextPlan: m.GetNextPlan(), RehabilitationAdvice: m.GetRehabilitationAdvice(),
	}
}

func consent(c domain.Consent) *referralv1.Consent {
	if c == (domain.Consent{}) {
		return nil
	}
	return &referralv1.Consent{
		GivenBy: c.GivenBy, Relation: c.Relation, Method: c.Method, At: stamp(c.At), TextVersion: c.TextVersion, DeferredReason: c.DeferredReason,
	}
}

func toConsent(m *referralv1.Consent) domain.Consent {
	return domain.Consent{
		GivenBy: m.GetGivenBy(), Relation: m.GetRelation(), Method: m.GetMethod(), At: instant(m.GetAt()), TextVersion: m.GetTextVersion(),
		DeferredReason: m.GetDeferredReason(),
	}
}

func reply(r domain.Reply) *referralv1.Reply {
	out := &referralv1.Reply{Diagnosis: r.Diagnosis, Findings: r.Findings, Treatment: r.Treatment, NextSteps: r.NextSteps, Answer: r.Answer}
	for _, m := range r.Medications {
		out.Medications = append(out.Medications, &referralv1.ReplyMedication{Name: m.Name, Dosage: m.Dosage, Specification: m.Specification})
	}
	if proto.Size(out) == 0 {
		return nil
	}
	return out
}

func toReply(m *referralv1.Reply) domain.Reply {
	r := domain.Reply{
		Diagnosis: m.GetDiagnosis(), Findings: m.GetFindings(), Treatment: m.GetTreatment(), NextSteps: m.GetNextSteps(), Answer: m.GetAnswer(),
	}
	for _, x := range m.GetMedications() {
		r.Medications = append(r.Medications, domain.Medication{Name: x.GetName(), Dosage: x.GetDosage(), Specification: x.GetSpecification()})
	}
	return r
}

func historyRow(h app.HistoryRow) *referralv1.HistoryRow {
	kind := "TRANSITION"
	if h.Mark {
		kind = "MARK"
	}
	if h.Action == domain.MarkCorrect {
		// What stood there is in the list of corrections.
		h.Detail = nil
	}
	return &referralv1.HistoryRow{
		Kind: kind, Action: string(h.Action), From: state(h.From), To: state(h.To), Time: stamp(h.At),
		Actor:      &commonv1.Actor{AccountId: h.By.AccountID, Name: h.By.Name, OrganizationId: h.By.OrganizationID},
		ReasonCode: h.Reason, Note: h.Note, Version: h.Version, Detail: h.Detail,
	}
}

func action(r domain.Row) *referralv1.Action {
	out := &referralv1.Action{Name: string(r.Action), To: state(r.To), Carries: r.Carries, Final: r.Final}
	for _, s := range r.From {
		out.From = append(out.From, state(s))
	}
	for i, w := range r.Who {
		if i > 0 {
			out.Who += ","
		}
		out.Who += string(w)
	}
	for _, d := range r.Applies.Directions {
		out.Directions = append(out.Directions, commonv1.Direction_Code(commonv1.Direction_Code_value[string(d)]))
	}
	for _, k := range r.Applies.Kinds {
		out.Kinds = append(out.Kinds, commonv1.Kind_Code(commonv1.Kind_Code_value[string(k)]))
	}
	return out
}
