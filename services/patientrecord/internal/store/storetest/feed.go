package storetest

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// message is a new one in quarantine.
func (f Fixture) message(t *testing.T, control, raw string) domain.FeedMessage {
	t.Helper()
	var m domain.FeedMessage
	f.must(t, func(u app.Unit) error {
		m = domain.FeedMessage{
			ID: id.New(), Organization: "org-1", Account: "feed", Sender: "HIS|A", Control: control, First: true, Type: "ADT^A01", Received: u.Now(),
		}.Quarantine(domain.FeedProblem{Reason: "HL7_MISSING", Position: "PID-3"})
		u.PutFeedMessage(m, []byte(raw))
		return nil
	})
	return m
}

func messageKept(t *testing.T, f Fixture) {
	m := f.message(t, "C1", "MSH|1")
	f.must(t, func(u app.Unit) error {
		for _, c := range []struct {
			sender, control, raw string
			known, other         bool
		}{
			{"HIS|A", "C1", "MSH|1", true, true}, {"HIS|A", "C1", "MSH|2", false, true}, {"HIS|A", "C2", "MSH|1", false, false}, {"LIS|A", "C1", "MSH|1", false, false},
		} {
			same, known, other, err := u.SameMessage(t.Context(), c.sender, c.control, []byte(c.raw))
			if err != nil || known != c.known || other != c.other || known && same.ID != m.ID {
				t.Errorf("%+v: known %t, other %t, %v", c, known, other, err)
			}
		}
		return nil
	})
	got, err := f.Store.FeedMessage(t.Context(), county, m.ID)
	if err != nil || string(got.Raw) != "MSH|1" || got.Problem != m.Problem || got.Account != "feed" || !got.Received.Equal(m.Received) {
		t.Errorf("kept %v, %v", got, err)
	}
	f.must(t, func(u app.Unit) error {
		was, err := u.FeedMessage(t.Context(), m.ID)
		u.PutFeedMessage(was.Store(u.Now()), nil)
		return err
	})
	got, err = f.Store.FeedMessage(t.Context(), county, m.ID)
	if err != nil || got.Raw != nil || got.State != domain.FeedStored || got.Version != 2 || got.Settled.IsZero() {
		t.Errorf("stored %v, %v", got, err)
	}
	if _, err := f.Store.FeedMessage(t.Context(), "450322", m.ID); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("another county: %v", err)
	}
}

func messagesPaged(t *testing.T, f Fixture) {
	var made []string
	for _, raw := range []string{"1", "2", "3"} {
		made = append(made, f.message(t, raw, raw).ID)
		f.Clock.Advance(time.Minute)
	}
	first, err := f.Store.FeedMessages(t.Context(), county, "org-1", domain.FeedQuarantined, app.Cursor{}, 2)
	if err != nil || len(first) != 2 || first[0].ID != made[2] || first[0].Raw != nil {
		t.Fatalf("first page %v, %v", first, err)
	}
	second, err := f.Store.FeedMessages(t.Context(), county, "", domain.FeedQuarantined, app.Cursor{Time: first[1].Received, ID: first[1].ID}, 2)
	if err != nil || len(second) != 1 || second[0].ID != made[0] {
		t.Errorf("second page %v, %v", second, err)
	}
	none, err := f.Store.FeedMessages(t.Context(), county, "org-2", domain.FeedQuarantined, app.Cursor{}, 2)
	if err != nil || len(none) != 0 {
		t.Errorf("another organisation has %v, %v", none, err)
	}
	senders, err := f.Store.FeedSenders(t.Context(), county, "", f.Clock.Now().Add(-time.Hour))
	if err != nil || len(senders) != 1 || senders[0].Quarantined != 3 || !senders[0].Last.Equal(first[0].Received) {
		t.Errorf("senders %v, %v", senders, err)
	}
}

// took is a message of a sender that was stored at once.
func (f Fixture) took(t *testing.T, organization, sender, control string) domain.FeedMessage {
	t.Helper()
	var m domain.FeedMessage
	f.must(t, func(u app.Unit) error {
		m = domain.FeedMessage{ID: id.New(), Organization: organization, Account: "feed", Sender: sender, Control: control, First: true, Type: "ADT^A01", Received: u.Now()}.Store(u.Now())
		u.PutFeedMessage(m, []byte(sender+control))
		return nil
	})
	return m
}

func sendersCounted(t *testing.T, f Fixture) {
	f.took(t, "org-1", "HIS|A", "old")
	f.Clock.Advance(time.Hour)
	since := f.Clock.Now()
	for _, m := range [][3]string{{"org-1", "HIS|A", "1"}, {"org-1", "HIS|A", "2"}, {"org-1", "LIS|A", "1"}, {"org-2", "HIS|A", "1"}} {
		f.took(t, m[0], m[1], m[2])
	}
	f.Clock.Advance(time.Minute)
	last := f.message(t, "broken", "broken") // of org-1, HIS|A
	for organization, want := range map[string][]app.FeedSender{
		"":      {{Organization: "org-1", Sender: "HIS|A", Stored: 2, Quarantined: 1}, {Organization: "org-1", Sender: "LIS|A", Stored: 1}, {Organization: "org-2", Sender: "HIS|A", Stored: 1}},
		"org-1": {{Organization: "org-1", Sender: "HIS|A", Stored: 2, Quarantined: 1}, {Organization: "org-1", Sender: "LIS|A", Stored: 1}},
		"org-2": {{Organization: "org-2", Sender: "HIS|A", Stored: 1}},
		"org-0": nil,
	} {
		got, err := f.Store.FeedSenders(t.Context(), county, organization, since)
		if err != nil || len(got) != len(want) {
			t.Fatalf("senders of %q: %+v, %v", organization, got, err)
		}
		for i := range got {
			at := got[i].Last
			got[i].Last = time.Time{}
			if got[i] != want[i] || i == 0 && organization != "org-2" && !at.Equal(last.Received) {
				t.Errorf("%+v at %s, want %+v", got[i], at, want[i])
			}
		}
	}
}

func messagesPruned(t *testing.T, f Fixture) {
	old := f.took(t, "org-1", "HIS|A", "1")
	waits := f.message(t, "2", "2")
	silent := f.took(t, "org-1", "LIS|A", "1")
	resolved := f.message(t, "3", "3")
	f.Clock.Advance(100 * 24 * time.Hour)
	f.must(t, func(u app.Unit) error {
		m, err := u.FeedMessage(t.Context(), resolved.ID)
		u.PutFeedMessage(m.Settle("TEST", u.Now()), nil)
		return err
	})
	recent := f.took(t, "org-1", "HIS|A", "4")
	prune := func(want int64) {
		t.Helper()
		if n, err := f.Store.PruneFeed(t.Context(), f.Clock.Now().Add(-90*24*time.Hour)); err != nil || n != want {
			t.Errorf("%d forgotten, want %d: %v", n, want, err)
		}
	}
	kept := func(m domain.FeedMessage, want bool, why string) {
		t.Helper()
		if _, err := f.Store.FeedMessage(t.Context(), county, m.ID); (err == nil) != want {
			t.Errorf("%s: %v", why, err)
		}
	}
	prune(1)
	kept(old, false, "stored long ago")
	kept(waits, true, "in quarantine")
	kept(silent, true, "the last of a sender")
	kept(resolved, true, "settled just now")
	kept(recent, true, "recent")
	prune(0)
	f.Clock.Advance(91 * 24 * time.Hour)
	f.took(t, "org-1", "HIS|A", "5")
	prune(2)
	kept(resolved, false, "settled long ago")
	kept(waits, true, "still in quarantine")
}
