package notification_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// publish puts a fact of the referral service on the stream.
func (f *fixture) publish(event string, m interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
}) {
	f.t.Helper()
	f.publishTo("referral.v1."+county+"."+event, m)
}

// publishTo puts a fact of a service on the stream.
func (f *fixture) publishTo(subject string, m interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
}) {
	f.t.Helper()
	payload, err := proto.Marshal(m)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.bus.Publish(f.t.Context(), bus.Msg{
		Subject: subject, ID: m.GetMeta().GetFactId(), Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload,
	}); err != nil {
		f.t.Fatal(err)
	}
}

func meta(at time.Time) *commonv1.FactMeta {
	return &commonv1.FactMeta{FactId: id.New(), County: county, OccurTime: timestamppb.New(at), Actor: &commonv1.Actor{AccountId: "service:referral"}}
}

// one is a context in which somebody with the role calls.
func (f *fixture) one(name, organization, role string) context.Context {
	f.t.Helper()
	return f.As(authn.Identity{Subject: id.FromFact(name), Organization: organization, County: county, Roles: []string{role}})
}

// Invariants 4, 6 and 7, over the wire.
func TestWhoWasToldOfALimitIsListedUntilItsAnswerAcknowledgesIt(t *testing.T) {
	t.Parallel()
	f := start(t)
	now := clock.System().Now()
	referral := &referralv1.ReferralFact{
		ReferralId: id.New(), Number: "450321260000123", Direction: commonv1.Direction_UP, Urgency: commonv1.Urgency_URGENT,
		Originator: &commonv1.Party{OrganizationId: centre}, Receiver: &commonv1.Party{OrganizationId: hospital, DepartmentCode: "0304"},
	}
	for level := range int32(3) {
		f.publish("deadline_passed", &referralv1.DeadlinePassed{
			Meta: meta(now), Referral: referral, Deadline: &referralv1.DeadlineFact{Step: "ANSWER", Level: level + 1, DueTime: timestamppb.New(now)},
		})
		f.next("entry_created")
	}
	ask := &notificationv1.ListToldRequest{ReferralId: referral.GetReferralId()}
	told := func(ctx context.Context) map[string]*notificationv1.Notification {
		t.Helper()
		list, err := f.client.ListTold(ctx, ask)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]*notificationv1.Notification{}
		for _, n := range list.GetNotifications() {
			by[n.GetAccountName()] = n
		}
		return by
	}
	hospitals, countys := told(f.one("desk", hospital, "INTAKE_DESK")), told(f.one("admin", "authority", "COUNTY_ADMIN"))
	if len(hospitals) != 2 || hospitals["name of desk"].GetLevel() != 1 || hospitals["name of head"].GetLevel() != 2 || hospitals["name of head"].GetStep() != "ANSWER" {
		t.Errorf("the hospital is shown %v", hospitals)
	}
	if len(countys) != 3 || countys["name of admin"].GetLevel() != 3 || countys["name of admin"].GetState() != notificationv1.NotificationState_OPEN {
		t.Errorf("the administrator is shown %v", countys)
	}
	paged := &notificationv1.ListToldRequest{ReferralId: referral.GetReferralId(), PageSize: 2}
	first, err := f.client.ListTold(f.one("admin", "authority", "COUNTY_ADMIN"), paged)
	if err != nil || len(first.GetNotifications()) != 2 || first.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", first, err)
	}
	paged.PageToken = first.GetNextPageToken()
	if rest, err := f.client.ListTold(f.one("admin", "authority", "COUNTY_ADMIN"), paged); err != nil || len(rest.GetNotifications()) != 1 || rest.GetNextPageToken() != "" {
		t.Errorf("the second page is %v, %v", rest, err)
	}
	paged.PageSize, paged.PageToken = 500, ""
	if all, err := f.client.ListTold(f.one("admin", "authority", "COUNTY_ADMIN"), paged); err != nil || len(all.GetNotifications()) != 3 {
		t.Errorf("the largest page is %v, %v", all, err)
	}
	if other := told(f.one("doctor", centre, "TOWNSHIP_DOCTOR")); len(other) != 0 {
		t.Errorf("the centre is shown %v", other)
	}
	if _, err := f.client.ListTold(f.one("auditor", hospital, "AUDITOR"), ask); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("an auditor: %v", err)
	}

	f.publish("declined", &referralv1.Declined{Meta: meta(now.Add(time.Second)), Referral: referral})
	created := 0
	for range 4 {
		// Three are acknowledged, and the doctor is told of the answer.
		if bustest.Receive(t, f.facts, "fact of the answer").Subject == "notification.v1."+county+".entry_created" {
			created++
		}
	}
	for name, n := range told(f.one("admin", "authority", "COUNTY_ADMIN")) {
		if late := n.GetEvent() == "deadline_passed"; late != (n.GetState() == notificationv1.NotificationState_ACKNOWLEDGED) {
			t.Errorf("%s has %s %s", name, n.GetEvent(), n.GetState())
		}
	}
	if created != 1 {
		t.Errorf("%d entries of the answer", created)
	}
}

