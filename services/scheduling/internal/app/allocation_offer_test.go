package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func TestASlotIsOfferedOnlyWithTimeToAnswerAndToCome(t *testing.T) {
	each(t, func(f *fixture) {
		// It is 09:30. To answer there are 10 minutes, two hours, a day, and an hour to come.
		var entries []domain.EntryData
		for _, urgency := range []string{"EMERGENCY", "URGENT", "ROUTINE"} {
			entries = append(entries, f.join(f.submitted(id.New(), "0304", urgency), clinic()))
		}
		want := func(offered ...domain.WaitState) {
			f.t.Helper()
			f.allocate()
			for i, state := range offered {
				f.wantEntry(entries[i].ID, state)
			}
		}
		f.session("0304", "CLINIC", 0, 10, 6) // the last begins at 10:50
		f.session("0304", "CLINIC", 0, 12, 2) // at 12:00 and 12:10
		want(domain.Offered, domain.Waiting, domain.Waiting)
		f.session("0304", "CLINIC", 1, 10, 3) // in less than 25 hours
		want(domain.Offered, domain.Offered, domain.Waiting)
		f.session("0304", "CLINIC", 1, 11, 1)
		want(domain.Offered, domain.Offered, domain.Offered)
		if e := f.entry(entries[0].ID); e.OfferStart.Sub(f.clk.Now()) < 70*time.Minute {
			f.t.Errorf("offered %s ahead", e.OfferStart.Sub(f.clk.Now()))
		}
	})
}

func TestAnOfferThatItsSlotCutShortLeavesThePatientOnTheList(t *testing.T) {
	each(t, func(f *fixture) {
		f.session("0304", "CLINIC", 1, 11, 1)
		e := f.join(f.submitted(id.New(), "0304", "ROUTINE"), clinic())
		f.allocate()
		first := f.wantEntry(e.ID, domain.Offered)
		if !first.OfferUntil.Equal(first.OfferStart) {
			f.t.Fatalf("kept until %s, the slot begins at %s", first.OfferUntil, first.OfferStart)
		}
		f.clk.Advance(first.OfferStart.Sub(f.clk.Now()))
		f.sweep()
		f.allocate()
		f.wantEntry(e.ID, domain.Waiting)
		f.wantFacts("waitlist_ended", 0)
		f.session("0304", "CLINIC", 5, 8, 1)
		f.allocate()
		f.wantEntry(e.ID, domain.Offered)
	})
}

func TestABedIsOfferedFromTheFirstDayOn(t *testing.T) {
	each(t, func(f *fixture) {
		f.ward("0304", 1)
		e := f.join(f.submitted(id.New(), "0304", "ROUTINE"), domain.Wish{Kind: domain.KindBed, FirstDay: "2026-03-20"})
		f.allocate()
		f.wantEntry(e.ID, domain.Waiting)
		if n := f.count("SELECT count(*) FROM occupancy"); n != 0 {
			f.t.Errorf("%d beds are kept empty for a later day", n)
		}
		f.clk.Advance(39 * time.Hour) // 00:30 on the day
		f.allocate()
		f.wantEntry(e.ID, domain.Offered)
	})
}

func TestEverybodyWhoWaitsIsLookedAt(t *testing.T) {
	each(t, func(f *fixture) {
		// More than are read at once wait for a doctor who has no sessions, each until another day.
		sender := id.New()
		first := f.join(f.submitted(sender, "0304", "ROUTINE"), domain.Wish{Kind: domain.KindClinic, PractitionerID: id.New()})
		f.exec(`INSERT INTO waitlist_entry (county_code, id, version, state, referral_id, referral_version, number, patient_id, urgency, place_rank, organization_id,
			department_code, sender_organization_id, account_id, kind, modality, practitioner_id, first_day, last_day, sex, ward_class, hold_id,
			displaced_booking_id, create_time, update_time)
			SELECT w.county_code, w.id || n.n, 1, 'WAITING', w.referral_id || n.n, 2, '', w.patient_id, 'ROUTINE', 3, w.organization_id, w.department_code,
			w.sender_organization_id, '', w.kind, '', w.practitioner_id, w.first_day, w.last_day, '', '', '', '', w.create_time, w.update_time
			FROM waitlist_entry w, (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 205) SELECT n FROM n) n WHERE w.id = $1`, first.ID)
		f.clk.Advance(time.Second)
		last := f.join(f.submitted(sender, "0304", "ROUTINE"), clinic())
		f.session("0304", "CLINIC", 2, 8, 1)
		f.allocate()
		if n := f.count("SELECT count(*) FROM waitlist_entry WHERE state = 'WAITING'"); n != 206 {
			f.t.Errorf("%d wait", n)
		}
		if n := f.count("SELECT count(*) FROM waitlist_entry WHERE state = 'OFFERED' AND id = $1", last.ID); n != 1 {
			f.t.Error("the last of the list got no offer")
		}
	})
}

