package app_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func asking() domain.CopyStatement {
	return domain.CopyStatement{AskedBy: domain.AskedByPatient, IdentityCheck: domain.CheckedCard, Purpose: "SELF", Form: domain.FormFHIR}
}

func handing(patient string) app.Exporting {
	return app.Exporting{
		Request: request("RecordExport"), Kind: domain.ExportOwnCopy, Form: domain.FormFHIR, PatientID: patient, Statement: asking(), Entries: 3,
		Digest: sha256.Sum256([]byte("document")),
	}
}

func TestACopyHoldsWhatIsSensitiveOnlyWhenItIsSaid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		w.agree(township, sensitive(patient, "county"))
		copied := func(who authn.Identity, st domain.CopyStatement, want int) {
			t.Helper()
			c, err := w.ReadCopy(t.Context(), who, patient, st)
			if err != nil || len(c.Entries) != want || len(c.Consents) != 1 || c.Patient.Details.IdentityNumber != zeng.IdentityNumber {
				t.Errorf("%d entries, %d consents: %v", len(c.Entries), len(c.Consents), err)
			}
		}
		copied(township, asking(), 1)
		// Neither a purpose that is open nor the department that treats it changes what the patient gets.
		if _, err := w.StatePurpose(t.Context(), township, app.Stated{Request: request("StatePurpose"), PatientID: patient, Purpose: domain.PurposeTreatment}); err != nil {
			t.Fatal(err)
		}
		copied(township, asking(), 1)
		whole := asking()
		whole.Sensitive = true
		copied(township, whole, 2)
		past := asking()
		past.To = w.clk.Now().Add(-time.Hour)
		if c, err := w.ReadCopy(t.Context(), township, patient, past); err != nil || len(c.Entries) != 0 {
			t.Errorf("of another time: %d, %v", len(c.Entries), err)
		}
		if w.looks("copy.read", patient) != 4 {
			t.Error("a copy was read without the audit")
		}
		_, err := w.ReadCopy(t.Context(), stranger, patient, asking())
		w.reason(err, errs.ReasonNotFound)
		wrong := asking()
		wrong.AskedBy = "NEIGHBOUR"
		_, err = w.ReadCopy(t.Context(), township, patient, wrong)
		w.reason(err, errs.ReasonFieldUnknown)
	})
}

func TestWhatLeavesIsInTheLedger(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		in := handing(patient)
		in.Statement.AskedBy, in.Statement.Name, in.Statement.Relation, in.Statement.IdentityCheck = domain.AskedByGuardian, "李某", "5", domain.CheckedKinship
		row, err := w.RecordExport(t.Context(), township, in)
		if err != nil || row.Home != "township" {
			t.Fatalf("%v", err)
		}
		if again, err := w.RecordExport(t.Context(), township, in); err != nil || again.ID != row.ID || again.Digest != row.Digest {
			t.Errorf("a repeat: %v", err)
		}
		w.clk.Advance(time.Minute)
		if _, err := w.RecordExport(t.Context(), auditor, app.Exporting{Request: request("RecordExport"), Kind: domain.ExportAudit, Form: "CSV", Entries: 9}); err != nil {
			t.Fatal(err)
		}
		mine, err := w.Exports(t.Context(), township, app.ExportQuery{PatientID: patient})
		if err != nil || len(mine.Exports) != 1 || mine.Exports[0].Statement.Name != "李某" || mine.Exports[0].Digest != sha256.Sum256([]byte("document")) {
			t.Errorf("of the patient: %d, %v", len(mine.Exports), err)
		}
		page, err := w.Exports(t.Context(), auditor, app.ExportQuery{Limit: 1})
		if err != nil || len(page.Exports) != 1 || page.Exports[0].Kind != domain.ExportAudit || page.Next.ID == "" {
			t.Fatalf("the county's: %d, %v", len(page.Exports), err)
		}
		page, err = w.Exports(t.Context(), auditor, app.ExportQuery{Limit: 1, After: page.Next})
		if err != nil || len(page.Exports) != 1 || page.Exports[0].ID != row.ID || page.Next.ID != "" || page.Exports[0].Statement.Name != "" || page.Exports[0].Statement.AskedBy != domain.AskedByGuardian {
			t.Errorf("an auditor sees who asked by name, or not the row: %v", err)
		}
		if w.looks("export.record", patient) != 1 || w.looks("export.list", patient) != 1 {
			t.Error("not in the audit")
		}
	})
}

func TestNobodyExportsOrReadsWhatIsNotTheirs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		for name, c := range map[string]struct {
			who    authn.Identity
			change func(*app.Exporting)
			want   string
		}{
			"a stranger":                 {stranger, func(*app.Exporting) {}, errs.ReasonNotFound},
			"another form than was said": {township, func(e *app.Exporting) { e.Form = domain.FormPrint }, errs.ReasonFieldCombination},
			"nothing said":               {township, func(e *app.Exporting) { e.Statement = domain.CopyStatement{} }, errs.ReasonFieldRequired},
			"a doctor the audit":         {township, func(e *app.Exporting) { e.Kind, e.Form, e.PatientID = domain.ExportAudit, "CSV", "" }, errs.ReasonRole},
			"an auditor the figures":     {auditor, func(e *app.Exporting) { e.Kind, e.Form, e.PatientID = domain.ExportStatistics, "CSV", "" }, errs.ReasonRole},
			"the audit of a patient":     {auditor, func(e *app.Exporting) { e.Kind, e.Form = domain.ExportAudit, "CSV" }, errs.ReasonFieldCombination},
			"something unheard of":       {township, func(e *app.Exporting) { e.Kind = "EVERYTHING" }, errs.ReasonFieldUnknown},
		} {
			in := handing(patient)
			c.change(&in)
			if _, err := w.RecordExport(t.Context(), c.who, in); errs.ReasonOf(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := w.Exports(t.Context(), township, app.ExportQuery{})
		w.reason(err, errs.ReasonFieldRequired)
		w.fact("0192f0c1-0000-7000-8000-000000000012", patient, 2, domain.Submitted, domain.Draft)
		w.fact("0192f0c1-0000-7000-8000-000000000012", patient, 3, domain.Arrived, domain.Accepted)
		_, err = w.Exports(t.Context(), desk, app.ExportQuery{PatientID: patient})
		w.reason(err, errs.ReasonRole) // sees the record, and is not the home
	})
}
