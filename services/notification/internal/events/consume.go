package events

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// ReferralConsumer reads the facts of referrals that reach somebody by the table, or end a wait.
func ReferralConsumer(table domain.Table) bus.Consumer {
	c := bus.Consumer{Name: referralConsumer, Workers: 4}
	for _, event := range table.Events() {
		c.Subjects = append(c.Subjects, "referral.v1.*."+event)
	}
	return c
}

const referralConsumer = "notification-referral"

// RecordConsumer reads the facts of patient records that reach somebody.
func RecordConsumer() bus.Consumer {
	return bus.Consumer{Name: "notification-record", Subjects: []string{"record.v1.*." + domain.GlassBroken}}
}

// ConsentConsumer reads the consents that were withdrawn.
func ConsentConsumer() bus.Consumer {
	return bus.Consumer{Name: "notification-consent", Subjects: []string{"record.v1.*." + domain.ConsentWithdrawn}}
}

// OnConsent hands the withdrawal of a consent to the use case: of a referral, or to what is sensitive.
func OnConsent(a *app.App) func(context.Context, bus.Msg) error {
	consumer := ConsentConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		var fact patientrecordv1.ConsentWithdrawn
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		meta, c := fact.GetMeta(), fact.GetConsent()
		if meta.GetFactId() == "" || meta.GetCounty() == "" || c.GetConsentId() == "" {
			return fmt.Errorf("read fact %s: it names no fact, county or consent", m.ID)
		}
		out := domain.Fact{
			ID: meta.GetFactId(), Event: domain.ConsentWithdrawn, OccurTime: meta.GetOccurTime().AsTime(), Urgency: "URGENT", ReferralID: c.GetReferralId(),
			ActorOrganizationID: meta.GetActor().GetOrganizationId(),
		}
		switch {
		case c.GetReferralId() != "":
			out.OriginatorOrganizationID, out.ReceiverOrganizationID = c.GetOrganizationId(), c.GetReceiverOrganizationId()
		case c.GetScope() == "SENSITIVE" && c.GetPatientId() != "":
			out.PatientID, out.ReasonCode = c.GetPatientId(), c.GetScope()
			out.HomeOrganizationID, out.HolderOrganizationIDs = c.GetHomeOrganizationId(), c.GetHolderOrganizationIds()
		default:
			return nil
		}
		return a.OnReferral(ctx, app.ReferralFact{Consumer: consumer, County: meta.GetCounty(), Fact: out})
	}
}

// StayConsumer reads the facts of patient records about stays in wards. It is apart from RecordConsumer: a feed sends many, and a broken glass
// is told at once.
func StayConsumer() bus.Consumer {
	c := bus.Consumer{Name: "notification-stay", Workers: 2}
	for _, event := range []string{domain.EncounterOpened, domain.EncounterClosed, domain.EncounterCancelled} {
		c.Subjects = append(c.Subjects, "record.v1.*."+event)
	}
	return c
}

// encounterFact is what the facts about encounters have in common.
type encounterFact interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
	GetEncounter() *patientrecordv1.EncounterFact
}

// OnStay hands what a hospital's system told of an encounter to the use case.
func OnStay(a *app.App) func(context.Context, bus.Msg) error {
	consumer := StayConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		event := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
		fact := map[string]encounterFact{
			domain.EncounterOpened: &patientrecordv1.EncounterOpened{}, domain.EncounterClosed: &patientrecordv1.EncounterClosed{},
			domain.EncounterCancelled: &patientrecordv1.EncounterCancelled{},
		}[event]
		if fact == nil {
			return fmt.Errorf("read fact %s: %s is none of an encounter", m.ID, event)
		}
		if err := proto.Unmarshal(m.Payload, fact); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		meta, e := fact.GetMeta(), fact.GetEncounter()
		if meta.GetFactId() == "" || meta.GetCounty() == "" || e.GetEncounterId() == "" {
			return fmt.Errorf("read fact %s: it names no fact, county or encounter", m.ID)
		}
		out := domain.Fact{
			ID: meta.GetFactId(), Event: event, OccurTime: meta.GetOccurTime().AsTime(), Urgency: "ROUTINE", ReasonCode: e.GetDischargeWay(),
			ActorOrganizationID: e.GetOrganizationId(), HomeOrganizationID: e.GetHomeOrganizationId(),
			Stay: domain.Stay{EncounterID: e.GetEncounterId(), PatientID: e.GetPatientId(), Version: meta.GetAggregateVersion(), Class: e.GetClass()},
		}
		if e.GetEndTime() != nil {
			out.Stay.End = e.GetEndTime().AsTime().Truncate(time.Microsecond)
		}
		return a.OnStay(ctx, app.ReferralFact{Consumer: consumer, County: meta.GetCounty(), Fact: out})
	}
}

// OnGlass hands a use of break-glass to the use case.
func OnGlass(a *app.App) func(context.Context, bus.Msg) error {
	consumer := RecordConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		var fact patientrecordv1.GlassBroken
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		meta := fact.GetMeta()
		if meta.GetFactId() == "" || meta.GetCounty() == "" || fact.GetGlassId() == "" {
			return fmt.Errorf("read fact %s: it names no fact, county or glass", m.ID)
		}
		out := domain.Fact{
			ID: meta.GetFactId(), Event: domain.GlassBroken, OccurTime: meta.GetOccurTime().AsTime(), Urgency: "URGENT", ReasonCode: fact.GetReason(),
			ActorOrganizationID: fact.GetOrganizationId(),
			GlassID:             fact.GetGlassId(), HomeOrganizationID: fact.GetHomeOrganizationId(),
		}
		if fact.GetWay() == "VISIT" {
			out.Event, out.Urgency = domain.VisitDeclared, "ROUTINE"
		}
		return a.OnReferral(ctx, app.ReferralFact{Consumer: consumer, County: meta.GetCounty(), Fact: out})
	}
}