func TestAReferralJoinsTheListOfWhoHasItNow(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		f.session("0304", "CLINIC", 2, 8, 1)
		c := f.submitted(sender, "0304", "ROUTINE")
		old := f.join(c, clinic())
		f.allocate()
		old = f.wantEntry(old.ID, domain.Offered)
		// It is redirected, and the fact is on its way.
		c.Version, c.ReceiverOrganizationID, c.ReceiverDepartment = c.Version+1, id.New(), "0501"
		f.referral.cases[c.ReferralID] = c
		receiver := app.Caller{County: county, AccountID: "other desk", OrganizationID: c.ReceiverOrganizationID}
		e, err := f.JoinWaitlist(f.t.Context(), receiver, app.Join{ReferralID: c.ReferralID, Wish: clinic()}, f.clk.Now())
		if err != nil || e.OrganizationID != c.ReceiverOrganizationID || e.DepartmentCode != "0501" {
			f.t.Fatalf("%+v, %v", e, err)
		}
		if got := f.entry(old.ID); got.State != domain.Ended {
			f.t.Errorf("the old entry is %s", got.State)
		}
		f.wantState(old.HoldID, domain.Released)
		if _, err := f.JoinWaitlist(f.t.Context(), f.caller("desk"), app.Join{ReferralID: c.ReferralID, Wish: clinic()}, f.clk.Now()); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("the old receiver: %v", err)
		}
		f.fact("redirected", app.ReferralFact{ReferralID: c.ReferralID, Case: c})
		if n := f.count("SELECT count(*) FROM waitlist_entry WHERE state = 'WAITING' AND id = $1", e.ID); n != 1 {
			f.t.Error("the fact took the new entry off")
		}
	})
}

// A hold at the old receiver is freed by the fact of the redirection; until that comes it keeps nobody from the new one's list.
func TestAHoldOfBeforeTheRedirectionIsNoPlace(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.submitted(id.New(), "0304", "ROUTINE")
		f.attach(f.hold(f.session("0304", "CLINIC", 3, 8, 1)[0].ID).ID, c.ReferralID)
		c.Version, c.ReceiverDepartment = c.Version+1, "0501"
		f.referral.cases[c.ReferralID] = c
		if e := f.join(c, clinic()); e.DepartmentCode != "0501" || e.State != domain.Waiting {
			f.t.Errorf("%+v", e)
		}
	})
}

func TestACentresOwnDoctorsHaveTheReserveOfItsExpertSessions(t *testing.T) {
	each(t, func(f *fixture) {
		expert, own := f.session("0304", "EXPERT", 10, 8, 2), f.session("0304", "CLINIC", 10, 8, 2)
		f.reserve(expert[0], own[0])
		doctor := f.township(f.org)
		got := f.free(app.Asker{Caller: doctor}, "")
		if len(got) != 3 || !got[expert[0].ID] || got[own[0].ID] {
			f.t.Errorf("%v are free", got)
		}
		found, err := f.FindSlots(f.t.Context(), app.Asker{Caller: doctor}, app.Find{FindQuery: app.FindQuery{OrganizationIDs: []string{f.org}, Kind: domain.KindExpert}}, f.clk.Now())
		if err != nil || len(found) != 1 || found[0].ID != expert[0].ID || !found[0].Free {
			f.t.Errorf("%+v, %v", found, err)
		}
		if err := f.take(doctor, expert[0].ID, ""); err != nil {
			f.t.Errorf("the expert's: %v", err)
		}
		if err := f.take(doctor, own[0].ID, ""); errs.ReasonOf(err) != errs.ReasonNotYetOpen {
			f.t.Errorf("the own clinic's: %v", err)
		}
	})
}
