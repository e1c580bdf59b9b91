//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

const (
	fireReplicas = 3
	fireClients  = 64
	fireGroups   = 10
	groupSlots   = 10
	// fireRound bounds a history, so that its check stays quick: a longer fight is several, each in a hospital of its own.
	fireRound = 20 * time.Second
	// firePatience is how much longer they may fight on a machine on which little happens in a time.
	firePatience = 40 * time.Second
)

// replica is one process of the service, with connections in the name of its callers.
type replica struct {
	process   *harness.Process
	places    schedulingv1.SchedulingServiceClient // persons', by the gateway, and the commands'
	calendar  schedulingv1.CalendarServiceClient
	referrals schedulingv1.SchedulingServiceClient
}

// fire is a hospital in which everybody wants the same slots.
type fire struct {
	*testing.T
	replicas           []replica
	bus                bus.Bus
	signer             *authn.Signer
	hospital, township string
	groups             [fireGroups][]string // ids of their slots
	record             *placetest.Record

	mu     sync.Mutex
	traces map[string]placetest.Trace // by hold, or account, and subject
	told   map[string]chan struct{}   // by hold: closed when its booking was given back
	known  map[string]bool            // holds whose owner was told
	// unknown is how many creations of a hold of a slot nobody answered.
	unknown map[string]int
}

// department of a group.
func department(group int) string { return fmt.Sprintf("03%02d", group) }

// as is a context in the name of a person.
func (f *fire) as(ctx context.Context, account, organization string, roles ...string) context.Context {
	token, err := f.signer.Sign(authn.Identity{Subject: account, Organization: organization, County: harness.County, Roles: roles}, time.Minute, time.Now())
	if err != nil {
		f.Errorf("sign a token: %v", err)
	}
	return rpc.WithToken(ctx, token)
}

// open makes a hospital with a hundred slots: ten departments with two sessions of five. There is no reserve, so that all may be blocked.
func (f *fire) open() {
	f.Helper()
	f.hospital, f.township, f.record = id.New(), id.New(), placetest.NewRecord(clock.System())
	f.traces, f.told = map[string]placetest.Trace{}, map[string]chan struct{}{}
	f.known, f.unknown = map[string]bool{}, map[string]int{}
	r := f.replicas[0]
	policy := &schedulingv1.BookingPolicy{OrganizationId: f.hospital, ExpertPercent: 50, CommonDays: 14, ReserveLeadDays: 14, FallbackHours: 24}
	_, err := r.calendar.SetBookingPolicy(f.as(f.Context(), id.New(), f.hospital, "COUNTY_ADMIN"), &schedulingv1.SetBookingPolicyRequest{Policy: policy})
	must(f.T, err)
	request := &schedulingv1.CreateSchedulesRequest{County: harness.County}
	for group := range fireGroups {
		for day := range 2 {
			start := time.Now().AddDate(0, 0, 2+day).Truncate(time.Hour)
			request.Schedules = append(request.Schedules, &schedulingv1.Schedule{Id: id.New(), OrganizationId: f.hospital, DepartmentCode: department(group), Kind: "CLINIC",
				Start: timestamppb.New(start), End: timestamppb.New(start.Add(groupSlots / 2 * 5 * time.Minute)), SlotMinutes: 5})
		}
	}
	_, err = r.places.CreateSchedules(rpc.WithCounty(f.Context(), harness.County), request)
	must(f.T, err)
	for group := range f.groups {
		slots, err := f.list(f.Context(), r, group)
		must(f.T, err)
		f.groups[group] = nil
		for _, s := range slots {
			f.groups[group] = append(f.groups[group], s.GetId())
		}
		f.record.Seen(placetest.In{Group: group, Verb: placetest.Open, Slots: 1<<len(slots) - 1}, clock.System().Now())
	}
}

func (f *fire) list(ctx context.Context, r replica, group int) ([]*schedulingv1.Slot, error) {
	out, err := r.places.ListSlots(f.as(ctx, id.New(), f.township, "TOWNSHIP_DOCTOR"), &schedulingv1.ListSlotsRequest{OrganizationId: f.hospital,
		Department: department(group), PageSize: placetest.MaxSlots})
	return out.GetSlots(), err
}

