package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func settingVersions(t *testing.T, f Fixture) {
	if got, err := f.Store.Targets(t.Context(), County); err != nil || !reflect.DeepEqual(got, domain.Targets{}) {
		t.Fatalf("before the first: %+v, %v", got, err)
	}
	target := domain.Targets{Targets: []domain.Target{{
		Measure: "IND-DN-A", OrganizationID: hospital, DepartmentCode: "0304", FromMonth: "2026-01", ToMonth: "2026-12", Value: 30.5,
	}}}
	cmd := command(administrator(), "t1", "a")
	first, err := f.Store.PutTargets(t.Context(), cmd, target)
	if err != nil || first.Version != 1 {
		t.Fatalf("version %d, %v", first.Version, err)
	}
	if again, err := f.Store.PutTargets(t.Context(), cmd, target); err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("the repeated request got %+v, %v", again, err)
	}
	for _, stale := range []int32{0, 2} {
		target.Version = stale
		_, err = f.Store.PutTargets(t.Context(), command(administrator(), "", ""), target)
		if e := refusal(t, err, errs.ReasonStaleVersion); e.Meta["version"] != "1" {
			t.Errorf("on version %d: %v", stale, e.Meta)
		}
	}
	if got, err := f.Store.Targets(t.Context(), County); err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("read back %+v, %v", got, err)
	}
	f.Clock.Advance(time.Hour)
	if _, err := f.Store.PutTargets(t.Context(), command(administrator(), "", ""), domain.Targets{Version: 1}); err != nil {
		t.Fatal(err)
	}
	all, err := f.Store.SettingVersions(t.Context(), County, app.SubjectTargets, 10)
	if err != nil || len(all) != 2 || all[0].Version != 2 || len(all[0].Targets.Targets) != 0 || !reflect.DeepEqual(all[1].Targets, first) ||
		all[1].AccountName != "黄管理" || !all[0].At.Equal(f.Clock.Now()) || !all[1].At.Equal(f.Clock.Now().Add(-time.Hour)) {
		t.Errorf("%+v, %v", all, err)
	}
	reasons := domain.ReasonSettings{Reasons: []domain.ReasonSetting{{Action: domain.ActionDecline, Code: "NO_BED", Text: "满床", Hidden: true}}}
	if got, err := f.Store.PutReasonSettings(t.Context(), command(administrator(), "", ""), reasons); err != nil || got.Version != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	reasons.Version = 1
	if got, err := f.Store.ReasonSettings(t.Context(), County); err != nil || !reflect.DeepEqual(got, reasons) {
		t.Errorf("read back %+v, %v", got, err)
	}
	if got, err := f.Store.ReasonSettings(t.Context(), "450322"); err != nil || got.Version != 0 {
		t.Errorf("another county has %+v, %v", got, err)
	}
	if _, err := f.Store.PutSettings(t.Context(), command(administrator(), "", ""), domain.Settings{BounceBackDays: 20}); err != nil {
		t.Fatal(err)
	}
	all, err = f.Store.SettingVersions(t.Context(), County, app.SubjectSettings, 10)
	if err != nil || len(all) != 1 || all[0].Settings.BounceBackDays != 20 || all[0].AccountID != "admin-1" {
		t.Errorf("the settings have %+v, %v", all, err)
	}
	expectList(t, "audit", f.Entries(t), "referral.update_targets", "referral.update_targets", "referral.update_reasons", "referral.update_settings")
}

