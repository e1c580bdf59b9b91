package domain

import (
	"slices"
	"strings"
	"time"
)

// Certainties say how sure a number of a norm is: found at its issuer or at one who applies it, found on a mirror, known to us with
// high or medium certainty, or suggested by this product alone.
func Certainties() []string {
	return []string{"FOUND", "FOUND_MIRROR", "OWN_HIGH", "OWN_MEDIUM", "SUGGESTED"}
}

// NormTask is a follow-up that a national norm asks of the township when a managed patient is referred. Days run to the end of the
// local day, Hours to the minute; one of them is 0.
type NormTask struct {
	Code              string
	Days, Hours       int
	Source, Certainty string
}

// The norms' tasks.
const (
	NormHypertension = "HYPERTENSION_REFERRAL_CHECK"
	NormDiabetes     = "DIABETES_REFERRAL_CHECK"
	NormSMD          = "SMD_REFERRAL_CHECK"
	NormTBSuspicion  = "TB_SUSPICION_CHECK"
	NormTBNotice     = "TB_NOTICE_VISIT"
	NormSMDStable    = "SMD_STABLE_VISIT"
)

type norm struct {
	direction  Direction
	categories []string
	task       NormTask
	// doneBy are the steps of a follow-up that do what the norm asks for; without any it takes a check of its own.
	doneBy []Action
}

// norms are the shortest first; beside each stands the rule of the criteria that asks for it. The first contact after any down-referral is
// the plan's own matter.
func norms() []norm {
	// Mental disorder caused by epilepsy has no category of its own, so the list is short of it.
	tb, smd := []string{"A15-A16", "A19"}, []string{"F20", "F22", "F25", "F31", "F70-F79"}
	const (
		tbSource  = "国家基本公共卫生服务规范（第三版）肺结核患者健康管理"
		smdSource = "国家基本公共卫生服务规范（第三版）严重精神障碍患者管理"
	)
	return []norm{
		{Down, tb, NormTask{NormTBNotice, 0, 72, tbSource, "FOUND"}, []Action{ActionBeginFollowUp, ActionRecordVisit}},  // DN-TB-01
		{Up, tb, NormTask{NormTBSuspicion, 7, 0, tbSource, "FOUND"}, nil},                                               // UP-TB-01
		{Up, []string{"I10-I15"}, NormTask{NormHypertension, 14, 0, "国家基本公共卫生服务规范（第三版）高血压患者健康管理", "FOUND_MIRROR"}, nil}, // UP-HTN-07
		{Up, []string{"E10-E14"}, NormTask{NormDiabetes, 14, 0, "国家基本公共卫生服务规范（第三版）2型糖尿病患者健康管理", "FOUND_MIRROR"}, nil},   // UP-DM-01 to 07
		{Up, smd, NormTask{NormSMD, 14, 0, smdSource, "FOUND"}, nil},                                                    // UP-SMD-01
		{Down, smd, NormTask{NormSMDStable, 90, 0, smdSource, "FOUND"}, []Action{ActionRecordVisit}},                    // DN-SMD-01: at 3 months
	}
}

// NormTasks are what the norms ask of the township for a referral with these diagnosis codes, the most urgent first, each once.
func NormTasks(direction Direction, diagnoses []string) []NormTask {
	var out []NormTask
	for _, n := range norms() {
		concerned := func(code string) bool { return InCategories(code, n.categories) }
		if n.direction == direction && slices.ContainsFunc(diagnoses, concerned) {
			out = append(out, n.task)
		}
	}
	return out
}

// doneBy tells whether a step of the follow-up makes the check of a norm.
func doneBy(code string, step Action) bool {
	return slices.ContainsFunc(norms(), func(n norm) bool { return n.task.Code == code && slices.Contains(n.doneBy, step) })
}

// NormDue is when a task that begins at an instant is due.
func (c Calendar) NormDue(t NormTask, at time.Time) time.Time {
	if t.Hours > 0 {
		return at.Add(time.Duration(t.Hours) * time.Hour)
	}
	return c.endOfDay(at.In(c.zone).AddDate(0, 0, t.Days))
}

// InCategories tells whether an ICD-10 code is in one of the categories, each written "I10" or, as a range, "I10-I15".
func InCategories(code string, categories []string) bool {
	const category = 3
	if len(code) < category {
		return false
	}
	return slices.ContainsFunc(categories, func(c string) bool {
		from, to, isRange := strings.Cut(c, "-")
		if !isRange {
			to = from
		}
		return from <= code[:category] && code[:category] <= to
	})
}
