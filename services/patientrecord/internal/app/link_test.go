package app_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var birthday = domain.Date{Year: 1956, Month: 3, Day: 12}

// nameless is 曾小明 without papers, as somebody registered him on another day.
var nameless = domain.Details{
	Name: "曾晓明", Sex: domain.Male, BirthDate: birthday, DocumentType: domain.NoDocument, NoDocumentReason: "LOST",
	Phone: "13800138000", Village: "新县村",
}

func (w *world) index() *app.Index { return app.NewIndex(w.App) }

// pair registers one person twice and answers with the match.
func (w *world) pair() (withPapers, without app.Shown, m app.ShownMatch) {
	w.t.Helper()
	withPapers, without = w.register(township, zeng), w.register(township, nameless)
	page, _, err := w.index().Matches(w.t.Context(), township, app.MatchCursor{}, 0)
	if err != nil || len(page) != 1 {
		w.t.Fatalf("%d matches, %v", len(page), err)
	}
	return withPapers, without, page[0]
}

func (w *world) decide(m app.ShownMatch, survivor string) app.ShownMatch {
	w.t.Helper()
	out, err := w.index().Decide(w.t.Context(), township, app.Decide{
		Linking: app.Linking{Request: app.Request{Method: "DecideMatch", ID: id.New()}, Version: m.Match.Version, Reason: "同一人，本人确认"},
		Match:   m.Match.ID, Survivor: survivor,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) facts(subject string) int {
	w.t.Helper()
	var n int
	err := w.db.View(w.t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(w.t.Context(), "SELECT count(*) FROM outbox WHERE subject = $1", "record.v1."+county+"."+subject).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) finds(query string) []app.Shown {
	w.t.Helper()
	list, _, err := w.Search(w.t.Context(), township, app.Search{Query: query})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestASecondRecordOfAPersonIsToldBeforeItIsWrittenAndListedAfter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.register(township, zeng)
		likely, err := w.index().Likely(t.Context(), stranger, nameless)
		if err != nil || len(likely) != 1 || likely[0].Shown.ID != first.ID {
			t.Fatalf("%d likely, %v", len(likely), err)
		}
		if s := likely[0].Shown; s.Level != domain.LevelNone || s.Details.Name != "曾＊＊" || s.Details.Phone != "" {
			t.Error("who has no relation sees more than the masked line")
		}
		if w.looks("patient.find_alike", first.ID) != 1 {
			t.Error("it was not audited")
		}
		second := w.register(township, nameless)
		page, _, err := w.index().Matches(t.Context(), township, app.MatchCursor{}, 0)
		if err != nil || len(page) != 1 || page[0].Match.Other(first.ID) != second.ID || !page[0].MayDecide || page[0].Survivor != first.ID || !page[0].MustSurvive {
			t.Fatalf("%d matches, %v", len(page), err)
		}
		m, err := w.index().Match(t.Context(), township, page[0].Match.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []app.Shown{m.First, m.Second} {
			if d := s.Details; d.IdentityNumber != "" && d.IdentityNumber == zeng.IdentityNumber || d.Phone == zeng.Phone {
				t.Error("numbers are shown in full without a purpose")
			}
		}
		if others, _, err := w.index().Matches(t.Context(), stranger, app.MatchCursor{}, 0); err != nil || len(others) != 0 {
			t.Errorf("another organisation's list: %d, %v", len(others), err)
		}
		if _, err := w.index().Match(t.Context(), stranger, page[0].Match.ID); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("another organisation reads it: %v", err)
		}
	})
}

func TestSayingThatItIsTheSamePersonOpensTheRecordAndWritesNoSecond(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.register(township, nameless)
		again := nameless
		again.Village = "旧县村"
		got, err := w.Register(t.Context(), stranger, app.Registration{Details: again, SameAs: first.ID})
		if err != nil || got.ID != first.ID {
			t.Fatalf("%s %v", got.ID, err)
		}
		if _, err := w.Patient(t.Context(), stranger, first.ID); err != nil {
			t.Errorf("the encounter does not open the record: %v", err)
		}
		other := nameless
		other.Name, other.Phone, other.BirthDate = "李四", "13900139000", domain.Date{Year: 1990, Month: 1, Day: 1}
		if _, err := w.Register(t.Context(), desk, app.Registration{Details: other, SameAs: first.ID}); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("a description that does not match opens a record: %v", err)
		}
		if w.looks("patient.register", first.ID) != 2 {
			t.Error("what was refused is not in the audit")
		}
	})
}

