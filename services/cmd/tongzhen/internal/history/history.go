package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// World is the county and its clock.
type World interface {
	Now() time.Time
	// MoveTo moves the clock forwards and returns when everything that happened until then had its effect.
	MoveTo(ctx context.Context, at time.Time) error
	// As is ctx in which calls are the person's, for the next minutes.
	As(ctx context.Context, a *directoryv1.Account) (context.Context, error)
}

// Clients of the services.
type Clients struct {
	Directory    directoryv1.DirectoryServiceClient
	Patients     patientrecordv1.PatientRecordServiceClient
	Records      patientrecordv1.ClinicalRecordServiceClient
	Recognition  patientrecordv1.RecognitionServiceClient
	Scheduling   schedulingv1.SchedulingServiceClient
	Referral     referralv1.ReferralServiceClient
	Candidate    referralv1.CandidateServiceClient
	FollowUp     referralv1.FollowUpServiceClient
	Notification notificationv1.NotificationServiceClient
}

// Options say how much and when. The clock stands at the first instant; Until is the last.
type Options struct {
	County string
	Until  time.Time
	// Referrals is how many patients are sent up. What follows from them, down-referrals and patients who come back, comes on top.
	Referrals int
	Seed      int64
}

// Report counts what was made.
type Report struct {
	Up, Down, Patients int
	// Refused are steps that a service refused, and why the first: what they belong to ends there. None is expected.
	Refused int
	First   error
}

// Progress is told the day that is lived through, of how many.
type Progress func(done, total int, day string)

// maker lives through the months. One event at a time happens.
type maker struct {
	Clients
	world    World
	options  Options
	progress Progress
	random   *rand.Rand
	cast     cast
	begin    time.Time

	events  []event // sorted by time, then by order of making
	made    int
	watched map[string]watch
	waiting map[string][]*patient // of a township, who may be sent again
	numbers map[string]bool       // identity numbers that were given
	report  Report
}

// event is something that somebody does at an instant.
type event struct {
	at    time.Time
	order int
	do    func(ctx context.Context) error
}

// watch is a referral that waits for something.
type watch struct {
	due       time.Time
	emergency bool
}

// Make lives through the time from the present instant of the world until opt.Until. The county must have been made, and be new.
func Make(ctx context.Context, w World, c Clients, opt Options, progress Progress) (Report, error) {
	if opt.Referrals < 1 || !w.Now().Before(opt.Until) {
		return Report{}, errors.New("make history: at least one referral and some time are needed")
	}
	m := &maker{
		Clients: c, world: w, options: opt, progress: progress, begin: w.Now(), watched: map[string]watch{},
		random:  rand.New(rand.NewPCG(uint64(opt.Seed), 20)),
		waiting: map[string][]*patient{}, numbers: map[string]bool{},
	}
	var err error
	if m.cast, err = m.findCast(ctx); err != nil {
		return Report{}, fmt.Errorf("make history: find the people: %w", err)
	}
	m.settle()
	m.departures()
	m.rounds()
	m.finale()
	for len(m.events) > 0 {
		next := m.events[0]
		m.events = m.events[1:]
		if next.at.After(opt.Until) {
			break
		}
		if err := m.pass(ctx, next.at); err != nil {
			return m.report, fmt.Errorf("make history until %s: %w", day(m.world.Now()), err)
		}
		switch err := next.do(ctx); {
		case err == nil:
		case refusal(err):
			if m.report.Refused++; m.report.First == nil {
				m.report.First = err
			}
		default:
			return m.report, fmt.Errorf("make history of %s: %w", m.world.Now().In(beijing()).Format("2006-01-02 15:04"), err)
		}
	}
	if err := m.pass(ctx, opt.Until); err != nil {
		return m.report, err
	}
	return m.report, nil
}

// refusal: the service works and does not want this.
func refusal(err error) bool {
	return slices.Contains([]errs.Kind{errs.KindInvalid, errs.KindDenied, errs.KindNotFound, errs.KindStale, errs.KindConflict, errs.KindWrongState, errs.KindLimited}, errs.KindOf(err))
}

// at has something done at an instant; what would be later than the end never is.
func (m *maker) at(t time.Time, do func(ctx context.Context) error) {
	t = t.Truncate(time.Second)
	m.made++
	e := event{t, m.made, do}
	i, _ := slices.BinarySearchFunc(m.events, e, func(a, b event) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.order - b.order
	})
	m.events = slices.Insert(m.events, i, e)
}

func (m *maker) in(d time.Duration, do func(ctx context.Context) error) {
	m.at(m.world.Now().Add(d), do)
}

// pass lets time go by until an instant, in steps that are as small as what waits needs them: a limit that runs out is told when it does, and the
// ladder after it goes on.
func (m *maker) pass(ctx context.Context, until time.Time) error {
	for {
		now := m.world.Now()
		next := m.stop(now)
		if next.After(until) {
			next = until
		}
		if err := m.world.MoveTo(ctx, next); err != nil {
			return err
		}
		total := int(m.options.Until.Sub(m.begin).Hours() / 24)
		m.progress(min(int(next.Sub(m.begin).Hours()/24), total), total, day(next))
		if !next.Before(until) {
			return nil
		}
	}
}

// The hours of a day at which time stops in any case.
func stops() []time.Duration {
	const h = time.Hour
	return []time.Duration{h / 6, 8 * h, 12 * h, 18 * h, 22 * h, 24*h + h/6}
}

// While an emergency waits the bells ring, after a limit there is a ladder.
const (
	ringing  = 2 * time.Minute
	climbing = 30 * time.Minute
	climbed  = 12 * time.Hour
)

func (m *maker) stop(now time.Time) time.Time {
	midnight := startOfDay(now)
	next := now.Add(24 * time.Hour)
	for _, s := range stops() {
		if t := midnight.Add(s); t.After(now) {
			next = t
			break
		}
	}
	for _, w := range m.watched {
		switch {
		case w.emergency && now.Before(w.due.Add(climbed/4)):
			next = earlier(next, now.Add(ringing))
		case w.due.After(now):
			next = earlier(next, w.due.Add(time.Second))
		case now.Before(w.due.Add(climbed)):
			next = earlier(next, now.Add(climbing))
		}
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// saw keeps what a referral waits for.
func (m *maker) saw(r *referralv1.Referral) *referralv1.Referral {
	if r.GetDueTime() == nil {
		delete(m.watched, r.GetId())
		return r
	}
	m.watched[r.GetId()] = watch{
		r.GetDueTime().AsTime(),
		r.GetUrgency().String() == "EMERGENCY" && r.GetState() == referralv1.State_SUBMITTED,
	}
	return r
}

// request is the id of the next request of a purpose.
func (m *maker) request() string {
	m.made++
	return id.FromFact("history", m.options.County, fmt.Sprint(m.options.Seed), fmt.Sprint(m.made))
}

// chance is true in so many of a hundred cases.
func (m *maker) chance(percent int) bool { return m.random.IntN(100) < percent }

// between two durations, to the second.
func (m *maker) between(low, high time.Duration) time.Duration {
	return low + time.Duration(m.random.Int64N(int64(high-low)+1)).Truncate(time.Second)
}

func pick[T any](m *maker, list ...T) T { return list[m.random.IntN(len(list))] }
