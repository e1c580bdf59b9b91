package app

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/followup"
)

// FollowUps is the work list of a township.
type FollowUps interface {
	// Tasks are open ones by due day, or done ones, the latest first.
	Tasks(ctx context.Context, q TaskQuery) ([]Task, error)
	// CountTasks counts the open ones that are due on a local day and before it.
	CountTasks(ctx context.Context, q TaskQuery, today string) (due, overdue int, err error)
	// Task is NOT_FOUND for an unknown id.
	Task(ctx context.Context, county, id string) (Task, error)
}

// Task is a visit or check of the work list.
type Task struct {
	County, ID, ReferralID, OrganizationID, PatientID, FamilyDoctor string
	// Source is PLAN or NORM; Code the plan's condition or the norm's rule; Visit the number in the plan.
	Source, Code string
	Visit        int
	// Due is the local day.
	Due      string
	State    string
	DoneTime time.Time
	Result   string
	Note     string
	// VillageClinicID is the clinic of the patient's village; empty where it is not known.
	VillageClinicID string
}

// TaskQuery selects a page. Until, a local day, is the last one to be due.
type TaskQuery struct {
	County, OrganizationID  string
	Done                    bool
	Until                   string
	FamilyDoctor, PatientID string
	// VillageClinicID leaves out the patients of other villages; empty: all.
	VillageClinicID string
	// Village: also what other organisations do for patients of the organisation's village.
	Village           bool
	AfterDue, AfterID string
	Limit             int
}

// Templates are the follow-up templates.
type Templates interface {
	For(diagnoses []string, kind string) []followup.Template
}

// FollowUp is a task with its referral as the caller sees it.
type FollowUp struct {
	Task
	Referral View
	// Planned is the visit of a PLAN task.
	Planned     domain.PlannedVisit
	OverdueDays int
	// Theirs: another organisation makes it; the caller's village only sees it.
	Theirs bool
}

// FollowUpFilter is a work list as a person asks for it: today (with what is overdue), overdue, week, done or all.
type FollowUpFilter struct {
	Caller                            authn.Identity
	Due, FamilyDoctor, Patient, Token string
	VillageClinicID                   string
	Size                              int
}

// FollowUpList is a page of the work list, with what is due in all.
type FollowUpList struct {
	FollowUps    []FollowUp
	Token        string
	Due, Overdue int
}

// ListFollowUps answers a page of the caller's organisation's work list, a village doctor's with what others do for the village.
func (s *Service) ListFollowUps(ctx context.Context, f FollowUpFilter) (FollowUpList, error) {
	cal, err := s.Calendars.Calendar(ctx, f.Caller.County)
	if err != nil {
		return FollowUpList{}, err
	}
	now := s.Clock.Now()
	today := cal.Today(now)
	size := f.Size
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	q := TaskQuery{
		County: f.Caller.County, OrganizationID: f.Caller.Organization, PatientID: f.Patient, FamilyDoctor: f.FamilyDoctor, VillageClinicID: f.VillageClinicID,
		Done: f.Due == "done", Village: f.Caller.Has("VILLAGE_DOCTOR"), Limit: size + 1,
	}
	if q.FamilyDoctor == "me" {
		q.FamilyDoctor = f.Caller.Subject
	}
	const week = 7
	switch f.Due {
	case "", "today":
		q.Until = today
	case "overdue":
		q.Until = cal.Today(now.AddDate(0, 0, -1))
	case "week":
		q.Until = cal.Today(now.AddDate(0, 0, week-1))
	}
	if f.Token != "" {
		if q.AfterDue, q.AfterID, err = parsePlace(f.Token); err != nil {
			return FollowUpList{}, err
		}
	}
	out := FollowUpList{}
	tasks, err := s.FollowUps.Tasks(ctx, q)
	if err != nil {
		return FollowUpList{}, err
	}
	if len(tasks) > size {
		tasks = tasks[:size]
		out.Token = place(tasks[size-1])
	}
	if out.Due, out.Overdue, err = s.FollowUps.CountTasks(ctx, q, today); err != nil {
		return FollowUpList{}, err
	}
	if out.FollowUps, err = s.withReferrals(ctx, f.Caller, tasks, today); err != nil {
		return FollowUpList{}, err
	}
	return out, s.Reader.NoteListed(ctx, f.Caller, theirs(out.FollowUps))
}

// theirs are the referrals of others that a list shows something of, each once.
func theirs(list []FollowUp) (out []domain.Snapshot) {
	seen := map[string]bool{"": true}
	for _, f := range list {
		if f.Theirs && !seen[f.Referral.ID] {
			seen[f.Referral.ID] = true
			out = append(out, f.Referral.Snapshot)
		}
	}
	return out
}

