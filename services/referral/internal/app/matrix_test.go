package app_test

import (
	"context"
	"slices"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain/domaintest"
)

// drawer is one referral as a store has it, and forgets what is done with it: the whole matrix would take the real one minutes.
type drawer struct {
	app.Referrals
	app.Reader
	app.Unit
	s       domain.Snapshot
	at      time.Time
	changed bool
}

func (d *drawer) Change(_ context.Context, _ app.Command, decide func(app.Unit) error) (app.View, error) {
	d.changed = false
	return app.View{Snapshot: d.s}, decide(d)
}

func (d *drawer) Replay(context.Context, app.Command) (app.View, bool, error) {
	return app.View{}, false, nil
}
func (d *drawer) Now() time.Time        { return d.at }
func (d *drawer) Save(*domain.Referral) { d.changed = true }

func (d *drawer) Referral(context.Context, string) (*domain.Referral, error) {
	return domain.Restore(d.s), nil
}

func (d *drawer) Checks(context.Context, string) ([]domain.NormCheck, error)      { return nil, nil }
func (d *drawer) Candidates(context.Context, string) ([]*domain.Candidate, error) { return nil, nil }
func (d *drawer) BroughtIn(context.Context, string) ([]domain.Snapshot, error)    { return nil, nil }
func (d *drawer) SentDown(context.Context, domain.Stay) (string, error)           { return "", nil }
func (d *drawer) SaveCandidate(*domain.Candidate)                                 {}
func (d *drawer) Settings(context.Context, string) (set domain.Settings, _ error) { return set, nil }
func (d *drawer) PutSettings(_ context.Context, _ app.Command, set domain.Settings) (domain.Settings, error) {
	return set, nil
}

// former is an organisation that had the referral and gave it on.
const former = "former-1"

func organizationOf(s domain.Snapshot, relation string) string {
	return map[string]string{
		"originator": s.Originator.OrganizationID, "receiver": s.Receiver.OrganizationID, "former receiver": former, "stranger": "elsewhere",
	}[relation]
}

// standing is a complete referral in a state.
func standing(d domain.Direction, k domain.Kind, state domain.State, at time.Time) domain.Snapshot {
	s := domain.Snapshot{
		ID: "r1", County: county, Version: 5, State: state, Direction: d, Kind: k, Urgency: domain.UrgencyRoutine, PatientID: "p",
		Originator: domain.Party{OrganizationID: township}, Receiver: domain.Party{OrganizationID: hospital, DepartmentCode: "0304"},
		Diagnoses: []domain.Diagnosis{{Code: "I63.9"}}, ArriveTime: at, AdmitTime: at, ArrivedFrom: domain.StateAccepted,
		Form:    domain.Form{InitialImpression: "脑梗死？", PresentIllness: "肢体无力", Diagnosis: "脑梗死", Treatment: "溶栓", NextPlan: "康复"},
		Consent: domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"}, ExamItems: []domain.Diagnosis{{Display: "CT"}},
		Plan: plan("2026-03-25"), ConcludeTime: at, Outcome: "IMPROVED",
		Reply: domain.Reply{Diagnosis: "脑梗死", Findings: "低密度影", Treatment: "溶栓", NextSteps: "随访", Answer: "继续"},
	}
	switch {
	case d == domain.Down:
		s.Originator, s.Receiver = domain.Party{OrganizationID: hospital}, domain.Party{OrganizationID: township}
	case k == domain.KindEmergency:
		s.Urgency, s.Consent = domain.UrgencyEmergency, domain.Consent{DeferredReason: "昏迷"}
	}
	if state != domain.StateDraft {
		s.Number = "4503212600001234"
	}
	return s
}

// plan has a visit on each of the days.
func plan(days ...string) domain.FollowUpPlan {
	p := domain.FollowUpPlan{Condition: domain.ConditionStroke}
	for i, day := range days {
		p.Visits = append(p.Visits, domain.PlannedVisit{Number: i + 1, Due: day, Mode: "CLINIC", Items: []string{"BP"}})
	}
	return p
}

