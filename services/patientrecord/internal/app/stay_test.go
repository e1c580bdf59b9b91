package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func (w *world) published(event string) (n int) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(w.t.Context(), "SELECT count(*) FROM outbox WHERE subject = $1", "record.v1."+county+"."+event).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// stay is an encounter at the county hospital that began so long ago.
func (w *world) stay(status string, ago time.Duration, content string) domain.Entry {
	return domain.Entry{
		SourceSystem: "his", SourceIdentity: "stay", Kind: domain.KindEncounter, Status: status, Content: []byte(content),
		Stay: &domain.Stay{Organization: "county", Start: w.clk.Now().Add(-ago)},
	}
}

func TestAStayIsToldWhenItOpensAndClosesAndWhenWhatWasToldChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ended := func(content string, codes ...string) domain.Entry {
			e := w.stay("finished", 48*time.Hour, content)
			e.Stay.End, e.Stay.Diagnoses = w.clk.Now(), codes
			return e
		}
		open := w.stay("in-progress", 48*time.Hour, "1")
		reworded := w.stay("in-progress", 48*time.Hour, "2")
		cancelled := ended("6", "I63.9")
		cancelled.Status = "entered-in-error"
		for i, step := range []struct {
			entry                     domain.Entry
			opened, closed, cancelled int
		}{
			{open, 1, 0, 0},
			{open, 1, 0, 0},
			{reworded, 1, 0, 0},
			{ended("3"), 1, 1, 0},
			{ended("3"), 1, 1, 0},
			{ended("4"), 1, 1, 0},
			{ended("5", "I63.9"), 1, 2, 0},
			{ended("5 with a word", "I63.9"), 1, 2, 0},
			{w.stay("in-progress", 48*time.Hour, "reopened"), 2, 2, 0},
			{ended("over again", "I63.9"), 2, 3, 0},
			{cancelled, 2, 3, 1},
			{cancelled, 2, 3, 1},
		} {
			w.bring(app.Import{Details: zeng, Entries: []domain.Entry{step.entry}})
			opened, closed, cancelled := w.published("encounter_opened"), w.published("encounter_closed"), w.published("encounter_cancelled")
			if opened != step.opened || closed != step.closed || cancelled != step.cancelled {
				t.Errorf("import %d: %d opened, %d closed, %d cancelled", i+1, opened, closed, cancelled)
			}
		}
	})
}

func TestWhereThePatientStaysTheRecordMayBeRead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		done := w.bring(app.Import{Details: zeng, Entries: []domain.Entry{w.stay("in-progress", time.Hour, "1")}})
		if _, err := w.Summary(t.Context(), desk, done.PatientID); err != nil {
			t.Error(err)
		}
		_, err := w.Summary(t.Context(), stranger, done.PatientID)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestAnAdmissionThatIsCancelledOpensTheRecordNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		sends := func(entries ...domain.Entry) {
			t.Helper()
			in := app.FeedRecord{SourceSystem: "hl7:1", PatientIdentity: "B1", Details: zeng}
			for _, e := range entries {
				in.Entries = append(in.Entries, app.FeedEntry{Entry: e})
			}
			if _, err := app.NewFeed(w.deps).AcceptRecords(t.Context(), person("county", "INTEGRATION"), []app.FeedRecord{in}); err != nil {
				t.Fatal(err)
			}
			w.clk.Advance(time.Minute)
		}
		stay := func(name, status string) domain.Entry {
			e := w.stay(status, time.Hour, name+status)
			e.SourceIdentity = name
			return e
		}
		seen := func(want bool, when string) {
			t.Helper()
			_, err := w.Summary(t.Context(), desk, patient)
			if (err == nil) != want {
				t.Errorf("%s: %v", when, err)
			}
		}
		seen(false, "before")
		sends(stay("V1", "in-progress"))
		seen(true, "admitted")
		sends(stay("V1", "cancelled"))
		seen(false, "cancelled")
		sends(stay("V2", "in-progress"))
		sends(stay("V3", "in-progress"))
		seen(true, "admitted again")
		sends(stay("V2", "cancelled"))
		seen(true, "one of two is cancelled")
		sends(stay("V3", "cancelled"), stay("V4", "in-progress"))
		seen(true, "cancelled in favour of another")
		sends(stay("V4", "cancelled"))
		seen(false, "all are cancelled")
		sends(stay("V5", "in-progress"))
		referral := w.refer(patient)
		sends(stay("V5", "cancelled"))
		if _, err := w.Package(t.Context(), desk, referral, 0); err != nil {
			t.Errorf("the receiver of a referral: %v", err)
		}
	})
}

