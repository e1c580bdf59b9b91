package storetest

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func onePerson(t *testing.T, f Fixture) {
	own, other := submitted(t, f, Draft("patient-1", domain.KindInpatient)), submitted(t, f, Draft("patient-2", domain.KindOutpatient))
	link := func(version int32, holds bool, fact string) {
		t.Helper()
		err := f.Store.LinkPatients(t.Context(), app.PatientLink{County: County, FactID: fact, Merged: "patient-2", Survivor: "patient-1", Version: version, Holds: holds})
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what, patient string, want int) {
		t.Helper()
		views, err := f.Store.List(t.Context(), app.Query{Outbox: true, Caller: Doctor(), PatientID: patient, Limit: 10})
		if err != nil || len(views) != want {
			t.Errorf("%s: %d referrals of %s, %v", what, len(views), patient, err)
		}
		standings, err := f.Store.Standings(t.Context(), County, patient, hospital)
		if err != nil || len(standings) != want {
			t.Errorf("%s: %d relations to %s, %v", what, len(standings), patient, err)
		}
	}
	expect("apart", "patient-1", 1)
	merged := id.New()
	link(2, true, merged)
	expect("merged", "patient-1", 2)
	expect("merged", "patient-2", 2)
	_, err := tryCreate(t, f, command(Doctor(), "r9", "b9"), Draft("patient-1", domain.KindOutpatient), number(t, f))
	if e := refusal(t, err, errs.ReasonOpenReferralExists); e.Meta["referralId"] != other.ID {
		t.Errorf("what the merged patient has open does not stand in the way: %v", e.Meta)
	}
	other = must(t, f, desk(), other, domain.Command{Action: domain.ActionAccept, Carry: walkIn(f)})
	_, err = tryCreate(t, f, command(Doctor(), "r10", "b10"), Draft("patient-1", domain.KindOutpatient), number(t, f))
	if e := refusal(t, err, errs.ReasonOpenReferralExists); e.Meta["referralId"] != other.ID {
		t.Errorf("after the next step it does not stand in the way any more: %v", e.Meta)
	}
	link(3, false, id.New())
	link(2, true, merged)
	link(2, true, id.New()) // an older fact that comes late
	expect("apart again", "patient-1", 1)
	expect("apart again", "patient-2", 1)
	submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	must(t, f, desk(), own, domain.Command{Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED"}})
	must(t, f, desk(), other, domain.Command{Action: domain.ActionNoShow})
}