func place(t Task) string { return base64.RawURLEncoding.EncodeToString([]byte(t.Due + " " + t.ID)) }

func parsePlace(token string) (due, id string, err error) {
	text, wrong := base64.RawURLEncoding.DecodeString(token)
	due, id, ok := strings.Cut(string(text), " ")
	if wrong != nil || !ok {
		return "", "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return due, id, nil
}

func (s *Service) withReferrals(ctx context.Context, caller authn.Identity, tasks []Task, today string) ([]FollowUp, error) {
	ids := make([]string, 0, len(tasks))
	for _, t := range tasks {
		ids = append(ids, t.ReferralID)
	}
	slices.Sort(ids)
	views, err := s.Reader.Batch(ctx, caller, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]View, len(views))
	for _, v := range views {
		byID[v.ID] = v
	}
	out := make([]FollowUp, 0, len(tasks))
	for _, t := range tasks {
		one := FollowUp{Task: t, Referral: byID[t.ReferralID], Theirs: t.OrganizationID != caller.Organization}
		i := slices.IndexFunc(one.Referral.Plan.Visits, func(v domain.PlannedVisit) bool { return v.Number == t.Visit })
		if t.Source == "PLAN" && i >= 0 {
			one.Planned = one.Referral.Plan.Visits[i]
		}
		if t.State == "OPEN" {
			one.OverdueDays = daysBetween(t.Due, today)
		}
		out = append(out, one)
	}
	return out, nil
}

// daysBetween counts the days from one local day to a later one; 0 for an earlier.
func daysBetween(from, to string) int {
	a, err := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	if err != nil || err2 != nil || !b.After(a) {
		return 0
	}
	return int(b.Sub(a).Hours()) / 24
}

// Check is what was found when a norm's check was made.
type Check struct{ TaskID, Result, Note string }

// RecordCheck notes that a norm's check was made. Errors: NOT_FOUND, ACTION_NOT_AVAILABLE (made before, or a planned visit), fields.
func (s *Service) RecordCheck(ctx context.Context, cmd Command, in Check) (FollowUp, error) {
	t, err := s.FollowUps.Task(ctx, cmd.Caller.County, in.TaskID)
	if err != nil {
		return FollowUp{}, err
	}
	switch {
	case t.OrganizationID != cmd.Caller.Organization:
		return FollowUp{}, errs.NotFound("follow-up")
	case t.Source != "NORM":
		return FollowUp{}, errs.WrongState("record", t.Source)
	}
	t.Result, t.Note = in.Result, in.Note
	_, err = s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
		r, err := u.Referral(ctx, t.ReferralID)
		if err != nil {
			return err
		}
		if r.Snapshot().Side(cmd.Caller.Organization) == "" {
			return notFound()
		}
		open, err := u.Checks(ctx, t.ReferralID)
		if err != nil {
			return err
		}
		c := domain.Command{By: actor(cmd.Caller), At: u.Now(), Carry: domain.Carry{Note: in.Note}}
		if err := refusal(r.Checked(domain.MadeCheck{Code: t.Code, Result: in.Result, Open: open}, c, cal)); err != nil {
			return err
		}
		u.FinishTask(t)
		u.Save(r)
		return nil
	})
	if err != nil {
		return FollowUp{}, err
	}
	if t, err = s.FollowUps.Task(ctx, cmd.Caller.County, in.TaskID); err != nil {
		return FollowUp{}, err
	}
	one, err := s.withReferrals(ctx, cmd.Caller, []Task{t}, "")
	if err != nil {
		return FollowUp{}, err
	}
	return one[0], nil
}

// Proposal is a template with the visits that it would make.
type Proposal struct {
	followup.Template
	Plan domain.FollowUpPlan
}

// ListTemplates are those that suit a referral first, laid out from a local day (today if it is empty).
func (s *Service) ListTemplates(ctx context.Context, caller authn.Identity, referralID, start string) ([]Proposal, error) {
	var codes []string
	var kind string
	if referralID != "" {
		v, err := s.visible(ctx, caller, referralID)
		if err != nil {
			return nil, err
		}
		for _, d := range v.Diagnoses {
			codes = append(codes, d.Code)
		}
		kind = string(v.Kind)
	}
	if start == "" {
		cal, err := s.Calendars.Calendar(ctx, caller.County)
		if err != nil {
			return nil, err
		}
		start = cal.Today(s.Clock.Now())
	}
	var out []Proposal
	for _, t := range s.Templates.For(codes, kind) {
		plan, ok := domain.NewPlan(t.PlanTemplate, start)
		if !ok {
			return nil, errs.Invalid(errs.Bad("start", errs.ReasonFieldInvalid))
		}
		out = append(out, Proposal{t, plan})
	}
	return out, nil
}
