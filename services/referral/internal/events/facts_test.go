package events_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
)

const secret = "秦秘密"

// marks are those of which a fact is told.
func marks() []domain.Action {
	out := []domain.Action{domain.MarkSeen, domain.MarkBounceBack, domain.MarkPersonMerged, domain.MarkDischarged}
	for _, m := range domain.Marks() {
		// Of a conversion the new draft is told.
		if m.Action != domain.MarkConvert {
			out = append(out, m.Action)
		}
	}
	return out
}

func fact(action domain.Action) app.Fact {
	return app.Fact{ID: "fact-1", CauseID: "request-1", Change: domain.Change{
		Action: action, Mark: slices.Contains(marks(), action), From: domain.StateSubmitted, At: time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC), Reason: "NO_BED", Note: secret,
		By: domain.Actor{AccountID: "desk-1", Name: secret, OrganizationID: "hospital"}, HoldID: "hold", BookingID: "booking",
		Detail: map[string]string{"ward": secret}, FormerReceiver: "former",
		After: domain.Snapshot{
			ID: "r1", County: "450321", Number: "4503212600001234", Version: 3, State: domain.StateDeclined, Direction: domain.Up,
			Kind: domain.KindInpatient, Urgency: domain.UrgencyUrgent, PatientID: "patient-1", AccountID: "doctor-1",
			Patient: domain.Patient{Name: secret}, Originator: domain.Party{OrganizationID: "township"},
			Receiver: domain.Party{OrganizationID: "hospital", DepartmentCode: "0304"},
			Form:     domain.Form{PresentIllness: secret}, Note: secret, TransferNote: secret,
		},
	}}
}

// Invariant 8: ids and codes only.
func TestEveryServedActionIsToldWithIdsAndCodesOnly(t *testing.T) {
	t.Parallel()
	told := marks()
	for _, row := range domain.Lifecycle() {
		if !slices.Contains(told, row.Action) {
			told = append(told, row.Action)
		}
	}
	subjects := map[string]bool{}
	for _, action := range told {
		out, err := events.Encode(fact(action))
		if err != nil {
			t.Errorf("%s: %v", action, err)
			continue
		}
		// A patient who came without a referral has arrived like any other.
		if subjects[out.Subject] && action != domain.ActionRecordArrival || bytes.Contains(out.Payload, []byte(secret)) {
			t.Errorf("%s is told as %s, with %q", action, out.Subject, out.Payload)
		}
		subjects[out.Subject] = true
		kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(out.Type))
		if err != nil {
			t.Errorf("%s: %v", action, err)
			continue
		}
		m, ok := kind.New().Interface().(interface {
			proto.Message
			GetMeta() *commonv1.FactMeta
			GetReferral() *referralv1.ReferralFact
		})
		if !ok || proto.Unmarshal(out.Payload, m) != nil || m.GetMeta().GetFactId() != "fact-1" || m.GetReferral().GetReferralId() != "r1" {
			t.Errorf("%s cannot be read back", action)
			continue
		}
		if version := m.GetMeta().GetAggregateVersion(); (version == 0) != slices.Contains(marks(), action) {
			t.Errorf("%s has version %d", action, version)
		}
	}
	if !subjects["referral.v1.450321.arrival_undone"] || !subjects["referral.v1.450321.submitted"] {
		t.Errorf("subjects %v", subjects)
	}
}

func TestAFactSaysWhatItSettlesAndWhomItConcerns(t *testing.T) {
	t.Parallel()
	out, err := events.Encode(fact(domain.ActionDecline))
	if err != nil {
		t.Fatal(err)
	}
	var m referralv1.Declined
	if err := proto.Unmarshal(out.Payload, &m); err != nil {
		t.Fatal(err)
	}
	r := m.GetReferral()
	if r.GetHoldId() != "hold" || r.GetBookingId() != "booking" || r.GetReasonCode() != "NO_BED" || r.GetState() != referralv1.State_DECLINED ||
		r.GetPreviousState() != referralv1.State_SUBMITTED || r.GetNumber() != "450321-26-0000123-4" || m.GetMeta().GetCauseId() != "request-1" {
		t.Errorf("got %v", r)
	}
	if got := m.GetMeta().GetAudience(); !slices.Equal(got, []string{"org:township", "account:doctor-1", "org:hospital", "org:former"}) {
		t.Errorf("audience %q", got)
	}
	draft := fact(domain.ActionCreate)
	draft.Change.After.Number, draft.Change.FormerReceiver = "", ""
	if out, err = events.Encode(draft); err != nil {
		t.Fatal(err)
	}
	var c referralv1.Created
	if err := proto.Unmarshal(out.Payload, &c); err != nil {
		t.Fatal(err)
	}
	if got := c.GetMeta().GetAudience(); !slices.Equal(got, []string{"org:township", "account:doctor-1"}) {
		t.Errorf("audience of a draft %q", got)
	}
}

// By such marks linked referrals learn of each other; what caused them is told.
func TestWhatOnlyTheTimelineKeepsIsNotTold(t *testing.T) {
	t.Parallel()
	for _, action := range []domain.Action{domain.MarkAnsweredBy, domain.MarkConvert, domain.MarkNormCheck, domain.MarkDeadlinePassed} {
		if _, err := events.Encode(fact(action)); err == nil || events.Told(action) {
			t.Errorf("%s is told", action)
		}
	}
	if !events.Told(domain.MarkMessage) || !events.Told(domain.ActionEscalate) {
		t.Error("a message or an escalation is not told")
	}
}

func TestAnOrganisationFactReachesTheProjection(t *testing.T) {
	t.Parallel()
	ports := &projection{}
	payload, err := proto.Marshal(&directoryv1.OrganisationChanged{
		Meta: &commonv1.FactMeta{FactId: "f1"},
		Organization: &directoryv1.Organization{
			Id: "o1", County: "450321", Version: 4, Name: "白沙镇卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE,
		},
		Departments: []*directoryv1.Department{{OrganizationId: "o1", Code: "02", Name: "全科医疗科"}, {OrganizationId: "o1", Code: "50", Name: "中医科", Disabled: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	handle := events.OnDirectory(ports)
	if err := handle(t.Context(), bus.Msg{ID: "f1", Payload: payload}); err != nil {
		t.Fatal(err)
	}
	if got := ports.got; got.ID != "o1" || got.Type != "TOWNSHIP_CENTRE" || len(got.Departments) != 1 || ports.fact != "f1" {
		t.Errorf("got %+v by %s", got, ports.fact)
	}
	for _, bad := range [][]byte{{0xff}, nil} {
		if err := handle(t.Context(), bus.Msg{ID: "f2", Payload: bad}); err == nil {
			t.Errorf("%x is taken", bad)
		}
	}
}
