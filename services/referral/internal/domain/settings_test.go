package domain_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func answerLimit(u domain.Urgency, l domain.Limit) domain.Limit {
	l.Step, l.Direction, l.Urgency = domain.StepAnswer, domain.Up, u
	return l
}

func TestSettingsThatNoCountyCanHaveAreRefusedByTheirField(t *testing.T) {
	t.Parallel()
	routine := answerLimit(domain.UrgencyRoutine, domain.Limit{WorkingDays: 2})
	for _, c := range []struct {
		name string
		s    domain.Settings
		want domain.Field
	}{
		{"a step that there is not", domain.Settings{Limits: []domain.Limit{{Step: "LUNCH", Direction: domain.Up, Urgency: domain.UrgencyRoutine}}}, domain.Field{Name: "settings.limits[0].step", Reason: "FIELD_UNKNOWN"}},
		{"an emergency that goes down", domain.Settings{Limits: []domain.Limit{{Step: domain.StepAnswer, Direction: domain.Down, Urgency: domain.UrgencyEmergency}}}, domain.Field{Name: "settings.limits[0].step", Reason: "FIELD_UNKNOWN"}},
		{"a row twice", domain.Settings{Limits: []domain.Limit{routine, routine}}, domain.Field{Name: "settings.limits[1].step", Reason: "FIELD_COMBINATION"}},
		{"minutes of a routine limit", domain.Settings{Limits: []domain.Limit{answerLimit(domain.UrgencyRoutine, domain.Limit{Minutes: 60})}}, domain.Field{Name: "settings.limits[0].minutes", Reason: "FIELD_COMBINATION"}},
		{"working days of an urgent one", domain.Settings{Limits: []domain.Limit{answerLimit(domain.UrgencyUrgent, domain.Limit{WorkingDays: 1})}}, domain.Field{Name: "settings.limits[0].workingDays", Reason: "FIELD_COMBINATION"}},
		{"less than nothing", domain.Settings{Limits: []domain.Limit{answerLimit(domain.UrgencyUrgent, domain.Limit{Minutes: -1})}}, domain.Field{Name: "settings.limits[0].minutes", Reason: "FIELD_OUT_OF_RANGE"}},
		{"more than a quarter", domain.Settings{Limits: []domain.Limit{answerLimit(domain.UrgencyUrgent, domain.Limit{Minutes: 90*24*60 + 1})}}, domain.Field{Name: "settings.limits[0].minutes", Reason: "FIELD_OUT_OF_RANGE"}},
		{"a ladder without pause", domain.Settings{Limits: []domain.Limit{answerLimit(domain.UrgencyUrgent, domain.Limit{RepeatMinutes: 4})}}, domain.Field{Name: "settings.limits[0].repeatMinutes", Reason: "FIELD_OUT_OF_RANGE"}},
		{"a ladder of what the system ends", domain.Settings{Limits: []domain.Limit{{Step: domain.StepArrival, Direction: domain.Up, Urgency: domain.UrgencyEmergency, RepeatMinutes: 60}}}, domain.Field{Name: "settings.limits[0].repeatMinutes", Reason: "FIELD_COMBINATION"}},
		{"an hour that there is not", domain.Settings{Opens: "25:00"}, domain.Field{Name: "settings.opens", Reason: "FIELD_INVALID"}},
		{"an hour in short", domain.Settings{Closes: "9:00"}, domain.Field{Name: "settings.closes", Reason: "FIELD_INVALID"}},
		{"closing before opening", domain.Settings{Opens: "18:00"}, domain.Field{Name: "settings.closes", Reason: "FIELD_COMBINATION"}},
		{"no date", domain.Settings{Holidays: []string{"2026-02-30"}}, domain.Field{Name: "settings.holidays[0]", Reason: "FIELD_INVALID"}},
		{"free and worked", domain.Settings{Holidays: []string{"2026-10-08"}, Workdays: []string{"2026-10-08"}}, domain.Field{Name: "settings.workdays[0]", Reason: "FIELD_COMBINATION"}},
		{"too long a bounce", domain.Settings{BounceBackDays: 91}, domain.Field{Name: "settings.bounceBackDays", Reason: "FIELD_OUT_OF_RANGE"}},
	} {
		if got := c.s.Check(); !slices.Equal(got, []domain.Field{c.want}) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTheShippedSettingsAreAllowedAndAreNobodysOwn(t *testing.T) {
	t.Parallel()
	d := domain.DefaultSettings()
	if bad := d.Check(); len(bad) > 0 {
		t.Errorf("refused: %v", bad)
	}
	if own := d.Own(); !reflect.DeepEqual(own, domain.Settings{}) {
		t.Errorf("kept: %+v", own)
	}
	if whole := (domain.Settings{}).Whole(); !reflect.DeepEqual(whole, d) {
		t.Errorf("nothing set is %+v", whole)
	}
	if d.BounceBackDays != 14 {
		t.Errorf("bounce-back within %d days", d.BounceBackDays)
	}
}

func TestWhatACountySetsIsKeptAloneAndReadBackAmongTheRest(t *testing.T) {
	t.Parallel()
	page := domain.DefaultSettings()
	page.Version, page.Closes, page.BounceBackDays, page.Workdays = 3, "17:30", 30, []string{"2026-10-05"}
	for i := range page.Limits {
		if l := &page.Limits[i]; l.Step == domain.StepAnswer && l.Urgency == domain.UrgencyUrgent && l.Direction == domain.Up {
			l.Minutes = 90
		}
	}
	own := page.Own()
	want := domain.Settings{
		Version: 3, Closes: "17:30", BounceBackDays: 30, Workdays: []string{"2026-10-05"},
		Limits: []domain.Limit{answerLimit(domain.UrgencyUrgent, domain.Limit{Minutes: 90})},
	}
	if !reflect.DeepEqual(own, want) {
		t.Errorf("kept %+v", own)
	}
	if whole := own.Whole(); !reflect.DeepEqual(whole, page) {
		t.Errorf("read back %+v", whole)
	}
}
