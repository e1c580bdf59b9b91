package app_test

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// scanner is the peer that finds what it is told to find.
type scanner struct{ err error }

func (s *scanner) Scan(context.Context, []byte) error { return s.err }

func photograph(t *testing.T, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *world) documents() (*app.Attachments, *scanner) {
	s := &scanner{}
	return app.NewAttachments(w.App, s), s
}

func (w *world) attach(s *app.Attachments, patient, referral string) domain.Attachment {
	w.t.Helper()
	a, err := s.Add(w.t.Context(), township, app.NewAttachment{
		Patient: patient, Details: domain.AttachmentDetails{Kind: domain.ECG, Title: "心电图", ReferralID: referral}, Again: true,
	}, photograph(w.t, 40))
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// refer gives the county hospital the package of a referral.
func (w *world) refer(patient string) string {
	w.t.Helper()
	s := domain.Standing{
		ReferralID: id.New(), PatientID: patient, Version: 1, State: domain.Submitted, Previous: domain.Draft,
		Originator: "township", Receiver: "county", At: w.clk.Now(),
	}
	if err := w.ApplyReferral(w.t.Context(), app.ReferralFact{FactID: id.New(), County: county, Account: "a", Organization: "township", Submission: true, Standing: s}); err != nil {
		w.t.Fatal(err)
	}
	return s.ReferralID
}

func TestADocumentIsAddedOnceByWhoSeesTheWholeRecord(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		docs, _ := w.documents()
		in := app.NewAttachment{Patient: shown.ID, Details: domain.AttachmentDetails{Kind: domain.LabReport}, Request: app.Request{Method: "UploadAttachment", ID: id.New(), Body: []byte("1")}}
		if err := docs.Begin(t.Context(), township, in); err != nil {
			t.Fatal(err)
		}
		first, err := docs.Add(t.Context(), township, in, photograph(t, 50))
		if err != nil {
			t.Fatal(err)
		}
		again, err := docs.Add(t.Context(), township, in, photograph(t, 50))
		if err != nil || again.Keep() != first.Keep() {
			t.Errorf("the same request again: %v %v", again, err)
		}
		in.Request.Body = []byte("2")
		_, err = docs.Add(t.Context(), township, in, photograph(t, 51))
		w.reason(err, errs.ReasonRequestIDReused)
		if n := w.looks("attachment.add", shown.ID); n != 1 {
			t.Errorf("%d audit entries for one document", n)
		}
		_, err = docs.List(t.Context(), stranger, app.AttachmentFilter{Patient: shown.ID})
		w.reason(err, errs.ReasonNotFound)
		w.reason(docs.Begin(t.Context(), stranger, in), errs.ReasonNotFound)
		w.refer(shown.ID)
		w.reason(docs.Begin(t.Context(), desk, in), errs.ReasonBreakGlassRequired)
	})
}

func TestAFileThatADocumentHasAlreadyIsKeptOnPurposeOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		docs, _ := w.documents()
		first := w.attach(docs, patient, "")
		again := func(patient string, on bool) (domain.Attachment, error) {
			return docs.Add(t.Context(), township, app.NewAttachment{
				Request: request("UploadAttachment"), Patient: patient, Details: domain.AttachmentDetails{Kind: domain.LabReport}, Again: on,
			}, photograph(t, 40))
		}
		named := func(want string) {
			t.Helper()
			_, err := again(patient, false)
			w.reason(err, errs.ReasonAttachmentExists)
			if e, _ := errs.As(err); e.Meta["attachmentId"] != want {
				t.Errorf("the document is %q, want %q", e.Meta["attachmentId"], want)
			}
		}
		named(first.ID())
		second, err := again(patient, true)
		if err != nil || second.ID() == first.ID() {
			t.Fatalf("on purpose: %v", err)
		}
		named(second.ID())
		for _, a := range []domain.Attachment{first, second} {
			if _, err := docs.Change(t.Context(), township, app.ChangedAttachment{Patient: patient, ID: a.ID(), Version: 1, Reason: "别人的", Mistaken: true}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := again(patient, false); err != nil {
			t.Errorf("what was entered in error holds nothing up: %v", err)
		}
		other := w.register(township, domain.Details{Name: "莫小林", IdentityNumber: "990122198501010012", Phone: "13900139000"}).ID
		if _, err := again(other, false); err != nil {
			t.Errorf("another patient's: %v", err)
		}
	})
}

