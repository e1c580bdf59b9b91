package app_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// managed is a referral of a patient whom the township manages, for these conditions.
func managed(patient string, codes ...string) app.Creation {
	in := creation(patient)
	in.Draft.Diagnoses = nil
	for _, code := range codes {
		in.Draft.Diagnoses = append(in.Draft.Diagnoses, domain.Diagnosis{Code: code})
	}
	return in
}

// checks are the open checks of the family doctor's centre as "code day".
func (h house) checks(t *testing.T) (out []string) {
	t.Helper()
	for _, f := range h.work(t, "all").FollowUps {
		if f.Source == "NORM" {
			out = append(out, f.Code+" "+f.Due)
		}
	}
	// Of one day they come by their ids.
	slices.Sort(out)
	return out
}

func (h house) check(t *testing.T, caller authn.Identity, task, result string) (app.FollowUp, error) {
	t.Helper()
	return h.RecordCheck(t.Context(), by(caller), app.Check{TaskID: task, Result: result, Note: "已就诊"})
}

func TestANormsCheckIsOnTheTownshipsListUntilItIsMade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.make(t, family(), managed(patient(), "I10", "E11.9"))
		expectList(t, "checks", h.checks(t), []string{"DIABETES_REFERRAL_CHECK 2026-04-01", "HYPERTENSION_REFERRAL_CHECK 2026-04-01"})
		list := h.work(t, "all").FollowUps
		if len(list) != 2 || list[0].FamilyDoctor != family().Subject || list[0].Referral.ID != v.ID || h.limit(t, v.ID, domain.StepNormCheck) != "OPEN" {
			t.Fatalf("%d tasks", len(list))
		}
		if rest := h.work(t, "week").FollowUps; len(rest) != 0 {
			t.Errorf("%d within the week", len(rest))
		}
		for result, want := range map[string]string{"": "result FIELD_REQUIRED", "STABLE": "result FIELD_UNKNOWN"} {
			_, err := h.check(t, family(), list[0].ID, result)
			expectFields(t, err, want)
		}
		cmd := command(family(), "r1", "a")
		for range 2 {
			done, err := h.RecordCheck(t.Context(), cmd, app.Check{TaskID: list[0].ID, Result: "WENT", Note: "已就诊"})
			if err != nil || done.State != "DONE" || done.Result != "WENT" || done.Note != "已就诊" || !done.DoneTime.Equal(h.clock.Now()) {
				t.Fatalf("%s with %s, %v", done.State, done.Result, err)
			}
		}
		if got := h.limit(t, v.ID, domain.StepNormCheck); got != "OPEN" {
			t.Errorf("one is left, and the reminder is %s", got)
		}
		_, err := h.check(t, family(), list[0].ID, "WENT")
		expectReason(t, err, errs.ReasonActionNotAvailable)
		if _, err = h.check(t, family(), list[1].ID, "NOT_GONE"); err != nil {
			t.Fatal(err)
		}
		if got := h.limit(t, v.ID, domain.StepNormCheck); got != "STOPPED" || len(h.checks(t)) > 0 {
			t.Errorf("both are made, and the reminder is %s", got)
		}
		if got := h.now(t, family(), v.ID); got.Version != v.Version || got.State != v.State {
			t.Errorf("the referral is %s at %d", got.State, got.Version)
		}
		expectList(t, "timeline", h.timeline(t, desk(), v.ID), []string{"create", "submit", "norm_check", "norm_check"})
	})
}

func TestACheckIsItsOwnTownshipsAndAPlannedVisitIsNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.make(t, family(), managed(patient(), "I10"))
		task := h.work(t, "all").FollowUps[0].ID
		for _, who := range []authn.Identity{doctor(), desk()} {
			_, err := h.check(t, who, task, "WENT")
			expectReason(t, err, errs.ReasonNotFound)
		}
		_, err := h.check(t, family(), "no such task", "WENT")
		expectReason(t, err, errs.ReasonNotFound)
		v := h.followed(t, patient(), "2026-03-18")
		visit := h.work(t, "today").FollowUps[0]
		if visit.Source != "PLAN" || visit.ReferralID != v.ID || visit.Planned.Mode != "CLINIC" {
			t.Fatalf("due today is %s of %s", visit.Source, visit.ReferralID)
		}
		_, err = h.check(t, family(), visit.ID, "WENT")
		expectReason(t, err, errs.ReasonActionNotAvailable)
	})
}

