// Package events turns changes of referrals into facts, and facts of directory into calls.
//
// A fact carries ids and codes only; the state in it is the one after it. No order is promised to those who read.
package events

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// event is how an action is told: the last part of the subject, and the message around the fact.
type event struct {
	name    string
	message func(*commonv1.FactMeta, *referralv1.ReferralFact) proto.Message
}

// published is the table of what this service tells.
func published() map[domain.Action]event {
	type (
		meta = *commonv1.FactMeta
		fact = *referralv1.ReferralFact
	)
	return map[domain.Action]event{
		domain.ActionCreate:      {"created", func(m meta, f fact) proto.Message { return &referralv1.Created{Meta: m, Referral: f} }},
		domain.ActionEdit:        {"edited", func(m meta, f fact) proto.Message { return &referralv1.Edited{Meta: m, Referral: f} }},
		domain.ActionSubmit:      {"submitted", func(m meta, f fact) proto.Message { return &referralv1.Submitted{Meta: m, Referral: f} }},
		domain.ActionReturn:      {"returned", func(m meta, f fact) proto.Message { return &referralv1.Returned{Meta: m, Referral: f} }},
		domain.ActionResubmit:    {"resubmitted", func(m meta, f fact) proto.Message { return &referralv1.Resubmitted{Meta: m, Referral: f} }},
		domain.ActionRedirect:    {"redirected", func(m meta, f fact) proto.Message { return &referralv1.Redirected{Meta: m, Referral: f} }},
		domain.ActionAccept:      {"accepted", func(m meta, f fact) proto.Message { return &referralv1.Accepted{Meta: m, Referral: f} }},
		domain.ActionDecline:     {"declined", func(m meta, f fact) proto.Message { return &referralv1.Declined{Meta: m, Referral: f} }},
		domain.ActionCancel:      {"cancelled", func(m meta, f fact) proto.Message { return &referralv1.Cancelled{Meta: m, Referral: f} }},
		domain.ActionArrive:      {"arrived", func(m meta, f fact) proto.Message { return &referralv1.Arrived{Meta: m, Referral: f} }},
		domain.ActionUndoArrive:  {"arrival_undone", func(m meta, f fact) proto.Message { return &referralv1.ArrivalUndone{Meta: m, Referral: f} }},
		domain.ActionNoShow:      {"no_show", func(m meta, f fact) proto.Message { return &referralv1.NoShow{Meta: m, Referral: f} }},
		domain.ActionRebook:      {"rebooked", func(m meta, f fact) proto.Message { return &referralv1.Rebooked{Meta: m, Referral: f} }},
		domain.ActionAdmit:       {"admitted", func(m meta, f fact) proto.Message { return &referralv1.Admitted{Meta: m, Referral: f} }},
		domain.ActionUndoAdmit:   {"admission_undone", func(m meta, f fact) proto.Message { return &referralv1.AdmissionUndone{Meta: m, Referral: f} }},
		domain.ActionConclude:    {"concluded", func(m meta, f fact) proto.Message { return &referralv1.Concluded{Meta: m, Referral: f} }},
		domain.ActionAcknowledge: {"acknowledged", func(m meta, f fact) proto.Message { return &referralv1.Acknowledged{Meta: m, Referral: f} }},

		domain.ActionAnswer:        {"answered", func(m meta, f fact) proto.Message { return &referralv1.Answered{Meta: m, Referral: f} }},
		domain.ActionRecordArrival: {"arrived", func(m meta, f fact) proto.Message { return &referralv1.Arrived{Meta: m, Referral: f} }},
		domain.ActionRecordOut:     {"recorded_out", func(m meta, f fact) proto.Message { return &referralv1.RecordedOut{Meta: m, Referral: f} }},
		domain.ActionBeginFollowUp: {"follow_up_begun", func(m meta, f fact) proto.Message { return &referralv1.FollowUpBegun{Meta: m, Referral: f} }},
		domain.ActionRecordVisit:   {"visit_recorded", func(m meta, f fact) proto.Message { return &referralv1.VisitRecorded{Meta: m, Referral: f} }},
		domain.ActionRevisePlan:    {"plan_revised", func(m meta, f fact) proto.Message { return &referralv1.PlanRevised{Meta: m, Referral: f} }},
		domain.ActionEscalate:      {"escalated", func(m meta, f fact) proto.Message { return &referralv1.Escalated{Meta: m, Referral: f} }},
		domain.ActionComplete:      {"completed", func(m meta, f fact) proto.Message { return &referralv1.Completed{Meta: m, Referral: f} }},

		domain.MarkDepart:       {"departed", func(m meta, f fact) proto.Message { return &referralv1.Departed{Meta: m, Referral: f} }},
		domain.MarkMessage:      {"message_posted", func(m meta, f fact) proto.Message { return &referralv1.MessagePosted{Meta: m, Referral: f} }},
		domain.MarkAssess:       {"assessed", func(m meta, f fact) proto.Message { return &referralv1.Assessed{Meta: m, Referral: f} }},
		domain.MarkCorrect:      {"corrected", func(m meta, f fact) proto.Message { return &referralv1.Corrected{Meta: m, Referral: f} }},
		domain.MarkConsent:      {"consent_recorded", func(m meta, f fact) proto.Message { return &referralv1.ConsentRecorded{Meta: m, Referral: f} }},
		domain.MarkBounceBack:   {"bounce_back_found", func(m meta, f fact) proto.Message { return &referralv1.BounceBackFound{Meta: m, Referral: f} }},
		domain.MarkPersonMerged: {"person_merged", func(m meta, f fact) proto.Message { return &referralv1.PersonMerged{Meta: m, Referral: f} }},
		domain.MarkDischarged:   {"discharged", func(m meta, f fact) proto.Message { return &referralv1.Discharged{Meta: m, Referral: f} }},
		domain.MarkSeen:         {"seen", func(m meta, f fact) proto.Message { return &referralv1.Seen{Meta: m, Referral: f} }},
	}
}

