package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// colleague is the account of another doctor of the township.
const colleague = "0192f0c1-2b3c-7d4e-8f50-617283940a5c"

// downDraft is a complete way back from the hospital, with everything that it may have.
func downDraft(patient, code string) domain.Draft {
	d := Draft(patient, domain.KindChronic)
	d.Direction, d.Originator, d.Receiver = domain.Down, d.Receiver, domain.Party{OrganizationID: township}
	d.Diagnoses = []domain.Diagnosis{{System: "ICD-10", Code: code, Display: Secret}}
	d.Form = domain.Form{
		Diagnosis: Secret, Treatment: Secret, NextPlan: Secret, InpatientNumber: Secret, ExaminationResults: Secret, RehabilitationAdvice: Secret,
	}
	d.Medicines = []domain.Medicine{{
		Name: Secret, Specification: "100mg", Dosage: "qd", Days: 28, Availability: domain.MedicineMissed, Decision: "SUBSTITUTED", Substitute: Secret, DecisionNote: Secret,
	}}
	d.Plan, d.FamilyDoctor = plan("2026-03-25", "2026-04-08"), Doctor().Subject
	return d
}

func plan(days ...string) domain.FollowUpPlan {
	p := domain.FollowUpPlan{Template: "STROKE", Condition: domain.ConditionStroke, Goal: Secret}
	for i, day := range days {
		p.Visits = append(p.Visits, domain.PlannedVisit{Number: i + 1, Due: day, Mode: "HOME", Items: []string{"BP", "WEIGHT"}})
	}
	return p
}