func TestChecksGoWithAReferralThatComesToNothingAndStayWithOneThatIsAnswered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		cancelled := h.make(t, family(), managed(patient(), "I10"))
		declined := h.make(t, family(), managed(patient(), "F20.0"))
		h.make(t, family(), managed(patient(), "E11.9"))
		in := managed(patient(), "I10")
		in.Submit = false
		h.make(t, family(), in)
		answered := h.arrive(t, desk(), h.accept(t, desk(), h.make(t, family(), managed(patient(), "A15.0"))))
		h.do(t, family(), cancelled, domain.ActionCancel)
		h.do(t, desk(), declined, domain.ActionDecline)
		expectList(t, "checks", h.checks(t), []string{"DIABETES_REFERRAL_CHECK 2026-04-01", "TB_SUSPICION_CHECK 2026-03-25"})
		for v, want := range map[string]string{cancelled.ID: "STOPPED", declined.ID: "STOPPED", answered.ID: "OPEN"} {
			if got := h.limit(t, v, domain.StepNormCheck); got != want {
				t.Errorf("the reminder is %s, want %s", got, want)
			}
		}
	})
}

// The patient goes to another centre, and so does what is to be done there.
func TestAChecksMoveWithADownReferralThatIsGivenOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := back(patient())
		in.Draft.Kind, in.Draft.Diagnoses = domain.KindChronic, []domain.Diagnosis{{Code: "A15.0"}}
		v := h.make(t, specialist(), in)
		expectList(t, "checks of the first", h.checks(t), []string{"TB_NOTICE_VISIT 2026-03-21"})
		_, err := h.Redirect(t.Context(), by(family()), app.Step{ID: v.ID, Version: v.Version, Carry: domain.Carry{
			Reason: "NEARER", Receiver: domain.Party{OrganizationID: township},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if left := h.checks(t); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		list, err := h.ListFollowUps(t.Context(), app.FollowUpFilter{Caller: doctor(), Due: "all"})
		if err != nil || len(list.FollowUps) != 1 {
			t.Fatalf("%d moved, %v", len(list.FollowUps), err)
		}
		if _, err := h.check(t, doctor(), list.FollowUps[0].ID, "WENT"); err != nil {
			t.Error(err)
		}
	})
}

