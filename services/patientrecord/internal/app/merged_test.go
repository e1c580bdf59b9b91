package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// passport is 曾小明 as a hospital knows him.
var passport = domain.Details{
	Name: "曾小明", Sex: domain.Male, BirthDate: birthday, DocumentType: domain.Passport, IdentityNumber: "E12345678", Phone: "13800138000",
}

func hospital(d domain.Details) app.Import {
	return app.Import{County: county, Organization: "county", SourceSystem: "his", PatientIdentity: "A", Details: d}
}

// source sends a patient's details under the same name by one of the two ways in, and answers with the patient's id.
type source func(d domain.Details) (string, error)

// sources are the ways in.
func (w *world) sources() map[string]source {
	return map[string]source{
		"import": func(d domain.Details) (string, error) {
			done, err := w.Import(w.t.Context(), cli, hospital(d))
			return done.PatientID, err
		},
		"feed": func(d domain.Details) (string, error) {
			feed := app.NewFeed(app.Deps{Store: store.New(w.db, crypt.TestRing(), func() {}), Clock: w.clk, Zone: w.clk.Now().Location()})
			control := id.New()
			m, _, err := feed.Accept(w.t.Context(), app.Message{
				County: county, Organization: "county", Sender: "HIS", Control: control, Type: "ADT^A08", Raw: []byte(control),
				Record: &app.FeedRecord{SourceSystem: "his", PatientIdentity: "A", Details: d, Updates: true},
			})
			if err == nil && m.State != domain.FeedStored {
				w.t.Errorf("%s: %+v", m.State, m.Problem)
			}
			found, _, serr := w.Search(w.t.Context(), township, app.Search{IdentityNumber: zeng.IdentityNumber})
			if serr != nil || len(found) != 1 {
				w.t.Fatalf("%d %v", len(found), serr)
			}
			return found[0].ID, err
		},
	}
}

// brought merges what a hospital told into what the township registered, as somebody at the township who sees both.
func (w *world) brought(told domain.Details) (survivor app.Shown, merged string, merge domain.Merge) {
	w.t.Helper()
	merged = w.bring(hospital(told)).PatientID
	survivor = w.register(township, zeng)
	if _, err := w.BreakGlass(w.t.Context(), township, breaking(merged)); err != nil {
		w.t.Fatal(err)
	}
	if told.IdentityNumber != "" {
		if _, err := w.Visit(w.t.Context(), township, app.Arrive{PatientID: merged, IdentityNumber: told.IdentityNumber}); err != nil {
			w.t.Fatal(err)
		}
	} else if _, err := w.Register(w.t.Context(), township, app.Registration{Details: told, SameAs: merged}); err != nil {
		w.t.Fatal(err)
	}
	w.decide(w.only(), survivor.ID)
	list, err := w.index().Merges(w.t.Context(), township, merged)
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%d merges, %v", len(list), err)
	}
	return survivor, merged, list[0]
}

func TestWhatASourceTellsOfAMergedRecordIsWrittenToThatRecord(t *testing.T) {
	undocumented := nameless
	undocumented.Name = "曾小明"
	for name, told := range map[string]domain.Details{"with another document": passport, "without a document": undocumented} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				survivor, _, _ := w.brought(told)
				for way, send := range w.sources() {
					again := told
					again.Phone = map[string]string{"import": "13900137777", "feed": "13900136666"}[way]
					got, err := send(again)
					if err != nil || got != survivor.ID {
						t.Fatalf("%s: %q %v", way, got, err)
					}
					if p, err := w.Patient(t.Context(), township, survivor.ID); err != nil || p.Details != survivor.Details || p.Home != "township" {
						t.Errorf("%s: the survivor changed: home %q, %v", way, p.Home, err)
					}
					if found := w.finds(again.Phone); len(found) != 1 || found[0].ID != survivor.ID {
						t.Errorf("%s: found %d by what was told", way, len(found))
					}
					if found, _, err := w.Search(t.Context(), desk, app.Search{Query: told.Name}); err != nil || len(found) != 1 {
						t.Errorf("%s: one person is found %d times, %v", way, len(found), err)
					}
				}
			})
		})
	}
}

