package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func (f Fixture) pack(t *testing.T, referral, patient string, version int32, again bool) {
	t.Helper()
	f.must(t, func(u app.Unit) error {
		s, err := u.Summary(t.Context(), patient)
		if err != nil {
			return err
		}
		u.PutPackage(domain.Package{ReferralID: referral, ReferralVersion: version, Resubmitted: again, Summary: s, Assembled: u.Now()})
		return nil
	})
}

func packagesBeside(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	referral, problem := id.New(), func(content string) domain.Entry {
		return entry("problem", domain.KindProblem, "active", f.Clock.Now().Add(-time.Hour), content)
	}
	of := func(version int32) (string, domain.Package, []domain.PackageVersion) {
		got, all, ok, err := f.Store.Package(t.Context(), county, referral, version)
		if err != nil || !ok {
			t.Fatalf("version %d: %v %v", version, ok, err)
		}
		return contents(got.Summary)[domain.KindProblem][0], got, all
	}
	f.put(t, p, problem("first"))
	f.pack(t, referral, p.ID(), 2, false)
	f.Clock.Advance(time.Hour)
	f.put(t, p, problem("second"))
	f.pack(t, referral, p.ID(), 5, true)
	f.put(t, p, problem("third"))
	f.pack(t, referral, p.ID(), 5, true) // the fact came again

	text, got, all := of(0)
	if text != "second" || got.ReferralVersion != 5 || !got.Resubmitted {
		t.Errorf("the latest is %q of version %d", text, got.ReferralVersion)
	}
	items := got.Items()
	if len(items) != 1 || items[0].Kind != domain.KindProblem || items[0].Version != 2 || items[0].ID == "" {
		t.Errorf("it names %+v", items)
	}
	want := []domain.PackageVersion{
		{Version: 1, ReferralVersion: 2, Assembled: f.Clock.Now().Add(-time.Hour)}, {Version: 2, ReferralVersion: 5, Assembled: f.Clock.Now()},
	}
	if !slices.Equal(all, want) {
		t.Errorf("versions %+v, want %+v", all, want)
	}
	if text, got, _ := of(1); text != "first" || got.Items()[0].Version != 1 {
		t.Errorf("the first is %q", text)
	}
	if _, all, ok, err := f.Store.Package(t.Context(), county, referral, 3); ok || err != nil || len(all) != 2 {
		t.Errorf("a version that never was: %v %v", ok, err)
	}
}

// document is a new one of the patient, put to the referral if there is one.
func (f Fixture) document(t *testing.T, patient, referral string) (a domain.Attachment) {
	t.Helper()
	f.must(t, func(u app.Unit) error {
		a = domain.NewAttachment(id.New(), patient, domain.AttachmentDetails{Kind: domain.ECG, ReferralID: referral},
			domain.AttachmentFile{MediaType: "image/png", Size: 1}, domain.Writer{Account: "account-1", Organization: "org-1", Now: u.Now()})
		u.PutAttachment(a, []byte("1"), nil)
		return nil
	})
	return a
}

// mistaken marks a document as entered in error.
func (f Fixture) mistaken(t *testing.T, a domain.Attachment) {
	t.Helper()
	f.must(t, func(u app.Unit) error {
		wrong, err := u.Attachment(t.Context(), a.ID())
		if err != nil {
			return err
		}
		wrong, _ = wrong.EnterInError("another patient's", domain.Writer{Account: "account-2", Organization: "org-1", Now: u.Now()})
		u.PutAttachment(wrong, nil, nil)
		return nil
	})
}