// follow reads the facts that the service publishes: they tell that a referral's end has given a booking back, and that calls without an answer came
// to something.
func (f *fire) follow(ctx context.Context) {
	subject := func(event string) string { return "scheduling.v1." + harness.County + "." + event }
	subjects := []string{subject("hold_attached"), subject("booking_confirmed"), subject("booking_moved"), subject("booking_released")}
	err := f.bus.Tail(ctx, 0, subjects, func(m bus.Msg) {
		now := clock.System().Now()
		fact, name := placeFact(subjects, m)
		if fact == nil || proto.Unmarshal(m.Payload, fact) != nil {
			f.Errorf("%s cannot be read", m.Subject)
			return
		}
		place := fact.GetCapacity()
		group := slices.IndexFunc(f.groups[:], func(slots []string) bool { return slices.Contains(slots, place.GetSlotId()) })
		if group < 0 {
			return // of the hospital before
		}
		since := fact.GetMeta().GetOccurTime().AsTime()
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, who := range []string{place.GetHoldId(), fact.GetMeta().GetActor().GetAccountId()} {
			if _, ok := f.traces[who+name]; !ok {
				f.traces[who+name] = placetest.Trace{Since: since, Until: now}
			}
		}
		if name == "released" {
			f.record.Seen(placetest.In{Group: group, Verb: placetest.Free, Hold: place.GetHoldId(), Booking: true}, since)
			if told := f.told[place.GetHoldId()]; told != nil {
				close(told)
				delete(f.told, place.GetHoldId())
			}
		}
	})
	if err != nil {
		f.Errorf("follow the facts: %v", err)
	}
}

// holdFact is what all facts of a hold have in common.
type holdFact interface {
	proto.Message
	capacityFact
}

func placeFact(subjects []string, m bus.Msg) (holdFact, string) {
	switch m.Subject {
	case subjects[0]:
		return &schedulingv1.HoldAttached{}, "attached"
	case subjects[1]:
		return &schedulingv1.BookingConfirmed{}, "confirmed"
	case subjects[2]:
		return &schedulingv1.BookingMoved{}, "moved"
	case subjects[3]:
		return &schedulingv1.BookingReleased{}, "released"
	}
	return nil, ""
}

// torment kills a process every now and then and starts it again.
func (f *fire) torment(ctx context.Context, random *rand.Rand) (kills int) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return kills
		case <-pause.C:
		}
		p := f.replicas[random.IntN(len(f.replicas))].process
		p.Kill()
		kills++
		if err := p.Start(); err != nil {
			f.Errorf("start: %v", err)
			return kills
		}
		pause.Reset(time.Duration(300+random.IntN(1200)) * time.Millisecond)
	}
}

// resolve finds out what came of the calls that nobody answered: by facts, and for holds that no referral has by what lives at the end.
func (f *fire) resolve(living map[string]*schedulingv1.Hold) {
	f.mu.Lock()
	defer f.mu.Unlock()
	leaked := map[string]string{} // by slot: a hold that its owner does not know of
	for id, h := range living {
		if !f.known[id] {
			leaked[h.GetSlotId()] = id
		}
	}
	late := f.record.Resolve(func(in placetest.In) (placetest.Trace, bool) {
		trace := placetest.Trace{Out: placetest.Out{Outcome: placetest.Done}}
		switch in.Verb {
		case placetest.Create:
			// Several may have asked for the same slot: then nobody knows whose it is.
			trace.Out.Hold = leaked[f.groups[in.Group][in.Slot]]
			if f.unknown[f.groups[in.Group][in.Slot]] > 1 {
				trace.Out.Outcome = placetest.Unknown
			}
			return trace, trace.Out.Hold != ""
		case placetest.Release:
			_, tied := f.traces[in.Hold+"attached"]
			_, booked := f.traces[in.Hold+"confirmed"]
			return trace, living[in.Hold] == nil && !tied && !booked
		case placetest.Attach, placetest.Confirm, placetest.Move:
			names := map[placetest.Verb]string{placetest.Attach: in.Hold + "attached", placetest.Confirm: in.Hold + "confirmed", placetest.Move: in.By + "moved"}
			trace, came := f.traces[names[in.Verb]]
			trace.Out.Outcome = placetest.Done
			return trace, came
		default:
			return placetest.Trace{}, true
		}
	})
	f.Logf("%d calls that nobody answered had their effect, or may have had it", late)
}