func TestTheWorkListIsByDayPageByPageAndCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for n := range 3 {
			v := h.followed(t, patient(), fmt.Sprintf("2026-03-%d", 18+n), "2026-03-25")
			if n == 0 {
				h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: found("STABLE")})
			}
		}
		h.clock.Advance(days(2)) // the 20th
		for due, want := range map[string][]string{
			"":        {"2026-03-19", "2026-03-20"},
			"today":   {"2026-03-19", "2026-03-20"},
			"overdue": {"2026-03-19"},
			"week":    {"2026-03-19", "2026-03-20", "2026-03-25", "2026-03-25", "2026-03-25"},
			"all":     {"2026-03-19", "2026-03-20", "2026-03-25", "2026-03-25", "2026-03-25"},
			"done":    {"2026-03-18"},
		} {
			list := h.work(t, due)
			expectList(t, due, daysOf(list.FollowUps), want)
			if list.Due != 1 || list.Overdue != 1 {
				t.Errorf("%s: %d due, %d overdue", due, list.Due, list.Overdue)
			}
		}
		if late := h.work(t, "overdue").FollowUps[0]; late.OverdueDays != 1 {
			t.Errorf("late by %d days", late.OverdueDays)
		}
		f := app.FollowUpFilter{Caller: family(), Due: "all", Size: 2}
		var ids []string
		for {
			page, err := h.ListFollowUps(t.Context(), f)
			if err != nil || len(page.FollowUps) > 2 {
				t.Fatal(len(page.FollowUps), err)
			}
			for _, one := range page.FollowUps {
				ids = append(ids, one.ID)
			}
			if f.Token = page.Token; f.Token == "" {
				break
			}
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 5 {
			t.Errorf("%d of 5", len(ids))
		}
		f.Token = "x"
		_, err := h.ListFollowUps(t.Context(), f)
		expectFields(t, err, "pageToken FIELD_INVALID")
		mine := app.FollowUpFilter{Caller: family(), Due: "all", FamilyDoctor: "me"}
		others := app.FollowUpFilter{Caller: family(), Due: "all", FamilyDoctor: "doctor-9"}
		for n, f := range map[int]app.FollowUpFilter{5: mine, 0: others} {
			if list, err := h.ListFollowUps(t.Context(), f); err != nil || len(list.FollowUps) != n {
				t.Errorf("of %s: %d, %v", f.FamilyDoctor, len(list.FollowUps), err)
			}
		}
	})
}

func daysOf(list []app.FollowUp) (out []string) {
	for _, f := range list {
		out = append(out, f.Due)
	}
	return out
}

func TestTemplatesThatSuitAReferralComeFirstLaidOutFromADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := back(patient())
		in.Draft.Kind, in.Draft.Diagnoses = domain.KindChronic, []domain.Diagnosis{{Code: "I10"}}
		v := h.make(t, specialist(), in)
		list, err := h.ListTemplates(t.Context(), family(), v.ID, "2026-04-01")
		if err != nil || len(list) == 0 || list[0].Condition != domain.ConditionHypertension || list[0].Plan.Visits[0].Due < "2026-04-01" {
			t.Fatalf("%d templates, %v", len(list), err)
		}
		today, err := h.ListTemplates(t.Context(), family(), "", "")
		if err != nil || len(today) == 0 || today[0].Plan.Visits[0].Due < "2026-03-18" {
			t.Errorf("%d templates, %v", len(today), err)
		}
		_, err = h.ListTemplates(t.Context(), family(), v.ID, "soon")
		expectFields(t, err, "start FIELD_INVALID")
		_, err = h.ListTemplates(t.Context(), stranger(), v.ID, "")
		expectReason(t, err, errs.ReasonNotFound)
	})
}

// What is not made in time is told, and once it is made nobody is told any more.
func TestACheckThatNobodyMadeIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.make(t, family(), managed(patient(), "I10"))
		h.clock.Advance(days(15))
		look(t, h.Service)
		told := len(h.rungs(t))
		if !slices.Contains(h.rungs(t), string(domain.StepNormCheck)) {
			t.Fatalf("told %q", h.rungs(t))
		}
		if _, err := h.check(t, family(), h.work(t, "overdue").FollowUps[0].ID, "NOT_REACHED"); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(days(10))
		look(t, h.Service)
		// The unanswered referral is told of as ever.
		for _, rung := range h.rungs(t)[told:] {
			if rung == string(domain.StepNormCheck) {
				t.Error("told after it was made")
			}
		}
	})
}

