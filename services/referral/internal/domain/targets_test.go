package domain_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func unitOf(measure string) domain.Unit {
	return map[string]domain.Unit{"RATE": domain.Percentage, "N": domain.Amount}[measure]
}

func TestTargetsThatNoCountyCanHaveAreRefused(t *testing.T) {
	t.Parallel()
	rate := func(edit func(*domain.Target)) domain.Target {
		one := domain.Target{Measure: "RATE", FromMonth: "2026-01", ToMonth: "2026-12", Value: 30}
		edit(&one)
		return one
	}
	for name, c := range map[string]struct {
		targets []domain.Target
		want    string
	}{
		"one of the county":          {[]domain.Target{rate(func(*domain.Target) {})}, ""},
		"one decimal":                {[]domain.Target{rate(func(o *domain.Target) { o.Value = 30.1 })}, ""},
		"open ends":                  {[]domain.Target{rate(func(o *domain.Target) { o.FromMonth, o.ToMonth = "", "" })}, ""},
		"year after year":            {[]domain.Target{rate(func(*domain.Target) {}), rate(func(o *domain.Target) { o.FromMonth, o.ToMonth = "2027-01", "" })}, ""},
		"county and hospital":        {[]domain.Target{rate(func(*domain.Target) {}), rate(func(o *domain.Target) { o.OrganizationID = "h" })}, ""},
		"more than all":              {[]domain.Target{rate(func(o *domain.Target) { o.Value = 100.1 })}, "targets.targets[0].value FIELD_OUT_OF_RANGE"},
		"less than none":             {[]domain.Target{rate(func(o *domain.Target) { o.Value = -1 })}, "targets.targets[0].value FIELD_OUT_OF_RANGE"},
		"two decimals":               {[]domain.Target{rate(func(o *domain.Target) { o.Value = 30.25 })}, "targets.targets[0].value FIELD_INVALID"},
		"half a case":                {[]domain.Target{{Measure: "N", Value: 2.5}}, "targets.targets[0].value FIELD_INVALID"},
		"more than a hundred cases":  {[]domain.Target{{Measure: "N", Value: 250}}, ""},
		"no measure":                 {[]domain.Target{{Value: 1}}, "targets.targets[0].measure FIELD_REQUIRED"},
		"one that cannot be reached": {[]domain.Target{{Measure: "TIME", Value: 1}}, "targets.targets[0].measure FIELD_UNKNOWN"},
		"a department of nobody":     {[]domain.Target{rate(func(o *domain.Target) { o.DepartmentCode = "0304" })}, "targets.targets[0].departmentCode FIELD_COMBINATION"},
		"no month":                   {[]domain.Target{rate(func(o *domain.Target) { o.FromMonth = "2026-13" })}, "targets.targets[0].fromMonth FIELD_INVALID"},
		"an end before the begin":    {[]domain.Target{rate(func(o *domain.Target) { o.ToMonth = "2025-12" })}, "targets.targets[0].toMonth FIELD_COMBINATION"},
		"two for one month": {
			[]domain.Target{rate(func(*domain.Target) {}), rate(func(o *domain.Target) { o.FromMonth, o.ToMonth = "2026-12", "" })},
			"targets.targets[1].fromMonth FIELD_COMBINATION",
		},
	} {
		got := ""
		if bad := (domain.Targets{Targets: c.targets}).Check(unitOf); len(bad) > 0 {
			got = bad[0].Name + " " + bad[0].Reason
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestACountyHidesAndRewordsReasonsAndKeepsTheirCodes(t *testing.T) {
	t.Parallel()
	set := domain.ReasonSettings{Reasons: []domain.ReasonSetting{
		{Action: domain.ActionDecline, Code: "NO_BED", Text: "床位已满"}, {Action: domain.ActionDecline, Code: "DUPLICATE", Hidden: true},
	}}
	if bad := set.Check(); len(bad) != 0 {
		t.Fatal(bad)
	}
	all := set.Apply(domain.ActionDecline)
	if all[0].Code != "NO_BED" || all[0].Text != "床位已满" || all[0].TextEn != "No bed" || len(all) != len(domain.Reasons(domain.ActionDecline)) {
		t.Errorf("%+v", all[0])
	}
	for _, r := range all {
		if r.Hidden != (r.Code == "DUPLICATE") {
			t.Errorf("%s hidden: %v", r.Code, r.Hidden)
		}
	}
	for name, c := range map[string]struct {
		reason domain.ReasonSetting
		want   string
	}{
		"of no action":           {domain.ReasonSetting{Action: "dance", Code: "NO_BED", Hidden: true}, "settings.reasons[0].code FIELD_UNKNOWN"},
		"of another action":      {domain.ReasonSetting{Action: domain.ActionReturn, Code: "NO_BED", Hidden: true}, "settings.reasons[0].code FIELD_UNKNOWN"},
		"the one that always is": {domain.ReasonSetting{Action: domain.ActionReturn, Code: "OTHER", Hidden: true}, "settings.reasons[0].hidden FIELD_COMBINATION"},
	} {
		bad := (domain.ReasonSettings{Reasons: []domain.ReasonSetting{c.reason}}).Check()
		if len(bad) == 0 || bad[0].Name+" "+bad[0].Reason != c.want {
			t.Errorf("%s: %v", name, bad)
		}
	}
	twice := domain.ReasonSettings{Reasons: append(set.Reasons, set.Reasons[0])}
	if bad := twice.Check(); len(bad) != 1 || bad[0].Name != "settings.reasons[2].code" {
		t.Errorf("%v", bad)
	}
}

func TestAnOwnReasonCountsAsAShippedOne(t *testing.T) {
	t.Parallel()
	own := func(edit func(*domain.ReasonSetting)) domain.ReasonSetting {
		one := domain.ReasonSetting{Action: domain.ActionDecline, CountsAs: "NO_BED", Text: "ICU 满床"}
		edit(&one)
		return one
	}
	for name, c := range map[string]struct {
		reason domain.ReasonSetting
		want   string
	}{
		"new":                      {own(func(*domain.ReasonSetting) {}), ""},
		"with its code":            {own(func(r *domain.ReasonSetting) { r.Code = "NO_BED.3" }), ""},
		"without words":            {own(func(r *domain.ReasonSetting) { r.Text = "" }), "settings.reasons[0].text FIELD_REQUIRED"},
		"as nothing said":          {own(func(r *domain.ReasonSetting) { r.CountsAs = "" }), "settings.reasons[0].countsAs FIELD_REQUIRED"},
		"as nothing":               {own(func(r *domain.ReasonSetting) { r.CountsAs = "NONE" }), "settings.reasons[0].countsAs FIELD_UNKNOWN"},
		"as another own one":       {own(func(r *domain.ReasonSetting) { r.CountsAs = "NO_BED.1" }), "settings.reasons[0].countsAs FIELD_COMBINATION"},
		"as of another action":     {own(func(r *domain.ReasonSetting) { r.CountsAs = "MISSING_HISTORY" }), "settings.reasons[0].countsAs FIELD_UNKNOWN"},
		"as another than its code": {own(func(r *domain.ReasonSetting) { r.Code = "OTHER.1" }), "settings.reasons[0].countsAs FIELD_COMBINATION"},
		"a shipped one renamed":    {own(func(r *domain.ReasonSetting) { r.Code = "NO_BED" }), "settings.reasons[0].countsAs FIELD_COMBINATION"},
	} {
		got := ""
		for _, f := range (domain.ReasonSettings{Reasons: []domain.ReasonSetting{c.reason}}).Check() {
			got += f.Name + " " + f.Reason
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
	if domain.CountsAs("NO_BED.12") != "NO_BED" || domain.CountsAs("NO_BED") != "NO_BED" || domain.CountsAs("") != "" {
		t.Error("a code does not say what it counts as")
	}
	set, bad := (domain.ReasonSettings{Reasons: []domain.ReasonSetting{own(func(r *domain.ReasonSetting) { r.CountsAs = "OTHER" })}}).Numbered(domain.ReasonSettings{})
	if len(bad) > 0 || set.Reasons[0].Code != "OTHER.1" {
		t.Errorf("%+v %v", set, bad)
	}
	for _, r := range set.Apply(domain.ActionDecline) {
		if r.Code == "OTHER.1" && r.NoteRequired || r.Code == "OTHER" && !r.NoteRequired {
			t.Errorf("whether a note is needed: %+v", r)
		}
	}
	if _, bad := set.Numbered(domain.ReasonSettings{}); len(bad) != 1 {
		t.Errorf("a code that the county did not give: %v", bad)
	}
}