func TestThePackageShowsTheDocumentsOfItsReferralAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		docs, _ := w.documents()
		referral := w.refer(shown.ID)
		with, without := w.attach(docs, shown.ID, referral), w.attach(docs, shown.ID, "")
		list := func() []domain.Attachment {
			page, err := docs.List(t.Context(), desk, app.AttachmentFilter{Patient: shown.ID})
			if err != nil || page.More {
				t.Fatal(err)
			}
			return page.Attachments
		}
		if got := list(); len(got) != 1 || got[0].ID() != with.ID() {
			t.Errorf("the receiver sees %v", got)
		}
		if page, err := docs.List(t.Context(), desk, app.AttachmentFilter{Patient: shown.ID, Referrals: []string{id.New()}}); err != nil || len(page.Attachments) != 0 {
			t.Errorf("another referral: %v %v", page.Attachments, err)
		}
		_, err := docs.Open(t.Context(), desk, shown.ID, without.ID(), false)
		w.reason(err, errs.ReasonNotFound)
		other := zeng
		other.IdentityNumber, other.Name = "990122196311070023", "欧阳红"
		_, err = docs.Open(t.Context(), township, w.register(township, other).ID, with.ID(), false)
		w.reason(err, errs.ReasonNotFound)
		before := w.looks("attachment.read", shown.ID)
		opened, err := docs.Open(t.Context(), desk, shown.ID, with.ID(), false)
		if err != nil || w.looks("attachment.read", shown.ID) != before+1 {
			t.Fatalf("the look is written down before the first byte: %v", err)
		}
		var got []byte
		if err := opened.Pieces(t.Context(), func(p []byte) error { got = append(got, p...); return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := jpeg.Decode(bytes.NewReader(got)); err != nil {
			t.Errorf("what comes back is no photograph: %v", err)
		}
		if _, err := docs.Change(t.Context(), township, app.ChangedAttachment{Patient: shown.ID, ID: with.ID(), Version: 1, Reason: "别人的", Mistaken: true}); err != nil {
			t.Fatal(err)
		}
		if got := list(); len(got) != 0 {
			t.Error("what was entered in error still goes with the referral")
		}
		_, err = docs.Open(t.Context(), desk, shown.ID, with.ID(), false)
		w.reason(err, errs.ReasonNotFound)
		if versions, err := docs.Get(t.Context(), township, shown.ID, with.ID()); err != nil || len(versions) != 2 {
			t.Errorf("the township still sees it: %v %v", versions, err)
		}
	})
}

func TestMetadataIsCorrectedByANewVersionWithAReason(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		docs, _ := w.documents()
		a := w.attach(docs, shown.ID, "")
		change := app.ChangedAttachment{Patient: shown.ID, ID: a.ID(), Version: 1, Details: domain.AttachmentDetails{Kind: domain.ExamReport, Title: "胸片"}}
		_, err := docs.Change(t.Context(), township, change)
		w.reason(err, errs.ReasonFieldRequired)
		change.Reason = "选错了类型"
		w.fact(w.refer(shown.ID), shown.ID, 2, domain.Arrived, domain.Accepted)
		_, err = docs.Change(t.Context(), person("county", "SPECIALIST"), change) // sees it all, and did not add it
		w.reason(err, errs.ReasonNotTheAuthor)
		got, err := docs.Change(t.Context(), township, change)
		if k := got.Keep(); err != nil || k.Version != 2 || k.Details.Kind != domain.ExamReport || k.Reason != change.Reason || k.File != a.Keep().File {
			t.Errorf("%+v %v", k, err)
		}
		_, err = docs.Change(t.Context(), township, change)
		w.reason(err, errs.ReasonStaleVersion)
		change.Version = 0
		_, err = docs.Change(t.Context(), township, change)
		w.reason(err, errs.ReasonVersionRequired)
		change.Version, change.Mistaken = 2, true
		if _, err := docs.Change(t.Context(), township, change); err != nil {
			t.Fatal(err)
		}
		change.Version = 3
		_, err = docs.Change(t.Context(), township, change)
		w.reason(err, errs.ReasonActionNotAvailable)
	})
}

