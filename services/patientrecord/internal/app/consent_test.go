package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func request(method string) app.Request { return app.Request{Method: method, ID: id.New()} }

func agrees() *domain.Giving {
	return &domain.Giving{Name: "曾小明", Relation: "0", Method: "SIGNED"}
}

func sensitive(patient, receiver string) app.Agreeing {
	return app.Agreeing{Request: request("RecordConsent"), PatientID: patient, Scope: domain.ConsentSensitive, Receiver: receiver, Giving: agrees()}
}

func (w *world) agree(who authn.Identity, in app.Agreeing) domain.Consent {
	w.t.Helper()
	c, err := w.RecordConsent(w.t.Context(), who, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) withdraw(who authn.Identity, c domain.Consent) domain.Consent {
	w.t.Helper()
	out, err := w.WithdrawConsent(w.t.Context(), who, app.Withdrawing{
		Request: request("WithdrawConsent"), PatientID: c.PatientID, ID: c.ID, Version: c.Version, Withdrawal: domain.Withdrawal{Relation: "0", Reason: "不再同意"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestAConsentIsRecordedOnceAndWithdrawnOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		in := sensitive(patient, "county")
		c := w.agree(township, in)
		if again := w.agree(township, in); again.ID != c.ID || again.Giving.Name != "曾小明" {
			t.Error("a double click recorded it twice")
		}
		_, err := w.RecordConsent(t.Context(), township, sensitive(patient, "county"))
		w.reason(err, errs.ReasonConsentExists)
		out := app.Withdrawing{
			Request: request("WithdrawConsent"), PatientID: patient, ID: c.ID, Version: c.Version + 1, Withdrawal: domain.Withdrawal{Relation: "0", Reason: "不再同意"},
		}
		_, err = w.WithdrawConsent(t.Context(), township, out)
		w.reason(err, errs.ReasonStaleVersion)
		out.Version = c.Version
		gone, err := w.WithdrawConsent(t.Context(), township, out)
		if err != nil || gone.State(w.clk.Now()) != domain.ConsentWithdrawn || gone.Giving == nil {
			t.Fatalf("%s: %v", gone.State(w.clk.Now()), err)
		}
		if again, err := w.WithdrawConsent(t.Context(), township, out); err != nil || again.Version != gone.Version {
			t.Errorf("the same again: version %d, %v", again.Version, err)
		}
		out.Request, out.Version = request("WithdrawConsent"), gone.Version
		_, err = w.WithdrawConsent(t.Context(), township, out)
		w.reason(err, errs.ReasonActionNotAvailable)
		if given, taken := w.facts(domain.GaveConsent), w.facts(domain.WithdrewConsent); given != 1 || taken != 1 {
			t.Errorf("%d told as given, %d as withdrawn", given, taken)
		}
		w.clk.Advance(time.Minute)
		w.agree(township, sensitive(patient, "county"))
		page, next, err := w.Consents(t.Context(), township, patient, app.Cursor{}, 1)
		if err != nil || len(page) != 1 || page[0].Withdrawal != nil || next.ID == "" {
			t.Fatalf("%d consents: %v", len(page), err)
		}
		if page, next, err = w.Consents(t.Context(), township, patient, next, 1); err != nil || len(page) != 1 || page[0].ID != c.ID || next.ID != "" {
			t.Errorf("the page after: %d, %v", len(page), err)
		}
		if w.looks("consent.list", patient) != 2 || w.looks("consent.withdraw", patient) != 1 || w.looks("consent.give", patient) != 2 {
			t.Error("not all of it is in the audit")
		}
		_, _, err = w.Consents(t.Context(), stranger, patient, app.Cursor{}, 0)
		w.reason(err, errs.ReasonNotFound)
		_, err = w.Consent(t.Context(), stranger, patient, c.ID)
		w.reason(err, errs.ReasonNotFound)
		_, err = w.Consent(t.Context(), township, w.register(township, domain.Details{Name: "欧阳红", IdentityNumber: "990122196311070023"}).ID, c.ID)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestAConsentThatIsWrongIsRefusedFieldByField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		child := zeng
		child.IdentityNumber, child.DocumentType, child.NoDocumentReason = "", domain.NoDocument, domain.Newborn
		child.BirthDate, child.Sex = domain.Date{Year: 2020, Month: 3, Day: 1}, domain.Male
		child.GuardianName, child.GuardianPhone = "李某", "13800138000"
		patient := w.register(township, child).ID
		for name, c := range map[string]struct {
			change func(*app.Agreeing)
			field  string
		}{
			"a child agrees":     {func(*app.Agreeing) {}, "giving.relation"},
			"a guardian unnamed": {func(a *app.Agreeing) { a.Giving.Relation, a.Giving.Phone, a.Giving.Name = "5", "13800138000", "" }, "giving.name"},
			"a sheet that is not there": {func(a *app.Agreeing) {
				a.Giving.Relation, a.Giving.Phone, a.Giving.AttachmentID = "5", "13800138000", id.New()
			}, "giving.attachmentId"},
			"neither given nor put off": {func(a *app.Agreeing) { a.Giving = nil }, "deferredReason"},
			"both":                      {func(a *app.Agreeing) { a.DeferredReason = "抢救" }, "deferredReason"},
			"for nothing":               {func(a *app.Agreeing) { a.Scope = "RESEARCH" }, "scope"},
			"for a referral of none":    {func(a *app.Agreeing) { a.Scope = domain.ConsentReferral }, "referralId"},
			"for a referral of nobody": {func(a *app.Agreeing) {
				a.Scope, a.ReferralID, a.Giving.Relation, a.Giving.Phone = domain.ConsentReferral, id.New(), "5", "13800138000"
			}, "referralId"},
		} {
			in := sensitive(patient, "county")
			c.change(&in)
			_, err := w.RecordConsent(t.Context(), township, in)
			if e, _ := errs.As(err); e == nil || len(e.Fields) == 0 || e.Fields[0].Name != c.field {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAConsentThatIsPutOffIsOnTheListUntilItComes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		in := sensitive(patient, "county")
		in.Giving, in.DeferredReason = nil, "昏迷，抢救"
		c := w.agree(township, in)
		count := func(who authn.Identity, want, wantLate int) {
			t.Helper()
			if n, late, err := w.CountDeferred(t.Context(), who); err != nil || n != want || late != wantLate {
				t.Errorf("%d to come, %d overdue, want %d, %d (%v)", n, late, want, wantLate, err)
			}
		}
		count(township, 1, 0)
		count(desk, 0, 0)
		w.clk.Advance(domain.DeferredWithin + time.Second)
		count(township, 1, 1)
		list, _, err := w.DeferredConsents(t.Context(), township, app.Cursor{}, 0)
		if err != nil || len(list) != 1 || !list[0].Overdue(w.clk.Now()) || list[0].Patient.Details.IdentityNumber == zeng.IdentityNumber {
			t.Errorf("%d: %v", len(list), err)
		}
		if w.looks("consent.deferred", patient) != 1 || w.looks("consent.defer", patient) != 1 {
			t.Error("not audited")
		}
		give := app.Agreeing{Request: request("GiveConsent"), PatientID: patient, ID: c.ID, Version: c.Version, Giving: agrees()}
		given, err := w.GiveConsent(t.Context(), township, give)
		if err != nil || given.DeferredReason != "昏迷，抢救" || given.State(w.clk.Now()) != domain.ConsentGiven {
			t.Fatalf("%v", err)
		}
		if again, err := w.GiveConsent(t.Context(), township, give); err != nil || again.Version != given.Version {
			t.Errorf("a repeat: %v", err)
		}
		give.Request, give.Version = request("GiveConsent"), given.Version
		_, err = w.GiveConsent(t.Context(), township, give)
		w.reason(err, errs.ReasonActionNotAvailable)
		count(township, 0, 0)
	})
}

func (w *world) takes(said app.ReferralConsent, f app.ReferralFact) {
	w.t.Helper()
	w.peer.consent = said
	if err := w.TakeConsent(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func TestAReferralsConsentIsThePatientsWithoutAskingTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.register(township, zeng).ID, id.New()
		f := func(version int32) app.ReferralFact { return fact(w, referral, patient, version, domain.Submitted) }
		w.takes(app.ReferralConsent{}, f(2)) // a referral without one
		due := w.clk.Now().Add(6 * time.Hour)
		said := app.ReferralConsent{PatientID: patient, Originator: "township", Receiver: "county", DeferredReason: "抢救", Due: due}
		submitted := f(2)
		w.takes(said, submitted)
		w.takes(said, submitted) // delivered again
		list := func() []domain.Consent {
			t.Helper()
			page, _, err := w.Consents(t.Context(), township, patient, app.Cursor{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			return page
		}
		page := list()
		if len(page) != 1 || page[0].State(w.clk.Now()) != domain.ConsentDeferred || !page[0].Due.Equal(due) || page[0].ReferralID != referral {
			t.Fatalf("%d consents", len(page))
		}
		_, err := w.GiveConsent(t.Context(), township, app.Agreeing{Request: request("GiveConsent"), PatientID: patient, ID: page[0].ID, Version: 1, Giving: agrees()})
		w.reason(err, errs.ReasonActionNotAvailable) // the referral's own page brings it
		w.clk.Advance(time.Hour)
		said.Giving = &domain.Giving{Name: "曾小明", Relation: "0", Method: "VERBAL_WITNESSED", At: w.clk.Now(), TextVersion: "2026-1"}
		w.takes(said, f(3))
		w.takes(said, f(4)) // sent again with the same
		if page = list(); len(page) != 1 || page[0].State(w.clk.Now()) != domain.ConsentGiven || page[0].DeferredReason == "" || page[0].Version != 2 {
			t.Fatalf("%d consents, version %d", len(page), page[0].Version)
		}
		w.clk.Advance(time.Hour)
		said.Giving = &domain.Giving{Name: "曾大明", Relation: "2", Method: "SIGNED", At: w.clk.Now()}
		w.takes(said, f(5)) // returned, and sent with another
		if page = list(); len(page) != 2 || page[0].Ordinal != 2 || page[1].Giving.Name != "曾小明" {
			t.Errorf("%d consents", len(page))
		}
		w.peer.away = true
		if err := w.TakeConsent(t.Context(), f(6)); errs.KindOf(err) != errs.KindUnavailable {
			t.Errorf("%v", err)
		}
	})
}

func TestNobodyOwesTheConsentOfAReferralThatWasTakenBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.register(township, zeng).ID, id.New()
		w.fact(referral, patient, 2, domain.Submitted, domain.Draft)
		w.takes(app.ReferralConsent{PatientID: patient, Originator: "township", Receiver: "county", DeferredReason: "抢救"}, fact(w, referral, patient, 2, domain.Submitted))
		count := func(want int) {
			t.Helper()
			list, _, lerr := w.DeferredConsents(t.Context(), township, app.Cursor{}, 0)
			if n, _, err := w.CountDeferred(t.Context(), township); err != nil || lerr != nil || n != want || len(list) != want {
				t.Errorf("%d counted, %d listed, want %d: %v %v", n, len(list), want, err, lerr)
			}
		}
		count(1)
		w.fact(referral, patient, 3, domain.Cancelled, domain.Submitted)
		count(0)
	})
}

func TestAfterAWithdrawalNothingMoreIsHandedOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.register(township, zeng).ID, id.New()
		said := app.ReferralConsent{
			PatientID: patient, Originator: "township", Receiver: "county",
			Giving: &domain.Giving{Name: "曾小明", Relation: "0", Method: "SIGNED", At: w.clk.Now()},
		}
		w.fact(referral, patient, 2, domain.Submitted, domain.Draft)
		w.takes(said, fact(w, referral, patient, 2, domain.Submitted))
		if _, err := w.Package(t.Context(), desk, referral, 0); err != nil {
			t.Fatal(err)
		}
		page, _, err := w.Consents(t.Context(), township, patient, app.Cursor{}, 0)
		if err != nil || len(page) != 1 {
			t.Fatalf("%d: %v", len(page), err)
		}
		w.clk.Advance(time.Minute)
		w.withdraw(township, page[0])
		// What the referral service says of the receiver does not count any more; a fact that comes late changes nothing.
		w.peer.level, w.peer.referral = domain.LevelPackage, referral
		_, err = w.Package(t.Context(), desk, referral, 0)
		w.reason(err, errs.ReasonNotFound)
		w.fact(referral, patient, 3, domain.Accepted, domain.Submitted)
		_, err = w.Package(t.Context(), desk, referral, 0)
		w.reason(err, errs.ReasonNotFound)
		again := fact(w, referral, patient, 4, domain.Submitted)
		again.Submission, again.Again = true, true
		if err := w.ApplyReferral(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		if p, err := w.Package(t.Context(), township, referral, 0); err != nil || p.Version.Version != 1 {
			t.Errorf("the sender keeps what was sent, and nothing new is: version %d, %v", p.Version.Version, err)
		}
		w.fact(referral, patient, 5, domain.Arrived, domain.Accepted)
		if _, err := w.Package(t.Context(), desk, referral, 0); err != nil {
			t.Errorf("whoever has the patient there sees what was handed over: %v", err)
		}
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonBreakGlassRequired)
		_, err = w.RecordConsent(t.Context(), desk, app.Agreeing{Request: request("RecordConsent"), PatientID: patient, Scope: domain.ConsentReferral, ReferralID: referral, Giving: agrees()})
		w.reason(err, errs.ReasonBreakGlassRequired)
		w.clk.Advance(time.Minute)
		c := w.agree(township, app.Agreeing{Request: request("RecordConsent"), PatientID: patient, Scope: domain.ConsentReferral, ReferralID: referral, Giving: agrees()})
		if c.Ordinal != 2 || c.Receiver != "county" {
			t.Errorf("%+v", c.Ordinal)
		}
		if _, err := w.Summary(t.Context(), desk, patient); err != nil {
			t.Errorf("given anew, the receiver sees the record again: %v", err)
		}
		_, err = w.RecordConsent(t.Context(), township, app.Agreeing{Request: request("RecordConsent"), PatientID: patient, Scope: domain.ConsentReferral, ReferralID: referral, Giving: agrees()})
		w.reason(err, errs.ReasonConsentExists)
	})
}

func TestWhoWithdrewConsentToWhatIsSensitiveIsAskedForNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		stated := func(p domain.Purpose) app.Stated {
			return app.Stated{Request: request("StatePurpose"), PatientID: patient, Purpose: p}
		}
		c := w.agree(township, sensitive(patient, ""))
		if c.Receiver != "township" {
			t.Errorf("covers %q", c.Receiver)
		}
		if _, err := w.StatePurpose(t.Context(), township, stated(domain.PurposeTreatment)); err != nil {
			t.Fatal(err)
		}
		withheld := func(want int) {
			t.Helper()
			if shown, err := w.Summary(t.Context(), township, patient); err != nil || shown.Withheld.Count != want {
				t.Errorf("withheld %d, want %d: %v", shown.Withheld.Count, want, err)
			}
		}
		withheld(0)
		w.withdraw(township, c)
		withheld(1) // at once, although the purpose still counts
		_, err := w.StatePurpose(t.Context(), township, stated(domain.PurposeFollowUp))
		w.reason(err, errs.ReasonActionNotAvailable)
		if _, err := w.StatePurpose(t.Context(), township, stated(domain.PurposeEmergency)); err != nil {
			t.Errorf("an emergency needs no consent: %v", err)
		}
		withheld(0)
	})
}
