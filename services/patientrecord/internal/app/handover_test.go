package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func fact(w *world, referral, patient string, version int32, state domain.State) app.ReferralFact {
	return app.ReferralFact{
		FactID: id.New(), County: county, Account: "account-of-township", Organization: "township",
		Standing: domain.Standing{
			ReferralID: referral, PatientID: patient, Version: version, State: state, Originator: "township", Receiver: "county", At: w.clk.Now(),
		},
	}
}

func medicine(identity, status, content string, at time.Time) domain.Entry {
	return domain.Entry{
		SourceSystem: "referral reply", SourceIdentity: identity, Kind: domain.KindMedication, Status: status, Code: content, Time: at,
		Content: []byte(content),
	}
}

func TestAResubmissionHasAPackageOfItsOwnAndTheOldOneIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.bring(app.Import{Details: zeng}).PatientID, id.New()
		w.fact(referral, patient, 2, domain.Submitted, domain.Draft)
		w.fact(referral, patient, 3, domain.Returned, domain.Submitted)
		w.clk.Advance(time.Hour)
		w.bring(app.Import{Details: zeng, Entries: []domain.Entry{observation("asked", w.clk.Now(), "asked")}})
		again := fact(w, referral, patient, 5, domain.Submitted)
		again.Submission, again.Again = true, true
		for range 2 {
			if err := w.ApplyReferral(t.Context(), again); err != nil {
				t.Fatal(err)
			}
		}
		p, err := w.Package(t.Context(), desk, referral, 0)
		if err != nil || len(p.Results) != 1 || p.Version.Version != 2 || p.Version.ReferralVersion != 5 || len(p.Versions) != 2 || len(p.Items) != 1 {
			t.Errorf("the latest: %+v, %d results, %v", p.Version, len(p.Results), err)
		}
		p, err = w.Package(t.Context(), desk, referral, 1)
		if err != nil || len(p.Results) != 0 || p.Version.ReferralVersion != 2 {
			t.Errorf("the first: %+v, %d results, %v", p.Version, len(p.Results), err)
		}
		_, err = w.Package(t.Context(), desk, referral, 3)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestAFormerReceiverSeesThePackageNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.bring(app.Import{Details: zeng}).PatientID, id.New()
		w.fact(referral, patient, 2, domain.Submitted, domain.Draft)
		if _, err := w.Package(t.Context(), desk, referral, 0); err != nil {
			t.Fatalf("the receiver, from submission on: %v", err)
		}
		_, err := w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonBreakGlassRequired)

		w.clk.Advance(time.Minute)
		given := fact(w, referral, patient, 3, domain.Submitted)
		given.Standing.Receiver = "another"
		if err := w.ApplyReferral(t.Context(), given); err != nil {
			t.Fatal(err)
		}
		_, err = w.Package(t.Context(), desk, referral, 0)
		w.reason(err, errs.ReasonNotFound)
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
		another := authn.Identity{Subject: "account-of-another", Organization: "another", County: county, Roles: []string{"INTAKE_DESK"}}
		if _, err := w.Package(t.Context(), another, referral, 0); err != nil {
			t.Errorf("the present receiver: %v", err)
		}
		w.clk.Advance(time.Minute)
		given = fact(w, referral, patient, 5, domain.Arrived)
		given.Standing.Receiver = "another"
		if err := w.ApplyReferral(t.Context(), given); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Summary(t.Context(), another, patient); err != nil {
			t.Errorf("the whole record after arrival: %v", err)
		}
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestWhatTheCountyHandsBackBecomesPartOfTheRecordOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.bring(app.Import{Details: zeng}).PatientID, id.New()
		concluded := fact(w, referral, patient, 7, domain.Concluded)
		w.peer.away = true
		w.reason(w.TakeBack(t.Context(), concluded), errs.ReasonPeerAway)
		w.peer.away = false
		if err := w.TakeBack(t.Context(), concluded); err != nil {
			t.Errorf("of a referral that is no more: %v", err)
		}
		w.peer.patient = patient
		w.peer.back = []domain.Entry{
			medicine(referral+"/1", "active", "阿司匹林", w.clk.Now()), medicine(referral+"/2", "stopped", "华法林", w.clk.Now()),
		}
		for range 2 {
			if err := w.TakeBack(t.Context(), concluded); err != nil {
				t.Fatal(err)
			}
		}
		listed := func() []domain.Entry {
			s, err := w.Summary(t.Context(), township, patient)
			if err != nil {
				t.Fatal(err)
			}
			return s.Entries[domain.KindMedication]
		}
		if got := listed(); len(got) != 1 || string(got[0].Content) != "阿司匹林" || got[0].Version != 1 {
			t.Errorf("the township reads %v", got)
		}
		w.peer.back[0] = medicine(referral+"/1", "active", "阿司匹林 100 mg", w.clk.Now())
		concluded.FactID = id.New()
		if err := w.TakeBack(t.Context(), concluded); err != nil {
			t.Fatal(err)
		}
		if got := listed(); len(got) != 1 || got[0].Version != 2 {
			t.Errorf("another content: %v", got)
		}
	})
}

