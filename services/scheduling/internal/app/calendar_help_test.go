package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/workdays"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/lunar"
)

const horizon = 20

// calendar is the fixture with a planner.
type calendar struct {
	*fixture
	*app.Planner
	rules app.Calendar
}

func eachCalendar(t *testing.T, test func(*calendar)) {
	t.Helper()
	each(t, func(f *fixture) {
		days, err := workdays.China()
		if err != nil {
			f.t.Fatal(err)
		}
		rules := app.Calendar{Holiday: func(day time.Time) bool { return days.Free(domain.Date(day)) }, Lunar: lunar.Day, HorizonDays: horizon}
		test(&calendar{f, app.NewPlanner(f.App, rules), rules})
	})
}

// desk plans the fixture's organisation.
func (c *calendar) desk() app.Planning { return app.Planning{Caller: c.caller("desk")} }

func (c *calendar) admin() app.Planning {
	return app.Planning{Caller: app.Caller{County: county, AccountID: "admin"}, Whole: true}
}

// head plans one department.
func (c *calendar) head(department string) app.Planning {
	return app.Planning{Caller: c.caller("head"), Department: department}
}

// template is a clinic of four slots on working days from today, 14:00 to 15:00.
func (c *calendar) template() domain.Template {
	return domain.Template{ID: id.New(), OrganizationID: c.org, DepartmentCode: "0304", Kind: domain.KindClinic, PractitionerID: "p", PractitionerName: "甲",
		Location: "2F", Pattern: domain.Pattern{Code: domain.Weekly, Weekdays: []int{1, 2, 3, 4, 5}}, FirstDay: c.day(0),
		Starts: 14 * 60, Ends: 15 * 60, SlotMinutes: 15}
}

// day is n days after today.
func (c *calendar) day(n int) time.Time {
	return time.Date(2026, time.March, 18+n, 0, 0, 0, 0, time.UTC)
}

func (c *calendar) save(t domain.Template) (domain.Template, app.PlanOutcome) {
	c.t.Helper()
	saved, out, err := c.SaveTemplate(c.t.Context(), c.desk(), t)
	if err != nil {
		c.t.Fatal(err)
	}
	return saved, out
}

// sessions of the organisation in the horizon.
func (c *calendar) sessions() []app.SessionView {
	c.t.Helper()
	list, err := c.Sessions(c.t.Context(), c.desk(), app.SessionQuery{OrganizationID: c.org, From: domain.Date(c.day(0)), To: domain.Date(c.day(60)), Limit: 200}, c.clk.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	return list
}

// single makes a session of n slots of ten minutes that begins so many days from today at 10:00, and answers it with its slots.
func (c *calendar) single(day, n int, change func(*domain.Session)) (app.SessionView, []app.SlotUse) {
	c.t.Helper()
	start := c.day(day).Add(2 * time.Hour)
	s := domain.Session{ID: id.New(), OrganizationID: c.org, DepartmentCode: "0304", Kind: domain.KindClinic, PractitionerID: "p", PractitionerName: "甲",
		Location: "2F", Start: start, End: start.Add(time.Duration(n) * 10 * time.Minute), SlotMinutes: 10}
	if change != nil {
		change(&s)
	}
	if _, _, err := c.CreateSchedules(c.t.Context(), c.caller("manager"), []domain.Session{s}, nil); err != nil {
		c.t.Fatal(err)
	}
	return c.session(s.ID)
}

func (c *calendar) session(sessionID string) (app.SessionView, []app.SlotUse) {
	c.t.Helper()
	v, uses, err := c.Session(c.t.Context(), c.desk(), sessionID, c.clk.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	return v, uses
}

// sender is somebody of a township; each is an account of its own, for an account has few holds that no referral has yet.
func (c *calendar) sender() app.Caller {
	return app.Caller{County: county, AccountID: id.New(), OrganizationID: c.township(), Township: true}
}

// hold is the desk's, for a patient whom a township sends.
func (c *calendar) hold(slotID string) app.HoldView {
	c.t.Helper()
	caller := c.sender()
	caller.AccountID = "desk"
	v, err := c.CreateHold(c.t.Context(), caller, app.HoldRequest{PatientID: c.patient, SlotID: slotID})
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// book makes a LIVE booking of the slot for a new referral, sent by another organisation.
func (c *calendar) book(slotID string) (hold app.HoldView, referral string) {
	c.t.Helper()
	referral = id.New()
	v, err := c.CreateHold(c.t.Context(), c.sender(), app.HoldRequest{PatientID: c.patient, SlotID: slotID})
	if err != nil {
		c.t.Fatal(err)
	}
	v, err = c.ConfirmHold(c.t.Context(), c.caller("service:referral"), app.Tie{HoldID: v.ID, ReferralID: referral, PatientID: c.patient,
		OriginatorOrganizationID: c.township()})
	if err != nil {
		c.t.Fatal(err)
	}
	c.fact("accepted", app.ReferralFact{ReferralID: referral, BookingID: v.BookingID})
	c.wantState(v.ID, domain.Live)
	return v, referral
}

func (c *calendar) township() string { return id.FromFact("township") }

func (c *calendar) place(holdID string) string {
	c.t.Helper()
	v, err := c.GetHold(c.t.Context(), c.caller("desk"), holdID)
	if err != nil {
		c.t.Fatal(err)
	}
	return v.Place.SlotID
}

func (c *calendar) displaced(holdID string) bool {
	c.t.Helper()
	v, err := c.GetHold(c.t.Context(), c.caller("desk"), holdID)
	if err != nil {
		c.t.Fatal(err)
	}
	return !v.Displaced.IsZero()
}

func (c *calendar) work() {
	c.t.Helper()
	if err := c.Work(c.t.Context(), c.clk.Now()); err != nil {
		c.t.Fatal(err)
	}
}

// oneEach is the invariant: every live hold has exactly one place, and it is the one that it names.
func (c *calendar) oneEach() {
	c.t.Helper()
	if n := c.count(`SELECT count(*) FROM hold h LEFT JOIN occupancy o ON o.county_code = h.county_code AND o.hold_id = h.id
		WHERE h.state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE') AND (o.place_id IS NULL OR o.place_id <> h.slot_id || h.bed_id)`); n != 0 {
		c.t.Errorf("%d live holds are not where they say", n)
	}
	if n := c.count(`SELECT count(*) FROM occupancy o LEFT JOIN hold h ON h.county_code = o.county_code AND h.id = o.hold_id
		WHERE h.id IS NULL OR h.state NOT IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE')`); n != 0 {
		c.t.Errorf("%d places are taken by nobody", n)
	}
}

func (c *calendar) wantAudit(action string, want int) {
	c.t.Helper()
	if n := c.count("SELECT count(*) FROM audit_entry WHERE action = $1", action); n != want {
		c.t.Errorf("%d audit entries %s, want %d", n, action, want)
	}
}

func (c *calendar) wantReason(err error, reason, what string) {
	c.t.Helper()
	if errs.ReasonOf(err) != reason {
		c.t.Errorf("%s: %v, want %s", what, err, reason)
	}
}

func wantField(t *testing.T, err error, field string) {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || len(e.Fields) != 1 || e.Fields[0].Name != field {
		t.Errorf("%v, want field %s", err, field)
	}
}

// exec changes rows as no use case does.
func (c *calendar) exec(query string, args ...any) {
	c.t.Helper()
	err := c.db.Update(c.t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(c.t.Context(), query, args...)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}
