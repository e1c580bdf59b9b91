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
