package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// withSecret is a patient with one sensitive and one plain result.
func (w *world) withSecret(d domain.Details) string {
	w.t.Helper()
	return w.bring(app.Import{Details: d, Entries: []domain.Entry{
		observation("secret", w.clk.Now(), "1"), observation("plain", w.clk.Now(), "2"),
	}}).PatientID
}

func TestWhatIsSensitiveIsWithheldUntilAPurposeIsStated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		shown, err := w.Summary(t.Context(), township, patient)
		if err != nil || len(shown.Entries[domain.KindObservation]) != 1 || shown.Withheld != (app.Withheld{Count: 1}) || shown.Patient.Level != domain.LevelFull {
			t.Fatalf("%d shown, withheld %+v, level %d: %v", len(shown.Entries[domain.KindObservation]), shown.Withheld, shown.Patient.Level, err)
		}
		page, err := w.Results(t.Context(), township, patient, app.Cursor{}, 0)
		if err != nil || len(page.Results) != 1 || page.Withheld.Count != 1 {
			t.Errorf("results: %d, withheld %+v: %v", len(page.Results), page.Withheld, err)
		}
		stated := app.Stated{Request: app.Request{Method: "StatePurpose", ID: id.New()}, PatientID: patient, Purpose: domain.PurposeTreatment}
		first, err := w.StatePurpose(t.Context(), township, stated)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.StatePurpose(t.Context(), township, stated); err != nil || again != first {
			t.Errorf("a double click: %+v %v", again, err)
		}
		if n := w.looks("sensitive.open", patient); n != 1 {
			t.Errorf("%d openings in the audit", n)
		}
		shown, err = w.Summary(t.Context(), township, patient)
		if err != nil || len(shown.Entries[domain.KindObservation]) != 2 || shown.Withheld.Count != 0 || shown.Patient.Level != domain.LevelSensitive {
			t.Errorf("opened: withheld %+v, level %d: %v", shown.Withheld, shown.Patient.Level, err)
		}
		colleague := township
		colleague.Subject = "colleague"
		if shown, err = w.Summary(t.Context(), colleague, patient); err != nil || shown.Withheld.Count != 1 {
			t.Errorf("a colleague sees what somebody else opened: %+v %v", shown.Withheld, err)
		}
		w.clk.Advance(app.DefaultSensitive)
		if shown, err = w.Summary(t.Context(), township, patient); err != nil || shown.Withheld.Count != 1 {
			t.Errorf("still open after its time: %+v %v", shown.Withheld, err)
		}
	})
}

func TestTheTreatingDepartmentIsNotAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		psychiatrist := township
		psychiatrist.Subject, psychiatrist.Department = "psychiatrist", "1502"
		shown, err := w.Summary(t.Context(), psychiatrist, patient)
		if err != nil || shown.Withheld.Count != 0 {
			t.Errorf("withheld %+v: %v", shown.Withheld, err)
		}
	})
}

func TestWhatATreatingDepartmentWroteIsItsClass(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		psychiatrist := township
		psychiatrist.Subject, psychiatrist.Department = "psychiatrist", "1502"
		plain := domain.Statement{Entry: observation("plain", w.clk.Now(), "1"), Text: "plain", Words: "1"}
		if _, err := app.NewClinical(w.App, domain.Measures{}).Record(t.Context(), psychiatrist, app.Recording{PatientID: patient, Statements: []domain.Statement{plain}}); err != nil {
			t.Fatal(err)
		}
		if shown, err := w.Summary(t.Context(), township, patient); err != nil || shown.Withheld.Count != 1 {
			t.Errorf("to a colleague of no department: withheld %+v: %v", shown.Withheld, err)
		}
		if shown, err := w.Summary(t.Context(), psychiatrist, patient); err != nil || shown.Withheld.Count != 0 {
			t.Errorf("to the department: withheld %+v: %v", shown.Withheld, err)
		}
	})
}

func TestAPurposeRaisesNoRelation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		_, err := w.StatePurpose(t.Context(), stranger, app.Stated{PatientID: patient, Purpose: domain.PurposeEmergency})
		w.reason(err, errs.ReasonNotFound)
		_, err = w.StatePurpose(t.Context(), township, app.Stated{PatientID: patient, Purpose: "CURIOSITY"})
		w.reason(err, errs.ReasonFieldUnknown)
	})
}

