package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// ward is the cardiology of the hospital with three people: dr1, dr2 and head; and the desk.
type ward struct {
	house
	ids map[string]string
}

func openWard(t *testing.T, h house) ward {
	t.Helper()
	var entries []app.AccountEntry
	for login, who := range map[string]struct {
		department string
		role       domain.Role
	}{
		"dr1": {"0304", domain.Specialist}, "dr2": {"0304", domain.Specialist}, "head": {"0304", domain.DepartmentHead}, "desk": {"", domain.IntakeDesk},
	} {
		entries = append(entries, app.AccountEntry{OrganizationCode: "H01", Data: domain.AccountData{
			Login: login, Name: "名" + login, DepartmentCode: who.department, Roles: []domain.Role{who.role}, Phone: "120" + login,
		}})
	}
	r, err := h.importAccounts(t.Context(), entries...)
	if err != nil {
		t.Fatal(err)
	}
	return ward{h, r.IDs}
}

func (w ward) person(login, department string, role domain.Role) authn.Identity {
	return authn.Identity{Subject: w.ids[login], County: county, Organization: w.house.ids["H01"], Department: department, Roles: []string{string(role)}}
}

func (w ward) head() authn.Identity { return w.person("head", "0304", domain.DepartmentHead) }
func (w ward) dr1() authn.Identity  { return w.person("dr1", "0304", domain.Specialist) }

func (w ward) post(department string) domain.Post {
	return domain.Post{OrganizationID: w.house.ids["H01"], Department: department}
}

// always is a week in which dr1 is on duty around the clock, with the head behind.
func (w ward) always() (out []domain.Shift) {
	for day := 1; day <= 7; day++ {
		out = append(out, domain.Shift{Weekday: day, From: "08:00", To: "08:00", AccountID: w.ids["dr1"]},
			domain.Shift{Weekday: day, From: "18:00", To: "08:00", AccountID: w.ids["head"], Line: 1})
	}
	return out
}

func (w ward) set(t *testing.T) app.RosterView {
	t.Helper()
	v, err := w.app.SetRoster(t.Context(), w.head(), app.WeekChange{Post: w.post("0304"), Shifts: w.always()})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// onDuty are those of the first line at the cardiology now.
func (w ward) onDuty(t *testing.T) (out []string) {
	t.Helper()
	posts, err := w.app.ListOnDuty(t.Context(), w.dr1(), w.house.ids["H01"], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range posts {
		for _, d := range p.Duties {
			if p.Department == "0304" && d.Line == 0 {
				out = append(out, d.AccountID)
			}
		}
	}
	return out
}

func TestAWeekIsSetOnceAndSaysWhoIsOnDuty(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		w := openWard(t, h)
		change := app.WeekChange{Post: w.post("0304"), Shifts: w.always(), RequestID: id.New()}
		v, err := w.app.SetRoster(t.Context(), w.head(), change)
		if err != nil || v.Roster.Version() != 1 || len(v.Duties) < 7 || v.Duties[0].Phone != "120dr1" || v.Duties[0].Name != "名dr1" {
			t.Fatalf("set: %+v, %v", v, err)
		}
		if v, err = w.app.SetRoster(t.Context(), w.head(), change); err != nil || v.Roster.Version() != 1 {
			t.Errorf("the request again: version %d, %v", v.Roster.Version(), err)
		}
		change.Shifts = change.Shifts[:3]
		_, err = w.app.SetRoster(t.Context(), w.head(), change)
		expect(t, err, errs.ReasonRequestIDReused)
		change.RequestID = id.New()
		_, err = w.app.SetRoster(t.Context(), w.head(), change)
		expect(t, err, errs.ReasonStaleVersion)
		if n := h.count(t, "SELECT count(*) FROM outbox WHERE type = 'tongzhen.directory.v1.RosterChanged'"); n != 1 {
			t.Errorf("%d facts", n)
		}
		if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE action = 'roster.set'"); n != 1 {
			t.Errorf("%d audit entries", n)
		}
		if on := w.onDuty(t); !slices.Equal(on, []string{w.ids["dr1"]}) {
			t.Errorf("on duty: %v", on)
		}
	})
}

func TestADutyIsHandedOverAndTakenBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		w := openWard(t, h)
		w.set(t)
		now := h.clk.Now()
		give := app.DutyChange{Post: w.post("0304"), To: w.ids["dr2"], Start: now, End: now.Add(4 * time.Hour), RequestID: id.New()}
		v, err := w.app.HandOver(t.Context(), w.dr1(), give)
		if err != nil || len(v.Roster.HandOvers()) != 1 {
			t.Fatalf("hand over: %+v, %v", v, err)
		}
		if v, err = w.app.HandOver(t.Context(), w.dr1(), give); err != nil || len(v.Roster.HandOvers()) != 1 {
			t.Errorf("the request again: %d, %v", len(v.Roster.HandOvers()), err)
		}
		h.clk.Advance(time.Hour)
		if on := w.onDuty(t); !slices.Equal(on, []string{w.ids["dr2"]}) {
			t.Errorf("after the hand-over: %v", on)
		}
		over, request := v.Roster.HandOvers()[0].ID, id.New()
		_, err = w.app.TakeBack(t.Context(), w.person("desk", "", domain.IntakeDesk), over, id.New())
		expect(t, err, errs.ReasonNotFound)
		for range 2 {
			if _, err = w.app.TakeBack(t.Context(), w.dr1(), over, request); err != nil {
				t.Fatal(err)
			}
		}
		if on := w.onDuty(t); !slices.Equal(on, []string{w.ids["dr1"]}) {
			t.Errorf("after it was taken back: %v", on)
		}
	})
}

