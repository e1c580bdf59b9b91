package app_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
)

const (
	county   = "450321"
	township = "township-1"
	hospital = "hospital-1"
	second   = "hospital-2"
	centre   = "township-2"
	outside  = "hospital-outside"
)

// house is the use cases over a real store, with fake peers.
type house struct {
	*app.Service
	ports app.Ports
	clock *clock.Fixed
	db    *sqldb.DB
	peers *peers
	facts func(t *testing.T) []string
}

// peers stand in for the other services: each can be away, and scheduling can be interrupted.
type peers struct {
	mu sync.Mutex
	// away is the error of every call of a service.
	patientsAway, schedulingAway, directoryAway error
	// holds are those that scheduling has, by id: the organisation that they are at.
	holds    map[string]string
	attached map[string]app.Attachment
	booked   map[string]string
	// confirmed runs when a hold was confirmed, before the answer is given; its error is the answer.
	confirmed func() error
	// place says more about the place of every hold.
	place domain.Place
	// disabled is an organisation that is not in use.
	disabled string
	version  int32
	// village is the clinic of every patient's village.
	village string
	// What patient-record and directory know.
	record       app.Record
	recordAway   error
	recordAsked  int
	medicines    []domain.FormularyItem
	capabilities []app.Capabilities
}

func (p *peers) Snapshot(_ context.Context, patientID, _ string) (domain.Patient, error) {
	if patientID == "stranger" {
		return domain.Patient{}, errs.NotFound("patient")
	}
	return domain.Patient{Name: "莫某", Sex: "MALE", VillageClinicID: p.village}, p.patientsAway
}

// placed is the place of every hold, at an organisation.
func (p *peers) placed(organization string) domain.Place {
	at := p.place
	at.OrganizationID = organization
	return at
}

func (p *peers) AttachHold(_ context.Context, a app.Attachment) (app.Reserved, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	org, ok := p.holds[a.HoldID]
	switch held := p.attached[a.HoldID]; {
	case p.schedulingAway != nil:
		return app.Reserved{}, p.schedulingAway
	case !ok, a.PatientID == "", held.ReferralID != "" && held.ReferralID != a.ReferralID:
		return app.Reserved{}, errs.Conflict(errs.ReasonHoldExpired, "the hold is gone")
	}
	p.attached[a.HoldID] = a
	return app.Reserved{Place: p.placed(org)}, nil
}

func (p *peers) ConfirmHold(_ context.Context, a app.Attachment) (app.Reserved, error) {
	p.mu.Lock()
	org, ok := p.holds[a.HoldID]
	if ok {
		p.booked[a.HoldID] = a.ReferralID
	}
	p.mu.Unlock()
	switch {
	case p.schedulingAway != nil:
		return app.Reserved{}, p.schedulingAway
	case !ok, a.PatientID == "":
		return app.Reserved{}, errs.NotFound("hold")
	}
	if p.confirmed != nil {
		if err := p.confirmed(); err != nil {
			return app.Reserved{}, err
		}
	}
	from := time.Date(2026, 3, 19, 1, 0, 0, 0, time.UTC)
	booked := app.Reserved{BookingID: "booking of " + a.HoldID, Place: p.placed(org), Window: domain.Window{From: from, To: from.Add(time.Hour)}}
	if booked.Bed {
		booked.Ward, booked.Label = "心内一病区", "12"
	}
	return booked, nil
}

func (p *peers) Organization(_ context.Context, in, id string) (app.Organization, error) {
	if p.directoryAway != nil {
		return app.Organization{}, p.directoryAway
	}
	kind := "COUNTY_HOSPITAL"
	switch id {
	case hospital, second:
	case centre, township:
		kind = "TOWNSHIP_CENTRE"
	case outside:
		kind = "EXTERNAL"
	default:
		return app.Organization{}, errs.NotFound("organisation")
	}
	return app.Organization{
		County: cmp.Or(in, county), ID: id, Version: 1 + p.version, Name: "阳朔县人民医院", Type: kind, Disabled: id == p.disabled,
		Departments: []app.Department{{Code: "0304", Name: "心血管内科"}},
	}, nil
}

func (p *peers) All(ctx context.Context, county string) ([]app.Organization, error) {
	o, err := p.Organization(ctx, county, hospital)
	return []app.Organization{o}, err
}

type noList struct{}

func (noList) Search(string, int) []domain.FoundDiagnosis { return nil }
func (noList) Name(code string) string                    { return "名 " + code }
func (noList) All() []domain.KnownDiagnosis               { return nil }

type wire struct{}

