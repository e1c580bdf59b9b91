package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var (
	written = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	author  = domain.Actor{Person: domain.Person{Account: "a", Name: "李医生"}, Organization: "org"}
	head    = domain.Actor{Person: domain.Person{Account: "h"}, Organization: "org", Head: true}
	other   = domain.Actor{Person: domain.Person{Account: "b"}, Organization: "org"}
	abroad  = domain.Actor{Person: domain.Person{Account: "a"}, Organization: "elsewhere", Head: true}
)

func problem(encounter, referral string) domain.Written {
	s := domain.Statement{
		Entry: domain.Entry{Kind: domain.KindProblem, Status: "active", Content: []byte("one")}, Text: "x", EncounterID: encounter, ReferralID: referral,
	}
	return domain.Write("id", "patient", s, author, written)
}

func TestWhatIsSealedCanOnlyBeCorrected(t *testing.T) {
	t.Parallel()
	ended := func(w domain.Written) domain.Written { w.Ended = true; return w }
	imported := problem("", "")
	imported.Change = domain.Imported
	gone := problem("", "").Withdraw(domain.Why{Code: domain.Duplicate}, author, written)
	soon, late := written.Add(domain.OpenSpan-time.Second), written.Add(domain.OpenSpan)
	for name, x := range map[string]struct {
		w              domain.Written
		who            domain.Actor
		at             time.Time
		amend, correct domain.Verdict
	}{
		"the author, the same day":              {problem("", ""), author, soon, domain.Allowed, domain.Allowed},
		"the author, a day later":               {problem("", ""), author, late, domain.IsSealed, domain.Allowed},
		"under a visit that lasts, much later":  {problem("e", ""), author, late.AddDate(0, 1, 0), domain.Allowed, domain.Allowed},
		"under a visit that ended":              {ended(problem("e", "")), author, soon, domain.IsSealed, domain.Allowed},
		"under a referral that was closed":      {ended(problem("", "r")), author, soon, domain.IsSealed, domain.Allowed},
		"the head amends nothing, but corrects": {problem("", ""), head, soon, domain.NotYours, domain.Allowed},
		"a colleague does neither":              {problem("", ""), other, soon, domain.NotYours, domain.NotYours},
		"nobody of another organisation does":   {problem("", ""), abroad, soon, domain.NotYours, domain.NotYours},
		"what was imported is its source's":     {imported, author, soon, domain.Elsewhere, domain.Elsewhere},
		"what never was is not changed":         {gone, author, soon, domain.Gone, domain.Gone},
	} {
		if got := x.w.MayAmend(x.who, x.at); got != x.amend {
			t.Errorf("%s: amend %d, want %d", name, got, x.amend)
		}
		if got := x.w.MayCorrect(x.who); got != x.correct {
			t.Errorf("%s: correct %d, want %d", name, got, x.correct)
		}
	}
}

func TestAChangeIsAnotherVersionThatKeepsWhoBegan(t *testing.T) {
	t.Parallel()
	first := problem("e", "")
	say := func(text string) domain.Statement {
		return domain.Statement{Entry: domain.Entry{Kind: domain.KindProblem, Status: "resolved", Content: []byte(text)}, Text: text}
	}
	amended := first.Amend(say("two"), author, written.Add(time.Hour))
	if amended.Version != 2 || amended.AfterSealing || amended.Change != domain.Amended || string(first.Content) != "one" || first.Version != 1 {
		t.Errorf("%+v", amended)
	}
	amended.Ended = true
	corrected := amended.Correct(say("three"), domain.Why{Code: domain.WrongValue, Note: "n"}, head, written.Add(2*time.Hour))
	if corrected.Version != 3 || !corrected.AfterSealing || corrected.Author != author.Person || corrected.Writer != head.Person ||
		corrected.Began != written || corrected.EncounterID != "e" || corrected.Why.Note != "n" || corrected.Organization != "org" {
		t.Errorf("%+v", corrected)
	}
	gone := corrected.Withdraw(domain.Why{Code: domain.WrongPatient}, head, written)
	if gone.Status != domain.EnteredInError || string(gone.Content) != "three" || gone.Version != 4 {
		t.Errorf("%+v", gone)
	}
}

func TestWhatTellsNoTimeStaysWhereItWasFirstWritten(t *testing.T) {
	t.Parallel()
	w := problem("", "")
	onset := written.AddDate(-1, 0, 0)
	at := func(t time.Time) domain.Statement {
		return domain.Statement{Entry: domain.Entry{Kind: domain.KindProblem, Status: "active", Time: t}, Text: "x"}
	}
	later := written.Add(time.Hour)
	if next := w.Amend(at(time.Time{}), author, later); !next.Time.Equal(written) {
		t.Errorf("it moved to %v", next.Time)
	}
	dated := w.Amend(at(onset), author, later)
	if !dated.Time.Equal(onset) {
		t.Errorf("the onset is %v", dated.Time)
	}
	// A date that was wrong is taken away again.
	if next := dated.Correct(at(time.Time{}), domain.Why{Code: domain.WrongTime}, author, later); !next.Time.Equal(written) {
		t.Errorf("it stays at %v", next.Time)
	}
}

func TestACorrectionSaysWhy(t *testing.T) {
	t.Parallel()
	for why, field := range map[domain.Why]string{
		{}: "reasonCode", {Code: "BECAUSE"}: "reasonCode", {Code: domain.OtherReason}: "note", {Code: domain.OtherReason, Note: "x"}: "", {Code: domain.WrongTime}: "",
	} {
		problems := why.Check()
		if field == "" && len(problems) != 0 || field != "" && (len(problems) != 1 || problems[0].Field != field) {
			t.Errorf("%+v: %v, want %q", why, problems, field)
		}
	}
}