func TestEverythingOfAChildIsWithheldFromWhoDoesNotLookAfterIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		today := w.clk.Now()
		child := domain.Details{
			Name: "曾小小", Sex: domain.Male, DocumentType: domain.NoDocument, NoDocumentReason: domain.NeverIssued, GuardianName: "曾大",
			BirthDate: domain.DateOf(today.AddDate(-5, 0, 0)),
		}
		patient := w.withSecret(child)
		// A hospital where the child was seen once.
		w.bring(app.Import{
			County: county, Organization: "township", SourceSystem: "his", PatientIdentity: "000123", Details: child,
			Entries: []domain.Entry{{
				SourceSystem: "his", SourceIdentity: "stay", Kind: domain.KindEncounter, Status: "in-progress", Time: today, Content: []byte("x"),
				Stay: &domain.Stay{Organization: "county", Class: "IMP", Start: today},
			}},
		})
		shown, err := w.Summary(t.Context(), desk, patient)
		if err != nil || shown.Withheld != (app.Withheld{Count: 3, Child: true}) || len(shown.Entries[domain.KindObservation]) != 0 {
			t.Errorf("the hospital: %+v %v", shown.Withheld, err)
		}
		if shown, err = w.Summary(t.Context(), township, patient); err != nil || shown.Withheld != (app.Withheld{Count: 1}) {
			t.Errorf("the home centre: %+v %v", shown.Withheld, err)
		}
		standing := domain.Standing{
			ReferralID: id.New(), PatientID: patient, Version: 2, State: domain.Arrived, Originator: "township", Receiver: "county", At: today.Add(-time.Minute),
		}
		if err := w.ApplyReferral(t.Context(), app.ReferralFact{FactID: id.New(), County: county, Standing: standing}); err != nil {
			t.Fatal(err)
		}
		if shown, err = w.Summary(t.Context(), desk, patient); err != nil || shown.Withheld != (app.Withheld{Count: 1}) {
			t.Errorf("the receiver: %+v %v", shown.Withheld, err)
		}
	})
}

// Criteria are held against everything; a stay is told to people by whoever asks, and nobody of them stated a purpose.
func TestAStayThatIsWithheldIsNotAmongTheValues(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays := func(patient, organization string) (n int) {
			t.Helper()
			service := cli
			service.County = county
			values, err := w.Values(t.Context(), service, patient, organization)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range values {
				if e.Kind == domain.KindEncounter {
					n++
				}
			}
			if len(values) != n+1 {
				t.Errorf("%d values beside %d stays: criteria lack the result", len(values)-n, n)
			}
			return n
		}
		secret := w.stay("in-progress", time.Hour, "1")
		secret.SourceIdentity, secret.Department = "secret stay", "15"
		patient := w.bring(app.Import{Details: zeng, Entries: []domain.Entry{
			observation("secret", w.clk.Now(), "1"), secret, w.stay("in-progress", time.Hour, "2"),
		}}).PatientID
		if n := stays(patient, "township"); n != 1 {
			t.Errorf("%d stays are told, of which one is sensitive", n)
		}
		child := domain.Details{
			Name: "曾小小", Sex: domain.Male, DocumentType: domain.NoDocument, NoDocumentReason: domain.NeverIssued, GuardianName: "曾大",
			BirthDate: domain.DateOf(w.clk.Now().AddDate(-5, 0, 0)),
		}
		patient = w.bring(app.Import{County: county, Organization: "township", SourceSystem: "his", PatientIdentity: "000124", Details: child, Entries: []domain.Entry{observation("plain", w.clk.Now(), "1"), w.stay("in-progress", time.Hour, "1")}}).PatientID
		if n := stays(patient, "township"); n != 1 {
			t.Errorf("%d stays of a child are told to its home", n)
		}
		if n := stays(patient, "county"); n != 0 {
			t.Errorf("%d stays of a child are told to who does not look after it", n)
		}
	})
}
