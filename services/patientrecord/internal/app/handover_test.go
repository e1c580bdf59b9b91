package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func fact(w *world, referral, patient string, version int32, state domain.State) app.ReferralFact {
	return app.ReferralFact{
		FactID: id.New(), County: county, Account: "account-of-township", Organization: "township",
		Standing: domain.Standing{
			ReferralID: referral, PatientID: patient, Version: version, State: state, Originator: "township", Receiver: "county", At: w.clk.Now(),
		},
	}
}

func medicine(identity, status, content string, at time.Time) domain.Entry {
	return domain.Entry{
		SourceSystem: "referral reply", SourceIdentity: identity, Kind: domain.KindMedication, Status: status, Code: content, Time: at,
		Content: []byte(content),
	}
}

func TestAResubmissionHasAPackageOfItsOwnAndTheOldOneIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.bring(app.Import{Details: zeng}).PatientID, id.New()
		w.fact(referral, patient, 2, domain.Submitted, domain.Draft)
		w.fact(referral, patient, 3, domain.Returned, domain.Submitted)
		w.clk.Advance(time.Hour)
		w.bring(app.Import{Details: zeng, Entries: []domain.Entry{observation("asked", w.clk.Now(), "asked")}})
		again := fact(w, referral, patient, 5, domain.Submitted)
		again.Submission, again.Again = true, true
		for range 2 {
			if err := w.ApplyReferral(t.Context(), again); err != nil {
				t.Fatal(err)
			}
		}
		p, err := w.Package(t.Context(), desk, referral, 0)
		if err != nil || len(p.Results) != 1 || p.Version.Version != 2 || p.Version.ReferralVersion != 5 || len(p.Versions) != 2 || len(p.Items) != 1 {
			t.Errorf("the latest: %+v, %d results, %v", p.Version, len(p.Results), err)
		}
		p, err = w.Package(t.Context(), desk, referral, 1)
		if err != nil || len(p.Results) != 0 || p.Version.ReferralVersion != 2 {
			t.Errorf("the first: %+v, %d results, %v", p.Version, len(p.Results), err)
		}
		_, err = w.Package(t.Context(), desk, referral, 3)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestAFormerReceiverSeesThePackageNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.bring(app.Import{Details: zeng}).PatientID, id.New()
		w.fact(referral, patient, 2, domain.Submitted, domain.Draft)
		if _, err := w.Package(t.Context(), desk, referral, 0); err != nil {
			t.Fatalf("the receiver, from submission on: %v", err)
		}
		_, err := w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonBreakGlassRequired)

		w.clk.Advance(time.Minute)
		given := fact(w, referral, patient, 3, domain.Submitted)
		given.Standing.Receiver = "another"
		if err := w.ApplyReferral(t.Context(), given); err != nil {
			t.Fatal(err)
		}
		_, err = w.Package(t.Context(), desk, referral, 0)
		w.reason(err, errs.ReasonNotFound)
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
		another := authn.Identity{Subject: "account-of-another", Organization: "another", County: county, Roles: []string{"INTAKE_DESK"}}
		if _, err := w.Package(t.Context(), another, referral, 0); err != nil {
			t.Errorf("the present receiver: %v", err)
		}
		w.clk.Advance(time.Minute)
		given = fact(w, referral, patient, 5, domain.Arrived)
		given.Standing.Receiver = "another"
		if err := w.ApplyReferral(t.Context(), given); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Summary(t.Context(), another, patient); err != nil {
			t.Errorf("the whole record after arrival: %v", err)
		}
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestWhatTheCountyHandsBackBecomesPartOfTheRecordOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.bring(app.Import{Details: zeng}).PatientID, id.New()
		concluded := fact(w, referral, patient, 7, domain.Concluded)
		w.peer.away = true
		w.reason(w.TakeBack(t.Context(), concluded), errs.ReasonPeerAway)
		w.peer.away = false
		if err := w.TakeBack(t.Context(), concluded); err != nil {
			t.Errorf("of a referral that is no more: %v", err)
		}
		w.peer.patient = patient
		w.peer.back = []domain.Entry{
			medicine(referral+"/1", "active", "阿司匹林", w.clk.Now()), medicine(referral+"/2", "stopped", "华法林", w.clk.Now()),
		}
		for range 2 {
			if err := w.TakeBack(t.Context(), concluded); err != nil {
				t.Fatal(err)
			}
		}
		listed := func() []domain.Entry {
			s, err := w.Summary(t.Context(), township, patient)
			if err != nil {
				t.Fatal(err)
			}
			return s.Entries[domain.KindMedication]
		}
		if got := listed(); len(got) != 1 || string(got[0].Content) != "阿司匹林" || got[0].Version != 1 {
			t.Errorf("the township reads %v", got)
		}
		w.peer.back[0] = medicine(referral+"/1", "active", "阿司匹林 100 mg", w.clk.Now())
		concluded.FactID = id.New()
		if err := w.TakeBack(t.Context(), concluded); err != nil {
			t.Fatal(err)
		}
		if got := listed(); len(got) != 1 || got[0].Version != 2 {
			t.Errorf("another content: %v", got)
		}
	})
}
