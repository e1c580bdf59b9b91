package rpc_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/rpc"
)

func view(t *rapid.T) app.View {
	text := rapid.StringN(0, 20, -1)
	say := func(label string) string { return text.Draw(t, label) }
	when := func(label string) time.Time {
		if rapid.Bool().Draw(t, label+"?") {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, label)).UTC()
	}
	party := func(label string) domain.Party {
		return domain.Party{OrganizationID: say(label), DepartmentCode: say(label), PractitionerID: say(label)}
	}
	direction := rapid.SampledFrom([]domain.Direction{domain.Up, domain.Down, domain.Out}).Draw(t, "direction")
	s := domain.Snapshot{
		ID: say("id"), Version: rapid.Int32().Draw(t, "version"), State: rapid.SampledFrom(domain.States()).Draw(t, "state"),
		Direction: direction, Kind: rapid.SampledFrom(domain.KindsOf(direction)).Draw(t, "kind"),
		Urgency:   rapid.SampledFrom([]domain.Urgency{"", domain.UrgencyEmergency, domain.UrgencyUrgent, domain.UrgencyRoutine}).Draw(t, "urgency"),
		PatientID: say("patient id"),
		Patient: domain.Patient{
			Name: say("name"), Sex: rapid.SampledFrom([]string{"", "MALE", "FEMALE", "UNKNOWN", "NOT_STATED"}).Draw(t, "sex"), BirthDate: say("birth"),
			MaskedIdentityNumber: say("identity"), Phone: say("phone"), Address: say("address"), HealthRecordNumber: say("record"),
		},
		Originator: party("originator"), Receiver: party("receiver"),
		Form: domain.Form{
			InitialImpression: say("1"), PresentIllness: say("2"), PastHistory: say("3"), Treatment: say("4"), Diagnosis: say("5"),
			InpatientNumber: say("6"), ExaminationResults: say("7"), NextPlan: say("8"), RehabilitationAdvice: say("9"),
		},
		Consent: domain.Consent{
			GivenBy: say("by"), Relation: say("relation"), Method: say("method"), At: when("at"), TextVersion: say("text"), DeferredReason: say("deferred"),
		},
		TransferNote: say("note"), Transport: say("transport"), OriginatorPhone: say("phone"), HoldID: say("hold"), HoldLost: rapid.Bool().Draw(t, "lost"),
		Booking: domain.Booking{ID: say("booking")}, WalkIn: rapid.Bool().Draw(t, "walk in"), Expected: domain.Window{From: when("from"), To: when("to")},
		Ward: say("ward"), Bed: say("bed"), Outcome: say("outcome"), ReasonCode: say("reason"), Note: say("remark"),
		Reply:      domain.Reply{Diagnosis: say("a"), Findings: say("b"), Treatment: say("c"), NextSteps: say("d")},
		SubmitTime: when("submitted"), DueTime: when("due"), CreateTime: when("created"), UpdateTime: when("updated"),
	}
	if rapid.Bool().Draw(t, "number?") {
		s.Number, _ = domain.NewNumber("450321", 2026, rapid.Int64Range(1, domain.MaxSequence).Draw(t, "number"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "diagnoses") {
		s.Diagnoses = append(s.Diagnoses, domain.Diagnosis{System: say("system"), Code: say("code"), Display: say("display")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "medications") {
		s.Reply.Medications = append(s.Reply.Medications, domain.Medication{Name: say("medicine"), Dosage: say("dosage"), Specification: say("form")})
	}
	s.Reply.Answer = say("answer")
	later(t, &s, say, when)
	return app.View{Snapshot: s, Unread: rapid.Bool().Draw(t, "unread")}
}

// later draws what belongs to the later life of a referral. Free text of a plan has no blanks around it: they are taken off.
func later(t *rapid.T, s *domain.Snapshot, say func(string) string, when func(string) time.Time) {
	count := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	s.ReplyTo, s.Escalated, s.DownReferral, s.BounceBackOf, s.BouncedBy = say("reply to"), say("escalated"), say("down"), say("bounces"), say("bounced")
	s.LinkKind = rapid.SampledFrom([]domain.LinkKind{"", domain.LinkAnswers, domain.LinkWorsened, domain.LinkConverted}).Draw(t, "link")
	s.Retrospective, s.Destination, s.FamilyDoctor = rapid.Bool().Draw(t, "retrospective"), say("destination"), say("doctor")
	s.ArriveTime, s.AdmitTime, s.ConcludeTime, s.CloseTime = when("arrived"), when("admitted"), when("concluded"), when("closed")
	s.DepartTime, s.ExpectedArrival, s.WrittenTime = when("departed"), when("expected"), when("written")
	s.Verdict = rapid.SampledFrom(append(domain.Verdicts(), "")).Draw(t, "verdict")
	s.VerdictNote, s.Corrections = say("verdict note"), count("corrections", 1000)
	for range count("criteria", 3) {
		s.MatchedCriteria = append(s.MatchedCriteria, say("criterion"))
	}
	for range count("found", 3) {
		v := domain.ClinicalValue{Name: say("found"), Time: when("measured")}
		if number, finding := rapid.Float64().Draw(t, "number"), rapid.Bool().Draw(t, "finding"); rapid.Bool().Draw(t, "is a number") {
			v.Number = &number
		} else {
			v.Finding = &finding
		}
		s.Values = append(s.Values, v)
	}
	s.Modality = say("modality")
	for range count("supplements", 3) {
		s.Supplemented = append(s.Supplemented, say("supplement"))
	}
	for range count("items", 3) {
		s.ExamItems = append(s.ExamItems, domain.Diagnosis{System: say("system"), Code: say("code"), Display: say("display")})
	}
	for range count("medicines", 3) {
		s.Medicines = append(s.Medicines, domain.Medicine{
			Name: say("name"), Specification: say("specification"), Dosage: say("dosage"), Days: count("days", 365),
			Availability: domain.Availability(say("availability")), Decision: say("decision"), Substitute: say("substitute"), DecisionNote: say("why"),
		})
	}
	s.Plan = domain.FollowUpPlan{Template: say("template"), Condition: say("condition"), Goal: strings.TrimSpace(say("goal"))}
	for range count("visits", 3) {
		v := domain.PlannedVisit{Number: count("number", 60), Due: say("due"), Mode: say("mode")}
		for range count("visit items", 2) {
			v.Items = append(v.Items, say("item"))
		}
		if v.Done = rapid.Bool().Draw(t, "done"); v.Done {
			v.DoneTime, v.DoneBy = when("done at"), domain.Actor{AccountID: say("account"), Name: say("name"), OrganizationID: say("organisation")}
			v.Findings = domain.Findings{
				Result: say("result"), MedicationTaking: say("taking"), AdverseReaction: rapid.Bool().Draw(t, "reaction"), Note: strings.TrimSpace(say("found")),
			}
			for range count("values", 2) {
				v.Findings.Values = append(v.Findings.Values, domain.Measured{Name: say("value"), Number: rapid.Float64().Draw(t, "number"), Unit: say("unit")})
			}
		}
		s.Plan.Visits = append(s.Plan.Visits, v)
	}
}

// inside is what the message of a referral leaves out, as no page shows it: who created it, and what the service keeps for its own
// figures and for taking an arrival back. Of a booking the message has the id, not the hold.
func inside() []string {
	return []string{
		"County", "AccountID", "ArrivedFrom", "FirstDue", "AnswerTime", "FirstAnswer", "AcceptTime", "NoShowTime", "FollowUpTime", "DownArrived", "FirstReason", "MissedSteps",
		"Completeness", // told by HandoverService
	}
}

func TestAReferralCrossesTheWireWithoutLoss(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := view(t)
		b, err := rpc.EncodeAnswer(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := rpc.DecodeAnswer(b)
		if err != nil {
			t.Fatal(err)
		}
		want, got := reflect.ValueOf(in.Snapshot), reflect.ValueOf(out.Snapshot)
		for i := range want.NumField() {
			if !reflect.DeepEqual(want.Field(i).Interface(), got.Field(i).Interface()) {
				t.Fatalf("%s is lost", want.Type().Field(i).Name)
			}
		}
		if in.Unread != out.Unread {
			t.Fatal("unread is lost")
		}
	})
}

// A field that is added is either shown, and then drawn above, or named among those that stay inside.
func TestEveryFieldOfAReferralIsShownOrSaidToStayInside(t *testing.T) {
	t.Parallel()
	drawn := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		v := reflect.ValueOf(view(t).Snapshot)
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				drawn[v.Type().Field(i).Name] = true
			}
		}
	})
	for i := range reflect.TypeFor[domain.Snapshot]().NumField() {
		if name := reflect.TypeFor[domain.Snapshot]().Field(i).Name; drawn[name] == slices.Contains(inside(), name) {
			t.Errorf("%s is drawn: %v", name, drawn[name])
		}
	}
}

func FuzzAnyMessageIsReadAndWrittenAgain(f *testing.F) {
	seed, err := proto.Marshal(rpc.Referral(app.View{Snapshot: domain.Snapshot{ID: "r1", Number: "4503212600001234", State: domain.StateDraft}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m referralv1.Referral
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		once := rpc.Referral(rpc.View(&m))
		if twice := rpc.Referral(rpc.View(once)); !proto.Equal(once, twice) {
			t.Error("the second reading differs from the first")
		}
	})
}
