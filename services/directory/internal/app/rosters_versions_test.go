package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func TestEveryVersionOfARosterIsKeptAndAnOlderWeekIsSetAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		w := openWard(t, h)
		w.set(t)
		first := w.always()
		head := w.head()
		head.Name = "王主任"
		if _, err := w.app.SetRoster(t.Context(), head, app.WeekChange{Post: w.post("0304"), Version: 1, Shifts: first[:2], RequestID: id.New()}); err != nil {
			t.Fatal(err)
		}
		now := h.clk.Now()
		v, err := w.app.HandOver(t.Context(), head, app.DutyChange{Post: w.post("0304"), From: w.ids["dr1"], To: w.ids["dr2"], Start: now,
			End: now.Add(8 * 24 * time.Hour), RequestID: id.New()})
		if err != nil {
			t.Fatal(err)
		}
		over := v.Roster.HandOvers()[0]
		if _, err := w.app.TakeBack(t.Context(), head, over.ID, id.New()); err != nil {
			t.Fatal(err)
		}
		list, names, err := w.app.RosterHistory(t.Context(), w.dr1(), w.post("0304"))
		if err != nil || len(list) != 4 {
			t.Fatalf("%d versions, %v", len(list), err)
		}
		for i, want := range []string{app.RosterTakeBack, app.RosterHandOver, app.RosterSet, app.RosterSet} {
			if list[i].Action.Code != want || list[i].Version != int32(4-i) {
				t.Errorf("version %d is %s, want %s", list[i].Version, list[i].Action.Code, want)
			}
		}
		if list[2].AccountName != "王主任" || len(list[2].Shifts) != 2 || list[1].Action.HandOver.To != w.ids["dr2"] || names[w.ids["dr2"]] != "名dr2" {
			t.Errorf("%+v, %v", list, names)
		}
		// Back to the first week: the hand-over that was taken back stays so.
		set, err := w.app.SetRoster(t.Context(), head, app.WeekChange{Post: w.post("0304"), Version: list[0].Version, Shifts: list[3].Shifts, RequestID: id.New()})
		if err != nil || !slices.Equal(set.Roster.Shifts(), list[3].Shifts) || len(set.Roster.HandOvers()) != 0 {
			t.Errorf("%+v, %v", set.Roster, err)
		}
		_, _, err = w.app.RosterHistory(t.Context(), w.person("elsewhere", "", domain.TownshipDoctor), domain.Post{OrganizationID: id.New()})
		expect(t, err, errs.ReasonNotFound)
	})
}

func TestWhoLeftIsReplacedInOneStepWithAPreview(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		w := openWard(t, h)
		w.set(t)
		day := h.clk.Now().AddDate(0, 0, 3).Format(time.DateOnly)
		c := app.Replacement{Post: w.post("0304"), Version: 1, From: w.ids["dr1"], To: w.ids["dr2"], Day: day, Preview: true, RequestID: id.New()}
		would, err := w.app.ReplaceOnRoster(t.Context(), w.head(), c)
		if err != nil || len(would.Roster.Shifts()) != 21 || would.Roster.Version() != 2 {
			t.Fatalf("%+v, %v", would, err)
		}
		if v, err := w.app.GetRoster(t.Context(), w.head(), w.post("0304"), app.Span{}); err != nil || v.Roster.Version() != 1 {
			t.Errorf("a preview wrote version %d, %v", v.Roster.Version(), err)
		}
		c.Preview = false
		for range 2 {
			v, err := w.app.ReplaceOnRoster(t.Context(), w.head(), c)
			if err != nil || v.Roster.Version() != 2 || !slices.Equal(v.Roster.Shifts(), would.Roster.Shifts()) {
				t.Fatalf("%+v, %v", v.Roster, err)
			}
		}
		if on := w.onDuty(t); !slices.Equal(on, []string{w.ids["dr1"]}) {
			t.Errorf("before the day: %v", on)
		}
		h.clk.Advance(4 * 24 * time.Hour)
		if on := w.onDuty(t); !slices.Equal(on, []string{w.ids["dr2"]}) {
			t.Errorf("after the day: %v", on)
		}
		list, _, err := w.app.RosterHistory(t.Context(), w.dr1(), w.post("0304"))
		if err != nil || list[0].Action.Code != app.RosterReplace || !slices.Equal(list[0].Shifts, would.Roster.Shifts()) {
			t.Errorf("%+v, %v", list, err)
		}
		c.Version, c.From, c.Day, c.RequestID = 2, w.ids["desk"], "", id.New()
		_, err = w.app.ReplaceOnRoster(t.Context(), w.head(), c)
		expect(t, err, errs.ReasonActionNotAvailable)
		c.Version = 1
		_, err = w.app.ReplaceOnRoster(t.Context(), w.head(), c)
		expect(t, err, errs.ReasonStaleVersion)
		_, err = w.app.ReplaceOnRoster(t.Context(), w.dr1(), c)
		expect(t, err, errs.ReasonRole)
	})
}
