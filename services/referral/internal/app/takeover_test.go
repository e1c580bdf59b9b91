package app_test

import (
	"fmt"
	"io/fs"
	"path"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
)

// firstSchema is that of the release before: no figures, and of this service the first migration.
func firstSchema(t *testing.T) []sqldb.MigrationSet {
	t.Helper()
	first := fstest.MapFS{}
	for _, engine := range []string{"sqlite", "postgres"} {
		name := path.Join("migrations", engine, "0001_referral.sql")
		text, err := fs.ReadFile(store.Migrations.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		first[name] = &fstest.MapFile{Data: text}
	}
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, {Name: store.Migrations.Name, FS: first}}
}

// old is a referral as the release before wrote it.
type old struct {
	kind    domain.Kind
	urgency domain.Urgency
	// consent is the sealed consent.
	consent string
	// village is the clinic that the sealed patient names.
	village string
	// begin is that of the limit of the last step, due its end.
	history []domain.Action
	begin   time.Time
	step    domain.Step
	due     time.Time
}

// stateAfter is where an action leads.
func stateAfter(a domain.Action) domain.State {
	return map[domain.Action]domain.State{
		domain.ActionCreate: domain.StateDraft, domain.ActionSubmit: domain.StateSubmitted, domain.ActionAccept: domain.StateAccepted,
		domain.ActionArrive: domain.StateArrived, domain.ActionAdmit: domain.StateAdmitted, domain.ActionConclude: domain.StateConcluded,
		domain.ActionDecline: domain.StateDeclined,
	}[a]
}

const (
	given    = `{"givenBy":"家属","relation":"2","method":"SIGNED"}`
	deferred = `{"deferredReason":"昏迷"}`
)

func (o old) id(n int) string { return fmt.Sprintf("0192f0c1-2b3c-7d4e-8f50-00000000000%d", n) }

// write inserts the rows of the release before, an hour from step to step.
func (o old) write(t *testing.T, db *sqldb.DB, n int) {
	t.Helper()
	id := o.id(n)
	seal := func(column, text string) []byte {
		sealed, err := crypt.TestRing().Seal("referral", column, id, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	at, times := o.begin, map[domain.Action]any{}
	for _, a := range o.history {
		times[a] = at
		at = at.Add(time.Hour)
	}
	at = at.Add(-time.Hour)
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
		state := stateAfter(o.history[len(o.history)-1])
		_, err := tx.Exec(t.Context(), `INSERT INTO referral (county_code, id, number, version, state, direction, kind, urgency, urgency_rank, patient_id,
			originator_org, originator_department, originator_practitioner, account_id, receiver_org, receiver_department, receiver_practitioner,
			diagnosis_codes, guard, transport, hold_id, hold_lost, booking_id, booking_hold_id, walk_in, outcome_code, reason_code, arrived_from,
			submit_time, arrive_time, admit_time, due_order, create_time, update_time, patient, content)
			VALUES ($1, $2, $3, $4, $5, 'UP', $6, $7, 1, $2, $8, '', '', 'doctor-1', $9, '0304', '', 'I63.9', '', '', '', false, '', '', false, '', '', '',
			$10, $11, $12, $13, $13, $14, $15, $16)`,
			county, id, fmt.Sprintf("450321260000%03d0", n), len(o.history), string(state), string(o.kind), string(o.urgency), township, hospital,
			times[domain.ActionSubmit], times[domain.ActionArrive], times[domain.ActionAdmit], o.begin, at, seal("patient", `{"name":"莫","villageClinicId":"`+o.village+`"}`),
			seal("content", `{"diagnoses":[{"code":"I63.9"}],"form":{"initialImpression":"脑梗死"},"consent":`+o.consent+`}`))
		from := domain.StateNone
		for i, a := range o.history {
			if err == nil {
				_, err = tx.Exec(t.Context(), `INSERT INTO history (county_code, referral_id, version, action, from_state, to_state, account_id, account_name,
					organization_id, occur_time, reason_code) VALUES ($1, $2, $3, $4, $5, $6, 'a', 'a', $7, $8, '')`,
					county, id, i+1, string(a), string(from), string(stateAfter(a)), hospital, times[a])
			}
			from = stateAfter(a)
		}
		if err == nil && o.step != "" {
			_, err = tx.Exec(t.Context(), `INSERT INTO deadline (county_code, referral_id, step, due_time, state, start_time) VALUES ($1, $2, $3, $4, 'OPEN', $5)`,
				county, id, string(o.step), o.due, at)
		}
		if err == nil {
			_, err = tx.Exec(t.Context(), "INSERT INTO number_block (county_code, year, next) VALUES ($1, 2026, 1001) ON CONFLICT DO NOTHING", county)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// upgraded runs a test in a house whose database an earlier release had used.
func upgraded(t *testing.T, rows func(now time.Time) []old, test func(t *testing.T, h house)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, firstSchema(t))
			for i, o := range rows(clk.Now()) {
				o.write(t, db, i)
			}
			if err := sqldb.Migrate(t.Context(), db, schemas()...); err != nil {
				t.Fatal(err)
			}
			test(t, open(t, db, clk))
		})
	}
}

