package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func TestWhatFollowsFromAnAttempt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := domain.Patience{Most: 3, First: 10 * time.Second, Longest: time.Minute}
	made := func(attempts, earlier int, again bool, age time.Duration) domain.Delivery {
		return domain.Delivery{AttemptCount: attempts, EarlierAttempts: earlier, Again: again, CreateTime: now.Add(-age), Dispatch: domain.Dispatch{DueTime: now.Add(-age)}}
	}
	for name, c := range map[string]struct {
		d             domain.Delivery
		e             domain.Ended
		state         string
		again, counts bool
		pause         time.Duration
	}{
		"taken":                             {made(1, 0, false, 0), domain.Ended{Outcome: domain.OutcomeTaken}, domain.StateSent, false, true, 0},
		"refused for good":                  {made(1, 0, false, 0), domain.Ended{Outcome: domain.OutcomeRefused}, domain.StateDead, false, true, 0},
		"away: certainly no repeat":         {made(1, 0, false, 0), domain.Ended{Outcome: domain.OutcomeAway}, domain.StatePending, false, true, 5 * time.Second},
		"the second pause is double":        {made(2, 0, false, 0), domain.Ended{Outcome: domain.OutcomeAway}, domain.StatePending, false, true, 10 * time.Second},
		"unknown: the next is a repeat":     {made(1, 0, false, 0), domain.Ended{Outcome: domain.OutcomeUnknown}, domain.StatePending, true, true, 5 * time.Second},
		"a repeat stays one while it fails": {made(2, 0, true, 0), domain.Ended{Outcome: domain.OutcomeAway}, domain.StatePending, true, true, 10 * time.Second},
		"the most attempts":                 {made(3, 0, false, 0), domain.Ended{Outcome: domain.OutcomeAway}, domain.StateDead, false, true, 0},
		"replayed: counted anew":            {made(4, 3, true, 0), domain.Ended{Outcome: domain.OutcomeAway}, domain.StatePending, true, true, 5 * time.Second},
		"limited does not count":            {made(3, 0, false, time.Hour), domain.Ended{Outcome: domain.OutcomeLimited, After: 7 * time.Minute}, domain.StatePending, false, false, 7 * time.Minute},
		"a full box is tried less and less": {made(4, 3, false, time.Hour), domain.Ended{Outcome: domain.OutcomeLimited}, domain.StatePending, false, false, 30 * time.Second},
		"limited for a day counts":          {made(3, 0, false, 25*time.Hour), domain.Ended{Outcome: domain.OutcomeLimited}, domain.StateDead, false, true, 0},
	} {
		got := c.d.Next(c.e, p, now, 0)
		if got.State != c.state || got.Again != c.again || got.Counts != c.counts || got.State == domain.StatePending && !got.Due.Equal(now.Add(c.pause)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := p.Pause(50, 0.999); got > time.Minute || got < 59*time.Second {
		t.Errorf("the longest pause is %s", got)
	}
}