// AccountConsumer reads the facts of accounts.
func AccountConsumer() bus.Consumer {
	return bus.Consumer{Name: "notification-account", Subjects: []string{"directory.v1.*.account_changed"}}
}

// referralFact is what all facts of the referral service have in common.
type referralFact interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
	GetReferral() *referralv1.ReferralFact
}

// OnReferral hands a fact to the use case. An unreadable one is an error: it ends as a dead letter.
func OnReferral(a *app.App) func(context.Context, bus.Msg) error {
	consumer := referralConsumer
	return func(ctx context.Context, m bus.Msg) error {
		fact, err := decodeReferral(m)
		if err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		version := fact.GetMeta().GetAggregateVersion()
		if candidate(fact) != nil {
			version = 0 // the candidate's: of the referral it says only which
		}
		return a.OnReferral(ctx, app.ReferralFact{
			Consumer: consumer, County: fact.GetMeta().GetCounty(), Version: version, Fact: referral(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:], fact),
		})
	}
}

func referral(event string, fact referralFact) domain.Fact {
	meta, r := fact.GetMeta(), fact.GetReferral()
	out := domain.Fact{
		ID: meta.GetFactId(), Event: event, OccurTime: meta.GetOccurTime().AsTime(),
		ReferralID: r.GetReferralId(), ReferralNumber: r.GetNumber(), Direction: r.GetDirection().String(), Urgency: r.GetUrgency().String(),
		PreviousState: r.GetPreviousState().String(), ReasonCode: r.GetReasonCode(), ReplyTo: r.GetReplyTo(),
		OriginatorAccountID:      r.GetOriginatorAccountId(),
		OriginatorOrganizationID: r.GetOriginator().GetOrganizationId(),
		OriginatorDepartmentCode: r.GetOriginator().GetDepartmentCode(),
		ReceiverOrganizationID:   r.GetReceiver().GetOrganizationId(),
		ReceiverDepartmentCode:   r.GetReceiver().GetDepartmentCode(),
		FamilyDoctor:             r.GetFamilyDoctor(),
		ActorOrganizationID:      meta.GetActor().GetOrganizationId(),
		PatientID:                r.GetPatientId(),
		BookingID:                r.GetBookingId(),
	}
	if d, ok := fact.(interface {
		GetDeadline() *referralv1.DeadlineFact
	}); ok {
		out.Deadline = domain.Deadline{Step: d.GetDeadline().GetStep(), Level: d.GetDeadline().GetLevel(), Due: d.GetDeadline().GetDueTime().AsTime()}
	}
	if c := candidate(fact); c != nil {
		out.Candidate = domain.Candidate{ID: c.GetCandidateId(), OrganizationID: c.GetOrganizationId(), DepartmentCode: c.GetDepartmentCode()}
		if out.ReasonCode == "" {
			out.ReasonCode = c.GetReasonCode()
		}
	}
	return out
}

// candidate is the one that the fact is about, if it is about one: then there may be no referral.
func candidate(fact referralFact) *referralv1.CandidateFact {
	if c, ok := fact.(interface {
		GetCandidate() *referralv1.CandidateFact
	}); ok {
		return c.GetCandidate()
	}
	return nil
}

func decodeReferral(m bus.Msg) (referralFact, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(m.Type))
	if err != nil {
		return nil, err
	}
	fact, ok := t.New().Interface().(referralFact)
	if !ok {
		return nil, fmt.Errorf("%s is no fact of a referral", m.Type)
	}
	if err := proto.Unmarshal(m.Payload, fact); err != nil {
		return nil, err
	}
	about := fact.GetReferral().GetReferralId() + candidate(fact).GetCandidateId()
	if fact.GetMeta().GetFactId() == "" || fact.GetMeta().GetCounty() == "" || about == "" {
		return nil, fmt.Errorf("%s names no fact, county, or referral or candidate", m.Type)
	}
	return fact, nil
}

// OnAccount hands a changed account to the projection.
func OnAccount(a *app.App) func(context.Context, bus.Msg) error {
	consumer := AccountConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		var fact directoryv1.AccountChanged
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		meta := fact.GetMeta()
		if meta.GetFactId() == "" || meta.GetCounty() == "" || fact.GetAccount().GetId() == "" {
			return fmt.Errorf("read fact %s: it names no fact, county or account", m.ID)
		}
		return a.OnAccount(ctx, consumer, meta.GetFactId(), Account(meta.GetCounty(), fact.GetAccount()))
	}
}

// Account is what the projection keeps of a directory's account.
func Account(county string, p *directoryv1.Account) domain.Account {
	out := domain.Account{County: county, ID: p.GetId(), Version: p.GetVersion(), OrganizationID: p.GetOrganizationId(),
		Name: p.GetName(), DepartmentCode: p.GetDepartmentCode(), Disabled: p.GetDisabled(), Phone: p.GetPhone(), Email: p.GetEmail()}
	for _, role := range p.GetRoles() {
		out.Roles = append(out.Roles, role.String())
	}
	return out
}
