package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// mostCallees is more than anybody calls for one patient.
const mostCallees = 12

// callID is that of the task to telephone about an alarm.
func callID(alarm *domain.Alarm) string { return id.FromFact("call", alarm.Data().ID) }

// makeCall makes the task to telephone due, and tells it.
func (a *App) makeCall(ctx context.Context, u Unit, alarm *domain.Alarm) error {
	call, err := a.callOf(ctx, u, alarm)
	if err != nil {
		return err
	}
	alarm.Called(call.Data().ID)
	return a.deliver(ctx, u, ReferralFact{County: alarm.Data().County, Fact: call.Data().Due(alarm.Data(), u.Now())})
}

// callOf is the task about an alarm, made if there is none yet: those on duty first, the line behind, then the head.
func (a *App) callOf(ctx context.Context, u Unit, alarm *domain.Alarm) (*domain.Call, error) {
	known, err := u.Call(ctx, callID(alarm))
	if errs.KindOf(err) != errs.KindNotFound {
		return known, err
	}
	f := alarm.Data().About
	var callees []domain.Callee
	for _, step := range []struct {
		to domain.To
		as string
	}{
		{domain.OnDutyIntake, domain.AsOnDuty}, {domain.OnDutyDepartment, domain.AsOnDuty}, {domain.SecondLine, domain.AsSecondLine}, {domain.ReceiverHead, domain.AsHead},
	} {
		for _, r := range f.Find(step.to) {
			accounts, _, err := a.resolve(ctx, u, r)
			if err != nil {
				return nil, err
			}
			for _, account := range accounts {
				known := slices.ContainsFunc(callees, func(c domain.Callee) bool { return c.AccountID == account })
				if !known && len(callees) < mostCallees {
					callees = append(callees, domain.Callee{AccountID: account, As: step.as})
				}
			}
		}
	}
	call := domain.NewCall(callID(alarm), alarm.Data(), callees, u.Now())
	u.AddCall(call)
	return call, nil
}

// endCall drops the task, if there is one, and what was told of it.
func endCall(ctx context.Context, u Unit, id string) error {
	call, err := u.Call(ctx, id)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	call.Drop()
	told, err := u.OpenOf(ctx, id)
	for _, e := range told {
		e.Acknowledge(u.Now())
	}
	return err
}

// CallView is a call with the names and numbers that somebody who is to make it needs, by account; under the empty id the switchboard's.
type CallView struct {
	domain.CallData
	Names, Phones map[string]string
}

// OpenCalls counts those that Calls lists.
func (a *App) OpenCalls(ctx context.Context, county, organizationID string) (int, error) {
	return a.store.OpenCalls(ctx, county, organizationID)
}

// Calls lists those that the caller's organisation is to make; everywhere all of the county.
func (a *App) Calls(ctx context.Context, q CallQuery) ([]CallView, error) {
	calls, err := a.store.Calls(ctx, q)
	if err != nil {
		return nil, err
	}
	return a.callViews(ctx, q.County, calls)
}

// callViews adds names, and while a call is to be made the numbers as the directory has them now. Without the directory the numbers are missing; the list is not.
func (a *App) callViews(ctx context.Context, county string, calls []domain.CallData) ([]CallView, error) {
	var ids []string
	phones := map[string]map[string]string{}
	for _, c := range calls {
		for _, callee := range c.Callees {
			ids = append(ids, callee.AccountID)
		}
		for _, r := range c.Records {
			ids = append(ids, r.Account, r.ReachedAccount)
		}
		if c.State != domain.CallOpen || phones[c.OrganizationID] != nil {
			continue
		}
		numbers, err := a.directory.Telephones(ctx, county, c.OrganizationID)
		if err != nil {
			a.logger.WarnContext(ctx, "calls are listed without numbers", slog.String("organization_id", c.OrganizationID), slog.Any("error", err))
			numbers = map[string]string{}
		}
		phones[c.OrganizationID] = numbers
	}
	slices.Sort(ids)
	names, err := a.store.Names(ctx, county, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	out := make([]CallView, len(calls))
	for i, c := range calls {
		out[i] = CallView{CallData: c, Names: names}
		if c.State == domain.CallOpen {
			out[i].Phones = phones[c.OrganizationID]
		}
	}
	return out, nil
}

// CallOutcome is what became of a call. Version is the one that was seen.
type CallOutcome struct {
	ID        string
	Version   int32
	Record    domain.CallRecord
	RequestID string
}

// RecordCall is for the organisation that is to call; everywhere for the county. Somebody who was reached has acknowledged the alarm.
func (a *App) RecordCall(ctx context.Context, caller Caller, everywhere bool, c CallOutcome) (CallView, error) {
	organization := caller.OrganizationID
	if everywhere {
		organization = ""
	}
	if _, err := a.store.Call(ctx, caller.County, organization, c.ID); err != nil {
		return CallView{}, err
	}
	cmd := Command{Caller: caller, Request: Request{"RecordCall", c.RequestID, digestOf(c)}}
	err := a.store.Change(ctx, cmd, func(u Unit) error {
		call, err := u.Call(ctx, c.ID)
		if err != nil {
			return err
		}
		if call.Data().Version != c.Version {
			return errs.Stale(call.Data().Version, call.Data().State)
		}
		r := c.Record
		r.Account, r.Time = caller.AccountID, u.Now()
		if err := call.Record(r); err != nil {
			return refusal(err, call.Data().State)
		}
		if r.Outcome != domain.Reached {
			return nil
		}
		alarm, err := u.Alarm(ctx, call.Data().AlarmID)
		if err != nil {
			return err
		}
		by := r.ReachedAccount
		if by == "" {
			by = caller.AccountID
		}
		if alarm.Acknowledge(by, domain.ByCall, u.Now()) {
			return silence(ctx, u, alarm)
		}
		return nil
	})
	if err != nil {
		return CallView{}, err
	}
	now, err := a.store.Call(ctx, caller.County, organization, c.ID)
	if err != nil {
		return CallView{}, err
	}
	views, err := a.callViews(ctx, caller.County, []domain.CallData{now})
	if err != nil {
		return CallView{}, err
	}
	return views[0], nil
}

// refusal makes what the domain refuses an error of the contract.
func refusal(err error, state string) error {
	var v domain.Violations
	switch {
	case errors.Is(err, domain.ErrCallOver):
		return errs.WrongState("record_call", state)
	case errors.As(err, &v):
		fields := make([]errs.Field, len(v))
		for i, one := range v {
			reason := errs.ReasonFieldInvalid
			switch {
			case one.Combination:
				reason = errs.ReasonFieldCombination
			case one.Field == "reachedName":
				reason = errs.ReasonFieldRequired
			}
			fields[i] = errs.Bad(one.Field, reason)
		}
		return errs.Invalid(fields...)
	}
	return err
}

func digestOf(parts ...any) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", parts))
	return sum[:]
}