func sentDown(t *testing.T, f Fixture, d domain.Draft) app.View {
	t.Helper()
	v, err := tryCreate(t, f, command(desk(), "", ""), d, number(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// followed is a patient who came down and whose plan is followed.
func followed(t *testing.T, f Fixture, d domain.Draft) app.View {
	t.Helper()
	v := must(t, f, Doctor(), sentDown(t, f, d), domain.Command{Action: domain.ActionAccept, Carry: walkIn(f)})
	v = must(t, f, Doctor(), v, domain.Command{Action: domain.ActionArrive})
	return must(t, f, Doctor(), v, domain.Command{Action: domain.ActionBeginFollowUp, Carry: domain.Carry{FamilyDoctor: Doctor().Subject}})
}

func mark(t *testing.T, f Fixture, cmd app.Command, id string, m domain.MarkCommand) (app.View, error) {
	t.Helper()
	return f.Store.Change(t.Context(), cmd, func(u app.Unit) error {
		r, err := u.Referral(t.Context(), id)
		if err != nil {
			return err
		}
		m.Side, m.At = r.Snapshot().Side(cmd.Caller.Organization), u.Now()
		m.By = domain.Actor{AccountID: cmd.Caller.Subject, Name: cmd.Caller.Name, OrganizationID: cmd.Caller.Organization}
		if err := r.Mark(m); err != nil {
			return err
		}
		u.Save(r)
		return nil
	})
}

// lives is a way back to its end: what the whole life of a referral knows is read back as it was written.
func lives(t *testing.T, f Fixture) {
	v := followed(t, f, downDraft("patient-1", "I63.9"))
	v = must(t, f, Doctor(), v, domain.Command{Action: domain.ActionRecordVisit, Carry: domain.Carry{Visit: 1, Findings: domain.Findings{
		Result: "STABLE", Values: []domain.Measured{{Name: "sbp", Number: 138.5, Unit: "mm[Hg]"}}, MedicationTaking: "REGULAR", AdverseReaction: true, Note: Secret,
	}}})
	v, err := mark(t, f, command(desk(), "", ""), v.ID, domain.MarkCommand{
		Action: domain.MarkCorrect, Reason: "TYPING_ERROR", Fields: []string{"form.next_plan"}, Content: domain.Correction{Form: domain.Form{NextPlan: "更正" + Secret}},
	})
	if err != nil {
		t.Fatal(err)
	}
	v = must(t, f, Doctor(), v, domain.Command{Action: domain.ActionComplete, Carry: domain.Carry{Outcome: "IMPROVED"}})
	got, err := f.Store.Get(t.Context(), Doctor(), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Snapshot, v.Snapshot)

	d := Draft("patient-2", domain.KindExam)
	d.ExamItems, d.Modality, d.ReplyTo, d.LinkKind = []domain.Diagnosis{{Code: "CT", Display: Secret}}, "CT", v.ID, domain.LinkWorsened
	systolic, dizzy := 182.0, false
	d.Values = []domain.ClinicalValue{{Name: "sbp", Number: &systolic, Time: f.Clock.Now()}, {Name: "dizzy", Finding: &dizzy}}
	up := submitted(t, f, d)
	if up, err = mark(t, f, command(Doctor(), "", ""), up.ID, domain.MarkCommand{
		Action: domain.MarkDepart, Transport: "AMBULANCE", Expected: f.Clock.Now().Add(time.Hour), Note: Secret,
	}); err != nil {
		t.Fatal(err)
	}
	if got, err = f.Store.Get(t.Context(), desk(), up.ID); err != nil {
		t.Fatal(err)
	}
	same(t, got.Snapshot, up.Snapshot)
}

// notes: marks stand beside the transitions, need no version, and none is lost when many come at once.
func notes(t *testing.T, f Fixture) {
	v := submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	won := race(func(i int) error {
		_, err := mark(t, f, command(Doctor(), "", ""), v.ID, domain.MarkCommand{
			Action: domain.MarkCorrect, Reason: "TYPING_ERROR", Note: Secret, Fields: []string{"form.past_history"},
			Content: domain.Correction{Form: domain.Form{PastHistory: fmt.Sprint(Secret, i)}},
		})
		return err
	})
	got, err := f.Store.Get(t.Context(), desk(), v.ID)
	if err != nil || won != workers || got.Corrections != workers || got.Version != v.Version {
		t.Fatalf("%d of %d corrections, %d kept at version %d, %v", won, workers, got.Corrections, got.Version, err)
	}
	f.Clock.Advance(time.Second)
	for range 2 {
		message := domain.MarkCommand{Action: domain.MarkMessage, Text: Secret}
		if _, err := mark(t, f, command(desk(), "r1", "a"), v.ID, message); err != nil {
			t.Fatal(err)
		}
	}
	corrections, err := f.Store.Notes(t.Context(), County, v.ID, domain.MarkCorrect)
	if err != nil || len(corrections) != workers {
		t.Fatalf("%d corrections, %v", len(corrections), err)
	}
	// Each began with what the one before had left, whatever their order within the instant.
	before, after := map[string]bool{}, map[string]bool{}
	for _, c := range corrections {
		before[c.Detail["before.form.past_history"]], after[c.Detail["after.form.past_history"]] = true, true
	}
	if len(before) != workers || len(after) != workers || !before[Secret] || !after[got.Form.PastHistory] {
		t.Errorf("what stood there is kept as %d texts, what replaced it as %d", len(before), len(after))
	}
	said, err := f.Store.Notes(t.Context(), County, v.ID, domain.MarkMessage)
	if err != nil || len(said) != 1 || said[0].ID == "" || said[0].Note != Secret || !said[0].Mark || said[0].By.Name != desk().Name {
		t.Errorf("said %+v, %v", said, err)
	}
	rows, err := f.Store.History(t.Context(), County, v.ID)
	if err != nil || len(rows) != 2+workers+1 || rows[len(rows)-1].ID != said[0].ID {
		t.Errorf("the timeline has %d rows, %v", len(rows), err)
	}
	if other, err := f.Store.Notes(t.Context(), "450322", v.ID, ""); err != nil || len(other) > 0 {
		t.Errorf("another county reads %d, %v", len(other), err)
	}
}

// links: what follows a referral names it.
func links(t *testing.T, f Fixture) {
	up := submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	d := downDraft("patient-1", "I63.9")
	d.ReplyTo, d.LinkKind = up.ID, domain.LinkAnswers
	answer := sentDown(t, f, d)
	sentDown(t, f, downDraft("patient-2", "I63.9"))
	followers, err := f.Store.Followers(t.Context(), County, up.ID)
	if err != nil || len(followers) != 1 || followers[0].ID != answer.ID || followers[0].LinkKind != domain.LinkAnswers {
		t.Errorf("%d follow, %v", len(followers), err)
	}
	if none, err := f.Store.Followers(t.Context(), County, answer.ID); err != nil || len(none) > 0 {
		t.Errorf("%d follow what nobody answers, %v", len(none), err)
	}
	if none, err := f.Store.Followers(t.Context(), "450322", up.ID); err != nil || len(none) > 0 {
		t.Errorf("another county reads %d, %v", len(none), err)
	}
}

// wayBack: the latest way back that an arrival could bounce off.
func wayBack(t *testing.T, f Fixture) {
	patient := "patient-1"
	arriving := submitted(t, f, Draft(patient, domain.KindOutpatient)).Snapshot
	sent := domain.Window{From: f.Clock.Now(), To: f.Clock.Now().Add(time.Hour)}
	expect := func(why string, w domain.Window, want string) {
		t.Helper()
		if got, err := f.Store.LatestDown(t.Context(), arriving, w); got != want || err != nil {
			t.Errorf("%s: found %q, want %q, %v", why, got, want, err)
		}
	}
	of := func(patient, code string, kind domain.Kind) domain.Draft {
		d := downDraft(patient, code)
		d.Kind = kind
		return d
	}
	sentDown(t, f, of("patient-2", "I63.9", domain.KindChronic))
	sentDown(t, f, of(patient, "I64", domain.KindChronic))
	if _, err := tryCreate(t, f, command(desk(), "", ""), of(patient, "I63.9", domain.KindChronic), ""); err != nil {
		t.Fatal(err)
	}
	answers := of(patient, "I63.9", domain.KindRehabilitation)
	answers.ReplyTo, answers.LinkKind = arriving.ID, domain.LinkAnswers
	sentDown(t, f, answers)
	expect("another patient's, another condition's, a draft, the answer to this very one", sent, "")

	first := sentDown(t, f, of(patient, "I63.9", domain.KindPalliative))
	f.Clock.Advance(time.Minute)
	refused := sentDown(t, f, of(patient, "I63.0", domain.KindPostoperative))
	expect("the latest", sent, refused.ID)
	must(t, f, Doctor(), refused, domain.Command{Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED"}})
	expect("the latest that stands", sent, first.ID)
	expect("sent too early", domain.Window{From: f.Clock.Now(), To: sent.To}, "")
	expect("sent too late", domain.Window{From: sent.From.Add(-time.Hour), To: sent.From.Add(-time.Second)}, "")
	_, err := f.Store.Change(t.Context(), command(desk(), "", ""), func(u app.Unit) error {
		r, err := u.Referral(t.Context(), first.ID)
		if err != nil {
			return err
		}
		r.Bounced("another", domain.Command{At: u.Now()})
		u.Save(r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect("one that has bounced", sent, "")
}

// tasksOf are the tasks of a query as "source code visit day state".
func tasksOf(t *testing.T, f Fixture, q app.TaskQuery) (out []string) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	q.County, q.OrganizationID = County, township
	tasks, err := f.Store.Tasks(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range tasks {
		out = append(out, fmt.Sprint(one.Source, " ", one.Code, " ", one.Visit, " ", one.Due, " ", one.State))
	}
	return out
}

// visits: the work list is the plan of those who are followed, and nothing of those who are not.
func visits(t *testing.T, f Fixture) {
	sentDown(t, f, downDraft("patient-2", "I63.9"))
	v := followed(t, f, downDraft("patient-1", "I63.9"))
	expectList(t, "begun", tasksOf(t, f, app.TaskQuery{}), "PLAN STROKE 1 2026-03-25 OPEN", "PLAN STROKE 2 2026-04-08 OPEN")
	v = must(t, f, Doctor(), v, domain.Command{Action: domain.ActionRecordVisit, Carry: domain.Carry{Visit: 1, Findings: domain.Findings{Result: "STABLE"}}})
	v = must(t, f, Doctor(), v, domain.Command{Action: domain.ActionRecordVisit, Carry: domain.Carry{Findings: domain.Findings{Result: "WORSE"}}})
	expectList(t, "done, the latest first", tasksOf(t, f, app.TaskQuery{Done: true}), "PLAN STROKE 1 2026-03-25 DONE", "PLAN STROKE 3 2026-03-18 DONE")
	later := plan("2026-04-01", "2026-04-15", "2026-04-29")
	v = must(t, f, Doctor(), v, domain.Command{Action: domain.ActionRevisePlan, Carry: domain.Carry{Plan: &later, FamilyDoctor: colleague}})
	open := []string{"PLAN STROKE 4 2026-04-01 OPEN", "PLAN STROKE 5 2026-04-15 OPEN", "PLAN STROKE 6 2026-04-29 OPEN"}
	expectList(t, "revised", tasksOf(t, f, app.TaskQuery{}), open...)
	expectList(t, "until a day", tasksOf(t, f, app.TaskQuery{Until: "2026-04-15"}), open[:2]...)
	expectList(t, "of a doctor", tasksOf(t, f, app.TaskQuery{FamilyDoctor: colleague}), open...)
	expectList(t, "of another", tasksOf(t, f, app.TaskQuery{FamilyDoctor: Doctor().Subject}))
	expectList(t, "of a patient", tasksOf(t, f, app.TaskQuery{PatientID: "patient-1"}), open...)
	expectList(t, "of another patient", tasksOf(t, f, app.TaskQuery{PatientID: "patient-2"}))
	var paged []string
	q := app.TaskQuery{County: County, OrganizationID: township, Limit: 1}
	for {
		page, err := f.Store.Tasks(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		paged, q.AfterDue, q.AfterID = append(paged, page[0].Due), page[0].Due, page[0].ID
	}
	expectList(t, "page by page", paged, "2026-04-01", "2026-04-15", "2026-04-29")
	for doctor, want := range map[string][2]int{"": {1, 1}, colleague: {1, 1}, "doctor-9": {}} {
		due, overdue, err := f.Store.CountTasks(t.Context(), app.TaskQuery{County: County, OrganizationID: township, FamilyDoctor: doctor}, "2026-04-15")
		if err != nil || due != want[0] || overdue != want[1] {
			t.Errorf("%d due and %d overdue of %q, %v", due, overdue, doctor, err)
		}
	}
	must(t, f, Doctor(), v, domain.Command{Action: domain.ActionComplete, Carry: domain.Carry{Outcome: "CURED"}})
	expectList(t, "completed", tasksOf(t, f, app.TaskQuery{}))
	if n := len(tasksOf(t, f, app.TaskQuery{Done: true})); n != 2 {
		t.Errorf("%d are done", n)
	}
}

// checks: what a norm asks for is done once, by one of many, and what is left open is known.
func checks(t *testing.T, f Fixture) {
	d := Draft("patient-3", domain.KindOutpatient)
	d.Diagnoses = []domain.Diagnosis{{Code: "I10"}, {Code: "E11.9"}}
	v := submitted(t, f, d)
	tasks, err := f.Store.Tasks(t.Context(), app.TaskQuery{County: County, OrganizationID: township, PatientID: "patient-3", Limit: 10})
	if err != nil || len(tasks) != 2 || tasks[0].ReferralID != v.ID || tasks[0].FamilyDoctor != Doctor().Subject {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	finish := func(task app.Task) error {
		task.Result, task.Note = "WENT", Secret
		_, err := f.Store.Change(t.Context(), command(Doctor(), "", ""), func(u app.Unit) error {
			r, err := u.Referral(t.Context(), v.ID)
			if err != nil {
				return err
			}
			u.FinishTask(task)
			u.Save(r)
			return nil
		})
		return err
	}
	open := func() (out []string) {
		err := f.Store.TakeFact(t.Context(), County, "", func(u app.Unit) error {
			out = nil
			checks, err := u.Checks(t.Context(), v.ID)
			for _, n := range checks {
				out = append(out, n.Code+" "+n.Due)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if n := len(open()); n != 2 {
		t.Errorf("%d are open", n)
	}
	if won := race(func(int) error {
		err := finish(tasks[0])
		if err != nil && errs.ReasonOf(err) != errs.ReasonActionNotAvailable {
			t.Errorf("a loser got %v", err)
		}
		return err
	}); won != 1 {
		t.Errorf("%d won", won)
	}
	expectList(t, "left", open(), tasks[1].Code+" "+tasks[1].Due)
	if err := finish(tasks[1]); err != nil {
		t.Error(err)
	}
	expectList(t, "left in the end", open())
	got, err := f.Store.Task(t.Context(), County, tasks[0].ID)
	if err != nil || got.State != "DONE" || got.Result != "WENT" || got.Note != Secret || !got.DoneTime.Equal(f.Clock.Now()) {
		t.Errorf("kept %+v, %v", got, err)
	}
	_, err = f.Store.Task(t.Context(), "450322", tasks[0].ID)
	expectReason(t, err, errs.ReasonNotFound)
}