// rungs are the steps of the limits that were told, in their order.
func (h house) rungs(t *testing.T) (out []string) {
	t.Helper()
	err := h.db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT payload FROM outbox WHERE subject LIKE '%deadline_passed' ORDER BY occur_time, fact_id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var payload []byte
			if err := rows.Scan(&payload); err != nil {
				return err
			}
			var m referralv1.DeadlinePassed
			if err := proto.Unmarshal(payload, &m); err != nil {
				return err
			}
			out = append(out, m.GetDeadline().GetStep())
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Of several checks the reminder is that of the one that is due first and open.
func TestTheReminderRunsOnToTheNextOpenCheck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.make(t, family(), managed(patient(), "A15.0", "I10", "E11.9"))
		if _, err := h.check(t, family(), h.work(t, "all").FollowUps[0].ID, "WENT"); err != nil {
			t.Fatal(err)
		}
		reminders := func(after int) (n int) {
			t.Helper()
			h.clock.Advance(days(after))
			look(t, h.Service)
			for _, rung := range h.rungs(t) {
				if rung == string(domain.StepNormCheck) {
					n++
				}
			}
			return n
		}
		if n := reminders(8); n > 0 {
			t.Errorf("the check of the first week was made, and %d were told", n)
		}
		told := reminders(7)
		if told != 1 {
			t.Fatalf("two are late, and %d were told", told)
		}
		// The other was due on the same day: the ladder goes on where it is.
		if _, err := h.check(t, family(), h.work(t, "overdue").FollowUps[0].ID, "WENT"); err != nil {
			t.Fatal(err)
		}
		if n := reminders(0); n != told {
			t.Errorf("%d told anew", n-told)
		}
	})
}

// downWith is a patient who is sent down with these conditions.
func (h house) downWith(t *testing.T, codes ...string) app.View {
	t.Helper()
	in := back(patient())
	in.Draft.Kind, in.Draft.Diagnoses = domain.KindChronic, managed("", codes...).Draft.Diagnoses
	return h.make(t, specialist(), in)
}

func TestAFollowUpDoesWhatTheNormsAskForAPatientWhoCameDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.arrive(t, family(), h.accept(t, family(), h.downWith(t, "A15.0", "F20.0")))
		expectList(t, "sent", h.checks(t), []string{"SMD_STABLE_VISIT 2026-06-16", "TB_NOTICE_VISIT 2026-03-21"})
		p := plan("2026-03-25", "2026-06-10")
		v = h.step(t, family(), v, domain.ActionBeginFollowUp, domain.Carry{Plan: &p, FamilyDoctor: family().Subject})
		expectList(t, "begun", h.checks(t), []string{"SMD_STABLE_VISIT 2026-06-16"})
		h.clock.Advance(days(4))
		look(t, h.Service)
		if slices.Contains(h.rungs(t), string(domain.StepNormCheck)) || h.limit(t, v.ID, domain.StepNormCheck) != "OPEN" {
			t.Errorf("told %q", h.rungs(t))
		}
		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: found("IMPROVED")})
		if got := h.limit(t, v.ID, domain.StepNormCheck); got != "STOPPED" || len(h.checks(t)) > 0 {
			t.Errorf("visited, and the reminder is %s", got)
		}
		var done []string
		for _, f := range h.work(t, "done").FollowUps {
			if f.Source == "NORM" {
				done = append(done, f.Code+" "+f.Result)
			}
		}
		slices.Sort(done)
		expectList(t, "done", done, []string{"SMD_STABLE_VISIT IMPROVED", "TB_NOTICE_VISIT "})
	})
}

func TestAFollowUpThatEndsTakesItsChecksOffTheList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for action, end := range map[string]func(app.View){
			"completed": func(v app.View) { h.step(t, family(), v, domain.ActionComplete, domain.Carry{Outcome: "IMPROVED"}) },
			"escalated": func(v app.View) { h.escalate(t, v) },
		} {
			v := h.arrive(t, family(), h.accept(t, family(), h.downWith(t, "F20.0")))
			p := plan("2026-03-25")
			v = h.step(t, family(), v, domain.ActionBeginFollowUp, domain.Carry{Plan: &p, FamilyDoctor: family().Subject})
			end(v)
			if got := h.limit(t, v.ID, domain.StepNormCheck); got != "STOPPED" || len(h.checks(t)) > 0 {
				t.Errorf("%s: %q, the reminder is %s", action, h.checks(t), got)
			}
		}
		if n := len(h.work(t, "done").FollowUps); n > 0 {
			t.Errorf("%d that nobody made are done", n)
		}
	})
}
