package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestTargetsAreOfWhatTheCountyHas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		aim := func(edit func(*domain.Target)) domain.Targets {
			one := domain.Target{Measure: "IND-DN-A", OrganizationID: hospital, DepartmentCode: "0304", FromMonth: "2026-01", Value: 30}
			edit(&one)
			return domain.Targets{Targets: []domain.Target{one}}
		}
		for name, c := range map[string]struct {
			in   domain.Targets
			want string
		}{
			"of no organisation":   {aim(func(o *domain.Target) { o.OrganizationID = "nowhere" }), "targets.targets[0].organizationId FIELD_UNKNOWN"},
			"of no measure":        {aim(func(o *domain.Target) { o.Measure = "NONE" }), "targets.targets[0].measure FIELD_UNKNOWN"},
			"of a time":            {aim(func(o *domain.Target) { o.Measure = "TIME-ANSWER" }), "targets.targets[0].measure FIELD_UNKNOWN"},
			"more than everything": {aim(func(o *domain.Target) { o.Value = 101 }), "targets.targets[0].value FIELD_OUT_OF_RANGE"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := h.UpdateTargets(t.Context(), by(administrator()), c.in)
				expectFields(t, err, c.want)
			})
		}
		set, err := h.UpdateTargets(t.Context(), by(administrator()), aim(func(*domain.Target) {}))
		if err != nil || set.Version != 1 {
			t.Fatal(set, err)
		}
		if got, err := h.GetTargets(t.Context(), doctor()); err != nil || len(got.Targets) != 1 || got.Targets[0].Value != 30 {
			t.Errorf("%+v, %v", got, err)
		}
		history, err := h.SettingHistory(t.Context(), administrator(), app.SubjectTargets)
		if err != nil || len(history) != 1 || history[0].AccountID != administrator().Subject {
			t.Errorf("%+v, %v", history, err)
		}
	})
}

func TestReasonsAreShownAsTheCountyHasThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		_, err := h.UpdateReasonSettings(t.Context(), by(administrator()), domain.ReasonSettings{Reasons: []domain.ReasonSetting{
			{Action: domain.ActionDecline, Code: "NO_BED", Text: "床位已满"}, {Action: domain.ActionDecline, Code: "DUPLICATE", Hidden: true},
			{Action: domain.ActionReturn, Code: "MISSING_RESULTS", Text: "缺少检查检验结果"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := h.GetReasonSettings(t.Context(), doctor()); err != nil || len(kept.Reasons) != 2 {
			t.Errorf("what is as shipped is kept: %+v, %v", kept, err)
		}
		offered, err := h.Reasons(t.Context(), county, domain.ActionDecline, domain.Up)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range offered {
			if r.Code == "DUPLICATE" || r.Only == domain.Down || r.Code == "NO_BED" && r.Text != "床位已满" {
				t.Errorf("offered: %+v", r)
			}
		}
		all, err := h.Reasons(t.Context(), county, domain.ActionDecline, "")
		if err != nil || len(all) != len(domain.Reasons(domain.ActionDecline)) {
			t.Errorf("%d reasons word old cases, %v", len(all), err)
		}
		elsewhere, err := h.Reasons(t.Context(), "450322", domain.ActionDecline, domain.Up)
		if err != nil || elsewhere[0].Text != "暂无床位" {
			t.Errorf("another county: %+v, %v", elsewhere[0], err)
		}
		_, err = h.UpdateReasonSettings(t.Context(), by(administrator()), domain.ReasonSettings{Reasons: []domain.ReasonSetting{
			{Action: domain.ActionDecline, Code: "OTHER", Hidden: true},
		}})
		expectFields(t, err, "settings.reasons[0].hidden FIELD_COMBINATION")
	})
}

func TestOnlyAnAdministratorSeesWhatIsLateElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		_, err := h.Late(t.Context(), app.LateQuery{FigureQuery: app.FigureQuery{Caller: doctor(), OrganizationID: hospital}})
		expectReason(t, err, errs.ReasonRole)
		if got, err := h.Late(t.Context(), app.LateQuery{FigureQuery: app.FigureQuery{Caller: administrator(), OrganizationID: hospital}}); err != nil || got.Next != "" {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = h.Late(t.Context(), app.LateQuery{FigureQuery: app.FigureQuery{Caller: administrator()}, PageToken: "%"})
		expectFields(t, err, "pageToken FIELD_INVALID")
	})
}
