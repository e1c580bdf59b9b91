package rpc

import (
	"context"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// ListCalendarChanges implements the contract.
func (s *CalendarServer) ListCalendarChanges(ctx context.Context, r *schedulingv1.ListCalendarChangesRequest) (*schedulingv1.ListCalendarChangesResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	list, err := s.planner.Changes(ctx, by, app.ChangeQuery{OrganizationID: r.GetOrganizationId(), Subject: r.GetSubject(), SubjectID: r.GetId()}, s.clk.Now())
	out := &schedulingv1.ListCalendarChangesResponse{}
	for _, c := range list {
		out.Changes = append(out.Changes, changeProto(c))
	}
	return out, err
}

// RestoreSession implements the contract.
func (s *CalendarServer) RestoreSession(ctx context.Context, r *schedulingv1.RestoreSessionRequest) (*schedulingv1.Session, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	v, err := s.planner.RestoreSession(ctx, by, app.Restoration{SessionID: r.GetId(), Version: r.GetVersion(), ChangeID: r.GetChangeId()})
	return sessionProto(v), err
}

// changeProto leaves the time of what nobody is known to have done unsaid.
func changeProto(c app.CalendarChange) *schedulingv1.CalendarChange {
	out := &schedulingv1.CalendarChange{Id: c.ID, Subject: c.Subject, SubjectId: c.SubjectID, Action: c.Action, AccountId: c.AccountID,
		AccountName: c.AccountName, CanBeUndone: c.Undoable}
	if c.Action != app.ChangeBefore {
		out.ChangeTime = stamp(c.Time)
	}
	switch c.Subject {
	case app.SubjectTemplate:
		out.Template = templateProto(c.Template)
	case app.SubjectException:
		out.Exception = exceptionProto(c.Exception)
	case app.SubjectEquipment:
		out.Equipment = equipmentProto(c.Equipment)
	case app.SubjectWard:
		out.Ward = wardProto(app.BoardWard{WardData: c.Ward}, c.Time)
	case app.SubjectPolicy:
		out.Policy = policyProto(c.Policy)
	case app.SubjectSession:
		then := c.Session
		out.Session = sessionProto(app.SessionView{Session: then.Session, Cancelled: then.Cancelled, ReasonCode: then.ReasonCode, Note: then.Note, ByHand: then.ByHand})
		if c.Action == app.ChangeBlocked || c.Action == app.ChangeUnblocked {
			for _, slot := range then.Slots {
				out.Slots = append(out.Slots, &schedulingv1.ClosedSlot{Id: slot.ID, Start: stamp(slot.Start), ReasonCode: slot.Reason})
			}
		}
	}
	return out
}