func TestOnePersonAnswersUnderBothIds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays, goes, m := w.pair()
		if got := w.decide(m, stays.ID); got.Match.State != domain.MatchMerged {
			t.Fatalf("state %s", got.Match.State)
		}
		got, err := w.Patient(t.Context(), township, goes.ID)
		if err != nil || got.ID != stays.ID {
			t.Errorf("the merged id answers with %s, %v", got.ID, err)
		}
		for _, query := range []string{"曾小明", "曾晓明", "新县村", "旧县村", "曾 旧县", "8000"} {
			if found := w.finds(query); len(found) != 1 || found[0].ID != stays.ID {
				t.Errorf("%s finds %d", query, len(found))
			}
		}
		if w.facts("patient_merged") != 1 || w.looks("patient.merged", goes.ID) != 1 || w.looks("match.merge", m.Match.First) != 1 {
			t.Error("without fact or audit entry")
		}
		if page, _, err := w.index().Matches(t.Context(), township, app.MatchCursor{}, 0); err != nil || len(page) != 0 {
			t.Errorf("still on the list: %d %v", len(page), err)
		}
	})
}

// Documents and packages of both records are those of the one person while they are merged, and part again.
func TestDocumentsAndPackagesFollowAMergeAndPartAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays, goes, m := w.pair()
		docs, _ := w.documents()
		ofStays, ofGoes := w.attach(docs, stays.ID, ""), w.attach(docs, goes.ID, "")
		referral := w.refer(goes.ID)
		list := func(who authn.Identity, patient string) (ids []string) {
			page, err := docs.List(t.Context(), who, app.AttachmentFilter{Patient: patient})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page.Attachments {
				ids = append(ids, a.ID())
			}
			return ids
		}
		w.decide(m, stays.ID)
		for _, patient := range []string{stays.ID, goes.ID} {
			if got := list(township, patient); !slices.Equal(got, []string{ofGoes.ID(), ofStays.ID()}) {
				t.Errorf("merged, the list is %v", got)
			}
			if got := list(desk, patient); !slices.Equal(got, []string{ofGoes.ID()}) {
				t.Errorf("merged, the receiver's list is %v", got)
			}
			if _, err := docs.Open(t.Context(), desk, patient, ofGoes.ID(), false); err != nil {
				t.Errorf("merged, a document of the package: %v", err)
			}
			if _, err := docs.Get(t.Context(), township, patient, ofStays.ID()); err != nil {
				t.Error(err)
			}
		}
		p, err := w.Package(t.Context(), desk, referral, 0)
		if err != nil || p.Summary.Patient.ID != stays.ID || !slices.Equal(packedIDs(p), []string{ofGoes.ID()}) {
			t.Errorf("merged, the package is of %s with %v, %v", p.Summary.Patient.ID, packedIDs(p), err)
		}
		corrected, err := docs.Change(t.Context(), township, app.ChangedAttachment{
			Patient: goes.ID, ID: ofGoes.ID(), Version: 1, Reason: "选错了类型", Details: domain.AttachmentDetails{Kind: domain.LabReport},
		})
		if err != nil || corrected.Keep().Version != 2 {
			t.Fatal(err)
		}
		bound := app.NewAttachment{Patient: goes.ID, Details: domain.AttachmentDetails{Kind: domain.ECG, ReferralID: referral}}
		if err := docs.Begin(t.Context(), township, bound); err != nil {
			t.Errorf("merged, a document cannot be put to the referral: %v", err)
		}
		next := w.refer(stays.ID)
		if p, err := w.Package(t.Context(), desk, next, 0); err != nil || len(p.Attachments) != 2 {
			t.Errorf("merged, the next package holds %v, %v", packedIDs(p), err)
		}

		merges, err := w.index().Merges(t.Context(), township, goes.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.index().Unmerge(t.Context(), township, merges[0].ID, app.Linking{Request: app.Request{Method: "UnmergePatients", ID: "u1"}, Reason: "两个人"}); err != nil {
			t.Fatal(err)
		}
		if a, b := list(township, stays.ID), list(township, goes.ID); !slices.Equal(a, []string{ofStays.ID()}) || !slices.Equal(b, []string{ofGoes.ID()}) {
			t.Errorf("apart again, the lists are %v and %v", a, b)
		}
		if versions, err := docs.Get(t.Context(), township, goes.ID, ofGoes.ID()); err != nil || len(versions) != 2 {
			t.Errorf("apart again, the corrected document: %v", err)
		}
		_, err = docs.Get(t.Context(), township, stays.ID, ofGoes.ID())
		w.reason(err, errs.ReasonNotFound)
		if p, err := w.Package(t.Context(), desk, referral, 0); err != nil || p.Summary.Patient.ID != goes.ID {
			t.Errorf("apart again, the package: %v", err)
		}
	})
}