// whole carries all that any row of the table asks for.
func whole(s domain.Snapshot, at time.Time) domain.Carry {
	later := plan("2026-04-01")
	return domain.Carry{
		Draft: &domain.Draft{TransferNote: "说明"}, Fields: []string{"transfer_note"}, Number: "4503212600001234", Reason: "OTHER", Note: "说明",
		Booking: domain.Booking{ID: "b", HoldID: "h"}, Expected: domain.Window{From: at, To: at.Add(time.Hour)},
		Receiver: domain.Party{OrganizationID: s.Receiver.OrganizationID, DepartmentCode: "0305"}, Ward: "一病区", Outcome: "IMPROVED", Reply: s.Reply,
		Plan: &later, FamilyDoctor: doctor().Subject, Findings: domain.Findings{Result: "STABLE"}, Linked: "r2",
	}
}

// attempt tries an action or a mark as a person would.
func (d *drawer) attempt(ctx context.Context, h *app.Service, who authn.Identity, action domain.Action) (err error) {
	s, cmd := d.s, by(who)
	marks := func(m domain.Mark) bool { return m.Action == action }
	switch {
	case action == domain.MarkConvert:
		_, err = h.Convert(ctx, cmd, s.ID, domain.KindOutpatient)
	case slices.ContainsFunc(domain.Marks(), marks):
		m := domain.MarkCommand{
			Action: action, Transport: "AMBULANCE", Text: "好", Verdict: domain.VerdictNecessary, Reason: "TYPING_ERROR", Fields: []string{"form.past_history"},
			Consent: domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"}, Content: domain.Correction{Form: domain.Form{PastHistory: "高血压"}},
		}
		if who.Organization == s.Receiver.OrganizationID {
			m.Fields, m.Content.Reply = []string{"reply.treatment"}, domain.Reply{Treatment: "抗凝"}
		}
		_, err = h.Mark(ctx, cmd, s.ID, m)
	default:
		_, err = h.Transition(ctx, cmd, app.Step{ID: s.ID, Version: s.Version, Action: action, Carry: whole(s, d.at)})
	}
	return err
}

// Every action and mark, in every state, by every role in every relation: who may, may; who may not is told why, in the order relation,
// role, state, and nothing is changed.
func TestEveryStateActionRoleAndRelation(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC)
	kinds := map[domain.Kind]domain.Direction{
		domain.KindOutpatient: domain.Up, domain.KindEmergency: domain.Up, domain.KindExam: domain.Up, domain.KindAdvice: domain.Up,
		domain.KindChronic: domain.Down, domain.KindExternal: domain.Out,
	}
	for kind, direction := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			store := &drawer{at: at}
			h := app.New(app.Ports{
				Referrals: store, Reader: store, Diagnoses: noList{}, Criteria: shipped(t), Clock: clock.NewFixed(at),
				Calendars: app.NewCalendars(time.FixedZone("CST", 8*3600), nil, store, clock.NewFixed(at)),
			})
			for _, state := range domain.States() {
				store.s = standing(direction, kind, state, at)
				for _, action := range everything() {
					for _, role := range commonv1.Role_Code_name {
						for _, relation := range []string{"originator", "receiver", "former receiver", "stranger"} {
							try := domaintest.Attempt{
								Direction: string(direction), Kind: string(kind), State: string(state), Action: string(action), Role: role, Relation: relation,
							}
							who := authn.Identity{Subject: "a", Organization: organizationOf(store.s, relation), County: county, Roles: []string{role}}
							err := store.attempt(t.Context(), h, who, action)
							if want := domaintest.Verdict(try); errs.ReasonOf(err) != want || (err == nil) != (want == "") {
								t.Errorf("%v: got %v, want %q", try, err, want)
							}
							if store.changed != (err == nil) {
								t.Errorf("%v: changed %v", try, store.changed)
							}
						}
					}
				}
			}
		})
	}
}

// everything are the actions and marks of the tables, each once.
func everything() (out []domain.Action) {
	for _, row := range domain.Lifecycle() {
		out = append(out, row.Action)
	}
	for _, m := range domain.Marks() {
		out = append(out, m.Action)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