// living are the holds without a booking that live.
func (f *fire) living() map[string]*schedulingv1.Hold {
	f.Helper()
	out, page := map[string]*schedulingv1.Hold{}, ""
	for {
		// Its last death may be a moment ago: the client finds out in its own time that it is back.
		live, err := f.replicas[0].places.ListLive(rpc.WithCounty(f.Context(), harness.County),
			&schedulingv1.ListLiveRequest{County: harness.County, PageSize: 200, PageToken: page}, grpc.WaitForReady(true))
		must(f.T, err)
		for _, h := range live.GetHolds() {
			if h.GetOrganizationId() == f.hospital {
				out[h.GetId()] = h
			}
		}
		if page = live.GetNextPageToken(); page == "" {
			return out
		}
	}
}

// Three real processes of the service on one database: no slot is given twice and none is lost, whoever of them is killed.
func TestNoCrashOfAReplicaGivesASlotTwiceOrLosesOne(t *testing.T) {
	s := harness.Replicas(t, binary, "scheduling", fireReplicas)
	f := &fire{T: t, bus: s.Bus(t), signer: s.Signer(t)}
	for i, p := range s.Processes {
		name := fmt.Sprintf("scheduling-%d", i)
		people := s.DialAs(t, name, "cli")
		f.replicas = append(f.replicas, replica{process: p, places: schedulingv1.NewSchedulingServiceClient(people),
			calendar: schedulingv1.NewCalendarServiceClient(people), referrals: schedulingv1.NewSchedulingServiceClient(s.DialAs(t, name, "referral"))})
	}
	limit := fireRound
	if os.Getenv("TONGZHEN_CRASH_SECONDS") != "" {
		limit = crashTime(t)
	}
	for seed := crashSeed(t); limit > 0 && !t.Failed(); limit -= fireRound {
		f.round(s, seed, min(limit, fireRound))
		seed++
	}
	s.Stop(t)
}

// untested are the verbs of which nothing was done.
func untested(done map[placetest.Verb]int) []placetest.Verb {
	all := []placetest.Verb{placetest.Create, placetest.Attach, placetest.Confirm, placetest.Release, placetest.Free, placetest.Move, placetest.Block}
	return slices.DeleteFunc(all, func(v placetest.Verb) bool { return done[v] > 0 })
}

func (f *fire) untilTested(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, done, _ := f.record.Tally(); len(untested(done)) == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// round fights for the slots of a hospital of its own.
func (f *fire) round(s *harness.System, seed uint64, limit time.Duration) {
	f.Helper()
	f.open()
	facts, stop := context.WithCancel(f.Context())
	var reader, all sync.WaitGroup
	reader.Go(func() { f.follow(facts) })
	ctx, cancel := context.WithTimeout(f.Context(), limit+firePatience)
	defer cancel()
	enough := time.AfterFunc(limit, func() { f.untilTested(ctx); cancel() })
	defer enough.Stop()
	for n := range fireClients {
		all.Go(func() {
			c := contender{fire: f, number: n, random: rand.New(rand.NewPCG(seed, uint64(n)))}
			c.run(ctx)
		})
	}
	kills := f.torment(ctx, rand.New(rand.NewPCG(seed, fireClients)))
	all.Wait()
	ready, end := context.WithTimeout(f.Context(), time.Minute)
	defer end()
	must(f.T, s.WaitReady(ready))
	f.settle(seed)
	stop()
	reader.Wait()
	f.resolve(f.living())
	calls, done, open := f.record.Tally()
	asked := 0
	for _, n := range calls {
		asked += n
	}
	f.Logf("%d processes, %d kills, %d calls, %d of them without an answer; done of asked: creates %d/%d, attaches %d/%d, confirms %d/%d, releases %d/%d, moves %d/%d, "+
		"blocks %d/%d, bookings freed by facts %d, looks %d", fireReplicas, kills, asked, open, done[placetest.Create], calls[placetest.Create], done[placetest.Attach],
		calls[placetest.Attach], done[placetest.Confirm], calls[placetest.Confirm], done[placetest.Release], calls[placetest.Release], done[placetest.Move],
		calls[placetest.Move], done[placetest.Block], calls[placetest.Block], done[placetest.Free], done[placetest.Look])
	if missing := untested(done); kills == 0 || len(missing) > 0 {
		f.Errorf("nothing was tested: %d kills, and nothing was done of the verbs %d", kills, missing)
	}
	began := time.Now()
	if result := f.record.Check(f.T); result != porcupine.Ok {
		f.Errorf("the history is not that of slots which one has at a time: %s", result)
	}
	f.Logf("checked in %s", time.Since(began).Round(time.Millisecond))
}