func racingVersions(t *testing.T, f Fixture) {
	won := race(func(int) error {
		_, err := f.Store.PutTargets(t.Context(), command(administrator(), "", ""), domain.Targets{Targets: []domain.Target{{Measure: "UP-N", Value: 20}}})
		if err != nil && errs.ReasonOf(err) != errs.ReasonStaleVersion {
			t.Errorf("a loser got %v", err)
		}
		return err
	})
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func lateness(t *testing.T, f Fixture) {
	first := submitted(t, f, stroke("patient-1", domain.KindEmergency))
	f.Clock.Advance(time.Minute)
	second := submitted(t, f, stroke("patient-2", domain.KindEmergency))
	late := func(q app.LateScan) string {
		t.Helper()
		q.County = County
		if q.Limit == 0 {
			q.Limit = 10
		}
		got, err := f.Store.Late(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, c := range got.Cases {
			name := map[string]string{first.ID: "first", second.ID: "second"}[c.Referral.ID]
			whose, role := c.Referral.WaitsFor(c.Step)
			out += fmt.Sprintf("%s %s %s %s %s %s; ", name, c.Step, c.Due.Sub(first.SubmitTime), whose.OrganizationID, whose.DepartmentCode, role)
		}
		return out + fmt.Sprint(got.Totals)
	}
	if got := late(app.LateScan{}); got != "map[]" {
		t.Errorf("before any limit: %s", got)
	}
	f.Clock.Advance(time.Hour)
	const one, other = "first ANSWER 10m0s " + hospital + " 0304 INTAKE_DESK; ", "second ANSWER 11m0s " + hospital + " 0304 INTAKE_DESK; "
	for name, c := range map[string]struct {
		scan app.LateScan
		want string
	}{
		"all":                    {app.LateScan{}, one + other + "map[ANSWER:2]"},
		"a page":                 {app.LateScan{Limit: 1}, one + "map[ANSWER:2]"},
		"the next":               {app.LateScan{After: &app.Cursor{Time: first.SubmitTime.Add(10 * time.Minute), ID: first.ID + " ANSWER"}}, other + "map[ANSWER:2]"},
		"of the sender":          {app.LateScan{OrganizationID: township}, one + other + "map[ANSWER:2]"},
		"of somebody else":       {app.LateScan{OrganizationID: "elsewhere"}, "map[]"},
		"of the department":      {app.LateScan{Department: "0304"}, one + other + "map[ANSWER:2]"},
		"of another department":  {app.LateScan{Department: "0501"}, "map[]"},
		"of an urgency":          {app.LateScan{Urgency: domain.UrgencyEmergency, Kind: domain.KindEmergency}, one + other + "map[ANSWER:2]"},
		"of another kind":        {app.LateScan{Kind: domain.KindInpatient}, "map[]"},
		"with another step only": {app.LateScan{Step: domain.StepReply}, "map[ANSWER:2]"},
	} {
		if got := late(c.scan); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

func unsent(t *testing.T, f Fixture) {
	m := match(f, "encounter-1")
	v := found(t, f, m)
	next := stats.DateOf(f.Clock.Now().AddDate(0, 0, 2), time.UTC)
	before := stats.DateOf(f.Clock.Now().AddDate(0, 0, -2), time.UTC)
	for name, c := range map[string]struct {
		scan app.UnsentScan
		want int
	}{
		"in the county":    {app.UnsentScan{County: County, From: before, To: next}, 1},
		"in the hospital":  {app.UnsentScan{County: County, From: before, To: next, Hospital: hospital}, 1},
		"in another":       {app.UnsentScan{County: County, From: before, To: next, Hospital: "hospital-9"}, 0},
		"of the centre":    {app.UnsentScan{County: County, From: before, To: next, Centre: township}, 1},
		"of another":       {app.UnsentScan{County: County, From: before, To: next, Centre: "township-9"}, 0},
		"of no department": {app.UnsentScan{County: County, From: before, To: next, Department: "9999"}, 0},
		"before":           {app.UnsentScan{County: County, From: "2020-01-01", To: before}, 0},
		"in a county else": {app.UnsentScan{County: "450322", From: before, To: next}, 0},
	} {
		c.scan.Limit = 10
		got, err := f.Store.Unsent(t.Context(), c.scan)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d, %v", name, len(got), err)
		}
		if len(got) == 1 && (got[0].ID != v.ID || len(got[0].Medicines) != 1) {
			t.Errorf("%s: %v", name, got[0].Medicines)
		}
	}
}
