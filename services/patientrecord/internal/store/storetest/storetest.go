// Package storetest is the written contract of app.Store as tests: every store passes them on every engine.
package storetest

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Fixture is a fresh, empty store and the clock of its transactions.
type Fixture struct {
	Store app.Store
	Clock *clock.Fixed
}

const county = "450321"

// Suite runs the contract. open gives each test a store of its own.
func Suite(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Fixture){
		"a patient is kept as it was":                              patientKept,
		"one number is one patient, and the loser of a race reads": oneNumber,
		"a change that fails leaves nothing":                       allOrNothing,
		"a repeated request gets its first answer":                 requestRepeats,
		"a fact counts once per consumer":                          factOnce,
		"counties do not see one another":                          countiesApart,
		"words find those with a relation that holds":              wordsFind,
		"the number finds any of the county":                       numberFinds,
		"a change of name changes what is found":                   renamed,
		"entries are versions of an identity":                      entriesVersioned,
		"the summary leaves out what is past":                      summaryCurrent,
		"results page newest first, stable under inserts":          resultsPaged,
		"values are the latest of each code and what is not past":  valuesLatest,
		"relations of a source are written over":                   relationsWritten,
		"a package stays as it was assembled":                      packageKept,
		"every version of an entry stays with who, where and why":  versionsStay,
		"a visit that ends seals what was written under it":        visitSeals,
		"a referral that ends seals what was written under it":     referralSeals,
		"entries are listed newest first by kind and time":         entriesListed,
		"measured values are found by their codes":                 measuredFound,
		"a repeated request gets its first reference":              referenceRepeats,
		"each resubmission has a package of its own":               packagesBeside,
		"documents travel with their package":                      documentsTravel,
		"the reply is one package":                                 replyKept,
		"an older standing does not replace a newer":               standingKept,
		"an opening is the account's and the patient's":            openingsKept,
		"a document comes back whole, in pieces":                   attachmentKept,
		"documents are listed by patient and referral":             attachmentsListed,
		"a message is kept once, its content in quarantine":        messageKept,
		"messages page newest first":                               messagesPaged,
		"senders are counted, each by itself":                      sendersCounted,
		"old messages are forgotten unless they wait":              messagesPruned,
		"a consent keeps every step it took":                       consentKept,
		"consents are listed by patient and by when they are due":  consentsListed,
		"a referral has one consent after the other":               consentsOfReferral,
		"what left is in the ledger as it was written":             exportsKept,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func (f Fixture) change(t *testing.T, cmd app.Command, fn func(app.Unit) error) error {
	t.Helper()
	if cmd.County == "" {
		cmd.County = county
	}
	if cmd.Account == "" {
		cmd.Account, cmd.Organization = "account-1", "org-1"
	}
	return f.Store.Change(t.Context(), cmd, fn)
}

func (f Fixture) must(t *testing.T, fn func(app.Unit) error) {
	t.Helper()
	if err := f.change(t, app.Command{}, fn); err != nil {
		t.Fatal(err)
	}
}

func demographics(t *testing.T, in domain.Details) domain.Demographics {
	t.Helper()
	d, problems := domain.ImportedDemographics(in, domain.Date{Year: 2026, Month: 11, Day: 22})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return d
}

// add is a new patient with a FULL relation of org-1.
func (f Fixture) add(t *testing.T, in domain.Details) domain.Patient {
	t.Helper()
	var p domain.Patient
	f.must(t, func(u app.Unit) error {
		p = domain.NewPatient(id.New(), demographics(t, in), "org-1", u.Now())
		u.PutPatient(p)
		u.PutRelations(domain.HomeRelation(p.ID(), "org-1", domain.FromImport, u.Now()))
		return nil
	})
	return p
}

var zeng = domain.Details{
	Name: "曾小明", IdentityNumber: "990122195603120016", Phone: "13800138000", Address: "白沙镇", Village: "旧县村",
	HealthRecordNumber: "45032110000100001", GuardianName: "曾大明", GuardianPhone: "13900139000",
}

func patientKept(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	got, err := f.Store.Patient(t.Context(), county, p.ID())
	if err != nil {
		t.Fatal(err)
	}
	if got.Keep() != p.Keep() {
		t.Errorf("kept %v, want %v", got, p)
	}
	if _, err := f.Store.Patient(t.Context(), county, id.New()); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("a patient that is not there: %v", err)
	}
}

