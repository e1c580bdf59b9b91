package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// limit writes the account's entry of a limit that passed.
func limit(t testing.TB, o Opened, account, referral, step string, level int32) domain.EntryData {
	t.Helper()
	f := domain.Fact{
		ID: id.New(), Event: domain.DeadlinePassed, OccurTime: o.Clock.Now().Add(-time.Second), ReferralID: referral, Urgency: "URGENT",
		Deadline: domain.Deadline{Step: step, Level: level}, Candidate: domain.Candidate{ID: "candidate"},
	}
	e, err := domain.NewEntry(County, id.New(), account, f, o.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	change(t, o, func(u app.Unit) error { u.Add(e); return nil })
	return e.Data()
}

func change(t testing.TB, o Opened, fn func(app.Unit) error) {
	t.Helper()
	if err := o.Store.Change(t.Context(), command(), fn); err != nil {
		t.Fatal(err)
	}
}

func aboutLimit(t *testing.T, o Opened) {
	want := limit(t, o, "a", "r", "ANSWER", 2)
	got, _ := entries(t, o, app.EntryQuery{AccountID: "a", State: "OPEN", Limit: 9})
	if len(got) != 1 || got[0].Step != "ANSWER" || got[0].Level != 2 || got[0].CandidateID != "candidate" || !got[0].OccurTime.Equal(want.OccurTime) {
		t.Errorf("%+v, want %+v", got, want)
	}
	change(t, o, func(u app.Unit) error {
		for key, want := range map[string]bool{want.ID: true, id.New(): false} {
			if there, err := u.Exists(t.Context(), key); err != nil || there != want {
				t.Errorf("exists: %v, want %v, %v", there, want, err)
			}
		}
		return nil
	})
}

func settledOnce(t *testing.T, o Opened) {
	const answer, consent = domain.StateWait, domain.Wait("CONSENT")
	now := o.Clock.Now()
	for i, c := range []struct {
		wait     domain.Wait
		at, want time.Time
	}{
		{answer, time.Time{}, time.Time{}},
		{answer, now, now},
		{answer, now.Add(-time.Hour), now},
		{answer, time.Time{}, now},
		{answer, now.Add(time.Hour), now.Add(time.Hour)},
		{consent, time.Time{}, time.Time{}},
	} {
		change(t, o, func(u app.Unit) error {
			got, err := u.Settle(t.Context(), "r", c.wait, c.at)
			if err != nil || !got.Equal(c.want) {
				t.Errorf("%d: %s, want %s, %v", i, got, c.want, err)
			}
			return err
		})
	}
}

func openLimits(t *testing.T, o Opened) {
	a, b, done := limit(t, o, "a", "r", "ANSWER", 1), limit(t, o, "b", "r", "CONSENT", 1), limit(t, o, "c", "r", "ANSWER", 1)
	limit(t, o, "a", "other", "ANSWER", 1)
	add(t, o, "a", "r")
	change(t, o, func(u app.Unit) error {
		e, err := u.Entry(t.Context(), "c", done.ID)
		if err == nil {
			e.Acknowledge(u.Now())
		}
		return err
	})
	change(t, o, func(u app.Unit) error {
		found, err := u.OpenDeadlines(t.Context(), "r")
		var got []string
		for _, e := range found {
			got = append(got, e.Data().ID)
		}
		want := []string{a.ID, b.ID}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		return err
	})
}

func whoWasTold(t *testing.T, o Opened) {
	zeng := account("zeng", "centre", 1, "TOWNSHIP_DOCTOR")
	zeng.Name = "曾小明"
	save(t, o, zeng, account("desk", "hospital", 1, "INTAKE_DESK"))
	first := add(t, o, "zeng", "r")
	o.Clock.Advance(time.Minute)
	second := limit(t, o, "zeng", "r", "ANSWER", 1)
	third, unknown := add(t, o, "desk", "r"), add(t, o, "gone", "r")
	add(t, o, "zeng", "other")
	told := func(organization string, limit int) (keys, names []string) {
		got, err := o.Store.Told(t.Context(), app.ToldQuery{County: County, ReferralID: "r", OrganizationID: organization, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range got {
			keys, names = append(keys, one.Entry.ID), append(names, one.Name)
		}
		return keys, names
	}
	if keys, names := told("centre", 9); !slices.Equal(keys, []string{first.ID, second.ID}) || !slices.Equal(names, []string{"曾小明", "曾小明"}) {
		t.Errorf("of the centre: %v %q", keys, names)
	}
	if keys, _ := told("", 9); len(keys) != 4 || keys[0] != first.ID || !slices.Contains(keys, third.ID) || !slices.Contains(keys, unknown.ID) {
		t.Errorf("of the county: %v", keys)
	}
	if keys, _ := told("", 1); !slices.Equal(keys, []string{first.ID}) {
		t.Errorf("at most one: %v", keys)
	}
	var paged []string
	for q := (app.ToldQuery{County: County, ReferralID: "r", Limit: 1}); len(paged) < 9; {
		page, err := o.Store.Told(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		q.AfterTime, q.AfterID = page[0].Entry.CreateTime, page[0].Entry.ID
		paged = append(paged, q.AfterID)
	}
	if all, _ := told("", 9); !slices.Equal(paged, all) {
		t.Errorf("by pages %v, at once %v", paged, all)
	}
	if keys, _ := told("elsewhere", 9); len(keys) != 0 {
		t.Errorf("of an organisation nobody of which was told: %v", keys)
	}
}

func anywhere(t *testing.T, o Opened) {
	admins := domain.Recipient{Roles: []string{"COUNTY_ADMIN"}, Anywhere: true}
	if got, known := resolve(t, o, admins); len(got) != 0 || known {
		t.Errorf("in an empty county: %v, known %v", got, known)
	}
	save(t, o, account("desk", "hospital", 1, "INTAKE_DESK"))
	if got, known := resolve(t, o, admins); len(got) != 0 || !known {
		t.Errorf("without an administrator: %v, known %v", got, known)
	}
	save(t, o, account("a", "hospital", 1, "COUNTY_ADMIN"), account("b", "authority", 1, "COUNTY_ADMIN"))
	if got, known := resolve(t, o, admins); !slices.Equal(got, []string{"a", "b"}) || !known {
		t.Errorf("%v, known %v", got, known)
	}
	nowhere := domain.Recipient{Roles: []string{"COUNTY_ADMIN"}}
	if got, _ := resolve(t, o, nowhere); len(got) != 0 {
		t.Errorf("at no organisation: %v", got)
	}
}

func nameTaken(t *testing.T, o Opened) {
	before, after := account("a", "hospital", 2, "INTAKE_DESK"), account("a", "hospital", 2, "INTAKE_DESK")
	after.Name = "曾小明"
	older := account("a", "hospital", 1, "INTAKE_DESK")
	older.Name = "曾晓明"
	save(t, o, before)
	save(t, o, older)
	save(t, o, after)
	add(t, o, "a", "r")
	got, err := o.Store.Told(t.Context(), app.ToldQuery{County: County, ReferralID: "r", OrganizationID: "hospital", Limit: 9})
	if err != nil || len(got) != 1 || got[0].Name != "曾小明" {
		t.Errorf("%v, %v", got, err)
	}
}