func TestDetailsThatAreWrongAndReferralsOfOthersAreRefusedBeforeTheFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		docs, _ := w.documents()
		begin := func(d domain.AttachmentDetails) error {
			return docs.Begin(t.Context(), township, app.NewAttachment{Patient: shown.ID, Details: d})
		}
		w.reason(begin(domain.AttachmentDetails{}), errs.ReasonFieldRequired)
		w.reason(begin(domain.AttachmentDetails{Kind: domain.ECG, Date: domain.Date{Year: 2099}}), errs.ReasonFieldOutOfRange)
		w.reason(begin(domain.AttachmentDetails{Kind: domain.ECG, ReferralID: id.New()}), errs.ReasonFieldUnknown)
		w.peer.standing = domain.Standing{ReferralID: id.New(), PatientID: shown.ID}
		if err := begin(domain.AttachmentDetails{Kind: domain.ECG, ReferralID: w.peer.standing.ReferralID}); err != nil {
			t.Errorf("a draft of this patient: %v", err)
		}
		w.peer.standing.PatientID = id.New()
		w.reason(begin(domain.AttachmentDetails{Kind: domain.ECG, ReferralID: w.peer.standing.ReferralID}), errs.ReasonFieldUnknown)
		w.peer.away = true
		w.reason(begin(domain.AttachmentDetails{Kind: domain.ECG, ReferralID: id.New()}), errs.ReasonPeerAway)
		for range 200 {
			if err := begin(domain.AttachmentDetails{Kind: domain.ECG}); errs.KindOf(err) == errs.KindLimited {
				if e, _ := errs.As(err); e.RetryAfter == 0 {
					t.Error("without saying when to come again")
				}
				w.clk.Advance(10 * time.Minute)
				if err := begin(domain.AttachmentDetails{Kind: domain.ECG}); err != nil {
					t.Error(err)
				}
				return
			}
		}
		t.Error("an account may upload without end")
	})
}

func TestAFileThatIsRefusedLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		docs, scan := w.documents()
		in := app.NewAttachment{Patient: shown.ID, Details: domain.AttachmentDetails{Kind: domain.ECG}}
		_, err := docs.Add(t.Context(), township, in, []byte("GIF89a"))
		if e, _ := errs.As(err); e == nil || e.Reason != errs.ReasonFileRefused || e.Fields[0].Name != "file" || e.Fields[0].Meta["cause"] != "TYPE" {
			t.Errorf("%v", err)
		}
		scan.err = errs.New(errs.KindUnavailable, errs.ReasonScannerAway, "away", nil)
		_, err = docs.Add(t.Context(), township, in, photograph(t, 9))
		w.reason(err, errs.ReasonScannerAway)
		if page, err := docs.List(t.Context(), township, app.AttachmentFilter{Patient: shown.ID}); err != nil || len(page.Attachments) != 0 {
			t.Errorf("%v %v", page, err)
		}
	})
}

func TestDocumentsOfAChildAreWithheldUntilAPurposeIsStated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		child := domain.Details{
			Name: "曾小小", Sex: domain.Female, BirthDate: domain.DateOf(w.clk.Now().AddDate(-6, 0, 0)), DocumentType: domain.NoDocument, NoDocumentReason: domain.Lost,
			GuardianName: "曾大明", GuardianPhone: "13900139000",
		}
		shown := w.register(desk, child) // no home: the hospital does not look after the child
		docs, _ := w.documents()
		in := app.NewAttachment{Patient: shown.ID, Details: domain.AttachmentDetails{Kind: domain.ECG}}
		a, err := docs.Add(t.Context(), desk, in, photograph(t, 9))
		if err != nil {
			t.Fatal(err)
		}
		page, err := docs.List(t.Context(), desk, app.AttachmentFilter{Patient: shown.ID})
		if err != nil || len(page.Attachments) != 0 || page.Withheld != (app.Withheld{Count: 1, Child: true}) {
			t.Errorf("%v %v", page, err)
		}
		_, err = docs.Open(t.Context(), desk, shown.ID, a.ID(), true)
		w.reason(err, errs.ReasonPurposeRequired)
		if e, _ := errs.As(err); e.Meta["patientId"] != shown.ID {
			t.Errorf("it does not say for whom a purpose is to be stated: %v", e.Meta)
		}
		if _, err := w.StatePurpose(t.Context(), desk, app.Stated{PatientID: shown.ID, Purpose: domain.PurposeTreatment}); err != nil {
			t.Fatal(err)
		}
		if page, err := docs.List(t.Context(), desk, app.AttachmentFilter{Patient: shown.ID}); err != nil || len(page.Attachments) != 1 {
			t.Errorf("%v %v", page, err)
		}
	})
}
