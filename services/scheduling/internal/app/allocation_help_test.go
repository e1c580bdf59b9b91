package app_test

import (
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// The fixture's clock stands at 09:30 on Wednesday, 18 March 2026, in the county.

// session makes one of n slots of ten minutes that starts at a local hour some days from today.
func (f *fixture) session(department, kind string, days, hour, n int) []domain.Slot {
	f.t.Helper()
	return f.sessionOf(f.org, department, kind, days, hour, n)
}

func (f *fixture) sessionOf(organization, department, kind string, days, hour, n int) []domain.Slot {
	f.t.Helper()
	start := time.Date(2026, time.March, 18+days, hour, 0, 0, 0, time.FixedZone("CST", 8*60*60)).UTC()
	s := domain.Session{ID: id.New(), OrganizationID: organization, DepartmentCode: department, Kind: kind, Start: start,
		End: start.Add(time.Duration(n) * 10 * time.Minute), SlotMinutes: 10, PractitionerName: "甲"}
	if made, _, err := f.CreateSchedules(f.t.Context(), f.caller("manager"), []domain.Session{s}, nil); err != nil || made != n {
		f.t.Fatalf("%d slots, %v", made, err)
	}
	// Which of them the reserve has is for each test to say.
	f.exec("UPDATE slot SET pool = 'COMMON' WHERE session_id = $1", s.ID)
	slots := make([]domain.Slot, n)
	for i := range slots {
		slots[i] = domain.Slot{ID: id.FromFact("slot", county, s.ID, strconv.Itoa(i)), Session: s, Start: start.Add(time.Duration(i) * 10 * time.Minute)}
	}
	return slots
}

// exec is for what another part of the service writes.
func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	if err := f.db.Update(f.t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(f.t.Context(), query, args...)
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) reserve(slots ...domain.Slot) {
	f.t.Helper()
	for _, s := range slots {
		f.exec("UPDATE slot SET pool = 'RESERVED' WHERE id = $1", s.ID)
	}
}

// township is a caller of another organisation, from which patients are sent.
func (f *fixture) township(organization string) app.Caller {
	return app.Caller{County: county, AccountID: "doctor", OrganizationID: organization, Township: true}
}

// submitted is a referral of the fixture's patient to the fixture's organisation that the referral service knows.
func (f *fixture) submitted(sender, department, urgency string) domain.Case {
	f.t.Helper()
	c := domain.Case{County: county, ReferralID: id.New(), Version: 2, Number: "450321-26-0000001-1", PatientID: f.patient, State: "SUBMITTED", Direction: "UP",
		Kind: "OUTPATIENT", Urgency: urgency, SenderOrganizationID: sender, ReceiverOrganizationID: f.org, ReceiverDepartment: department,
		DueTime: f.clk.Now().Add(24 * time.Hour)}
	f.referral.mu.Lock()
	f.referral.cases[c.ReferralID] = c
	f.referral.mu.Unlock()
	return c
}

// tell hands a fact on with which the referral is in another state.
func (f *fixture) tell(event, state string, c domain.Case, fact app.ReferralFact) domain.Case {
	f.t.Helper()
	c.Version++
	c.State = state
	fact.ReferralID, fact.Case = c.ReferralID, c
	f.fact(event, fact)
	return c
}

func (f *fixture) join(c domain.Case, w domain.Wish) domain.EntryData {
	f.t.Helper()
	e, err := f.JoinWaitlist(f.t.Context(), f.township(c.SenderOrganizationID), app.Join{RequestID: id.New(), ReferralID: c.ReferralID, Wish: w}, f.clk.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

func (f *fixture) allocate() {
	f.t.Helper()
	// The second round computes what the first one changed.
	for range 2 {
		if err := f.Allocate(f.t.Context(), f.clk.Now(), true); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fixture) entry(entryID string) domain.EntryData {
	f.t.Helper()
	entries, err := f.ListWaitlist(f.t.Context(), f.caller("desk"), app.EntryQuery{Ended: true, Limit: 100})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range entries {
		if e.ID == entryID {
			return e
		}
	}
	f.t.Fatalf("entry %s is not on the list", entryID)
	return domain.EntryData{}
}

func (f *fixture) wantEntry(entryID string, want domain.WaitState) domain.EntryData {
	f.t.Helper()
	e := f.entry(entryID)
	if e.State != want {
		f.t.Errorf("entry is %s, want %s", e.State, want)
	}
	return e
}