func TestWhoIsDisabledDropsOutOfDuty(t *testing.T) {
	t.Parallel()
	h := one(t)
	w := openWard(t, h)
	w.set(t)
	_, err := h.importAccounts(t.Context(), app.AccountEntry{OrganizationCode: "H01", Data: domain.AccountData{
		Login: "dr1", Name: "名dr1", DepartmentCode: "0304", Roles: []domain.Role{domain.Specialist}, Disabled: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if on := w.onDuty(t); len(on) != 0 {
		t.Errorf("on duty: %v", on)
	}
	_, err = w.app.SetRoster(t.Context(), w.head(), app.WeekChange{Post: w.post("0304"), Version: 1, Shifts: w.always()[:1]})
	expectField(t, err, "shifts[0].accountId", errs.ReasonFieldUnknown)
	posts, err := w.app.ListOnDuty(t.Context(), w.dr1(), w.house.ids["H01"], time.Time{})
	if err != nil || len(posts) != 1 || posts[0].Left != 7 {
		t.Errorf("what is nobody's: %+v, %v", posts, err)
	}
}

func TestWhoMayPlanWhichPost(t *testing.T) {
	t.Parallel()
	h := one(t)
	w := openWard(t, h)
	centre := domain.Post{OrganizationID: h.ids["450321101"]}
	for _, c := range []struct {
		name   string
		caller authn.Identity
		post   domain.Post
		reason string
	}{
		{"a head the own department", w.head(), w.post("0304"), ""},
		{"a head the desk", w.head(), w.post(domain.Desk), errs.ReasonRole},
		{"the desk itself", w.person("desk", "", domain.IntakeDesk), w.post(domain.Desk), ""},
		{"the desk a department", w.person("desk", "", domain.IntakeDesk), w.post("0304"), errs.ReasonRole},
		{"a specialist the own department", w.dr1(), w.post("0304"), errs.ReasonRole},
		{"a head of the hospital a centre", w.head(), centre, errs.ReasonRole},
		{"the administrator a centre", authn.Identity{Subject: "x", County: county, Roles: []string{"COUNTY_ADMIN"}}, centre, ""},
		{"the administrator a post that is none", authn.Identity{Subject: "x", County: county, Roles: []string{"COUNTY_ADMIN"}}, w.post("99"), errs.ReasonFieldUnknown},
		{"the head of a centre the centre", authn.Identity{
			Subject: "y", County: county, Organization: centre.OrganizationID, Roles: []string{"CENTRE_HEAD"},
		}, centre, ""},
	} {
		_, err := w.app.SetRoster(t.Context(), c.caller, app.WeekChange{Post: c.post})
		if errs.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, want %q", c.name, err, c.reason)
		}
	}
}

func TestRostersAreSeenByTheOrganisationAndThePresentByTheCounty(t *testing.T) {
	t.Parallel()
	h := one(t)
	w := openWard(t, h)
	w.set(t)
	hospital := h.ids["H01"]
	township := authn.Identity{Subject: "t", County: county, Organization: h.ids["450321101"], Roles: []string{"TOWNSHIP_DOCTOR"}}
	_, err := w.app.GetRoster(t.Context(), township, w.post("0304"), app.Span{})
	expect(t, err, errs.ReasonNotFound)
	_, err = w.app.ListOnDuty(t.Context(), township, hospital, h.clk.Now().Add(24*time.Hour))
	expectField(t, err, "at", errs.ReasonFieldInvalid)
	posts, err := w.app.ListOnDuty(t.Context(), township, hospital, time.Time{})
	if err != nil || len(posts) != 1 || posts[0].Duties[0].Phone == "" {
		t.Errorf("who is on duty now: %+v, %v", posts, err)
	}
	auditor := township
	auditor.Roles = []string{"AUDITOR"}
	if posts, err = w.app.ListOnDuty(t.Context(), auditor, hospital, time.Time{}); err != nil || posts[0].Duties[0].Phone != "" {
		t.Errorf("to who treats nobody: %+v, %v", posts, err)
	}
	now := h.clk.Now()
	_, err = w.app.GetRoster(t.Context(), w.dr1(), w.post("0304"), app.Span{From: now, To: now.AddDate(1, 0, 0)})
	expectField(t, err, "to", errs.ReasonFieldOutOfRange)
	// Nobody gives away what somebody else has, nor what is nobody's.
	other := w.person("dr2", "0304", domain.Specialist)
	_, err = w.app.HandOver(t.Context(), other, app.DutyChange{Post: w.post("0304"), From: w.ids["dr1"], To: w.ids["dr2"], End: now.Add(time.Hour)})
	expect(t, err, errs.ReasonRole)
	_, err = w.app.HandOver(t.Context(), other, app.DutyChange{Post: w.post("0304"), To: w.ids["dr1"], End: now.Add(time.Hour)})
	expectField(t, err, "fromAccountId", errs.ReasonFieldUnknown)
	if all, err := w.app.ListRosters(t.Context(), cli(), ""); err != nil || len(all) != 1 || len(all[0].Shifts()) != 14 {
		t.Errorf("a copy of all: %+v, %v", all, err)
	}
}

func TestColleaguesSeeTheNamesOfTheOwnOrganisation(t *testing.T) {
	t.Parallel()
	w := openWard(t, one(t))
	views, _, err := w.app.ListAccounts(t.Context(), w.dr1(), w.house.ids["H01"], app.Page{})
	if err != nil || len(views) != 4 {
		t.Errorf("%d accounts, %v", len(views), err)
	}
	for _, organization := range []string{"", w.house.ids["450321101"]} {
		_, _, err := w.app.ListAccounts(t.Context(), w.dr1(), organization, app.Page{})
		expect(t, err, errs.ReasonNotFound)
	}
	admin := authn.Identity{Subject: "x", County: county, Organization: "a", Roles: []string{"COUNTY_ADMIN"}}
	if views, _, err = w.app.ListAccounts(t.Context(), admin, w.house.ids["450321101"], app.Page{}); err != nil || len(views) != 1 {
		t.Errorf("%d accounts, %v", len(views), err)
	}
}
