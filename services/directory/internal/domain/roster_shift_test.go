package domain_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

func violated(err error) (out []string) {
	v, _ := err.(domain.Violations) //nolint:errorlint // the constructors answer it bare
	for _, one := range v {
		out = append(out, one.Field+" "+one.Reason)
	}
	return out
}

func TestNobodyIsOnTwoLinesAtOnce(t *testing.T) {
	t.Parallel()
	people := map[string]bool{"a": true, "b": true}
	first := domain.Shift{Weekday: 7, From: "18:00", To: "08:00", AccountID: "a"}
	for name, c := range map[string]struct {
		second domain.Shift
		twice  bool
	}{
		"the same time":                    {domain.Shift{Weekday: 7, From: "18:00", To: "08:00", AccountID: "a", Line: 1}, true},
		"the night runs into Monday":       {domain.Shift{Weekday: 1, From: "07:00", To: "12:00", AccountID: "a", Line: 1}, true},
		"within it":                        {domain.Shift{Weekday: 7, From: "20:00", To: "21:00", AccountID: "a", Line: 2}, true},
		"one begins when the other ends":   {domain.Shift{Weekday: 1, From: "08:00", To: "18:00", AccountID: "a", Line: 1}, false},
		"another person":                   {domain.Shift{Weekday: 7, From: "18:00", To: "08:00", AccountID: "b", Line: 1}, false},
		"the same line":                    {domain.Shift{Weekday: 7, From: "20:00", To: "21:00", AccountID: "a"}, false},
		"the one is over before the other": {domain.Shift{Weekday: 7, From: "18:00", To: "08:00", AccountID: "a", Line: 1, FirstDay: "2026-04-06"}, false},
	} {
		one := first
		if c.second.FirstDay != "" {
			one.LastDay = "2026-04-05"
		}
		_, _, err := domain.Roster{}.Replace([]domain.Shift{one, c.second}, people, "2026-03-17")
		if got := violated(err); c.twice != slices.Equal(got, []string{"shifts[1].accountId FIELD_COMBINATION"}) || !c.twice && err != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAShiftThatIsOverIsLeftOut(t *testing.T) {
	t.Parallel()
	over := domain.Shift{Weekday: 1, From: "08:00", To: "18:00", AccountID: "gone", LastDay: "2026-03-16"}
	stands := domain.Shift{Weekday: 1, From: "08:00", To: "18:00", AccountID: "a", FirstDay: "2026-03-17"}
	r, changed, err := domain.Roster{}.Replace([]domain.Shift{over, stands}, map[string]bool{"a": true}, "2026-03-17")
	if err != nil || !changed || !slices.Equal(r.Shifts(), []domain.Shift{stands}) {
		t.Errorf("%v, %v", r.Shifts(), err)
	}
	bad := stands
	bad.FirstDay, bad.LastDay = "2026-04-31", "2026-04-01"
	_, _, err = domain.Roster{}.Replace([]domain.Shift{bad}, map[string]bool{"a": true}, "2026-03-17")
	if got := violated(err); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

func TestAllShiftsOfOnePersonPassToAnotherFromADayOn(t *testing.T) {
	t.Parallel()
	people := map[string]bool{"b": true, "c": true}
	monday := domain.Shift{Weekday: 1, From: "08:00", To: "18:00", AccountID: "a"}
	other := domain.Shift{Weekday: 1, From: "18:00", To: "08:00", AccountID: "c", Line: 1}
	tuesday := domain.Shift{Weekday: 2, From: "08:00", To: "18:00", AccountID: "a"}
	r := domain.RestoreRoster(domain.Post{}, 3, []domain.Shift{monday, other, tuesday}, nil)
	if n := r.Left(people, "2026-03-17"); n != 2 {
		t.Errorf("%d shifts of who left", n)
	}
	later, passed, err := r.Pass("a", "b", "2026-04-01", "2026-03-18", people)
	if err != nil || !passed || later.Version() != 4 || len(later.Shifts()) != 5 {
		t.Fatalf("%v, %v", later.Shifts(), err)
	}
	for _, s := range later.Shifts() {
		if s.AccountID == "a" && s.LastDay != "2026-03-31" || s.AccountID == "b" && s.FirstDay != "2026-04-01" || s.AccountID == "c" && s != other {
			t.Errorf("%+v", s)
		}
	}
	now, _, err := r.Pass("a", "b", "2026-03-18", "2026-03-18", people)
	if err != nil || len(now.Shifts()) != 3 || now.Left(people, "2026-03-17") != 0 || now.Shifts()[0].FirstDay != "" {
		t.Errorf("from today: %v, %v", now.Shifts(), err)
	}
	if _, passed, err := now.Pass("a", "c", "2026-03-18", "2026-03-18", people); err != nil || passed {
		t.Errorf("who has none: %v, %v", passed, err)
	}
	behind := domain.Shift{Weekday: 1, From: "08:00", To: "18:00", AccountID: "b", Line: 1}
	both := domain.RestoreRoster(domain.Post{}, 1, []domain.Shift{monday, behind}, nil)
	_, _, err = both.Pass("a", "b", "2026-03-18", "2026-03-18", people)
	if got := violated(err); !slices.Equal(got, []string{"toAccountId FIELD_COMBINATION"}) {
		t.Errorf("to who is behind: %v", got)
	}
	for _, c := range [][3]string{{"a", "2026-03-18", "toAccountId"}, {"gone", "2026-03-18", "toAccountId"}, {"b", "2026-03-17", "fromDay"}, {"b", "2027-03-19", "fromDay"}, {"b", "soon", "fromDay"}} {
		_, _, err := r.Pass("a", c[0], c[1], "2026-03-18", people)
		if got := violated(err); len(got) != 1 || got[0][:len(c[2])] != c[2] {
			t.Errorf("%v: %v", c, got)
		}
	}
}

// Two rows of one person for one time of the week are one shift: they have one key.
func TestTheSameShiftForOtherDaysIsOne(t *testing.T) {
	t.Parallel()
	people := map[string]bool{"a": true, "b": true}
	at := func(account, first, last string) domain.Shift {
		return domain.Shift{Weekday: 1, From: "08:00", To: "18:00", AccountID: account, FirstDay: first, LastDay: last}
	}
	for name, c := range map[string]struct{ shifts, want []domain.Shift }{
		"within for ever":      {[]domain.Shift{at("a", "", "2026-04-05"), at("a", "", "")}, []domain.Shift{at("a", "", "")}},
		"the longer of two":    {[]domain.Shift{at("a", "", "2026-04-12"), at("a", "", "2026-04-05")}, []domain.Shift{at("a", "", "2026-04-12")}},
		"one after the other":  {[]domain.Shift{at("a", "", "2026-04-05"), at("a", "2026-04-06", "2026-05-03")}, []domain.Shift{at("a", "", "2026-05-03")}},
		"with days in between": {[]domain.Shift{at("a", "", "2026-04-05"), at("a", "2026-04-07", "")}, []domain.Shift{at("a", "", "2026-04-05"), at("a", "2026-04-07", "")}},
		"of two people":        {[]domain.Shift{at("a", "", ""), at("b", "", "")}, []domain.Shift{at("a", "", ""), at("b", "", "")}},
	} {
		r, _, err := domain.Roster{}.Replace(c.shifts, people, "2026-03-17")
		if err != nil || !slices.Equal(r.Shifts(), c.want) {
			t.Errorf("%s: %v, %v", name, r.Shifts(), err)
		}
	}
	// b is there until the fifth, and takes over from a for ever.
	r := domain.RestoreRoster(domain.Post{}, 1, []domain.Shift{at("a", "", ""), at("b", "", "2026-04-05")}, nil)
	r, changed, err := r.Pass("a", "b", "2026-03-17", "2026-03-17", people)
	if err != nil || !changed || !slices.Equal(r.Shifts(), []domain.Shift{at("b", "", "")}) {
		t.Errorf("%v, %v, %v", r.Shifts(), changed, err)
	}
}

// Before nobody was refused on two lines: who is on both still, and has nothing to do with it, does not stop a replacement.
func TestWhatOthersHadBeforeStopsNoReplacement(t *testing.T) {
	t.Parallel()
	week := []domain.Shift{
		{Weekday: 1, From: "08:00", To: "18:00", AccountID: "old"}, {Weekday: 1, From: "08:00", To: "18:00", AccountID: "old", Line: 1},
		{Weekday: 2, From: "08:00", To: "18:00", AccountID: "a"},
	}
	people := map[string]bool{"a": true, "b": true, "old": true}
	if _, changed, err := domain.RestoreRoster(domain.Post{}, 1, week, nil).Pass("a", "b", "2026-03-17", "2026-03-17", people); err != nil || !changed {
		t.Errorf("%v, %v", changed, err)
	}
	_, _, err := domain.RestoreRoster(domain.Post{}, 1, week, nil).Pass("old", "b", "2026-03-17", "2026-03-17", people)
	if got := violated(err); !slices.Equal(got, []string{"toAccountId FIELD_COMBINATION"}) {
		t.Errorf("who would be on both: %v", got)
	}
}