func TestAnArrivalThatIsUndoneEndsTheMedicinesThatCameWithIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient, referral := w.bring(app.Import{Details: zeng}).PatientID, id.New()
		back := []domain.Entry{medicine(referral+"/1", "active", "阿司匹林", w.clk.Now()), medicine(referral+"/2", "stopped", "华法林", w.clk.Now()), medicine(referral+"/3", "active", "他汀", w.clk.Now())}
		w.peer.patient, w.peer.back = patient, back
		take := func(f app.ReferralFact) {
			t.Helper()
			if err := w.TakeBack(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		taken := func() (out []domain.Entry) {
			t.Helper()
			s, err := w.Summary(t.Context(), township, patient)
			if err != nil {
				t.Fatal(err)
			}
			return s.Entries[domain.KindMedication]
		}
		arrived := fact(w, referral, patient, 4, domain.Arrived)
		take(arrived)
		undone := fact(w, referral, patient, 5, domain.Accepted)
		w.peer.back = nil
		for range 2 {
			take(undone)
		}
		if got := taken(); len(got) != 0 {
			t.Errorf("still taken: %v", got)
		}
		var versions, told int
		err := w.db.View(t.Context(), func(tx *sqldb.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*), count(CASE WHEN is_current AND status = 'stopped' AND reason_code = 'ARRIVAL_UNDONE' THEN 1 END)
				FROM clinical_entry WHERE kind = 'MEDICATION'`).Scan(&versions, &told)
		})
		if err != nil || versions != 5 || told != 2 {
			t.Errorf("%d versions, %d say why, %v", versions, told, err)
		}
		// The arrival's fact, come late, brings nothing back; another arrival does.
		w.peer.back = back
		arrived.FactID = id.New()
		take(arrived)
		if got := taken(); len(got) != 0 {
			t.Errorf("back by what was undone: %v", got)
		}
		take(fact(w, referral, patient, 6, domain.Arrived))
		if got := taken(); len(got) != 2 || got[0].Version != 3 {
			t.Errorf("after another arrival: %v", got)
		}
	})
}

func allergy(identity, content string, at time.Time) domain.Entry {
	return domain.Entry{
		SourceSystem: "his", SourceIdentity: identity, Kind: domain.KindAllergy, Status: "active", Code: identity, Time: at, Content: []byte(content),
	}
}

// The package stays as it was sent, but the desk must not plan with a drug that the record warns of by now.
func TestAllergiesWrittenAfterSubmissionGoWithThePackage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		write := func(list ...domain.Entry) string { return w.bring(app.Import{Details: zeng, Entries: list}).PatientID }
		patient := write(allergy("1", "青霉素", w.clk.Now()), allergy("2", "头孢", w.clk.Now()))
		referral := w.refer(patient)
		shown := func() (packed, newer []string) {
			p, err := w.Package(t.Context(), desk, referral, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Summary.Entries[domain.KindAllergy] {
				packed = append(packed, string(e.Content))
			}
			for _, e := range p.NewerAllergies {
				newer = append(newer, string(e.Content))
			}
			slices.Sort(packed)
			slices.Sort(newer)
			return packed, newer
		}
		if packed, newer := shown(); len(packed) != 2 || len(newer) != 0 {
			t.Errorf("as sent: %v, newer %v", packed, newer)
		}
		w.clk.Advance(time.Minute)
		write(allergy("2", "头孢，严重", w.clk.Now()), allergy("3", "碘造影剂", w.clk.Now()))
		if packed, newer := shown(); !slices.Equal(packed, []string{"头孢", "青霉素"}) || !slices.Equal(newer, []string{"头孢，严重", "碘造影剂"}) {
			t.Errorf("since then: %v, newer %v", packed, newer)
		}
		w.clk.Advance(time.Minute)
		if err := w.ApplyReferral(t.Context(), fact(w, referral, patient, 9, domain.Declined)); err != nil {
			t.Fatal(err)
		}
		if _, newer := shown(); len(newer) != 0 {
			t.Errorf("of a referral that is over: %v", newer)
		}
	})
}

func packedIDs(p app.ShownPackage) (ids []string) {
	for _, a := range p.Attachments {
		ids = append(ids, a.ID())
	}
	return ids
}

// The receiver may open the documents of the package, and no others of the patient.
func TestDocumentsTravelWithThePackageAndNoOthersAreOpened(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		docs, _ := w.documents()
		old := w.attach(docs, patient, "")
		w.clk.Advance(domain.PackageSpan + time.Hour)
		recent := w.attach(docs, patient, "")
		if page, err := docs.Travelling(t.Context(), township, app.AttachmentFilter{Patient: patient}); err != nil || len(page.Attachments) != 1 || page.Attachments[0].ID() != recent.ID() {
			t.Errorf("the form shows %v, %v", page.Attachments, err)
		}
		referral := w.refer(patient)
		w.clk.Advance(time.Hour)
		later := w.attach(docs, patient, "")
		p, err := w.Package(t.Context(), desk, referral, 0)
		if err != nil || !slices.Equal(packedIDs(p), []string{recent.ID()}) || p.Attachments[0].Version != 1 {
			t.Fatalf("the package holds %v, %v", packedIDs(p), err)
		}
		page, err := docs.List(t.Context(), desk, app.AttachmentFilter{Patient: patient})
		if err != nil || len(page.Attachments) != 1 || page.Attachments[0].ID() != recent.ID() {
			t.Errorf("the receiver's list: %v, %v", page.Attachments, err)
		}
		if _, err := docs.Open(t.Context(), desk, patient, recent.ID(), false); err != nil {
			t.Errorf("a document of the package: %v", err)
		}
		for _, other := range []domain.Attachment{old, later} {
			_, err := docs.Open(t.Context(), desk, patient, other.ID(), false)
			w.reason(err, errs.ReasonNotFound)
		}
		_, err = docs.Travelling(t.Context(), desk, app.AttachmentFilter{Patient: patient})
		w.reason(err, errs.ReasonBreakGlassRequired)
		if _, err := docs.Change(t.Context(), township, app.ChangedAttachment{Patient: patient, ID: recent.ID(), Version: 1, Reason: "别人的", Mistaken: true}); err != nil {
			t.Fatal(err)
		}
		if p, err := w.Package(t.Context(), desk, referral, 0); err != nil || len(p.Attachments) != 0 || p.Withdrawn != 1 {
			t.Errorf("entered in error: %v, %d withdrawn, %v", packedIDs(p), p.Withdrawn, err)
		}
		_, err = docs.Open(t.Context(), desk, patient, recent.ID(), false)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestTheReplyComesBackAsAPackageOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.register(township, zeng).ID
		docs, _ := w.documents()
		before := w.attach(docs, patient, "")
		referral := w.refer(patient)
		_, err := w.Reply(t.Context(), township, referral)
		w.reason(err, errs.ReasonNotFound)
		w.clk.Advance(24 * time.Hour)
		if err := w.ApplyReferral(t.Context(), fact(w, referral, patient, 5, domain.Arrived)); err != nil {
			t.Fatal(err)
		}
		w.bring(app.Import{Details: zeng, Entries: []domain.Entry{observation("found", w.clk.Now(), "found")}})
		found := w.attach(docs, patient, referral)
		w.clk.Advance(time.Hour)
		concluded := fact(w, referral, patient, 6, domain.Concluded)
		w.peer.patient, w.peer.back = patient, []domain.Entry{medicine(referral+"/1", "active", "阿司匹林", w.clk.Now())}
		check := func(when string) {
			p, err := w.Reply(t.Context(), township, referral)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if medicines := p.Summary.Entries[domain.KindMedication]; len(medicines) != 1 || string(medicines[0].Content) != "阿司匹林" {
				t.Errorf("%s: medicines %v", when, medicines)
			}
			if len(p.Results) != 1 || string(p.Results[0].Content) != "found" || !slices.Equal(packedIDs(p), []string{found.ID()}) {
				t.Errorf("%s: %d results, documents %v, before was %s", when, len(p.Results), packedIDs(p), before.ID())
			}
		}
		// The standing is known, what comes back is still on its way.
		if err := w.ApplyReferral(t.Context(), concluded); err != nil {
			t.Fatal(err)
		}
		check("at once")
		w.clk.Advance(time.Hour)
		w.attach(docs, patient, "")
		for range 2 {
			if err := w.TakeBack(t.Context(), concluded); err != nil {
				t.Fatal(err)
			}
		}
		check("after the fact")
		if p, err := w.Reply(t.Context(), desk, referral); err != nil || p.Version.ReferralVersion != 6 {
			t.Errorf("the hospital itself: %+v %v", p.Version, err)
		}
		_, err = w.Reply(t.Context(), stranger, referral)
		w.reason(err, errs.ReasonNotFound)
		if p, err := w.Package(t.Context(), township, referral, 0); err != nil || len(p.Versions) != 1 || !slices.Equal(packedIDs(p), []string{before.ID()}) {
			t.Errorf("what was sent: %v %v", packedIDs(p), err)
		}
	})
}
