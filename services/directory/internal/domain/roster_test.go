package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

func TestAPostIsADepartmentADeskOrACentre(t *testing.T) {
	t.Parallel()
	departments := []domain.Department{{Code: "0304", Name: "心血管内科"}}
	for _, c := range []struct {
		kind       domain.OrganizationType
		department string
		want       bool
	}{
		{domain.CountyHospital, "0304", true}, {domain.CountyHospital, "DESK", true}, {domain.CountyHospital, "", false},
		{domain.CountyHospital, "0305", false}, {domain.TownshipCentre, "", true}, {domain.TownshipCentre, "DESK", false},
		{domain.TownshipCentre, "0304", true}, {domain.Authority, "", false},
	} {
		o := domain.RestoreOrganization(domain.OrganizationData{ID: "o", Type: c.kind}, departments, 1)
		if got := (domain.Post{Department: c.department}).In(o); got != c.want {
			t.Errorf("%s has the post %q: %v", c.kind, c.department, got)
		}
	}
}

func TestAWeekNamesTimesLinesAndPeople(t *testing.T) {
	t.Parallel()
	people := map[string]bool{"a": true}
	good := domain.Shift{Weekday: 1, From: "08:00", To: "08:00", AccountID: "a"}
	for field, change := range map[string]func(*domain.Shift){
		"shifts[0].weekday":   func(s *domain.Shift) { s.Weekday = 8 },
		"shifts[0].from":      func(s *domain.Shift) { s.From = "24:00" },
		"shifts[0].to":        func(s *domain.Shift) { s.To = "8:00" },
		"shifts[0].accountId": func(s *domain.Shift) { s.AccountID = "stranger" },
		"shifts[0].line":      func(s *domain.Shift) { s.Line = 3 },
	} {
		bad := good
		change(&bad)
		_, _, err := domain.Roster{}.Replace([]domain.Shift{bad}, people, "2026-03-17")
		v, _ := err.(domain.Violations) //nolint:errorlint // the constructors answer it bare
		if len(v) != 1 || v[0].Field != field {
			t.Errorf("%+v: %v, want %s", bad, err, field)
		}
	}
	r, changed, err := domain.Roster{}.Replace([]domain.Shift{good, good}, people, "")
	if err != nil || !changed || r.Version() != 1 || len(r.Shifts()) != 1 {
		t.Fatalf("a good week: %v, %v, %v", r.Shifts(), changed, err)
	}
	if _, changed, err = r.Replace([]domain.Shift{good}, people, ""); err != nil || changed {
		t.Errorf("the same week again: %v, %v", changed, err)
	}
}

func TestAHandOverIsOfTheFutureAndEnds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 18, 8, 0, 0, 0, time.UTC)
	people := map[string]bool{"a": true, "b": true}
	good := domain.HandOver{ID: "h", From: "a", To: "b", Start: now.Add(-time.Hour), End: now.Add(time.Hour)}
	for field, change := range map[string]func(*domain.HandOver){
		"end":         func(h *domain.HandOver) { h.End = now },
		"toAccountId": func(h *domain.HandOver) { h.To = "a" },
	} {
		bad := good
		change(&bad)
		_, _, err := domain.Roster{}.HandOver(bad, people, now)
		v, _ := err.(domain.Violations) //nolint:errorlint // the constructors answer it bare
		if len(v) != 1 || v[0].Field != field {
			t.Errorf("%+v: %v, want %s", bad, err, field)
		}
	}
	long := good
	long.End = now.Add(domain.MostHandOver + time.Second)
	if _, _, err := (domain.Roster{}).HandOver(long, people, now); err == nil {
		t.Error("a hand-over of more than 31 days was taken")
	}
	r, h, err := domain.Roster{}.HandOver(good, people, now)
	if err != nil || !h.Start.Equal(now) || r.Version() != 1 {
		t.Fatalf("hand-over: %+v, %v", h, err)
	}
	r, ended := r.TakeBack("h", now.Add(time.Minute))
	if !ended || !r.HandOvers()[0].End.Equal(now.Add(time.Minute)) || r.Version() != 2 {
		t.Errorf("take back: %v, %+v", ended, r.HandOvers())
	}
	if _, again := r.TakeBack("h", now.Add(2*time.Minute)); again {
		t.Error("what ended was taken back again")
	}
}
