package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func TestMessagesGoOutAsPeopleAndTheCountyWant(t *testing.T) {
	each(t, func(f *fixture) {
		err := f.SetPreferences(f.t.Context(), f.caller("desk"), domain.Preferences{
			Urgent: []string{domain.WeComApp, domain.Email}, Routine: nil, Language: "en",
		}, id.New())
		if err != nil {
			f.t.Fatal(err)
		}
		sent := func(account, event string) int {
			return f.count("SELECT count(*) FROM delivery WHERE account_id = $1 AND event = $2", account, event)
		}
		routine := f.fact("submitted")
		f.handle(routine)
		f.handle(routine)
		if n := sent("desk", "submitted"); n != 0 {
			f.t.Errorf("routine: %d", n)
		}
		urgent := f.fact("submitted")
		urgent.Urgency = domain.UrgencyUrgent
		f.handle(urgent)
		if n := sent("desk", "submitted"); n != 2 {
			f.t.Errorf("urgent: %d", n)
		}
		emergency := f.emergency("submitted")
		emergency.ReferralID = "e"
		f.handle(emergency)
		// What the county always uses, and what the person chose; the groups hear the first ring.
		if n := sent("desk", "alarm_rang"); n != 3 {
			f.t.Errorf("emergency: %d", n)
		}
		if n := f.count("SELECT count(*) FROM delivery WHERE organization_id = 'hospital' AND account_id = ''"); n != 8 {
			f.t.Errorf("groups: %d", n)
		}
		if n := f.count("SELECT count(*) FROM delivery WHERE account_id = 'desk' AND language <> 'en'"); n != 0 {
			f.t.Errorf("%d in another language", n)
		}
		rules, err := f.CountyRules(f.t.Context(), f.caller("admin"))
		if err != nil {
			f.t.Fatal(err)
		}
		rules.Allowed, rules.AlwaysEmergency = []string{domain.WeComApp}, []string{domain.WeComApp}
		if err := f.SetCountyRules(f.t.Context(), f.caller("admin"), rules, id.New()); err != nil {
			f.t.Fatal(err)
		}
		if err := f.SetCountyRules(f.t.Context(), f.caller("admin"), rules, id.New()); errs.ReasonOf(err) != errs.ReasonStaleVersion {
			f.t.Errorf("the same version again: %v", err)
		}
		err = f.SetPreferences(f.t.Context(), f.caller("desk"), domain.Preferences{Version: 1, Urgent: []string{domain.WeComApp, domain.SMS}}, id.New())
		if errs.ReasonOf(err) != errs.ReasonFieldCombination {
			f.t.Errorf("what the county does not allow: %v", err)
		}
		f.later(time.Minute)
		if n := f.count("SELECT count(*) FROM delivery WHERE account_id = 'desk' AND ring = 2"); n != 1 {
			f.t.Errorf("after the county allows less: %d", n)
		}
	})
}

func TestTheTableIsListedWithItsTexts(t *testing.T) {
	each(t, func(f *fixture) {
		all := f.Rules()
		i := slices.IndexFunc(all, func(r app.RuleView) bool { return r.To == domain.Patient })
		if len(all) < 60 || i < 0 || all[i].Text != "zh-CN "+all[i].Template || all[i].TextEnglish == "" {
			f.t.Errorf("%d rows", len(all))
		}
	})
}
