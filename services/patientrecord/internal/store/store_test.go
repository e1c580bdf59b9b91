package store_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store/storetest"
)

const county = "450321"

func sets() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations()}
}

func TestStoreKeepsItsContract(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			storetest.Suite(t, func(t *testing.T) storetest.Fixture {
				clk := dbtest.Clock(t)
				return storetest.Fixture{Store: store.New(dbtest.OpenClock(t, engine, clk, sets()), crypt.TestRing(), func() {}), Clock: clk}
			})
		})
	}
}

var zeng = domain.Details{
	Name: "曾小明", IdentityNumber: "990122195603120016", Phone: "13800138000", Address: "白沙镇旧县村", HealthRecordNumber: "45032110000100001",
}

func add(ctx context.Context, s *store.Store, in domain.Details, entries ...domain.Entry) (string, error) {
	d, problems := domain.ImportedDemographics(in, domain.Date{Year: 2026, Month: 11, Day: 22})
	if len(problems) > 0 {
		return "", problems
	}
	patient := id.New()
	cmd := app.Command{
		County: county, Account: "account-1", Organization: "org-1",
		Request: app.Request{Method: "RegisterPatient", ID: patient, Body: []byte(in.Name + in.IdentityNumber)},
	}
	return patient, s.Change(ctx, cmd, func(u app.Unit) error {
		p := domain.NewPatient(patient, d, "org-1", u.Now())
		u.PutPatient(p)
		u.PutSource(patient, "system", "病案号12345678")
		u.PutRelations(domain.HomeRelation(patient, "org-1", domain.FromImport, u.Now()))
		u.Answer(p)
		_, err := u.PutEntries(ctx, p, entries)
		return err
	})
}

