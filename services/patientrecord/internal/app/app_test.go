package app_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

const county = "450321"

// peer is the referral service as the test has it.
type peer struct {
	away     bool
	asked    int
	level    domain.Level
	referral string
	// during happens while the answer is on its way.
	during    func()
	standing  domain.Standing
	submitted time.Time
	// back is what the county hands back, for the patient.
	back    []domain.Entry
	patient string
	// consent is what the referral says of it; without a patient there is none.
	consent app.ReferralConsent
}

func (p *peer) Consent(context.Context, string, string) (app.ReferralConsent, error) {
	switch {
	case p.away:
		return app.ReferralConsent{}, errs.Unavailable("referral", errors.New("away"))
	case p.consent.PatientID == "":
		return app.ReferralConsent{}, errs.NotFound("consent")
	}
	return p.consent, nil
}

func (p *peer) HandedBack(context.Context, string, string) (string, []domain.Entry, error) {
	switch {
	case p.away:
		return "", nil, errs.Unavailable("referral", errors.New("away"))
	case p.patient == "":
		return "", nil, errs.NotFound("referral")
	}
	return p.patient, p.back, nil
}

func (p *peer) Relation(context.Context, string, string, string) (domain.Level, string, error) {
	p.asked++
	if p.away {
		return domain.LevelNone, "", errs.Unavailable("referral", errors.New("away"))
	}
	if p.during != nil {
		p.during()
	}
	return p.level, p.referral, nil
}

func (p *peer) Standing(context.Context, string) (domain.Standing, time.Time, error) {
	switch {
	case p.away:
		return domain.Standing{}, time.Time{}, errs.Unavailable("referral", errors.New("away"))
	case p.standing.ReferralID == "":
		return domain.Standing{}, time.Time{}, errs.NotFound("package")
	}
	return p.standing, p.submitted, nil
}

type world struct {
	*app.App
	deps    app.Deps
	t       *testing.T
	db      *sqldb.DB
	clk     *clock.Fixed
	peer    *peer
	limiter cache.Store
}

// each runs the test on every engine.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	sets := []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, stats.Migrations, store.Migrations()}
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, sets)
			p, limiter := &peer{}, cache.Memory(clk)
			deps := app.Deps{
				Store: store.New(db, crypt.TestRing(), func() {}), Referrals: p, Limiter: limiter, Clock: clk, Zone: time.FixedZone("UTC+8", 8*60*60),
				Classes: domain.NewClassifier([]domain.ClassRule{{Class: domain.Mental, Codes: []string{"secret"}, Departments: []string{"15"}, Treating: []string{"15"}}}),
				Marks: func(e domain.Entry) (domain.Marks, error) {
					return domain.Marks{Codes: []domain.Coding{{Code: e.Code}}}, nil
				},
				Stopped: func(e domain.Entry) (domain.Entry, error) {
					e.Status = "stopped"
					return e, nil
				},
			}
			fn(t, &world{App: app.New(deps), deps: deps, t: t, db: db, clk: clk, peer: p, limiter: limiter})
		})
	}
}

func person(organization, role string) authn.Identity {
	return authn.Identity{Subject: "account-of-" + organization, Organization: organization, County: county, Roles: []string{role}}
}

var (
	township = person("township", "TOWNSHIP_DOCTOR")
	desk     = person("county", "INTAKE_DESK")
	stranger = person("elsewhere", "TOWNSHIP_DOCTOR")
)

var zeng = domain.Details{
	Name: "曾小明", IdentityNumber: "990122195603120016", Phone: "13800138000", Address: "白沙镇旧县村3号", Village: "旧县村",
}

func (w *world) register(who authn.Identity, d domain.Details) app.Shown {
	w.t.Helper()
	shown, err := w.Register(w.t.Context(), who, app.Registration{Details: d})
	if err != nil {
		w.t.Fatal(err)
	}
	return shown
}

