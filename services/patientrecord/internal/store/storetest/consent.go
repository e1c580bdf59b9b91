package storetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func (f Fixture) consent(p domain.Patient, scope domain.ConsentScope) domain.Consent {
	return domain.Consent{ID: id.New(), PatientID: p.ID(), Scope: scope, Receiver: "org-2"}
}

func (f Fixture) by() domain.Recorder {
	return domain.Recorder{Account: "account-1", AccountName: "李医生", Organization: "org-1", At: f.Clock.Now()}
}

func consentKept(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	due := f.Clock.Now().Add(time.Hour)
	kept := f.consent(p, domain.ConsentSensitive).Defer("抢救", due, f.by())
	f.must(t, func(u app.Unit) error { u.PutConsent(kept); return nil })
	step := func(change func(domain.Consent) domain.Consent) {
		t.Helper()
		f.Clock.Advance(time.Minute)
		f.must(t, func(u app.Unit) error {
			c, err := u.Consent(t.Context(), kept.ID)
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(c, kept) {
				t.Errorf("read %#v, want %#v", c, kept)
			}
			kept = change(c)
			u.PutConsent(kept)
			return nil
		})
	}
	step(func(c domain.Consent) domain.Consent {
		return c.Give(domain.Giving{
			Name: "李某", Relation: "5", OnBehalf: domain.OnBehalfUnable, Phone: "13800138000", Method: "VERBAL_WITNESSED", Witness: "周护士",
			Until: f.Clock.Now().Add(time.Hour), AttachmentID: "sheet",
		}, f.by())
	})
	stale := kept
	step(func(c domain.Consent) domain.Consent {
		return c.Withdraw(domain.Withdrawal{Name: "李某", Relation: "5", Reason: "不再同意"}, f.by())
	})
	got, err := f.Store.Consent(t.Context(), county, kept.ID)
	if err != nil || !reflect.DeepEqual(got, kept) {
		t.Errorf("read %#v, want %#v (%v)", got, kept, err)
	}
	// One that was not read in the unit is new: there is one already.
	if err := f.change(t, app.Command{}, func(u app.Unit) error { u.PutConsent(stale); return nil }); errs.KindOf(err) != errs.KindStale {
		t.Errorf("an old version went in: %v", err)
	}
	if _, err := f.Store.Consent(t.Context(), "450322", kept.ID); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("another county reads it: %v", err)
	}
}

func consentsListed(t *testing.T, f Fixture) {
	p, other := f.add(t, zeng), f.add(t, domain.Details{Name: "欧阳红", IdentityNumber: "990122196311070023"})
	var ids []string
	for i := range 5 {
		f.Clock.Advance(time.Minute)
		c := f.consent(p, domain.ConsentSensitive).Defer("抢救", f.Clock.Now().Add(time.Duration(10-i)*time.Hour), f.by())
		ids = append(ids, c.ID)
		f.must(t, func(u app.Unit) error { u.PutConsent(c); return nil })
	}
	f.must(t, func(u app.Unit) error {
		u.PutConsent(f.consent(other, domain.ConsentSensitive).Give(domain.Giving{Name: "欧阳红", Relation: "0", Method: "SIGNED"}, f.by()))
		return nil
	})
	walk := func(q app.ConsentQuery, cursor func(domain.Consent) time.Time) (got []string) {
		t.Helper()
		for q.Limit = 2; ; {
			page, err := f.Store.Consents(t.Context(), county, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				got = append(got, c.ID)
				q.After = app.Cursor{Time: cursor(c), ID: c.ID}
			}
			if len(page) < 2 {
				return got
			}
		}
	}
	newest := []string{ids[4], ids[3], ids[2], ids[1], ids[0]}
	if got := walk(app.ConsentQuery{PatientID: p.ID()}, func(c domain.Consent) time.Time { return c.Recorded.At }); !reflect.DeepEqual(got, newest) {
		t.Errorf("of a patient: %v, want %v", got, newest)
	}
	// Due first is the last one that was written.
	if got := walk(app.ConsentQuery{Organization: "org-1", Deferred: true}, func(c domain.Consent) time.Time { return c.Due }); !reflect.DeepEqual(got, newest) {
		t.Errorf("to come: %v, want %v", got, newest)
	}
	if got := walk(app.ConsentQuery{Organization: "org-2", Deferred: true}, func(c domain.Consent) time.Time { return c.Due }); len(got) != 0 {
		t.Errorf("another organisation has %v", got)
	}
	for at, want := range map[time.Duration][2]int{0: {5, 0}, 7 * time.Hour: {5, 2}, 99 * time.Hour: {5, 5}} {
		if n, late, err := f.Store.CountDeferred(t.Context(), county, "org-1", f.Clock.Now().Add(at)); err != nil || [2]int{n, late} != want {
			t.Errorf("after %s %d, %d overdue, want %v (%v)", at, n, late, want, err)
		}
	}
}