func (h house) takeOver(t *testing.T) {
	t.Helper()
	if done, err := h.TakeOver(t.Context()); !done || err != nil {
		t.Fatalf("took over: %v, %v", done, err)
	}
}

// lives are one that waits for an answer and three that went on.
func lives(now time.Time) []old {
	begin := now.AddDate(0, 0, -10)
	one := old{kind: domain.KindInpatient, urgency: domain.UrgencyRoutine, consent: given, begin: begin}
	waiting, concluded, declined, emergency := one, one, one, one
	waiting.history = []domain.Action{domain.ActionCreate, domain.ActionSubmit}
	concluded.history = []domain.Action{domain.ActionCreate, domain.ActionSubmit, domain.ActionAccept, domain.ActionArrive, domain.ActionAdmit, domain.ActionConclude}
	declined.history = []domain.Action{domain.ActionCreate, domain.ActionSubmit, domain.ActionDecline}
	emergency.kind, emergency.urgency = domain.KindEmergency, domain.UrgencyEmergency
	emergency.history = []domain.Action{domain.ActionCreate, domain.ActionSubmit, domain.ActionArrive}
	return []old{waiting, concluded, declined, emergency}
}

// differences is how far the figures are from the histories.
func (h house) differences(t *testing.T) int {
	t.Helper()
	check, err := h.CheckFigures(t.Context(), county)
	if err != nil {
		t.Fatal(err)
	}
	return len(check.Differences)
}

