package app_test

import (
	"fmt"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// keyed is a world whose ring can be exchanged.
type keyed struct {
	*world
	text []byte
	ring *crypt.Ring
	st   *store.Store
}

func withKeys(t *testing.T, w *world) *keyed {
	t.Helper()
	text, err := crypt.NewRing()
	if err != nil {
		t.Fatal(err)
	}
	k := &keyed{world: w}
	k.restart(text)
	return k
}

// restart is another process on the same database, with this ring.
func (k *keyed) restart(text []byte) {
	k.t.Helper()
	ring, err := crypt.ParseRing(text)
	if err != nil {
		k.t.Fatal(err)
	}
	k.text, k.ring, k.st = text, ring, store.New(k.db, ring, func() {})
	deps := k.deps
	deps.Store = k.st
	k.App = app.New(deps)
}

// newIndexKey makes another index key the current one, in the running process, and answers with the former.
func (k *keyed) newIndexKey() string {
	k.t.Helper()
	former := k.ring.Keys().Index
	text, key, err := crypt.AddKey(k.text, crypt.IndexKeys)
	if err == nil {
		text, err = crypt.MakeCurrent(text, crypt.IndexKeys, key)
	}
	if err == nil {
		err = k.ring.Replace(text)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.text = text
	return former
}

// step hashes the terms of the next two patients anew; false when none are left.
func (k *keyed) step() bool {
	k.t.Helper()
	next, ok, err := k.st.NextToReindex(k.t.Context())
	if err == nil && ok {
		err = k.st.Reindex(k.t.Context(), next, 2)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return ok
}

func (k *keyed) left() int64 {
	k.t.Helper()
	terms, err := k.st.Terms(k.t.Context())
	if err != nil || terms.Done != (terms.Remaining == 0) && terms.Remaining > 0 {
		k.t.Fatalf("%+v, %v", terms, err)
	}
	if terms.Done {
		return 0
	}
	return max(terms.Remaining, 1)
}

// people are n patients of the township with names and numbers of their own.
func (k *keyed) people(from, n int) {
	k.t.Helper()
	for i := from; i < from+n; i++ {
		k.register(township, someone(i))
	}
}

func someone(i int) domain.Details {
	number := fmt.Sprintf("99012219560312%03d", i)
	return domain.Details{Name: "莫" + string(rune('一'+i)), IdentityNumber: number + string(rune(domain.CheckCharacter(number))), Phone: fmt.Sprintf("1380013%04d", 8000+i)}
}

// findsAll: everybody is found by name, by telephone and by number.
func (k *keyed) findsAll(when string, n int) {
	k.t.Helper()
	// Look-ups by number are counted by account.
	who := township
	who.Subject = id.New()
	for i := range n {
		d := someone(i)
		for _, s := range []app.Search{{Query: d.Name}, {Query: d.Phone}, {IdentityNumber: d.IdentityNumber}} {
			list, _, err := k.Search(k.t.Context(), who, s)
			if err != nil || len(list) != 1 {
				k.t.Fatalf("%s: patient %d by %+v: %d found, %v", when, i, s.Query, len(list), err)
			}
		}
	}
}

func TestSearchFindsEverybodyWhileTheIndexKeyIsExchanged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k := withKeys(t, w)
		k.people(0, 5)
		for k.step() {
		}
		k.findsAll("before", 5)
		former := k.newIndexKey()
		if k.left() != 5 {
			t.Errorf("%d patients are left, want 5", k.left())
		}
		k.findsAll("under two keys", 5)
		if !k.step() {
			t.Fatal("nothing to do after another key")
		}
		if k.left() != 3 {
			t.Errorf("%d patients are left, want 3", k.left())
		}
		k.people(5, 1) // registers meanwhile, under the new key
		k.findsAll("half way", 6)
		// Killed, and begun again by another process: it goes on.
		k.restart(k.text)
		k.findsAll("by another process", 6)
		steps := 0
		for k.step() {
			steps++
		}
		if steps > 3 || k.left() != 0 {
			t.Errorf("%d more steps, %d left", steps, k.left())
		}
		k.findsAll("after", 6)
		_, err := k.Register(t.Context(), township, app.Registration{Details: someone(2)})
		k.reason(err, errs.ReasonAlreadyRegistered)
		// Nobody needs the former key for a search.
		text, err := crypt.Retire(k.text, crypt.IndexKeys, former)
		if err != nil {
			t.Fatal(err)
		}
		k.restart(text)
		k.findsAll("without the former key", 6)
		_, err = k.Register(t.Context(), township, app.Registration{Details: someone(3)})
		k.reason(err, errs.ReasonAlreadyRegistered)
	})
}

// What cannot be hashed anew is found by the former key: who a patient and an entry are in another system, and what was asked.
func TestSourcesAndRequestsAreKnownUnderAFormerIndexKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k := withKeys(t, w)
		in := app.Import{Details: someone(1), Entries: []domain.Entry{observation("a", w.clk.Now(), "1"), observation("b", w.clk.Now(), "2")}}
		first := k.bring(in)
		request := app.Registration{Request: app.Request{Method: "RegisterPatient", ID: id.New(), Body: []byte("form")}, Details: someone(2)}
		registered, err := k.Register(t.Context(), township, request)
		if err != nil {
			t.Fatal(err)
		}
		k.newIndexKey()
		second := k.bring(in)
		if second.Created || second.PatientID != first.PatientID || second.Entries != (app.Counts{Unchanged: 2}) {
			t.Errorf("the same import under another key: %+v", second)
		}
		in.Entries[1].Content = []byte("3")
		if third := k.bring(in); third.Entries != (app.Counts{Updated: 1, Unchanged: 1}) {
			t.Errorf("a changed entry: %+v", third)
		}
		if again := k.bring(in); again.Entries != (app.Counts{Unchanged: 2}) {
			t.Errorf("and again: %+v", again)
		}
		again, err := k.Register(t.Context(), township, request)
		if err != nil || again.ID != registered.ID {
			t.Errorf("the same request under another key: %v", err)
		}
		request.Request.Body = []byte("another form")
		_, err = k.Register(t.Context(), township, request)
		k.reason(err, errs.ReasonRequestIDReused)
	})
}