// Every column of every table is read as text and as bytes: what a person may not read in the database is not there.
func TestDatabaseHoldsNoPatientDataInTheClear(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := store.New(db, crypt.TestRing(), func() {})
		patient, err := add(t.Context(), s, zeng, domain.Entry{
			SourceSystem: "system", SourceIdentity: "标本号87654321", Kind: domain.KindProblem, Status: "active", Code: "ICD-10|I63", Content: []byte("脑梗死"),
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Change(t.Context(), app.Command{County: county, Account: "a", Organization: "o"}, func(u app.Unit) error {
			summary, err := u.Summary(t.Context(), patient)
			u.PutPackage(domain.Package{ReferralID: id.New(), Summary: summary, Assembled: u.Now()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		marks := []string{"曾小明", "小明", "990122195603120016", "13800138000", "白沙镇", "45032110000100001", "12345678", "87654321", "脑梗死", "ICD-10", "zengxiao"}
		for _, table := range []string{
			"patient", "patient_token", "patient_source", "care_relation", "clinical_entry", "handover_package", "request_log", "audit_entry", "outbox",
		} {
			text := dump(t, db, table)
			if len(text) == 0 {
				t.Errorf("%s is empty", table)
			}
			for _, mark := range marks {
				if bytes.Contains(text, []byte(mark)) {
					t.Errorf("%s holds %q", table, mark)
				}
			}
		}
	})
}

func dump(t *testing.T, db *sqldb.DB, table string) []byte {
	t.Helper()
	var out bytes.Buffer
	err := db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				return err
			}
			for _, v := range values {
				switch v := (*v.(*any)).(type) {
				case []byte:
					out.Write(v)
				case string:
					out.WriteString(v)
				}
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRegistrationPublishesAndAudits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		woken := 0
		s := store.New(db, crypt.TestRing(), func() { woken++ })
		patient, err := add(t.Context(), s, zeng)
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(t.Context(), func(tx *sqldb.Tx) error {
			var subject, kind string
			if err := tx.QueryRow(t.Context(), "SELECT subject, type FROM outbox").Scan(&subject, &kind); err != nil {
				return err
			}
			if subject != "record.v1.450321.patient_registered" || kind != "tongzhen.patientrecord.v1.PatientRegistered" {
				t.Errorf("fact %s %s", subject, kind)
			}
			for action, want := range map[string]int{"patient.registered": 1, "relation.set": 1} {
				var n int
				if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM audit_entry WHERE action = $1 AND patient_id = $2 AND account_id = 'account-1'",
					action, patient).Scan(&n); err != nil {
					return err
				}
				if n != want {
					t.Errorf("%d audit entries of %s", n, action)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if woken != 1 {
			t.Errorf("the relay was woken %d times", woken)
		}
	})
}

func BenchmarkFindByWords(b *testing.B) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			clk := dbtest.Clock(b)
			db := dbtest.OpenClock(b, engine, clk, sets())
			s := store.New(db, crypt.TestRing(), func() {})
			surnames, given := []rune("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗曾单"), []rune("小明红伟芳娜敏静丽强磊军洋勇艳杰娟涛超秀霞平刚桂英")
			const patients = 5000
			for i := range patients {
				in := domain.Details{
					Name:  string([]rune{surnames[i%len(surnames)], given[i/7%len(given)], given[i/191%len(given)]}),
					Phone: fmt.Sprintf("138%08d", i),
				}
				if err := bulk(b.Context(), s, in); err != nil {
					b.Fatal(err)
				}
			}
			// What a server does by itself once rows have come.
			if err := db.Update(b.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(b.Context(), "ANALYZE"); return err }); err != nil {
				b.Fatal(err)
			}
			for name, query := range map[string]string{"surname": "曾", "whole name": "曾小明", "initials": "zxm", "two words": "zeng 0042", "phone tail": "4242"} {
				b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
					words := app.ParseQuery(query)
					for b.Loop() {
						if _, err := s.FindByWords(b.Context(), county, "org-1", words, app.MaxCandidates); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

func bulk(ctx context.Context, s *store.Store, in domain.Details) error {
	d, problems := domain.ImportedDemographics(in, domain.Date{Year: 2026, Month: 11, Day: 22})
	if len(problems) > 0 {
		return problems
	}
	return s.Change(ctx, app.Command{County: county, Account: "a", Organization: "org-1"}, func(u app.Unit) error {
		p := domain.NewPatient(id.New(), d, "org-1", u.Now())
		u.PutPatient(p)
		u.PutRelations(domain.HomeRelation(p.ID(), "org-1", domain.FromImport, u.Now()))
		return nil
	})
}

// Invariant 7. Only PostgreSQL lets two write at the same moment.
func TestTwoFirstFactsOfAReferralAtOnceSettleTheRelationsOfTheNewer(t *testing.T) {
	t.Parallel()
	db := dbtest.OpenClock(t, sqldb.Postgres, dbtest.Clock(t), sets())
	s := store.New(db, crypt.TestRing(), func() {})
	submitted := domain.Standing{
		ReferralID: id.New(), PatientID: id.New(), Version: 2, State: domain.Submitted, Originator: "centre", Receiver: "first",
		At: time.Date(2026, 3, 18, 1, 0, 0, 0, time.UTC),
	}
	redirected := submitted
	redirected.Version, redirected.Receiver, redirected.At = 3, "second", submitted.At.Add(time.Minute)
	follow := func(standing domain.Standing, between func() error) error {
		return s.Change(t.Context(), app.Command{County: county, Account: "a", Organization: "o"}, func(u app.Unit) error {
			if known, ok, err := u.Standing(t.Context(), standing.ReferralID); err != nil || ok && known.Version >= standing.Version {
				return err
			}
			held, err := u.ReferralRelations(t.Context(), standing.ReferralID)
			if err != nil {
				return err
			}
			if between != nil {
				run := between
				between = nil
				if err := run(); err != nil {
					return err
				}
			}
			u.PutStanding(standing)
			u.PutRelations(domain.Settle(held, standing, domain.AfterClosing)...)
			return nil
		})
	}
	if err := follow(redirected, func() error { return follow(submitted, nil) }); err != nil {
		t.Fatal(err)
	}
	relations, err := s.Relations(t.Context(), county, submitted.PatientID, "first")
	if err != nil || len(relations) != 1 || relations[0].To.IsZero() {
		t.Errorf("the first receiver keeps %v, %v", relations, err)
	}
}

// A county's hospitals send thousands of messages a day: nothing that the list of senders asks for may walk through them all.
func TestTheListOfSendersReadsIndexesOnly(t *testing.T) {
	t.Parallel()
	db := dbtest.OpenClock(t, sqldb.SQLite, dbtest.Clock(t), sets())
	for query, n := range store.SenderQueries() {
		args := []any{county, "org-1", "HIS|A", time.Now()}
		err := db.View(t.Context(), func(tx *sqldb.Tx) error {
			rows, err := tx.Query(t.Context(), "EXPLAIN QUERY PLAN "+query, args[:n]...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, parent, unused int
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					return err
				}
				if !strings.Contains(detail, "SEARCH feed_message USING COVERING INDEX") {
					t.Errorf("%s: %s", query, detail)
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