// A hospital's system sends what happened in one transaction: that somebody else is admitted keeps nobody's record open.
func TestAnotherPatientsAdmissionKeepsNoRecordOpen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		qinsRecord := app.FeedRecord{SourceSystem: "hl7:1", PatientIdentity: "B2", Details: qin, Entries: []app.FeedEntry{{Entry: w.stay("in-progress", time.Hour, "2")}}}
		qinsRecord.Entries[0].Entry.SourceIdentity = "V2"
		sends := func(status string, before ...app.FeedRecord) {
			t.Helper()
			e := w.stay(status, time.Hour, status)
			e.SourceIdentity = "V1"
			all := append(slices.Clone(before), app.FeedRecord{SourceSystem: "hl7:1", PatientIdentity: "B1", Details: zeng, Entries: []app.FeedEntry{{Entry: e}}})
			if _, err := app.NewFeed(w.deps).AcceptRecords(t.Context(), person("county", "INTEGRATION"), all); err != nil {
				t.Fatal(err)
			}
			w.clk.Advance(time.Minute)
		}
		sends("in-progress")
		sends("cancelled", qinsRecord)
		if _, err := w.Summary(t.Context(), desk, patient); err == nil {
			t.Error("the record is open to a hospital where the patient never was")
		}
	})
}

func TestWhatWasKnownBeforeAnAdmissionIsKnownAfterItIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stay := w.stay("in-progress", time.Hour, "1")
		patient := w.bring(app.Import{Organization: "county", Details: zeng, Entries: []domain.Entry{observation("a", w.clk.Now(), "1")}}).PatientID
		feed := app.NewFeed(w.deps)
		send := func(e domain.Entry) {
			t.Helper()
			w.clk.Advance(time.Minute)
			in := []app.FeedRecord{{SourceSystem: "hl7:1", PatientIdentity: "B1", Details: zeng, Entries: []app.FeedEntry{{Entry: e}}}}
			if _, err := feed.AcceptRecords(t.Context(), person("elsewhere", "INTEGRATION"), in); err != nil {
				t.Fatal(err)
			}
		}
		send(observation("b", w.clk.Now(), "1")) // who sends a result has the patient
		stay.Stay.Organization = "elsewhere"
		send(stay)
		stay.Status, stay.Content = "cancelled", []byte("2")
		send(stay)
		if _, err := w.Summary(t.Context(), stranger, patient); err != nil {
			t.Errorf("the organisation whose result is there: %v", err)
		}
	})
}

func TestAnOldHistoryIsNoNews(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		old := w.stay("finished", 400*24*time.Hour, "1")
		old.Stay.End = old.Stay.Start.Add(time.Hour)
		w.bring(app.Import{Details: zeng, Entries: []domain.Entry{old}})
		if n := w.published("encounter_opened") + w.published("encounter_closed"); n != 0 {
			t.Errorf("%d facts", n)
		}
	})
}

func TestAFeedTellsOfItsOwnStaysOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := app.Import{County: county, Organization: "township", SourceSystem: "his", PatientIdentity: "1", Details: zeng}
		in.Entries = []domain.Entry{observation("a", w.clk.Now(), "1"), w.stay("in-progress", time.Hour, "1")}
		_, err := w.Import(t.Context(), person("township", "INTEGRATION"), in)
		w.reason(err, errs.ReasonFieldCombination)
		if e, ok := errs.As(err); !ok || len(e.Fields) != 1 || e.Fields[0].Name != "entries[1].encounter.organizationId" {
			t.Errorf("%v", err)
		}
		in.Entries[1].Stay.Organization = "township"
		if _, err := w.Import(t.Context(), person("township", "INTEGRATION"), in); err != nil {
			t.Error(err)
		}
	})
}

func TestValuesAreForServicesOnBehalfOfWhoHasARelation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		done := w.bring(app.Import{Details: zeng, Entries: []domain.Entry{observation("a", w.clk.Now(), "1")}})
		service := cli
		service.County = county
		for organization, want := range map[string]string{"": errs.ReasonFieldRequired, "elsewhere": errs.ReasonNotFound} {
			_, err := w.Values(t.Context(), service, done.PatientID, organization)
			if err == nil || organization != "" && errs.ReasonOf(err) != want {
				t.Errorf("for %q: %v", organization, err)
			}
		}
		if w.looks("record.values", done.PatientID) != 0 {
			t.Error("a refusal was audited as a look")
		}
		values, err := w.Values(t.Context(), service, done.PatientID, "township")
		if err != nil || len(values) != 1 {
			t.Fatalf("%d values, %v", len(values), err)
		}
		if w.looks("record.values", done.PatientID) != 1 {
			t.Error("the look was not audited")
		}
	})
}
