package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var consentNow = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

const consentToday = "2026-11-29"

func born(t *testing.T, birth string) domain.Patient {
	t.Helper()
	d, problems := domain.ImportedDemographics(domain.Details{Name: "曾小明", BirthDate: date(t, birth), DocumentType: domain.NoDocument, NoDocumentReason: domain.OtherReason}, date(t, consentToday))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return domain.NewPatient("p", d, "township", consentNow)
}

func self() domain.Giving { return domain.Giving{Name: "曾小明", Relation: "0", Method: "SIGNED"} }

func mother() domain.Giving {
	return domain.Giving{Name: "李某", Relation: "5", Phone: "138 0013 8000", Method: "SIGNED"}
}

func told(ps domain.Problems) []string {
	out := []string{}
	for _, p := range ps {
		out = append(out, strings.TrimSpace(p.Field+" "+p.Reason+" "+p.Cause))
	}
	return out
}

func TestWhoMayAgreeAndWhatMustBeSaid(t *testing.T) {
	t.Parallel()
	with := func(g domain.Giving, change func(*domain.Giving)) domain.Giving { change(&g); return g }
	const grown, child, youth = "1956-03-12", "2015-03-12", "2010-03-12"
	for name, c := range map[string]struct {
		birth  string
		giving domain.Giving
		want   []string
	}{
		"the patient":                         {grown, self(), nil},
		"a mother for a child":                {child, mother(), nil},
		"a child":                             {child, self(), []string{"giving.relation FIELD_INVALID CHILD"}},
		"a youth of 16":                       {youth, self(), nil},
		"a guardian without a telephone":      {child, with(mother(), func(g *domain.Giving) { g.Phone = "" }), []string{"giving.phone FIELD_REQUIRED"}},
		"a guardian without a name":           {child, with(mother(), func(g *domain.Giving) { g.Name = " " }), []string{"giving.name FIELD_REQUIRED"}},
		"a son without a reason":              {grown, with(mother(), func(g *domain.Giving) { g.Relation = "2" }), []string{"giving.onBehalf FIELD_REQUIRED"}},
		"a son for somebody unconscious":      {grown, with(mother(), func(g *domain.Giving) { g.Relation, g.OnBehalf = "2", domain.OnBehalfUnable }), nil},
		"a parent as of a minor, of a grown":  {grown, with(mother(), func(g *domain.Giving) { g.OnBehalf = domain.OnBehalfMinor }), []string{"giving.onBehalf FIELD_INVALID"}},
		"a parent of a youth":                 {youth, with(mother(), func(g *domain.Giving) { g.OnBehalf = domain.OnBehalfMinor }), nil},
		"by word of mouth without a witness":  {grown, with(self(), func(g *domain.Giving) { g.Method = "VERBAL_WITNESSED" }), []string{"giving.witness FIELD_REQUIRED"}},
		"by word of mouth before a witness":   {grown, with(self(), func(g *domain.Giving) { g.Method, g.Witness = "VERBAL_WITNESSED", "周护士" }), nil},
		"tomorrow":                            {grown, with(self(), func(g *domain.Giving) { g.At = consentNow.Add(time.Hour) }), []string{"giving.time FIELD_OUT_OF_RANGE"}},
		"for a time that is over":             {grown, with(self(), func(g *domain.Giving) { g.Until = consentNow.Add(-time.Hour) }), []string{"giving.until FIELD_OUT_OF_RANGE"}},
		"nobody, nohow":                       {grown, domain.Giving{}, []string{"giving.name FIELD_REQUIRED", "giving.relation FIELD_REQUIRED", "giving.method FIELD_REQUIRED"}},
		"a relation and a method of no table": {grown, domain.Giving{Name: "某", Relation: "x", Method: "WINK"}, []string{"giving.relation FIELD_UNKNOWN", "giving.method FIELD_UNKNOWN"}},
	} {
		if got := told(c.giving.Check(born(t, c.birth), date(t, consentToday), consentNow)); !slices.Equal(got, append([]string{}, c.want...)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAConsentIsPutOffGivenAndWithdrawnOnceEachAndKeepsAll(t *testing.T) {
	t.Parallel()
	by := domain.Recorder{Account: "a", AccountName: "李医生", Organization: "township", At: consentNow}
	base := domain.Consent{ID: "c", PatientID: "p", Scope: domain.ConsentSensitive, Receiver: "county"}
	c := base.Defer("抢救", consentNow.Add(domain.DeferredWithin), by)
	if c.Version != 1 || c.State(consentNow) != domain.ConsentDeferred || c.Overdue(consentNow) || !c.Covers(consentNow) {
		t.Errorf("put off: %+v", c.Version)
	}
	if late := consentNow.Add(domain.DeferredWithin + time.Second); !c.Overdue(late) {
		t.Error("it is never overdue")
	}
	later := by
	later.At = consentNow.Add(time.Hour)
	g := self()
	g.Until = consentNow.Add(48 * time.Hour)
	given := c.Give(g, later)
	if given.Version != 2 || given.State(later.At) != domain.ConsentGiven || given.DeferredReason != "抢救" || !given.Giving.At.Equal(later.At) ||
		given.Giving.TextVersion != domain.ConsentText || !given.Recorded.At.Equal(consentNow) {
		t.Errorf("given: version %d, %s", given.Version, given.State(later.At))
	}
	if c.Giving != nil {
		t.Error("the one before changed")
	}
	if again := given.Give(mother(), later); again.Giving.Name != "曾小明" || again.Version != 2 {
		t.Error("what was given is overwritten")
	}
	if s := given.State(consentNow.Add(48 * time.Hour)); s != domain.ConsentExpired || given.Covers(consentNow.Add(48*time.Hour)) {
		t.Errorf("at the end of its time it is %s", s)
	}
	gone := given.Withdraw(domain.Withdrawal{Relation: "0", Reason: "不再同意"}, later)
	if gone.Version != 3 || gone.State(later.At) != domain.ConsentWithdrawn || gone.Giving.Name != "曾小明" || gone.Overdue(later.At.Add(time.Hour*99)) {
		t.Errorf("withdrawn: version %d, %s", gone.Version, gone.State(later.At))
	}
	if again := gone.Withdraw(domain.Withdrawal{Reason: "x"}, later); again.Version != 3 || again.Withdrawal.Reason != "不再同意" {
		t.Error("what was withdrawn is overwritten")
	}
	if text := fmt.Sprintf("%v %+v %v %v", gone, gone, *gone.Giving, *gone.Withdrawal); strings.Contains(text, "曾小明") || strings.Contains(text, "同意") {
		t.Errorf("it prints %s", text)
	}
}

func TestAWithdrawalSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		birth string
		w     domain.Withdrawal
		want  []string
	}{
		"the patient":    {"1956-03-12", domain.Withdrawal{Relation: "0", Reason: "不再同意"}, nil},
		"without saying": {"1956-03-12", domain.Withdrawal{}, []string{"withdrawal.reason FIELD_REQUIRED", "withdrawal.relation FIELD_REQUIRED", "withdrawal.name FIELD_REQUIRED"}},
		"a child":        {"2015-03-12", domain.Withdrawal{Relation: "0", Reason: "不再同意"}, []string{"withdrawal.relation FIELD_INVALID CHILD"}},
		"a nameless son": {"1956-03-12", domain.Withdrawal{Relation: "2", Reason: "不再同意"}, []string{"withdrawal.name FIELD_REQUIRED"}},
	} {
		if got := told(c.w.Check(born(t, c.birth), date(t, consentToday))); !slices.Equal(got, append([]string{}, c.want...)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAWithdrawnConsentTakesTheRecordFromTheReceiver(t *testing.T) {
	t.Parallel()
	s := domain.Standing{ReferralID: "r", PatientID: "p", Version: 2, State: domain.Submitted, Originator: "township", Receiver: "county", At: consentNow}
	levels := func(held []domain.Relation, at time.Time) map[string]domain.Level {
		out := map[string]domain.Level{}
		for _, r := range held {
			out[r.Organization] = max(out[r.Organization], domain.LevelOf([]domain.Relation{r}, at))
		}
		return out
	}
	now := consentNow.Add(time.Hour)
	for state, want := range map[domain.State]domain.Level{
		domain.Submitted: domain.LevelNone, domain.Accepted: domain.LevelNone, domain.Admitted: domain.LevelPackage, domain.Concluded: domain.LevelPackage,
	} {
		s.State, s.Withheld = state, false
		held := domain.Settle(nil, s, domain.AfterClosing)
		s.Withheld = true
		rows := domain.Resettle(held, s, now, domain.AfterClosing)
		if got := levels(rows, now); got["county"] != want || got["township"] != domain.LevelFull {
			t.Errorf("%s: %v", state, got)
		}
		s.Withheld = false
		if got := levels(domain.Resettle(rows, s, now, domain.AfterClosing), now); got["county"] != levels(held, now)["county"] {
			t.Errorf("%s, given anew: %v", state, got)
		}
	}
}

func TestWhoAsksForACopyIsKnownAndChecked(t *testing.T) {
	t.Parallel()
	good := domain.CopyStatement{AskedBy: domain.AskedByPatient, IdentityCheck: domain.CheckedCard, Purpose: "SELF", Form: domain.FormFHIR}
	with := func(change func(*domain.CopyStatement)) domain.CopyStatement { s := good; change(&s); return s }
	guardian := func(s *domain.CopyStatement) {
		s.AskedBy, s.Name, s.Relation, s.IdentityCheck = domain.AskedByGuardian, "李某", "5", domain.CheckedKinship
	}
	for name, c := range map[string]struct {
		birth string
		s     domain.CopyStatement
		want  []string
	}{
		"the patient":      {"1956-03-12", good, nil},
		"a child":          {"2015-03-12", good, []string{"statement.askedBy FIELD_INVALID CHILD"}},
		"a child's mother": {"2015-03-12", with(guardian), nil},
		"somebody authorised with an identity card only": {"1956-03-12", with(func(s *domain.CopyStatement) {
			guardian(s)
			s.AskedBy, s.IdentityCheck = domain.AskedByAuthorised, domain.CheckedCard
		}), []string{"statement.identityCheck FIELD_COMBINATION askedBy"}},
		"a guardian unnamed":    {"2015-03-12", with(func(s *domain.CopyStatement) { guardian(s); s.Name, s.Relation = "", "" }), []string{"statement.name FIELD_REQUIRED", "statement.relation FIELD_REQUIRED"}},
		"a guardian of oneself": {"2015-03-12", with(func(s *domain.CopyStatement) { guardian(s); s.Relation = "0" }), []string{"statement.relation FIELD_UNKNOWN"}},
		"nothing said":          {"1956-03-12", domain.CopyStatement{}, []string{"statement.askedBy FIELD_REQUIRED", "statement.identityCheck FIELD_REQUIRED", "statement.purpose FIELD_REQUIRED", "statement.form FIELD_UNKNOWN"}},
		"another purpose":       {"1956-03-12", with(func(s *domain.CopyStatement) { s.Purpose = "OTHER" }), []string{"statement.note FIELD_REQUIRED"}},
		"a time turned round":   {"1956-03-12", with(func(s *domain.CopyStatement) { s.From, s.To = consentNow, consentNow }), []string{"statement.to FIELD_OUT_OF_RANGE"}},
	} {
		if got := told(c.s.Check(born(t, c.birth), date(t, consentToday))); !slices.Equal(got, append([]string{}, c.want...)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if len(domain.CheckExport("AUDIT", "JSONL")) != 0 || len(domain.CheckExport("AUDIT", "FHIR")) != 1 || len(domain.CheckExport("X", "CSV")) != 1 {
		t.Error("kinds and forms")
	}
}
