package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func TestWhoHasPapersIsTheSamePersonByTheNumberOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.register(township, zeng)
		in := app.Registration{Details: nameless, SameAs: first.ID}
		_, err := w.Register(t.Context(), stranger, in)
		w.reason(err, errs.ReasonBreakGlassRequired)
		if e, ok := errs.As(err); !ok || e.Meta["patientId"] != first.ID {
			t.Error("the refusal does not lead to the record")
		}
		if w.looks("patient.register", first.ID) != 1 {
			t.Error("what was refused is not in the audit")
		}
		_, err = w.Patient(t.Context(), stranger, first.ID)
		w.reason(err, errs.ReasonNotFound)
		if got, err := w.Register(t.Context(), township, in); err != nil || got.ID != first.ID {
			t.Errorf("who sees the record anyway: %v", err)
		}
		card := zeng
		card.Phone = "13900139000"
		if got, err := w.Register(t.Context(), stranger, app.Registration{Details: card, SameAs: first.ID}); err != nil || got.ID != first.ID {
			t.Errorf("by the number on the card: %v", err)
		}
		in.Details.Name = "李四"
		for range app.LookupsPerMinute {
			if _, err = w.Register(t.Context(), desk, in); errs.ReasonOf(err) == errs.ReasonRateLimited {
				break
			}
		}
		_, err = w.Register(t.Context(), desk, in)
		w.reason(err, errs.ReasonRateLimited)
	})
}

func zengAgain(w *world, known app.Shown) domain.Details {
	w.t.Helper()
	_, err := w.Register(w.t.Context(), desk, app.Registration{Details: zeng})
	w.reason(err, errs.ReasonAlreadyRegistered)
	if e, _ := errs.As(err); e.Meta["patientId"] != known.ID {
		w.t.Error("another patient has the number")
	}
	if _, err := w.Visit(w.t.Context(), desk, app.Arrive{PatientID: known.ID, IdentityNumber: zeng.IdentityNumber}); err != nil {
		w.t.Error(err)
	}
	return domain.Details{Name: "欧阳娜娜", IdentityNumber: "990122196311070023"}
}

func TestADocumentThatCameLaterIsAddedAndOneOfAnotherRecordIsAMatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		baby := w.register(township, domain.Details{
			Name: "张三之女", Sex: domain.Female, BirthDate: domain.Date{Year: 2019, Month: 7, Day: 5}, DocumentType: domain.NoDocument,
			NoDocumentReason: domain.Newborn, GuardianName: "张三",
		})
		update := app.Update{
			Request: app.Request{Method: "UpdatePatient", ID: "r1"}, Patient: baby.ID, Version: 1,
			Change: func(d domain.Details) domain.Details {
				d.Name, d.DocumentType, d.IdentityNumber = "张雨桐", domain.ResidentCard, "990122201907050086"
				return d
			},
		}
		for range 2 {
			got, err := w.index().Update(t.Context(), township, update)
			if err != nil || got.Version != 2 || got.Details.Name != "张雨桐" || got.Details.NoDocumentReason != "" {
				t.Fatalf("version %d, %v", got.Version, err)
			}
		}
		update.Request.ID = "r2"
		_, err := w.index().Update(t.Context(), township, update)
		w.reason(err, errs.ReasonStaleVersion)

		other := w.register(desk, zeng)
		update.Request.ID, update.Version = "r3", 2
		update.Change = func(d domain.Details) domain.Details {
			d.Sex, d.BirthDate, d.IdentityNumber = domain.Male, domain.Date{}, zeng.IdentityNumber
			return d
		}
		_, err = w.index().Update(t.Context(), township, update)
		w.reason(err, errs.ReasonAlreadyRegistered)
		e, _ := errs.As(err)
		m, err := w.index().Match(t.Context(), township, e.Meta["matchId"])
		if err != nil || e.Meta["patientId"] != other.ID || m.Match.Other(baby.ID) != other.ID || m.MayDecide {
			t.Errorf("the match: %v", err)
		}
	})
}