func TestUndoingAMergeGivesBothBackWhatTheyHad(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays, goes, m := w.pair()
		w.decide(m, stays.ID)
		list, err := w.index().Merges(t.Context(), township, goes.ID)
		if err != nil || len(list) != 1 || list[0].Merged != goes.ID || list[0].Done.Reason == "" {
			t.Fatalf("%d merges, %v", len(list), err)
		}
		undo := app.Linking{Request: app.Request{Method: "UnmergePatients", ID: "u1"}, Reason: "两个人"}
		for range 2 { // the same request again changes nothing
			got, err := w.index().Unmerge(t.Context(), township, list[0].ID, undo)
			if err != nil || got.Open() {
				t.Fatalf("undone: %v", err)
			}
		}
		if w.facts("patient_unmerged") != 1 {
			t.Error("not told once")
		}
		for query, want := range map[string]string{"曾小明": stays.ID, "曾晓明": goes.ID, "新县村": goes.ID, "旧县村": stays.ID} {
			if found := w.finds(query); len(found) != 1 || found[0].ID != want {
				t.Errorf("%s finds %d", query, len(found))
			}
		}
		if got, err := w.Patient(t.Context(), township, goes.ID); err != nil || got.ID != goes.ID || got.Details != goes.Details {
			t.Errorf("the record is not what it was: %v", err)
		}
		if page, _, err := w.index().Matches(t.Context(), township, app.MatchCursor{}, 0); err != nil || len(page) != 0 {
			t.Errorf("asked about again: %d %v", len(page), err)
		}
		undo.Request.ID = "u2"
		_, err = w.index().Unmerge(t.Context(), township, list[0].ID, undo)
		w.reason(err, errs.ReasonActionNotAvailable)
	})
}

func TestTwoWhoUndoAMergeAtOnceUndoItOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const many = 8
		for name, request := range map[string]func(i int) app.Request{
			"one request":   func(int) app.Request { return app.Request{Method: "UnmergePatients", ID: "again"} },
			"many requests": func(i int) app.Request { return app.Request{Method: "UnmergePatients", ID: strconv.Itoa(i)} },
		} {
			d := nameless
			d.HealthRecordNumber = map[string]string{"one request": "45032110010200001", "many requests": "45032110010200002"}[name]
			stays, goes := w.register(township, d), w.register(township, d)
			told := w.facts("patient_unmerged")
			w.decide(w.matchOf(stays.ID, goes.ID), stays.ID)
			list, err := w.index().Merges(t.Context(), township, goes.ID)
			if err != nil || len(list) != 1 {
				t.Fatalf("%d merges, %v", len(list), err)
			}
			answers := make([]error, many)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					_, answers[i] = w.index().Unmerge(t.Context(), township, list[0].ID, app.Linking{Request: request(i), Reason: "两个人"})
				})
			}
			all.Wait()
			done := 0
			for _, err := range answers {
				if err == nil {
					done++
				} else if errs.ReasonOf(err) != errs.ReasonActionNotAvailable {
					t.Errorf("%s: %v", name, err)
				}
			}
			if want := map[string]int{"one request": many, "many requests": 1}[name]; done != want {
				t.Errorf("%s: done for %d", name, done)
			}
			if n := w.facts("patient_unmerged") - told; n != 1 {
				t.Errorf("%s: told %d times", name, n)
			}
		}
	})
}

