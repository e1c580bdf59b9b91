// Package bench puts load on a running system: township doctors and intake desks work through referrals with their own
// call tokens, over gRPC, and afterwards what they left behind is held against the invariants.
//
// Owns: the load, its measurement, and the invariant check of what a run made. Writes invented patients, sessions of a
// day far ahead, and referrals, so it runs on a county with demo accounts and refuses any other.
//
// A run counts as good only when nobody's error and no noise of the machine is mistaken for speed: every answer is
// awaited, calls that found a service away are repeated under the same request id, and a run with a broken invariant
// is an error.
package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// Clients are the services; calls without a person's token are those of this machine's commands.
type Clients struct {
	Directory     directoryv1.DirectoryServiceClient
	PatientRecord patientrecordv1.PatientRecordServiceClient
	Scheduling    schedulingv1.SchedulingServiceClient
	Referral      referralv1.ReferralServiceClient
	Notification  notificationv1.NotificationServiceClient
	Statistics    referralv1.StatisticsServiceClient
}

// Options say what to run. One of Duration and Journeys ends the run; with both, whichever comes first.
type Options struct {
	County   string
	Password string // of the demo accounts
	Doctors  int
	Desks    int
	Duration time.Duration
	Journeys int
	// Rate is how many journeys begin a second at most, evenly; 0: as many as the people at work manage. A latency is only told at a rate that the
	// machine keeps up with.
	Rate float64
	// OnlyCreate sends referrals and nothing else; a journey is then one referral.
	OnlyCreate bool
	// Seed makes the same patients again; 0 takes one from the clock.
	Seed  int64
	Clock clock.Clock
	// Gateway is where pages are served, e.g. http://127.0.0.1:8080; with it, people have open pages, and it is measured when those hear. Empty: none.
	Gateway string
}

// Progress is told how far the run is.
type Progress func(done, total int, what string)

// runner is one run.
type runner struct {
	Clients
	options  Options
	progress Progress
	meter    *meter
	place    place
	doctors  []*doctor
	desks    []*person
	slots    []string
	queue    chan *journey
	screens  *screens

	nextSlot atomic.Int64
	started  atomic.Int64
	finished atomic.Int64
	failed   atomic.Int64
	begin    time.Time
	end      time.Time // zero: the number of journeys ends the run

	mu       sync.Mutex // guards the rest
	random   *rand.Rand // of the patients
	made     []*made
	breaches []string
}

// made is a referral that the system has acknowledged.
type made struct {
	id      string
	patient string
	doctor  *person
}

// Run prepares, measures and checks. The error is about the run itself; broken invariants are in the report.
func Run(ctx context.Context, c Clients, opt Options, progress Progress) (Report, error) {
	if opt.Rate < 0 {
		return Report{}, errors.New("bench: a rate is a number of journeys a second, or 0")
	}
	if opt.Doctors < 1 || opt.Desks < 1 || opt.Duration <= 0 && opt.Journeys < 1 {
		return Report{}, errors.New("bench: at least one doctor and one desk, and a duration or a number of journeys, are needed")
	}
	if opt.Seed == 0 {
		opt.Seed = opt.Clock.Now().UnixMicro()
	}
	r := &runner{
		Clients: c, options: opt, progress: progress, meter: newMeter(),
		random: rand.New(rand.NewPCG(uint64(opt.Seed), 1)),
		queue:  make(chan *journey, opt.Doctors*openPerDoctor),
	}
	if err := r.prepare(ctx); err != nil {
		return Report{}, err
	}
	if opt.Gateway != "" {
		closePages, err := r.open(ctx)
		if err != nil {
			return Report{}, err
		}
		defer closePages()
	}
	r.begin = opt.Clock.Now()
	if opt.Duration > 0 {
		r.end = r.begin.Add(opt.Duration)
	}
	watched := r.watch(ctx)
	if opt.OnlyCreate {
		r.create(ctx)
	} else {
		r.journeys(ctx)
	}
	elapsed := opt.Clock.Now().Sub(r.begin)
	watched()
	if ctx.Err() != nil {
		return Report{}, ctx.Err()
	}
	delivered, err := r.check(ctx)
	if err != nil {
		return Report{}, err
	}
	return r.report(elapsed, delivered), nil
}

// watch tells the progress until the returned function is called.
func (r *runner) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				r.tell()
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func (r *runner) tell() {
	what := "journeys"
	if r.options.OnlyCreate {
		what = "referrals"
	}
	if r.end.IsZero() {
		r.progress(int(r.finished.Load()), r.options.Journeys, what)
		return
	}
	r.progress(int(r.options.Clock.Now().Sub(r.begin)/time.Second), int(r.options.Duration/time.Second), what+" (seconds)")
}

func (r *runner) breach(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.breaches = append(r.breaches, text)
}

func (r *runner) remember(m *made) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, m)
}