func TestANumberIsTakenAwayAndTheAuditNamesIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := zeng
		d.Phone, d.InsuranceNumber = "13800138000", "M45032100012345"
		p := w.register(township, d)
		got, err := w.index().Update(t.Context(), township, app.Update{
			Request: app.Request{Method: "UpdatePatient", ID: "r1"}, Patient: p.ID, Version: p.Version,
			Change: func(d domain.Details) domain.Details { d.Phone, d.InsuranceNumber = "", ""; return d },
		})
		if err != nil || got.Details.Phone != "" || got.Details.InsuranceNumber != "" || got.Details.Name == "" {
			t.Fatal(err)
		}
		if list := w.finds("13800138000"); len(list) != 0 {
			t.Error("the patient is still found by a number that was taken away")
		}
		var detail string
		if err := w.db.View(t.Context(), func(tx *sqldb.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT detail FROM audit_entry WHERE action = 'patient.corrected' AND patient_id = $1", p.ID).Scan(&detail)
		}); err != nil || detail != "phone insuranceNumber" {
			t.Errorf("the audit says %q, %v", detail, err)
		}
	})
}

func TestCorrectingANumberToThatOfAnotherOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own, other := w.register(township, nameless), w.register(desk, zeng)
		update := app.Update{
			Request: app.Request{Method: "UpdatePatient", ID: "r1", Body: []byte("1")}, Patient: own.ID, Version: 1,
			Change: func(d domain.Details) domain.Details {
				d.DocumentType, d.IdentityNumber = domain.ResidentCard, zeng.IdentityNumber
				return d
			},
		}
		match := ""
		for range 2 {
			_, err := w.index().Update(t.Context(), township, update)
			w.reason(err, errs.ReasonAlreadyRegistered)
			e, ok := errs.As(err)
			if !ok || e.Meta["patientId"] != other.ID || e.Meta["matchId"] == "" || match != "" && e.Meta["matchId"] != match {
				t.Fatalf("the refusal leads elsewhere: %v", err)
			}
			match = e.Meta["matchId"]
		}
		if n := w.looks("patient.register", other.ID); n != 1 {
			t.Errorf("%d entries in the audit for one request", n)
		}
		if w.facts("glass_broken") != 0 {
			t.Error("a visit nobody declared was told")
		}
		_, err := w.Patient(t.Context(), township, other.ID)
		w.reason(err, errs.ReasonNotFound)
		update.Request.Body = []byte("2")
		_, err = w.index().Update(t.Context(), township, update)
		w.reason(err, errs.ReasonRequestIDReused)
		for range app.LookupsPerMinute {
			if _, err = w.index().Update(t.Context(), township, update); errs.ReasonOf(err) == errs.ReasonRateLimited {
				break
			}
		}
		w.reason(err, errs.ReasonRateLimited)
		update.Change, update.Request.ID = func(d domain.Details) domain.Details { d.Village = "新村"; return d }, "r2"
		if _, err := w.index().Update(t.Context(), township, update); err != nil {
			t.Errorf("a correction that brings no number is no look-up: %v", err)
		}
	})
}

func TestFullNumbersAreShownOnPurposeAndAudited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := zeng
		d.InsuranceNumber = "M45032100012345"
		p := w.register(township, d)
		if list := w.finds("2345"); len(list) != 1 || list[0].Details.InsuranceNumber != "M45********2345" {
			t.Errorf("by the insurance number's tail: %d", len(list))
		}
		got, err := w.index().Reveal(t.Context(), township, p.ID, "CONTACT")
		if err != nil || got.Details.IdentityNumber != zeng.IdentityNumber || w.looks("patient.reveal", p.ID) != 1 {
			t.Errorf("revealed: %v", err)
		}
		if _, err := w.index().Reveal(t.Context(), stranger, p.ID, "CONTACT"); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("a stranger: %v", err)
		}
	})
}