func TestACandidateIsToldWithoutAReferral(t *testing.T) {
	t.Parallel()
	f := start(t)
	candidate := id.New()
	f.publish("candidate_found", &referralv1.CandidateFound{
		Meta: meta(clock.System().Now()), Candidate: &referralv1.CandidateFact{CandidateId: candidate, OrganizationId: hospital, DepartmentCode: "0304"},
	})
	if who := f.next("entry_created"); who != "account:"+id.FromFact("head") {
		t.Error(who)
	}
	list, err := f.client.ListNotifications(f.as("head"), &notificationv1.ListNotificationsRequest{})
	if err != nil || len(list.GetNotifications()) != 1 || list.GetNotifications()[0].GetCandidateId() != candidate || list.GetNotifications()[0].GetReferralId() != "" {
		t.Errorf("%v, %v", list, err)
	}
}

// Invariants 6 and 7, over the wire. A fact of a candidate has the candidate's version, and says nothing of the referral but which it is.
func TestACandidateThatRestsEndsItsLimitAndLeavesTheReferralAsItIsKnown(t *testing.T) {
	t.Parallel()
	f := start(t)
	now := clock.System().Now()
	referral := &referralv1.ReferralFact{
		ReferralId: id.New(), Number: "450321260000123", Direction: commonv1.Direction_UP, Urgency: commonv1.Urgency_URGENT,
		Originator: &commonv1.Party{OrganizationId: centre}, Receiver: &commonv1.Party{OrganizationId: hospital, DepartmentCode: "0304"},
	}
	late := func(at time.Time) *referralv1.DeadlinePassed {
		m := &referralv1.DeadlinePassed{Meta: meta(at), Referral: referral, Deadline: &referralv1.DeadlineFact{Step: "DOWN_DECISION", Level: 2, DueTime: timestamppb.New(at)}}
		m.Meta.AggregateVersion = 5
		return m
	}
	f.publish("deadline_passed", late(now))
	f.next("entry_created")
	rested := &referralv1.CandidateRested{
		Meta: meta(now.Add(time.Second)), Referral: &referralv1.ReferralFact{ReferralId: referral.GetReferralId(), Number: referral.GetNumber()},
		Candidate: &referralv1.CandidateFact{CandidateId: id.New(), OrganizationId: hospital, DepartmentCode: "0304", UpAgainId: id.New()},
	}
	rested.Meta.AggregateVersion = 9
	f.publish("candidate_rested", rested)
	f.next("entry_acknowledged")
	var receiver string
	err := f.db.Read(t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT receiver_organization_id FROM referral_known WHERE referral_id = $1", referral.GetReferralId()).Scan(&receiver)
	})
	if err != nil || receiver != hospital {
		t.Errorf("the receiver is %q now, %v", receiver, err)
	}
	f.publish("deadline_passed", late(now.Add(2*time.Second)))
	f.next("entry_created")
}

// Invariant 8, over the wire.
func TestAnAdmissionReachesTheHomeCentreOnce(t *testing.T) {
	t.Parallel()
	f := start(t)
	admission := &patientrecordv1.EncounterOpened{Meta: meta(clock.System().Now()), Encounter: &patientrecordv1.EncounterFact{
		EncounterId: id.New(), PatientId: id.New(), OrganizationId: hospital, HomeOrganizationId: centre, Class: "IMP", StartTime: timestamppb.Now(),
	}}
	admission.Meta.AggregateVersion = 1
	moved := proto.CloneOf(admission)
	moved.Meta.FactId, moved.Meta.AggregateVersion = id.New(), 2
	f.publishTo("record.v1."+county+".encounter_opened", admission)
	f.publishTo("record.v1."+county+".encounter_opened", moved)
	discharge := &patientrecordv1.EncounterClosed{Meta: meta(clock.System().Now()), Encounter: proto.CloneOf(admission.GetEncounter())}
	discharge.Meta.AggregateVersion, discharge.Encounter.EndTime, discharge.Encounter.DischargeWay = 3, timestamppb.Now(), "3"
	if who := f.next("entry_created"); who != "account:"+id.FromFact("doctor") {
		t.Error(who)
	}
	f.publishTo("record.v1."+county+".encounter_closed", discharge)
	f.next("entry_created")
	list, err := f.client.ListNotifications(f.one("doctor", centre, "TOWNSHIP_DOCTOR"), &notificationv1.ListNotificationsRequest{})
	if err != nil || len(list.GetNotifications()) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	n := list.GetNotifications()[0]
	if n.GetEvent() != "encounter_closed" || n.GetReasonCode() != "3" || n.GetPatientId() != admission.GetEncounter().GetPatientId() ||
		n.GetEncounterId() != admission.GetEncounter().GetEncounterId() || n.GetFromOrganizationId() != hospital {
		t.Errorf("%v", n)
	}
}