// sentUp is the number of up-referrals of the last year.
func (h house) sentUp(t *testing.T) int64 {
	t.Helper()
	rows, err := h.Figures(t.Context(), app.FigureQuery{Caller: admin(), Measures: []string{"UP-N"}, From: "2025-04-01", To: "2026-04-01"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	return rows[0].Numerator
}

func (h house) giveOn(t *testing.T, id string) {
	t.Helper()
	v, err := h.Get(t.Context(), desk(), id)
	if err == nil {
		_, err = h.Redirect(t.Context(), by(desk()), app.Step{ID: id, Version: v.Version, Action: domain.ActionRedirect, Carry: domain.Carry{
			Receiver: domain.Party{OrganizationID: second, DepartmentCode: "0304"}, Reason: "NO_BED",
		}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFiguresOfAnEarlierReleaseAreBuiltAndStayWhatTheHistoriesSay(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"a change before": true, "a change after": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upgraded(t, lives, func(t *testing.T, h house) {
				waiting := old{}.id(0)
				if h.differences(t) == 0 {
					t.Fatal("nothing is missing")
				}
				if before {
					h.giveOn(t, waiting)
				}
				h.takeOver(t)
				if n := h.differences(t); n != 0 {
					t.Fatalf("%d totals differ once built", n)
				}
				if !before {
					h.giveOn(t, waiting)
				}
				if n := h.sentUp(t); n != 4 || h.differences(t) != 0 {
					t.Errorf("%d were sent up, %d totals differ after a change", n, h.differences(t))
				}
				if counties, err := h.ports.Statistics.UnbuiltCounties(t.Context()); err != nil || len(counties) != 0 {
					t.Errorf("still to be built: %v, %v", counties, err)
				}
			})
		})
	}
}

func TestFiguresFillUntilTheyAreBuilt(t *testing.T) {
	t.Parallel()
	long := func(now time.Time) []old {
		o := lives(now)[0]
		o.begin = now.AddDate(0, -6, 0)
		return []old{o}
	}
	upgraded(t, long, func(t *testing.T, h house) {
		// By hospital the old referral's cells are seen to move, though they were never written.
		last := func() []app.FigureRow {
			rows, err := h.Figures(t.Context(), app.FigureQuery{
				Caller: admin(), Measures: []string{"UP-N"}, From: "2025-01-01", To: "2026-01-01", GroupBy: []string{"hospital"},
			})
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		h.giveOn(t, old{}.id(0))
		if rows := last(); len(rows) != 2 || !rows[0].Filling || !rows[1].Filling {
			t.Errorf("before: %+v", rows)
		}
		h.takeOver(t)
		if rows := last(); len(rows) != 1 || rows[0].Filling || rows[0].Numerator != 1 {
			t.Errorf("after: %+v", rows)
		}
	})
}

func TestACountyThatBeginsLaterHasNothingToBuildUntilTheSchemaChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.takeOver(t)
		h.make(t, family(), creation("patient-1"))
		if counties, err := h.ports.Statistics.UnbuiltCounties(t.Context()); err != nil || len(counties) != 0 {
			t.Fatalf("to be built: %v, %v", counties, err)
		}
		h.set(t, "UPDATE figures_built SET fingerprint = 'of another schema'")
		h.set(t, "DELETE FROM statistics_delta")
		h.takeOver(t)
		if n := h.differences(t); n != 0 {
			t.Errorf("%d totals differ", n)
		}
	})
}

func TestFiguresAreBuiltByOneInstanceWhileTheOthersWait(t *testing.T) {
	t.Parallel()
	upgraded(t, lives, func(t *testing.T, h house) {
		if _, ok, err := sqldb.AcquireLease(t.Context(), h.db, "statistics-rebuild", "another", 10*time.Minute); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if done, err := h.TakeOver(t.Context()); done || err != nil {
			t.Errorf("while another is at it: %v, %v", done, err)
		}
		h.clock.Advance(11 * time.Minute)
		h.takeOver(t)
		if n := h.differences(t); n != 0 {
			t.Errorf("%d totals differ", n)
		}
	})
}

// set changes what is stored.
func (h house) set(t *testing.T, text string) {
	t.Helper()
	if err := h.db.Update(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// limits are the open ones, as "place of the referral STEP", and when their next rungs are due.
func (h house) limits(t *testing.T) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	err := h.db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT referral_id, step, next_time FROM deadline WHERE state = 'OPEN' AND next_time IS NOT NULL")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, step string
			var next time.Time
			if err := rows.Scan(&id, &step, &next); err != nil {
				return err
			}
			out[id[len(id)-1:]+" "+step] = next.UTC()
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// overdue are limits that passed unnoticed, one that did not, and three referrals that never had theirs.
func overdue(now time.Time) []old {
	all := lives(now)
	answer, concluded, told := all[0], all[1], all[3]
	answer.step, answer.due = domain.StepAnswer, now.AddDate(0, -3, 0)
	coming, lost := answer, answer
	coming.history = []domain.Action{domain.ActionCreate, domain.ActionSubmit, domain.ActionAccept}
	lost.history = coming.history
	coming.step, coming.due = domain.StepArrival, now.Add(2*time.Hour)
	lost.step, lost.due = domain.StepArrival, now.AddDate(0, -1, 0)
	owed := told
	owed.consent = deferred
	return []old{answer, coming, lost, concluded, owed, told}
}

// Wednesday, 18 March 2026, 09:30: within working hours.
func TestLimitsOfAnEarlierReleaseBeginAnewAndNobodyIsToldAllAtOnce(t *testing.T) {
	t.Parallel()
	upgraded(t, overdue, func(t *testing.T, h house) {
		look(t, h.Service)
		if n := h.count(t)["deadline_passed"]; n != 0 {
			t.Fatalf("%d told before the limits were begun", n)
		}
		for range 2 {
			h.takeOver(t)
			look(t, h.Service)
		}
		if n := h.count(t)["deadline_passed"]; n != 0 {
			t.Errorf("%d told at the start", n)
		}
		now, day := h.clock.Now(), 24*time.Hour
		want := map[string]time.Time{
			"0 ANSWER": now.Add(day), "1 ARRIVAL": now.Add(2 * time.Hour), "2 ARRIVAL": now.Add(4 * time.Hour),
			"3 ACKNOWLEDGE": now.Add(7 * day), "4 CONSENT": now.Add(day),
		}
		got := h.limits(t)
		for limit, at := range want {
			if !got[limit].Equal(at) {
				t.Errorf("%s is told at %v, want %v", limit, got[limit], at)
			}
		}
		if len(got) != len(want) {
			t.Errorf("limits %v", got)
		}
		for _, step := range []struct {
			wait                    time.Duration
			passed, noShows, closed int
		}{{2 * time.Hour, 1, 1, 0}, {22 * time.Hour, 4, 2, 0}, {6 * day, -1, 2, 1}} {
			h.clock.Advance(step.wait)
			look(t, h.Service)
			if n := h.count(t); step.passed >= 0 && n["deadline_passed"] != step.passed || n["no_show"] != step.noShows || n["acknowledged"] != step.closed {
				t.Errorf("after %v: %v", step.wait, n)
			}
		}
	})
}

// At night nobody is there to hurry: the limit counts from the next opening.
func TestALimitThatPassedUnnoticedWaitsForTheNextOpening(t *testing.T) {
	t.Parallel()
	urgent := func(now time.Time) []old {
		o := overdue(now)[0]
		o.urgency = domain.UrgencyUrgent
		return []old{o}
	}
	upgraded(t, urgent, func(t *testing.T, h house) {
		h.clock.Advance(12 * time.Hour) // 21:30
		h.takeOver(t)
		open := time.Date(2026, 3, 19, 8, 0, 0, 0, time.FixedZone("CST", 8*3600))
		if got := h.limits(t)["0 ANSWER"]; !got.Equal(open.Add(2 * time.Hour)) {
			t.Errorf("told at %v", got)
		}
	})
}
