package events

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/duty"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// CapacityConsumer reads the facts of scheduling that reach somebody, or say when a patient is booked.
func CapacityConsumer() bus.Consumer {
	c := bus.Consumer{Name: "notification-capacity", Workers: 2}
	for _, event := range []string{
		domain.BookingConfirmed, domain.BookingReleased, domain.BookingMoved, domain.SessionCancelled, domain.WaitlistOffered, domain.WaitlistEnded,
	} {
		c.Subjects = append(c.Subjects, "scheduling.v1.*."+event)
	}
	return c
}

// OnCapacity hands a fact of scheduling to the use case.
func OnCapacity(a *app.App) func(context.Context, bus.Msg) error {
	consumer := CapacityConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		meta, fact, err := capacity(m)
		if err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		if meta.GetFactId() == "" || meta.GetCounty() == "" || fact.ReferralID+fact.SessionID == "" {
			return fmt.Errorf("read fact %s: it names no fact, county, or referral or session", m.ID)
		}
		fact.ID, fact.OccurTime, fact.ActorOrganizationID = meta.GetFactId(), meta.GetOccurTime().AsTime(), meta.GetActor().GetOrganizationId()
		fact.Event = m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
		if fact.Urgency == "" {
			fact.Urgency = domain.UrgencyRoutine
		}
		return a.OnCapacity(ctx, app.CapacityFact{Consumer: consumer, County: meta.GetCounty(), Version: meta.GetAggregateVersion(), Fact: fact})
	}
}

// capacity is what a fact of scheduling says; a sender that it does not know is left out.
func capacity(m bus.Msg) (*commonv1.FactMeta, domain.Fact, error) {
	var confirmed schedulingv1.BookingConfirmed
	var released schedulingv1.BookingReleased
	var moved schedulingv1.BookingMoved
	var cancelled schedulingv1.SessionCancelled
	var offered schedulingv1.WaitlistOffered
	var ended schedulingv1.WaitlistEnded
	read := func(msg proto.Message) error { return proto.Unmarshal(m.Payload, msg) }
	switch event := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]; event {
	case domain.BookingConfirmed:
		err := read(&confirmed)
		return confirmed.GetMeta(), held(confirmed.GetCapacity()), err
	case domain.BookingReleased:
		err := read(&released)
		return released.GetMeta(), held(released.GetCapacity()), err
	case domain.BookingMoved:
		err := read(&moved)
		f := held(moved.GetCapacity())
		f.ReasonCode = moved.GetReasonCode()
		return moved.GetMeta(), f, err
	case domain.SessionCancelled:
		err := read(&cancelled)
		f := held(cancelled.GetDisplaced())
		f.ReceiverOrganizationID, f.ReceiverDepartmentCode = cancelled.GetOrganizationId(), cancelled.GetDepartmentCode()
		f.SessionID, f.ReasonCode, f.Start = cancelled.GetSessionId(), cancelled.GetReasonCode(), instant(cancelled.GetStart())
		if at := instant(cancelled.GetDisplaced().GetStart()); !at.IsZero() {
			f.Start = at
		}
		return cancelled.GetMeta(), f, err
	case domain.WaitlistOffered:
		err := read(&offered)
		f := held(offered.GetCapacity())
		f.WaitlistID = offered.GetEntryId()
		return offered.GetMeta(), f, err
	case domain.WaitlistEnded:
		err := read(&ended)
		return ended.GetMeta(), domain.Fact{
			WaitlistID: ended.GetEntryId(), ReferralID: ended.GetReferralId(), Direction: domain.Up, OriginatorOrganizationID: ended.GetSenderOrganizationId(),
			ReceiverOrganizationID: ended.GetOrganizationId(), ReceiverDepartmentCode: ended.GetDepartmentCode(),
		}, err
	default:
		return nil, domain.Fact{}, fmt.Errorf("%s is none of capacity", event)
	}
}

func held(c *schedulingv1.CapacityFact) domain.Fact {
	return domain.Fact{
		ReferralID: c.GetReferralId(), BookingID: c.GetBookingId(), Start: instant(c.GetStart()), Direction: domain.Up,
		OriginatorOrganizationID: c.GetSenderOrganizationId(), ReceiverOrganizationID: c.GetOrganizationId(), ReceiverDepartmentCode: c.GetDepartmentCode(),
	}
}

// instant is the zero time for one that is not said.
func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}

// RosterConsumer reads the facts of duty rosters.
func RosterConsumer() bus.Consumer {
	return bus.Consumer{Name: "notification-roster", Subjects: []string{"directory.v1.*.roster_changed"}}
}

// OnRoster hands a changed roster to the copy.
func OnRoster(a *app.App) func(context.Context, bus.Msg) error {
	consumer := RosterConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		var fact directoryv1.RosterChanged
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		meta := fact.GetMeta()
		if meta.GetFactId() == "" || meta.GetCounty() == "" || fact.GetRoster().GetOrganizationId() == "" {
			return fmt.Errorf("read fact %s: it names no fact, county or organisation", m.ID)
		}
		return a.OnRoster(ctx, consumer, meta.GetFactId(), meta.GetCounty(), Roster(fact.GetRoster()))
	}
}

// Roster is what the copy keeps of a directory's roster. A time that cannot be read makes no shift.
func Roster(p *directoryv1.Roster) app.Roster {
	out := app.Roster{Post: domain.Post{OrganizationID: p.GetOrganizationId(), DepartmentCode: p.GetDepartmentCode()}, Version: p.GetVersion()}
	for _, s := range p.GetShifts() {
		from, err := time.Parse("15:04", s.GetFrom())
		to, err2 := time.Parse("15:04", s.GetTo())
		if err != nil || err2 != nil {
			continue
		}
		out.Plan.Shifts = append(out.Plan.Shifts, duty.Shift{
			Weekday: int(s.GetWeekday()), From: from.Hour()*60 + from.Minute(), To: to.Hour()*60 + to.Minute(), AccountID: s.GetAccountId(), Line: int(s.GetLine()),
			FirstDay: s.GetFirstDay(), LastDay: s.GetLastDay(),
		})
	}
	for _, h := range p.GetHandOvers() {
		out.Plan.HandOvers = append(out.Plan.HandOvers, duty.HandOver{
			From: h.GetFromAccountId(), To: h.GetToAccountId(), Start: h.GetStart().AsTime(), End: h.GetEnd().AsTime(), WriteTime: h.GetCreateTime().AsTime(),
		})
	}
	return out
}