func (w *world) looks(action, patient string) int {
	w.t.Helper()
	var n int
	err := w.db.View(w.t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(w.t.Context(), "SELECT count(*) FROM audit_entry WHERE action = $1 AND patient_id = $2", action, patient).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) reason(err error, want string) {
	w.t.Helper()
	if got := errs.ReasonOf(err); got != want {
		w.t.Errorf("reason %q, want %q (%v)", got, want, err)
	}
}

func TestRegisteringMakesHomeAndEncounter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		if shown.Home != "township" || shown.Level != domain.LevelFull || shown.Details.IdentityNumber != zeng.IdentityNumber || shown.Version != 1 {
			t.Errorf("home %q level %d version %d", shown.Home, shown.Level, shown.Version)
		}
		got, err := w.Patient(t.Context(), township, shown.ID)
		if err != nil || got.Details != shown.Details {
			t.Errorf("read again: %v", err)
		}
		if w.peer.asked != 0 {
			t.Error("the referral service was asked although the relation is known")
		}
		if w.looks("patient.read", shown.ID) != 1 {
			t.Error("the read was not audited")
		}
		hospital := zeng
		hospital.Name, hospital.IdentityNumber = "欧阳红", "990122196311070023"
		if shown := w.register(desk, hospital); shown.Home != "" {
			t.Error("a hospital is nobody's home")
		}
	})
}

func TestSameNumberOpensThePatientInstead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.register(desk, zeng)
		again := zeng
		again.IdentityNumber, again.Name = "９９０１２２１９５６０３１２００１６", "曾晓明"
		_, err := w.Register(t.Context(), township, app.Registration{Details: again})
		w.reason(err, errs.ReasonAlreadyRegistered)
		if e, _ := errs.As(err); e.Meta["patientId"] != first.ID {
			t.Error("without the patient's id")
		}
		if n := w.looks("patient.register", first.ID); n != 1 {
			t.Errorf("%d entries say that the registration opened a patient who was there", n)
		}
		_, err = w.Patient(t.Context(), township, first.ID)
		w.reason(err, errs.ReasonNotFound) // a number that somebody typed opens nothing
		if _, err := w.Visit(t.Context(), township, app.Arrive{PatientID: first.ID, IdentityNumber: again.IdentityNumber}); err != nil {
			t.Fatal(err)
		}
		w.peer.asked = 0
		got, err := w.Patient(t.Context(), township, first.ID)
		if err != nil || got.Details.Name != "曾小明" || got.Home != "township" {
			t.Errorf("the visit opens the record as it was, and primary care becomes the home: %q %v", got.Home, err)
		}
		if w.peer.asked != 0 {
			t.Error("the referral service was asked")
		}
	})
}

func TestRepeatedRegistrationGetsTheFirstAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := app.Registration{Details: zeng, Request: app.Request{Method: "RegisterPatient", ID: id.New(), Body: []byte("1")}}
		first, err := w.Register(t.Context(), township, in)
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.Register(t.Context(), township, in)
		if err != nil || !reflect.DeepEqual(second, first) {
			t.Errorf("the repeat: %v", err)
		}
		in.Request.Body = []byte("2")
		_, err = w.Register(t.Context(), township, in)
		w.reason(err, errs.ReasonRequestIDReused)
	})
}

func TestRefusedFormNamesEveryField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.Register(t.Context(), township, app.Registration{Details: domain.Details{IdentityNumber: "990122560312001", Phone: "1"}})
		e, _ := errs.As(err)
		if e == nil || len(e.Fields) != 3 || e.Fields[1].Name != "identityNumber" || e.Fields[1].Meta["cause"] != domain.CauseOldNumber {
			t.Errorf("%v", err)
		}
	})
}

func TestNoRelationIsNotFoundAndAPeerAwayIsUnavailable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		_, err := w.Patient(t.Context(), stranger, shown.ID)
		unknown := errs.ReasonOf(func() error { _, err := w.Patient(t.Context(), stranger, id.New()); return err }())
		w.reason(err, unknown)
		w.reason(err, errs.ReasonNotFound)
		w.peer.away = true
		_, err = w.Patient(t.Context(), stranger, shown.ID)
		w.reason(err, errs.ReasonPeerAway)
		_, err = w.Summary(t.Context(), stranger, shown.ID)
		w.reason(err, errs.ReasonPeerAway)
		if _, err := w.Patient(t.Context(), township, shown.ID); err != nil {
			t.Errorf("who has a relation needs no peer: %v", err)
		}
	})
}

func TestPositiveAnswerOfThePeerIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		w.peer.level, w.peer.referral = domain.LevelPackage, id.New()
		for range 3 {
			got, err := w.Patient(t.Context(), desk, shown.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Level != domain.LevelPackage || got.Details.Name != "曾＊＊" || got.Details.IdentityNumber != "990***********0016" || got.Details.Address != "" {
				t.Errorf("level %d, name %q", got.Level, got.Details.Name)
			}
		}
		if w.peer.asked != 1 {
			t.Errorf("asked %d times", w.peer.asked)
		}
		_, err := w.Summary(t.Context(), desk, shown.ID)
		w.reason(err, errs.ReasonBreakGlassRequired)
		w.peer.level = domain.LevelNone
		w.clk.Advance(time.Hour)
		_, err = w.Patient(t.Context(), desk, shown.ID)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestAnAnswerOfThePeerYieldsToTheFactThatOvertookIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.register(township, zeng).ID, id.New()
		w.peer.level, w.peer.referral = domain.LevelPackage, referral
		w.peer.during = func() { w.fact(referral, patient, 4, domain.Arrived, domain.Accepted) }
		if got, err := w.Patient(t.Context(), desk, patient); err != nil || got.Level != domain.LevelFull {
			t.Errorf("arrived meanwhile: level %d, %v", got.Level, err)
		}
		w.peer.during = nil
		w.clk.Advance(2 * time.Hour)
		if got, err := w.Patient(t.Context(), desk, patient); err != nil || got.Level != domain.LevelFull || w.peer.asked != 1 {
			t.Errorf("later: level %d, asked %d times, %v", got.Level, w.peer.asked, err)
		}

		other := id.New()
		w.peer.referral = other
		w.peer.during = func() {
			for i, receiver := range []string{"elsewhere", "another"} {
				err := w.ApplyReferral(t.Context(), app.ReferralFact{FactID: id.New(), County: county, Standing: domain.Standing{
					ReferralID: other, PatientID: patient, Version: int32(2 + i), State: domain.Submitted, Originator: "township", Receiver: receiver, At: w.clk.Now(),
				}})
				if err != nil {
					t.Error(err)
				}
			}
		}
		_, err := w.Patient(t.Context(), stranger, patient)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestSearchIsMaskedAndBoundToRelations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		found, _, err := w.Search(t.Context(), township, app.Search{Query: "zxm 8000"})
		if err != nil || len(found) != 1 || found[0].ID != shown.ID {
			t.Fatalf("%d %v", len(found), err)
		}
		if d := found[0].Details; d.Name != "曾小明" || d.IdentityNumber != "990***********0016" || d.Phone != "138****8000" {
			t.Errorf("a list is masked")
		}
		if found, _, err := w.Search(t.Context(), stranger, app.Search{Query: "曾小明"}); err != nil || len(found) != 0 {
			t.Errorf("a stranger found %d %v", len(found), err)
		}
		for _, in := range []app.Search{{IdentityNumber: "990122 19560312 0016"}, {Query: "９９０１２２１９５６０３１２００１６"}} {
			found, _, err := w.Search(t.Context(), stranger, in)
			if err != nil || len(found) != 1 || found[0].Level != domain.LevelNone {
				t.Fatalf("by number: %d %v", len(found), err)
			}
			want := domain.Details{
				Name: "曾＊＊", Sex: domain.Male, BirthDate: domain.Date{Year: 1956, Month: 3, Day: 12},
				DocumentType: domain.ResidentCard, IdentityNumber: "990***********0016",
			}
			if found[0].Details != want || found[0].Home != "" {
				t.Error("more than the masked index line")
			}
		}
		if n := w.looks("patient.find_number", shown.ID); n != 2 {
			t.Errorf("%d searches by number audited", n)
		}
		for _, in := range []app.Search{{}, {Query: "  "}, {Query: "曾", IdentityNumber: "1234"}, {IdentityNumber: "990122195603120017"}, {IdentityNumber: "990122560312001"}} {
			if _, _, err := w.Search(t.Context(), township, in); errs.KindOf(err) != errs.KindInvalid {
				t.Errorf("a search that says nothing: %v", err)
			}
		}
	})
}

func TestSearchRanksAndPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"王小明二", "李王小", "王小明", "欧阳王小", "𠮷王小"} {
			w.register(township, domain.Details{
				Name: name, Sex: domain.Male, BirthDate: domain.Date{Year: 1960}, DocumentType: domain.NoDocument, NoDocumentReason: domain.Lost,
			})
		}
		var names []string
		after := ""
		for {
			page, more, err := w.Search(t.Context(), township, app.Search{Query: "王小", PageSize: 2, After: after})
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range page {
				names = append(names, one.Details.Name)
			}
			if !more {
				break
			}
			after = page[len(page)-1].ID
		}
		if len(names) != 5 || names[0] != "王小明" || names[1] != "王小明二" {
			t.Errorf("%d names, %q", len(names), names)
		}
		if page, _, err := w.Search(t.Context(), township, app.Search{Query: "𠮷"}); err != nil || len(page) != 1 {
			t.Errorf("𠮷: %d %v", len(page), err)
		}
	})
}
