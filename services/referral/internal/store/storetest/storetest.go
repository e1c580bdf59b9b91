// Package storetest is the conformance suite of the ports that keep referrals: whatever implements them passes it, on every engine.
package storetest

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Store is what is tested.
type Store interface {
	app.Referrals
	app.Reader
	app.Numbers
	app.Organizations
	app.Deadlines
	app.Settings
	app.Versions
	app.Statistics
	app.Candidates
	app.Formularies
	app.FollowUps
	app.People
}

// Fixture is an empty store on a fixed clock. Facts and Entries tell the events of the facts and the actions in the audit, in the order
// written; Deadlines the rows as "STEP STATE"; Dump every value that is stored; Woken counts the calls of wake.
type Fixture struct {
	Store     Store
	Clock     *clock.Fixed
	Facts     func(t *testing.T) []string
	Entries   func(t *testing.T) []string
	Deadlines func(t *testing.T) []string
	Dump      func(t *testing.T) string
	Woken     func() int
}

// County of the suite.
const County = "450321"

// Secret is part of everything that must not be readable in the database.
const Secret = "秦秘密"

const (
	township = "township-1"
	hospital = "hospital-1"
)

// Suite runs every case on a fresh store.
func Suite(t *testing.T, open func(t *testing.T) Fixture) {
	for name, test := range map[string]func(*testing.T, Fixture){
		"a change is written whole and read back as it was":          whole,
		"a refused change writes nothing":                            refused,
		"a request is answered once":                                 requests,
		"one of many wins a version":                                 versions,
		"racing identical requests make one referral":                identical,
		"a patient has one open referral of a kind":                  guard,
		"patients who are one person have their referrals together":  onePerson,
		"of racing referrals of a patient one is open":               guardRace,
		"what is emptied is stored empty":                            emptied,
		"a whole life is read back as it was written":                lives,
		"marks are kept beside the history and none is lost":         notes,
		"what follows a referral names it":                           links,
		"the latest way back of a patient is found":                  wayBack,
		"the work list is the plan that is followed":                 visits,
		"a check is made once and the last is known":                 checks,
		"a mark is noted and told once":                              marks,
		"an attempt is finished or abandoned and never both":         attempts,
		"blocks of numbers do not overlap":                           numbers,
		"a rung is claimed by one and told once":                     rungs,
		"a claim whose holder died is taken over":                    deadHolder,
		"an answer stops the step that was claimed":                  answered,
		"a patient who did not come is a no-show":                    noShows,
		"a step aside outlives a change of state":                    aside,
		"of many each rung is claimed by one":                        claimRace,
		"settings are replaced version by version":                   countySettings,
		"of racing settings one is kept":                             racingSettings,
		"every version of what was set is kept":                      settingVersions,
		"of racing versions one is kept":                             racingVersions,
		"what passed its limit is late":                              lateness,
		"who was not sent down is found":                             unsent,
		"lists go by due time or newest and page by page":            pages,
		"lists keep to their filters":                                filters,
		"an organisation is replaced by no older version":            organizations,
		"a medicine is replaced by no older version":                 formularies,
		"capabilities are replaced by no older version":              capabilities,
		"a candidate is written whole and read back as it was":       candidates,
		"a fact finds a candidate once":                              candidateFacts,
		"of racing sources of a stay one candidate comes":            candidateRace,
		"one of many dismissals wins":                                candidateVersions,
		"candidates go by due time and page by page":                 candidatePages,
		"the limit of a decision runs until it is made":              candidateLimits,
		"what else the patient has in the stay is found":             staysOfPatients,
		"a long stay is taken once and an ended one never":           stayWatches,
		"standings and former receivers tell who had the referral":   standings,
		"nothing personal is readable":                               sealed,
		"counties do not see one another":                            counties,
		"an instant survives in whole microseconds and without zone": instants,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func calendar() domain.Calendar {
	return domain.NewCalendar(time.FixedZone("CST", 8*3600), domain.Settings{}, nil)
}

// Doctor is an account of the township.
func Doctor() authn.Identity {
	return authn.Identity{Subject: "0192f0c1-2b3c-7d4e-8f50-617283940a5b", Name: "莫医生", Organization: township, County: County, Roles: []string{"TOWNSHIP_DOCTOR"}}
}

func desk() authn.Identity {
	return authn.Identity{Subject: "desk-1", Name: "韦前台", Organization: hospital, County: County, Roles: []string{"INTAKE_DESK"}}
}

func command(caller authn.Identity, request, body string) app.Command {
	sum := sha256.Sum256([]byte(body))
	return app.Command{Caller: caller, Method: "/test/Method", RequestID: request, BodyHash: sum[:]}
}

// Draft is complete, and everything personal in it holds Secret.
func Draft(patient string, kind domain.Kind) domain.Draft {
	d := domain.Draft{
		Direction: domain.Up, Kind: kind, Urgency: domain.UrgencyRoutine, PatientID: patient,
		Patient: domain.Patient{
			Name: Secret, Sex: "FEMALE", BirthDate: "1956-03-12", MaskedIdentityNumber: "990***********0016", Phone: "138" + Secret,
			Address: Secret + "村", HealthRecordNumber: "45032110000100001",
		},
		Originator:   domain.Party{OrganizationID: township, DepartmentCode: "02"},
		Receiver:     domain.Party{OrganizationID: hospital, DepartmentCode: "0304", PractitionerID: "p"},
		Diagnoses:    []domain.Diagnosis{{System: "ICD-10", Code: "I63.9", Display: "脑梗死" + Secret}, {System: "ICD-10", Code: "I10", Display: "高血压"}},
		Form:         domain.Form{InitialImpression: Secret, PresentIllness: Secret, PastHistory: Secret, Treatment: Secret},
		Consent:      domain.Consent{GivenBy: Secret, Relation: "2", Method: "SIGNED"},
		TransferNote: Secret, Transport: "OWN", OriginatorPhone: Secret,
	}
	if kind == domain.KindEmergency {
		d.Urgency = domain.UrgencyEmergency
	}
	return d
}

// Creation decides a new referral, submitted at once if a number is given.
func Creation(u app.Unit, caller authn.Identity, d domain.Draft, n domain.Number) (*domain.Referral, error) {
	r := domain.New(id.New(), caller.County)
	by := domain.Actor{AccountID: caller.Subject, Name: caller.Name, OrganizationID: caller.Organization}
	c := domain.Command{Action: domain.ActionCreate, Side: domain.Originator, By: by, At: u.Now(), Carry: domain.Carry{Draft: &d}}
	if err := r.Decide(c, calendar()); err != nil || n == "" {
		return r, err
	}
	return r, r.Decide(domain.Command{
		Action: domain.ActionSubmit, Version: 1, Side: domain.Originator, By: by, At: u.Now(), Carry: domain.Carry{Number: n},
	}, calendar())
}

// number is a fresh one.
func number(t *testing.T, f Fixture) domain.Number {
	t.Helper()
	first, err := f.Store.ReserveNumbers(t.Context(), County, 2026, 1)
	if err != nil {
		t.Fatal(err)
	}
	n, err := domain.NewNumber(County, 2026, first)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func tryCreate(t *testing.T, f Fixture, cmd app.Command, d domain.Draft, n domain.Number) (app.View, error) {
	t.Helper()
	return f.Store.Change(t.Context(), cmd, func(u app.Unit) error {
		r, err := Creation(u, cmd.Caller, d, n)
		if err != nil {
			return err
		}
		u.Save(r)
		return nil
	})
}

func submitted(t *testing.T, f Fixture, d domain.Draft) app.View {
	t.Helper()
	v, err := tryCreate(t, f, command(Doctor(), "", ""), d, number(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// act applies an action with a carry that suits every row.
func act(t *testing.T, f Fixture, cmd app.Command, v app.View, c domain.Command) (app.View, error) {
	t.Helper()
	return f.Store.Change(t.Context(), cmd, func(u app.Unit) error {
		r, err := u.Referral(t.Context(), v.ID)
		if err != nil {
			return err
		}
		c.Version, c.At = v.Version, u.Now()
		c.Side = r.Snapshot().Side(cmd.Caller.Organization)
		c.By = domain.Actor{AccountID: cmd.Caller.Subject, Name: cmd.Caller.Name, OrganizationID: cmd.Caller.Organization}
		if err := r.Decide(c, calendar()); err != nil {
			return err
		}
		u.Save(r)
		return nil
	})
}

func must(t *testing.T, f Fixture, caller authn.Identity, v app.View, c domain.Command) app.View {
	t.Helper()
	out, err := act(t, f, command(caller, "", ""), v, c)
	if err != nil {
		t.Fatalf("%s: %v", c.Action, err)
	}
	return out
}

func walkIn(f Fixture) domain.Carry {
	from := f.Clock.Now().Add(time.Hour)
	return domain.Carry{WalkIn: true, Expected: domain.Window{From: from, To: from.Add(time.Hour)}, Note: Secret}
}

func expectReason(t *testing.T, err error, reason string) {
	t.Helper()
	_ = refusal(t, err, reason)
}

// refusal is the classified error, which must have the reason.
func refusal(t *testing.T, err error, reason string) *errs.Error {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || e.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	return e
}