func documentsTravel(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	referral := id.New()
	old := f.document(t, p.ID(), "")
	f.Clock.Advance(24 * time.Hour)
	sent := f.Clock.Now()
	recent, put := f.document(t, p.ID(), ""), f.document(t, p.ID(), referral)
	f.must(t, func(u app.Unit) error {
		got, err := u.Travelling(t.Context(), p.ID(), referral, sent, sent)
		if err != nil || !sameAttachments(got, []domain.Attachment{put, recent}) {
			t.Errorf("travelling: %v %v", got, err)
		}
		s, err := u.Summary(t.Context(), p.ID())
		if err != nil {
			return err
		}
		var packed []domain.PackageAttachment
		for _, a := range got {
			packed = append(packed, domain.PackageAttachment{Version: a.Keep().Version, Attachment: a})
		}
		u.PutPackage(domain.Package{ReferralID: referral, ReferralVersion: 2, Summary: s, Attachments: packed, Assembled: u.Now()})
		return nil
	})
	list := func(filter app.AttachmentFilter) []domain.Attachment {
		filter.Patient, filter.Limit = p.ID(), 10
		got, err := f.Store.Attachments(t.Context(), county, filter)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := list(app.AttachmentFilter{Referrals: []string{referral}}); !sameAttachments(got, []domain.Attachment{put, recent}) {
		t.Errorf("of the referral: %v", got)
	}
	if got := list(app.AttachmentFilter{Referrals: []string{id.New()}}); len(got) != 0 {
		t.Errorf("of another referral: %v", got)
	}
	if got := list(app.AttachmentFilter{Referrals: []string{}, Since: sent}); !sameAttachments(got, []domain.Attachment{put, recent}) {
		t.Errorf("since: %v", got)
	}
	carried := func(a domain.Attachment) []string {
		got, err := f.Store.CarriedBy(t.Context(), county, a.ID())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := carried(recent); !slices.Equal(got, []string{referral}) || len(carried(old)) != 0 {
		t.Errorf("carried by %v, the old one by %v", got, carried(old))
	}
	f.mistaken(t, recent)
	if got := list(app.AttachmentFilter{Referrals: []string{referral}, Since: sent}); !sameAttachments(got, []domain.Attachment{put}) {
		t.Errorf("what was entered in error still travels: %v", got)
	}
	got, _, ok, err := f.Store.Package(t.Context(), county, referral, 0)
	if err != nil || !ok || len(got.Attachments) != 2 || got.Attachments[1].ID() != recent.ID() || got.Attachments[1].Version != 1 || got.Attachments[1].Counts() {
		t.Errorf("the package: %+v %v", got.Attachments, err)
	}
}

func replyKept(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	referral := id.New()
	if _, ok, err := f.Store.Reply(t.Context(), county, referral); ok || err != nil {
		t.Fatalf("before: %v %v", ok, err)
	}
	f.pack(t, referral, p.ID(), 2, false)
	sent := f.Clock.Now()
	f.Clock.Advance(time.Hour)
	reply := func(version int32, content string) {
		f.put(t, p, entry("problem", domain.KindProblem, "active", f.Clock.Now(), content))
		f.must(t, func(u app.Unit) error {
			if at, there, err := u.Sent(t.Context(), referral); err != nil || !at.Equal(sent) || len(there) != 0 {
				t.Errorf("sent at %v with %v, %v", at, there, err)
			}
			s, err := u.Summary(t.Context(), p.ID())
			if err == nil {
				u.PutPackage(domain.Package{ReferralID: referral, ReferralVersion: version, Reply: true, Summary: s, Assembled: u.Now()})
			}
			return err
		})
	}
	reply(6, "as answered")
	reply(6, "the fact came again")
	reply(7, "asked for after it was closed")
	got, ok, err := f.Store.Reply(t.Context(), county, referral)
	if err != nil || !ok || !got.Reply || got.ReferralVersion != 6 || !slices.Equal(contents(got.Summary)[domain.KindProblem], []string{"as answered"}) {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	if _, all, _, err := f.Store.Package(t.Context(), county, referral, 0); err != nil || len(all) != 1 {
		t.Errorf("a reply is among the submissions: %+v %v", all, err)
	}
}