// matchOf is the undecided match of two records.
func (w *world) matchOf(a, b string) app.ShownMatch {
	w.t.Helper()
	page, _, err := w.index().Matches(w.t.Context(), township, app.MatchCursor{}, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range page {
		if m.Match.First == min(a, b) && m.Match.Second == max(a, b) {
			return m
		}
	}
	w.t.Fatal("the two are no match")
	return app.ShownMatch{}
}

func TestWhoIsTakenOutOfAChainIsNotComparedWithThemselves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		middle := nameless
		middle.HealthRecordNumber = "45032110010200001"
		a, b := w.register(township, nameless), w.register(township, middle)
		w.decide(w.matchOf(a.ID, b.ID), b.ID)
		c := w.register(township, domain.Details{
			Name: "欧阳红", Sex: domain.Male, BirthDate: birthday, DocumentType: domain.NoDocument, NoDocumentReason: domain.Lost,
			HealthRecordNumber: middle.HealthRecordNumber,
		})
		w.decide(w.matchOf(b.ID, c.ID), c.ID)
		list, err := w.index().Merges(t.Context(), township, a.ID)
		if err != nil || len(list) != 2 || list[1].Merged != a.ID {
			t.Fatalf("%d merges, %v", len(list), err)
		}
		if _, err := w.index().Unmerge(t.Context(), township, list[1].ID, app.Linking{Reason: "两个人"}); err != nil {
			t.Fatal(err)
		}
		page, _, err := w.index().Matches(t.Context(), township, app.MatchCursor{}, 0)
		if err != nil || len(page) != 0 {
			t.Errorf("%d matches, %v", len(page), err)
		}
		if got, err := w.Patient(t.Context(), township, b.ID); err != nil || got.ID != c.ID {
			t.Errorf("the rest of the chain: %v", err)
		}
	})
}

func TestTwoPeopleAreNeverAskedAboutAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays, goes, m := w.pair()
		w.decide(m, "")
		_, err := w.index().Update(t.Context(), township, app.Update{
			Patient: goes.ID, Version: 1, Change: func(d domain.Details) domain.Details { d.Village = "旧县村"; return d },
		})
		if err != nil {
			t.Fatal(err)
		}
		if page, _, err := w.index().Matches(t.Context(), township, app.MatchCursor{}, 0); err != nil || len(page) != 0 {
			t.Errorf("%d matches, %v", len(page), err)
		}
		if got, err := w.Patient(t.Context(), township, goes.ID); err != nil || got.ID == stays.ID {
			t.Errorf("merged all the same: %v", err)
		}
		_, err = w.index().Decide(t.Context(), township, app.Decide{Linking: app.Linking{Version: m.Match.Version, Reason: "x"}, Match: m.Match.ID, Survivor: stays.ID})
		w.reason(err, errs.ReasonActionNotAvailable)
	})
}

func TestARecordWithADocumentSurvivesAndAReasonIsNeeded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays, goes, m := w.pair()
		in := app.Decide{Linking: app.Linking{Version: m.Match.Version}, Match: m.Match.ID, Survivor: goes.ID}
		if _, err := w.index().Decide(t.Context(), township, in); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("without a reason: %v", err)
		}
		in.Reason = "同一人"
		if _, err := w.index().Decide(t.Context(), township, in); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("the record without a document survives: %v", err)
		}
		in.Survivor, in.Version = stays.ID, 99
		_, err := w.index().Decide(t.Context(), township, in)
		w.reason(err, errs.ReasonStaleVersion)
		w.register(desk, zengAgain(w, stays))
		in.Version = m.Match.Version
		_, err = w.index().Decide(t.Context(), desk, in)
		w.reason(err, errs.ReasonBreakGlassRequired)
	})
}

// zengAgain gives the desk a relation to the first record only, and describes somebody else for it to register.