func oneNumber(t *testing.T, f Fixture) {
	d := demographics(t, zeng)
	const racers = 4
	created := make(chan string, racers)
	errors := make(chan error, racers)
	for range racers {
		go func() {
			mine := ""
			err := f.Store.Change(t.Context(), app.Command{County: county, Account: "a", Organization: "o"}, func(u app.Unit) error {
				mine = ""
				_, found, err := u.PatientByNumber(t.Context(), d.Number())
				if err != nil || found {
					return err
				}
				mine = id.New()
				u.PutPatient(domain.NewPatient(mine, d, "", u.Now()))
				return nil
			})
			created <- mine
			errors <- err
		}()
	}
	n := 0
	for range racers {
		if err := <-errors; err != nil {
			t.Error(err)
		}
		if <-created != "" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d patients with one number", n)
	}
}

func allOrNothing(t *testing.T, f Fixture) {
	broken := errs.WrongState("test", "test")
	var p domain.Patient
	err := f.change(t, app.Command{}, func(u app.Unit) error {
		p = domain.NewPatient(id.New(), demographics(t, zeng), "org-1", u.Now())
		u.PutPatient(p)
		if _, err := u.PutEntries(t.Context(), p, []domain.Entry{entry("a", domain.KindProblem, "active", f.Clock.Now(), "x")}); err != nil {
			return err
		}
		return broken
	})
	if errs.ReasonOf(err) != broken.Reason {
		t.Fatalf("the error of the function: %v", err)
	}
	if _, err := f.Store.Patient(t.Context(), county, p.ID()); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("something was left: %v", err)
	}
}

func requestRepeats(t *testing.T, f Fixture) {
	cmd := app.Command{Request: app.Request{Method: "RegisterPatient", ID: "018f0000-0000-7000-8000-000000000001", Body: []byte("body")}}
	var first domain.Patient
	register := func(u app.Unit) error {
		if _, ok, err := u.Answered(t.Context()); err != nil || ok {
			return err
		}
		first = domain.NewPatient(id.New(), demographics(t, zeng), "org-1", u.Now())
		u.PutPatient(first)
		u.Answer(first)
		return nil
	}
	if err := f.change(t, cmd, register); err != nil {
		t.Fatal(err)
	}
	err := f.change(t, cmd, func(u app.Unit) error {
		p, ok, err := u.Answered(t.Context())
		if err == nil && (!ok || p.Keep() != first.Keep()) {
			t.Errorf("answered %v %v, want %v", ok, p, first)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	cmd.Request.Body = []byte("another body")
	if err := f.change(t, cmd, register); errs.ReasonOf(err) != errs.ReasonRequestIDReused {
		t.Errorf("another body: %v", err)
	}
}

func factOnce(t *testing.T, f Fixture) {
	runs := 0
	count := func(app.Unit) error { runs++; return nil }
	for _, cmd := range []app.Command{
		{Consumer: "c1", FactID: "f1"}, {Consumer: "c1", FactID: "f1"}, {Consumer: "c2", FactID: "f1"}, {Consumer: "c1", FactID: "f2"},
	} {
		if err := f.change(t, cmd, count); err != nil {
			t.Fatal(err)
		}
	}
	if runs != 3 {
		t.Errorf("ran %d times, want 3", runs)
	}
}

func countiesApart(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	const other = "450322"
	if _, err := f.Store.Patient(t.Context(), other, p.ID()); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("by id: %v", err)
	}
	if found, err := f.Store.FindByNumber(t.Context(), other, "org-1", zeng.IdentityNumber); err != nil || len(found) != 0 {
		t.Errorf("by number: %d %v", len(found), err)
	}
	if found, err := f.Store.FindByWords(t.Context(), other, "org-1", app.ParseQuery("曾"), 10); err != nil || len(found) != 0 {
		t.Errorf("by words: %d %v", len(found), err)
	}
	if rs, err := f.Store.Relations(t.Context(), other, p.ID(), "org-1"); err != nil || len(rs) != 0 {
		t.Errorf("relations: %d %v", len(rs), err)
	}
	err := f.change(t, app.Command{County: other}, func(u app.Unit) error {
		_, found, err := u.PatientByNumber(t.Context(), p.Demographics().Number())
		if found {
			t.Error("the same number of another county was found")
		}
		u.PutPatient(domain.NewPatient(id.New(), p.Demographics(), "", u.Now()))
		return err
	})
	if err != nil {
		t.Errorf("the same person in another county is another record: %v", err)
	}
}

func entry(identity string, kind domain.EntryKind, status string, at time.Time, content string) domain.Entry {
	return domain.Entry{
		SourceSystem: "system", SourceIdentity: identity, Kind: kind, Status: status, Time: at, Code: identity, Content: []byte(content),
	}
}