func (wire) Fact(f app.Fact) (outbox.Fact, error)               { return events.Encode(f) }
func (wire) Told(a domain.Action) bool                          { return events.Told(a) }
func (wire) Deadline(d app.DeadlineFired) (outbox.Fact, error)  { return events.EncodeDeadline(d) }
func (wire) Candidate(c app.CandidateTold) (outbox.Fact, error) { return events.EncodeCandidate(c) }
func (wire) EncodeAnswer(v app.View) ([]byte, error)            { return json.Marshal(v) }
func (wire) DecodeAnswer(b []byte) (v app.View, err error) {
	return v, json.Unmarshal(b, &v)
}

// schemas are those of the service.
func schemas() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, stats.Migrations, store.Migrations}
}

// each runs a test on every engine.
func each(t *testing.T, test func(t *testing.T, h house)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			test(t, open(t, dbtest.OpenClock(t, engine, clk, schemas()), clk))
		})
	}
}

// open is a house over a database.
func open(t *testing.T, db *sqldb.DB, clk *clock.Fixed) house {
	t.Helper()
	s := store.New(store.Deps{DB: db, Ring: crypt.TestRing(), Wire: wire{}, Wake: func() {}, Zone: time.FixedZone("CST", 8*3600)})
	p := &peers{holds: map[string]string{"hold-1": hospital, "hold-2": hospital, "elsewhere": second}, attached: map[string]app.Attachment{}, booked: map[string]string{}}
	ports := app.Ports{
		Referrals: s, Reader: s, Numbers: s, Organizations: s, Directory: p, Patients: p, Capacity: p, Diagnoses: noList{},
		Clock: clk, Deadlines: s, Settings: s, Versions: s,
		Calendars:   app.NewCalendars(time.FixedZone("CST", 8*3600), nil, s, clk),
		Formularies: s, Lists: p, Criteria: shipped(t), Records: p, Candidates: s, Registrations: s,
		Statistics: s, Published: published(t), FollowUps: s, Templates: templates(t), Completeness: handover(t), Slips: s, People: s, Moves: s,
	}
	return house{Service: app.New(ports), ports: ports, clock: clk, db: db, peers: p, facts: func(t *testing.T) []string { return subjects(t, db) }}
}

func subjects(t *testing.T, db *sqldb.DB) (out []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT subject FROM outbox ORDER BY occur_time, fact_id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			out = append(out, s)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func doctor() authn.Identity {
	return authn.Identity{Subject: "0192f0c1-2b3c-7d4e-8f50-617283940a5c", Name: "莫医生", Organization: township, County: county, Roles: []string{"TOWNSHIP_DOCTOR"}}
}

func desk() authn.Identity {
	return authn.Identity{Subject: "desk-1", Name: "韦前台", Organization: hospital, County: county, Roles: []string{"INTAKE_DESK"}}
}

func command(caller authn.Identity, request, body string) app.Command {
	sum := sha256.Sum256([]byte(body))
	return app.Command{Caller: caller, Method: "/test/" + body, RequestID: request, BodyHash: sum[:]}
}

// by is a command that is not repeated.
func by(caller authn.Identity) app.Command { return command(caller, "", "") }

func creation(patient string) app.Creation {
	return app.Creation{Submit: true, Draft: domain.Draft{
		Direction: domain.Up, Kind: domain.KindOutpatient, Urgency: domain.UrgencyRoutine, PatientID: patient,
		Receiver:  domain.Party{OrganizationID: hospital, DepartmentCode: "0304"},
		Diagnoses: []domain.Diagnosis{{Code: "I63.9"}},
		Form:      domain.Form{InitialImpression: "脑梗死？", PresentIllness: "肢体无力"},
		Consent:   domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"},
	}}
}

func submitted(t *testing.T, h house, hold string) app.View {
	t.Helper()
	in := creation(id.New())
	in.HoldID = hold
	v, err := h.Create(t.Context(), by(doctor()), in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (h house) do(t *testing.T, caller authn.Identity, v app.View, action domain.Action) app.View {
	t.Helper()
	out, err := h.Transition(t.Context(), by(caller), app.Step{ID: v.ID, Version: v.Version, Action: action, Carry: domain.Carry{Reason: "OTHER", Note: "说明"}})
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return out
}

func acceptance(v app.View, hold string) app.Acceptance {
	return app.Acceptance{ID: v.ID, Version: v.Version, Action: domain.ActionAccept, HoldID: hold}
}

func expectReason(t *testing.T, err error, reason string) {
	t.Helper()
	_ = refused(t, err, reason)
}

// refused is the classified error, which must have the reason.
func refused(t *testing.T, err error, reason string) *errs.Error {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || e.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	return e
}

func fieldNames(e *errs.Error) (out []string) {
	for _, f := range e.Fields {
		out = append(out, f.Name+" "+f.Reason)
	}
	return out
}