// Told tells whether a fact is told of an action. The marks by which linked referrals learn of each other are told by what caused them.
func Told(a domain.Action) bool {
	_, ok := published()[a]
	return ok
}

// Encode is the envelope and subject of a fact.
func Encode(f app.Fact) (outbox.Fact, error) {
	c, s := f.Change, f.Change.After
	e, ok := published()[c.Action]
	if !ok {
		return outbox.Fact{}, fmt.Errorf("no fact is told of %q", c.Action)
	}
	m := e.message(meta(f), body(c))
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, fmt.Errorf("encode %s: %w", e.name, err)
	}
	return outbox.Fact{
		ID: f.ID, County: s.County, Subject: "referral.v1." + s.County + "." + e.name,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: c.At,
	}, nil
}

func meta(f app.Fact) *commonv1.FactMeta {
	c, s := f.Change, f.Change.After
	version := s.Version
	if c.Mark {
		version = 0
	}
	return &commonv1.FactMeta{
		FactId: f.ID, County: s.County, AggregateId: s.ID, AggregateVersion: version, OccurTime: timestamppb.New(c.At),
		Actor: &commonv1.Actor{AccountId: c.By.AccountID, OrganizationId: c.By.OrganizationID}, CauseId: f.CauseID, Audience: audience(c),
	}
}

// audience are both organisations and the creator; a referral that was never sent concerns its originator alone.
func audience(c domain.Change) []string {
	s := c.After
	out := []string{"org:" + s.Originator.OrganizationID, "account:" + s.AccountID}
	if s.Number != "" {
		out = append(out, "org:"+s.Receiver.OrganizationID)
	}
	if c.FormerReceiver != "" {
		out = append(out, "org:"+c.FormerReceiver)
	}
	return out
}

func body(c domain.Change) *referralv1.ReferralFact {
	s := c.After
	return &referralv1.ReferralFact{
		ReferralId: s.ID, Number: s.Number.Printed(),
		State:         referralv1.State_Code(referralv1.State_Code_value[string(s.State)]),
		PreviousState: referralv1.State_Code(referralv1.State_Code_value[string(c.From)]),
		Direction:     commonv1.Direction_Code(commonv1.Direction_Code_value[string(s.Direction)]),
		Kind:          commonv1.Kind_Code(commonv1.Kind_Code_value[string(s.Kind)]),
		Urgency:       commonv1.Urgency_Code(commonv1.Urgency_Code_value[string(s.Urgency)]),
		PatientId:     s.PatientID, Originator: party(s.Originator), Receiver: party(s.Receiver), OriginatorAccountId: s.AccountID,
		HoldId: c.HoldID, BookingId: c.BookingID, FormerBookingId: c.FormerBookingID, ReasonCode: c.Reason, DueTime: stamp(s.DueTime),
		ReplyTo: s.ReplyTo, Retrospective: s.Retrospective, FamilyDoctor: s.FamilyDoctor, BounceBackOf: s.BounceBackOf,
	}
}

func party(p domain.Party) *commonv1.Party {
	return &commonv1.Party{OrganizationId: p.OrganizationID, DepartmentCode: p.DepartmentCode, PractitionerId: p.PractitionerID}
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
