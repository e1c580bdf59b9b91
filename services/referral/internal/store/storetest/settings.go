package storetest

import (
	"reflect"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func administrator() authn.Identity {
	return authn.Identity{Subject: "admin-1", Name: "黄管理", Organization: hospital, County: County, Roles: []string{"COUNTY_ADMIN"}}
}

func countySettings(t *testing.T, f Fixture) {
	got, err := f.Store.Settings(t.Context(), County)
	if err != nil || !reflect.DeepEqual(got, domain.Settings{}) {
		t.Fatalf("before the first: %+v, %v", got, err)
	}
	set := domain.Settings{
		Opens: "09:00", Closes: "17:30", Holidays: []string{"2026-03-19"}, Workdays: []string{"2026-03-21"}, BounceBackDays: 30,
		Limits: []domain.Limit{
			{Step: domain.StepAnswer, Direction: domain.Up, Urgency: domain.UrgencyRoutine, WorkingDays: 2, RepeatMinutes: 240},
			{Step: domain.StepAnswer, Direction: domain.Up, Urgency: domain.UrgencyUrgent, Minutes: 60},
		},
	}
	cmd := command(administrator(), "s1", "a")
	first, err := f.Store.PutSettings(t.Context(), cmd, set)
	if err != nil || first.Version != 1 {
		t.Fatalf("version %d, %v", first.Version, err)
	}
	again, err := f.Store.PutSettings(t.Context(), cmd, set)
	if err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("the repeated request got %+v, %v", again, err)
	}
	_, err = f.Store.PutSettings(t.Context(), command(administrator(), "s1", "b"), set)
	expectReason(t, err, errs.ReasonRequestIDReused)
	for _, stale := range []int32{0, 2} {
		set.Version = stale
		_, err = f.Store.PutSettings(t.Context(), command(administrator(), "", ""), set)
		if e := refusal(t, err, errs.ReasonStaleVersion); e.Meta["version"] != "1" {
			t.Errorf("on version %d: %v", stale, e.Meta)
		}
	}
	if got, err = f.Store.Settings(t.Context(), County); err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("read back %+v, %v", got, err)
	}
	if got, err = f.Store.Settings(t.Context(), "450322"); err != nil || got.Version != 0 {
		t.Errorf("another county has %+v, %v", got, err)
	}
	second, err := f.Store.PutSettings(t.Context(), command(administrator(), "", ""), domain.Settings{Version: 1})
	if err != nil || !reflect.DeepEqual(second, domain.Settings{Version: 2}) {
		t.Errorf("then %+v, %v", second, err)
	}
	expectList(t, "audit", f.Entries(t), "referral.update_settings", "referral.update_settings")
}

func racingSettings(t *testing.T, f Fixture) {
	won := race(func(int) error {
		_, err := f.Store.PutSettings(t.Context(), command(administrator(), "", ""), domain.Settings{BounceBackDays: 20})
		if err != nil && errs.ReasonOf(err) != errs.ReasonStaleVersion {
			t.Errorf("a loser got %v", err)
		}
		return err
	})
	if won != 1 {
		t.Errorf("%d won", won)
	}
}
