package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestAPatientWhoDiedIsOnNoWorkList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.followed(t, patient(), "2026-03-18", "2026-03-25", "2026-04-08")
		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: found("DIED")})
		expectList(t, "work", h.workOf(t, v), nil)
		h.clock.Advance(days(30))
		if list := h.work(t, "overdue"); len(list.FollowUps) > 0 || list.Overdue > 0 {
			t.Errorf("%d are overdue", list.Overdue)
		}
		// It was somebody else: what lay ahead is work again.
		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Findings: found("STABLE")})
		expectList(t, "work", h.workOf(t, v), []string{"2026-03-25", "2026-04-08"})
		if n := len(h.work(t, "done").FollowUps); n != 2 {
			t.Errorf("%d are done", n)
		}
	})
}

func TestAVisitMoreAfterTheLastIsKeptAsWork(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.followed(t, patient(), "2026-03-18")
		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: found("STABLE")})
		h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Findings: found("STABLE")})
		if n := len(h.work(t, "done").FollowUps); n != 2 {
			t.Errorf("%d are done", n)
		}
	})
}

// touched puts every open visit onto another day behind the service's back, so that what is written again shows.
func (h house) touched(t *testing.T) {
	t.Helper()
	err := h.db.Update(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE follow_up_task SET due_date = '2026-12-31' WHERE state = 'OPEN'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheWorkListIsWrittenOnlyWhereItDiffers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		const stayed = "2026-12-31"
		v := h.followed(t, patient(), "2026-03-18", "2026-03-25", "2026-04-08", "2026-04-15")
		h.touched(t)
		h.mark(t, specialist(), v, domain.MarkCommand{Action: domain.MarkMessage, Text: "请复查"})
		h.clock.Advance(days(1))
		look(t, h.Service)
		expectList(t, "after a mark and a rung", h.workOf(t, v), []string{stayed, stayed, stayed, stayed})
		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: found("STABLE")})
		expectList(t, "after a visit", h.workOf(t, v), []string{stayed, stayed, stayed})
		p := plan("2026-03-25", "2026-04-10")
		v = h.step(t, family(), v, domain.ActionRevisePlan, domain.Carry{Plan: &p})
		expectList(t, "revised", h.workOf(t, v), []string{"2026-04-10", stayed})
		v = h.step(t, family(), v, domain.ActionRevisePlan, domain.Carry{Plan: &p, FamilyDoctor: "0192f0c1-2b3c-7d4e-8f50-617283940a5d"})
		expectList(t, "given to another", h.workOf(t, v), []string{"2026-03-25", "2026-04-10"})
	})
}