func consentsOfReferral(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	first := f.consent(p, domain.ConsentReferral)
	first.ReferralID, first.Ordinal = "referral-1", 1
	given := domain.Giving{Name: "曾小明", Relation: "0", Method: "SIGNED"}
	f.must(t, func(u app.Unit) error { u.PutConsent(first.Give(given, f.by())); return nil })
	second := first
	second.ID = id.New()
	if err := f.change(t, app.Command{}, func(u app.Unit) error { u.PutConsent(second.Give(given, f.by())); return nil }); errs.KindOf(err) != errs.KindStale {
		t.Errorf("two first consents of a referral: %v", err)
	}
	f.Clock.Advance(time.Minute)
	second.Ordinal = 2
	f.must(t, func(u app.Unit) error { u.PutConsent(second.Give(given, f.by())); return nil })
	list, err := f.Store.Consents(t.Context(), county, app.ConsentQuery{Scope: domain.ConsentReferral, ReferralID: "referral-1", Limit: 9})
	if err != nil || len(list) != 2 || list[0].ID != second.ID {
		t.Errorf("%d: %v", len(list), err)
	}
}

func exportsKept(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	var rows []domain.Export
	for i, kind := range []string{domain.ExportOwnCopy, domain.ExportAudit, domain.ExportOwnCopy} {
		f.Clock.Advance(time.Minute)
		e := domain.Export{ID: id.New(), Kind: kind, Form: "CSV", By: f.by(), Entries: i, Digest: [32]byte{byte(i), 31: 9}}
		if kind == domain.ExportOwnCopy {
			e.Form, e.PatientID, e.Home = domain.FormFHIR, p.ID(), "org-1"
			e.Statement = domain.CopyStatement{
				AskedBy: domain.AskedByGuardian, Name: "李某", Relation: "5", IdentityCheck: domain.CheckedKinship, Purpose: "OTHER", Note: "外地就医",
				Sensitive: true, Form: domain.FormFHIR, From: f.Clock.Now().Add(-time.Hour), To: f.Clock.Now(),
			}
		}
		rows = append(rows, e)
		f.must(t, func(u app.Unit) error { u.PutExport(e); return nil })
	}
	for name, c := range map[string]struct {
		q    app.ExportQuery
		want []domain.Export
	}{
		"all, newest first":   {app.ExportQuery{}, []domain.Export{rows[2], rows[1], rows[0]}},
		"of a patient":        {app.ExportQuery{PatientID: p.ID()}, []domain.Export{rows[2], rows[0]}},
		"of a kind":           {app.ExportQuery{Kind: domain.ExportAudit}, []domain.Export{rows[1]}},
		"of a time":           {app.ExportQuery{From: rows[1].By.At, To: rows[2].By.At}, []domain.Export{rows[1]}},
		"of an account":       {app.ExportQuery{Account: "account-1", Organization: "org-1"}, []domain.Export{rows[2], rows[1], rows[0]}},
		"of somebody else":    {app.ExportQuery{Account: "account-2"}, nil},
		"of another centre":   {app.ExportQuery{Organization: "org-2"}, nil},
		"after the first one": {app.ExportQuery{After: app.Cursor{Time: rows[2].By.At, ID: rows[2].ID}}, []domain.Export{rows[1], rows[0]}},
	} {
		c.q.Limit = 10
		if got, err := f.Store.Exports(t.Context(), county, c.q); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v (%v)", name, got, c.want, err)
		}
	}
}