func TestANumberMovesWithinAPersonAndNothingSticks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		survivor, merged, merge := w.brought(passport)
		correct := func(patient string, change func(*domain.Details)) {
			t.Helper()
			p, err := w.Patient(t.Context(), township, patient)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.index().Update(t.Context(), township, app.Update{
				Patient: patient, Version: p.Version, Change: func(d domain.Details) domain.Details { change(&d); return d },
			})
			if err != nil {
				t.Errorf("correct: %v", err)
			}
		}
		correct(survivor.ID, func(d *domain.Details) { d.DocumentType, d.IdentityNumber = domain.Passport, passport.IdentityNumber })
		byNumber := func(phone string) string {
			t.Helper()
			d := passport
			d.Phone = phone
			done, err := w.Import(t.Context(), cli, app.Import{County: county, Organization: "county", SourceSystem: "lis", PatientIdentity: id.New(), Details: d})
			if err != nil || done.Created {
				t.Errorf("by number: created %t, %v", done.Created, err)
			}
			return done.PatientID
		}
		if got := byNumber("13900131111"); got != survivor.ID {
			t.Errorf("the number leads to %s", got)
		}
		if _, n, err := store.New(w.db, crypt.TestRing(), func() {}).RewriteTokens(t.Context(), county, "", 100); err != nil || n != 2 {
			t.Errorf("search terms written anew for %d records: %v", n, err)
		}
		send := w.sources()["import"]
		again := passport
		again.Phone = "13900132222"
		if got, err := send(again); err != nil || got != survivor.ID {
			t.Errorf("the source of the merged record: %q %v", got, err)
		}
		if got := byNumber("13900133333"); got != survivor.ID {
			t.Errorf("the number leads to %s", got)
		}
		_, err := w.index().Unmerge(t.Context(), township, merge.ID, app.Linking{Reason: "两个人"})
		if err != nil {
			t.Fatal(err)
		}
		again.Phone = "13900134444"
		if got, err := send(again); err != nil || got != merged {
			t.Errorf("after the undoing: %q %v", got, err)
		}
		if got := byNumber("13900135555"); got != merged {
			t.Errorf("the number leads to %s, not to the record that had it first", got)
		}
		correct(survivor.ID, func(d *domain.Details) { d.Village = "新村" })
		correct(survivor.ID, func(d *domain.Details) { d.DocumentType, d.IdentityNumber = domain.ResidentCard, zeng.IdentityNumber })
	})
}

func TestASourceThatLearnsTheNumberOfTheSurvivorGoesOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		told := nameless
		told.Name = "曾小明"
		survivor, _, _ := w.brought(told)
		for way, send := range w.sources() {
			told.DocumentType, told.IdentityNumber, told.NoDocumentReason = domain.ResidentCard, zeng.IdentityNumber, ""
			told.Village = way
			if got, err := send(told); err != nil || got != survivor.ID {
				t.Errorf("%s: %q %v", way, got, err)
			}
		}
	})
}

func TestAnImportClearsNoDocument(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		send := w.sources()["import"]
		patient, err := send(zeng)
		if err != nil {
			t.Fatal(err)
		}
		without := zeng
		without.IdentityNumber, without.DocumentType, without.NoDocumentReason = "", domain.NoDocument, domain.OtherReason
		without.Sex, without.BirthDate, without.Village = domain.Male, birthday, "新村"
		if _, err := send(without); err != nil {
			t.Fatal(err)
		}
		got, err := w.Patient(t.Context(), desk, patient)
		if err != nil || got.Details.IdentityNumber != zeng.IdentityNumber || got.Details.DocumentType != domain.ResidentCard || got.Details.Village != "新村" {
			t.Errorf("document %d, %v", got.Details.DocumentType, err)
		}
	})
}

func TestACorrectionBySourceLetsNoMatchOfAMergedRecordLapse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.bring(hospital(zeng)).PatientID
		if _, err := w.Visit(t.Context(), township, app.Arrive{PatientID: patient, IdentityNumber: zeng.IdentityNumber}); err != nil {
			t.Fatal(err)
		}
		second := nameless
		second.HealthRecordNumber = "45032110010200001"
		w.register(township, second)
		w.decide(w.only(), patient)
		w.register(township, domain.Details{
			Name: "欧阳红", Sex: domain.Male, BirthDate: birthday, DocumentType: domain.NoDocument, NoDocumentReason: domain.Lost,
			HealthRecordNumber: second.HealthRecordNumber,
		})
		match := w.only()
		for way, send := range w.sources() {
			d := zeng
			d.Address = way
			if got, err := send(d); err != nil || got != patient {
				t.Fatal(got, err)
			}
			if still := w.only(); still.Match.ID != match.Match.ID {
				t.Errorf("%s: another match", way)
			}
		}
	})
}

// only is the one match that the township has.
func (w *world) only() app.ShownMatch {
	w.t.Helper()
	page, _, err := w.index().Matches(w.t.Context(), township, app.MatchCursor{}, 0)
	if err != nil || len(page) != 1 {
		w.t.Fatalf("%d matches, %v", len(page), err)
	}
	return page[0]
}
