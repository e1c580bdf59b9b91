package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// RungPerson is somebody of the receiver at whom an alarm rang.
type RungPerson struct {
	AccountID, Name    string
	Roles              []string
	Told, Acknowledged time.Time
	Ways               []RungWay
}

// RungWay is how far a message got beside the screen.
type RungWay struct{ Channel, State string }

// RungView is an alarm with at whom it rang, and who telephoned about it.
type RungView struct {
	domain.AlarmData
	People []RungPerson
	Call   CallView
	Taker  string // the name of who took it on
}

// Rung answers it for the newest alarm of a referral. Errors: NotFound for one that never rang, and for whoever is of neither side.
func (a *App) Rung(ctx context.Context, caller Caller, referralID string) (RungView, error) {
	out, err := a.store.Rung(ctx, caller.County, referralID)
	if err != nil {
		return RungView{}, err
	}
	sides := []string{out.About.OriginatorOrganizationID, out.About.ReceiverOrganizationID}
	if caller.OrganizationID == "" || !slices.Contains(sides, caller.OrganizationID) {
		return RungView{}, errs.NotFound("alarm")
	}
	call, err := a.store.Call(ctx, caller.County, "", callID(domain.RestoreAlarm(out.AlarmData)))
	if errs.KindOf(err) == errs.KindNotFound {
		err = nil
	}
	if err != nil {
		return RungView{}, err
	}
	ids := []string{out.AcknowledgeAccount}
	for _, r := range call.Records {
		ids = append(ids, r.Account, r.ReachedAccount)
	}
	names, err := a.store.Names(ctx, caller.County, ids)
	if err != nil {
		return RungView{}, err
	}
	out.Call, out.Taker = CallView{CallData: call, Names: names}, names[out.AcknowledgeAccount]
	return out, nil
}

// Telephoning is what who sent a patient says of a call; a zero time is now.
type Telephoning struct {
	ReferralID, ReachedName, Note string
	Time                          time.Time
	RequestID                     string
}

// RecordTelephoned notes that somebody of who sent the patient telephoned about an alarm that rings. The alarm goes on: nobody at the receiver has said
// that they take the patient in. Errors: NotFound, WRONG_STATE when nothing rings any more, time.
func (a *App) RecordTelephoned(ctx context.Context, caller Caller, t Telephoning) (RungView, error) {
	before, err := a.Rung(ctx, caller, t.ReferralID)
	if err != nil {
		return RungView{}, err
	}
	if before.About.OriginatorOrganizationID != caller.OrganizationID {
		return RungView{}, errs.Denied(errs.ReasonRole)
	}
	cmd := Command{Caller: caller, Request: Request{"RecordTelephoned", t.RequestID, digestOf(t)}}
	err = a.store.Change(ctx, cmd, func(u Unit) error {
		alarm, err := u.Alarm(ctx, before.ID)
		if err != nil {
			return err
		}
		if !alarm.Ringing() {
			return errs.WrongState("record_telephoned", alarm.Data().State)
		}
		call, err := a.callOf(ctx, u, alarm)
		if err != nil {
			return err
		}
		at := t.Time
		if at.IsZero() {
			at = u.Now()
		}
		if at.After(u.Now().Add(time.Minute)) {
			return errs.Invalid(errs.Bad("time", errs.ReasonFieldOutOfRange, "cause", "FUTURE"))
		}
		err = call.Record(domain.CallRecord{Outcome: domain.Telephoned, ReachedName: t.ReachedName, Note: t.Note, Account: caller.AccountID, Time: at})
		return refusal(err, call.Data().State)
	})
	if err != nil {
		return RungView{}, err
	}
	return a.Rung(ctx, caller, t.ReferralID)
}
