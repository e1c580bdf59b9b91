package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var qin = domain.Details{Name: "秦小芳", DocumentType: domain.Passport, IdentityNumber: "E12345678", Sex: domain.Female, BirthDate: domain.Date{Year: 1996, Month: 2, Day: 11}}

// newborn of today.
func (w *world) newborn(name string) domain.Details {
	return domain.Details{
		Name: name, DocumentType: domain.NoDocument, NoDocumentReason: "NEWBORN", Sex: domain.Female, BirthDate: domain.DateOf(w.clk.Now().In(time.FixedZone("UTC+8", 8*60*60))),
		GuardianName: "秦小芳", GuardianPhone: "13800138000",
	}
}

func (w *world) relatives(patient string) (out []app.ShownRelative) {
	w.t.Helper()
	p, err := w.Patient(w.t.Context(), township, patient)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Relatives
}

func TestANewbornsRecordAndTheMothersNameEachOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mother := w.register(township, qin)
		child := func(name string, by app.Named) (app.Shown, error) {
			return w.Register(t.Context(), township, app.Registration{Request: request("RegisterPatient"), Details: w.newborn(name), Mother: by})
		}
		first, err := child("秦小芳之女", app.Named{IdentityNumber: "e12345678"})
		if err != nil {
			t.Fatal(err)
		}
		second, err := child("秦小芳之子", app.Named{PatientID: mother.ID})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []app.Shown{first, second} {
			if got := w.relatives(c.ID); len(got) != 1 || got[0].ID != mother.ID || got[0].Kind != domain.IsMother || got[0].Details.Name == qin.Name || got[0].Details.Phone != "" {
				t.Errorf("the child's relatives: %+v", got)
			}
		}
		if got := w.relatives(mother.ID); len(got) != 2 || got[0].Kind != domain.IsChild || got[1].Kind != domain.IsChild {
			t.Errorf("the mother's relatives: %+v", got)
		}
		if s, err := w.Summary(t.Context(), township, mother.ID); err != nil || len(s.Patient.Relatives) != 2 {
			t.Errorf("the summary's: %+v, %v", s.Patient.Relatives, err)
		}
		if w.looks("patient.mother", first.ID) != 1 || w.looks("patient.child", mother.ID) != 2 {
			t.Error("the audit of both does not tell it")
		}
		// After a merge the survivor is the mother, and the link leads to her.
		again := w.register(township, domain.Details{Name: "秦小芳", DocumentType: domain.NoDocument, NoDocumentReason: "LOST", Sex: domain.Female, BirthDate: qin.BirthDate})
		w.decide(w.matchOf(mother.ID, again.ID), mother.ID)
		if got := w.relatives(again.ID); len(got) != 2 {
			t.Errorf("the merged record's relatives: %+v", got)
		}
	})
}

func TestAMotherWhoIsNotThereOrCannotBeIsRefusedByTheField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		child := func(d domain.Details, by app.Named, field, reason string) {
			t.Helper()
			_, err := w.Register(t.Context(), township, app.Registration{Request: request("RegisterPatient"), Details: d, Mother: by})
			if e, ok := errs.As(err); !ok || len(e.Fields) != 1 || e.Fields[0].Name != field || e.Fields[0].Reason != reason {
				t.Errorf("%s: %v", field, err)
			}
		}
		father := qin
		father.IdentityNumber, father.Sex, father.Name = "E87654321", domain.Male, "秦大明"
		fathers := w.register(township, father).ID
		mother := w.register(township, qin)
		stranger := w.register(stranger, domain.Details{Name: "外人", DocumentType: domain.Passport, IdentityNumber: "G1234567", Sex: domain.Female, BirthDate: qin.BirthDate})
		child(w.newborn("一"), app.Named{IdentityNumber: "E00000000"}, "motherIdentityNumber", errs.ReasonFieldUnknown)
		child(w.newborn("二"), app.Named{PatientID: id.New()}, "motherPatientId", errs.ReasonFieldUnknown)
		child(w.newborn("三"), app.Named{PatientID: stranger.ID}, "motherPatientId", errs.ReasonFieldUnknown)
		child(w.newborn("四"), app.Named{IdentityNumber: father.IdentityNumber}, "motherIdentityNumber", errs.ReasonFieldCombination)
		older := w.newborn("五")
		older.BirthDate.Year -= 2
		child(older, app.Named{IdentityNumber: qin.IdentityNumber}, "motherIdentityNumber", errs.ReasonFieldCombination)
		child(older, app.Named{PatientID: mother.ID}, "motherPatientId", errs.ReasonFieldCombination)
		if w.looks("patient.find_number", "") != 1 || w.looks("patient.find_number", fathers) != 1 {
			t.Error("a number can be tried as the mother's without an entry of the audit")
		}
		if n := len(w.finds("秦")); n != 2 {
			t.Errorf("%d records: a refused child was written", n)
		}
	})
}

// The ward's system was first: whoever then registers the child with the mother finds it, and must not lose her.
func TestAChildThatIsThereAlreadyGetsTheMotherWhoIsNamedLater(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mother, child := w.register(township, qin), w.register(township, w.newborn("秦小芳之女"))
		again := func(by app.Named) {
			t.Helper()
			out, err := w.Register(t.Context(), township, app.Registration{
				Request: request("RegisterPatient"), Details: w.newborn("秦小芳之女"), SameAs: child.ID, Mother: by,
			})
			if err != nil || out.ID != child.ID {
				t.Fatalf("%s, %v", out.ID, err)
			}
		}
		again(app.Named{IdentityNumber: qin.IdentityNumber})
		if got := w.relatives(child.ID); len(got) != 1 || got[0].ID != mother.ID {
			t.Errorf("the child's relatives: %+v", got)
		}
		other := qin
		other.Name, other.IdentityNumber = "别的人", "E99999999"
		again(app.Named{PatientID: w.register(township, other).ID})
		if got := w.relatives(child.ID); len(got) != 1 || got[0].ID != mother.ID {
			t.Errorf("who was named first is not kept: %+v", got)
		}
	})
}

func TestAHospitalsSystemNamesTheMother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mother := w.register(township, qin)
		feed := app.NewFeed(w.deps)
		send := func(r app.FeedRecord) string {
			t.Helper()
			r.SourceSystem, r.Updates = "hl7:1", true
			out, err := feed.AcceptRecords(t.Context(), person("township", "INTEGRATION"), []app.FeedRecord{r})
			if err != nil {
				t.Fatal(err)
			}
			return out[0].PatientID
		}
		send(app.FeedRecord{PatientIdentity: "M1", Details: qin})
		for name, r := range map[string]app.FeedRecord{"C1": {Mother: "M1"}, "C2": {Mother: "unknown", MotherNumber: qin.IdentityNumber}} {
			r.PatientIdentity, r.Details = name, w.newborn(name)
			child := send(r)
			if got := w.relatives(child); len(got) != 1 || got[0].ID != mother.ID {
				t.Errorf("%s: %+v", name, got)
			}
			r.Mother, r.MotherNumber = name, "" // a later message changes nothing
			send(r)
			if got := w.relatives(child); len(got) != 1 {
				t.Errorf("%s again: %+v", name, got)
			}
		}
		if got := w.relatives(send(app.FeedRecord{PatientIdentity: "C3", Details: w.newborn("C3"), Mother: "nobody"})); len(got) != 0 {
			t.Errorf("nobody known: %+v", got)
		}
	})
}
