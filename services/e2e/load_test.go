package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// load is people who send patients the whole way, one after the other, whatever happens to the system: what is not
// answered they ask again, with the same request id, until it is. Safe for concurrent use.
type load struct {
	cast cast
	rest chan struct{} // closed: no new journeys

	mu       sync.Mutex
	asked    map[string]bool   // request ids of creations
	created  map[string]string // those that were answered → referral
	journeys int
	repeats  int
	faults   []string
}

func newLoad(c cast) *load {
	return &load{cast: c, rest: make(chan struct{}), asked: map[string]bool{}, created: map[string]string{}}
}

// run sends patients until the load rests. A refusal that a user of the system could not explain is a fault.
func (l *load) run(ctx context.Context, doctor *harness.Person, random *rand.Rand) {
	patient := ""
	for !l.resting() && ctx.Err() == nil {
		if patient == "" {
			p, err := ask(ctx, l, func() (string, error) { return registerID(ctx, doctor, id.New()) })
			if err != nil {
				l.fault("register", err)
				return
			}
			patient = p
		}
		j := journey{load: l, ctx: ctx, doctor: doctor, random: random, patient: patient}
		if err := j.run(); err != nil {
			l.fault("journey", err)
			patient = "" // this one may have an open referral for ever
			continue
		}
		l.mu.Lock()
		l.journeys++
		l.mu.Unlock()
	}
}

func registerID(ctx context.Context, doctor *harness.Person, requestID string) (string, error) {
	p, err := register(ctx, doctor, "覃平安", requestID)
	return p.GetId(), err
}

func (l *load) resting() bool {
	select {
	case <-l.rest:
		return true
	default:
		return false
	}
}

func (l *load) fault(what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, what+": "+err.Error())
}

// asks and answered note a request that makes a referral, and which one it made.
func (l *load) asks(request string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[request] = true
}

func (l *load) answered(request, referral string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.created[request] = referral
}

// ask repeats a call until it is answered or refused for good.
func ask[T any](ctx context.Context, l *load, call func() (T, error)) (T, error) {
	for {
		out, err := call()
		var r *harness.Refusal
		if err == nil || (errors.As(err, &r) && r.Status != http.StatusServiceUnavailable) || ctx.Err() != nil {
			return out, err
		}
		l.mu.Lock()
		l.repeats++
		l.mu.Unlock()
		timer := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// journey is one patient on the way.
type journey struct {
	load    *load
	ctx     context.Context
	doctor  *harness.Person
	random  *rand.Rand
	patient string
}

func do[M any, P interface {
	*M
	proto.Message
}](j journey, p *harness.Person, method, path string, body proto.Message) (P, error) {
	out, err := ask(j.ctx, j.load, func() (P, error) { return harness.Call[M, P](j.ctx, p, method, path, body) })
	if err != nil {
		// The path without ids, so that equal faults read equal.
		return out, fmt.Errorf("%s %s: %w", method, path[strings.LastIndexAny(path, "/:"):], err)
	}
	return out, nil
}

func (j journey) act(p *harness.Person, r *referralv1.Referral, action string, body proto.Message) (*referralv1.Referral, error) {
	return do[referralv1.Referral](j, p, http.MethodPost, "/referrals/"+r.GetId()+":"+action, body)
}

func (j journey) plain(p *harness.Person, r *referralv1.Referral, action string) (*referralv1.Referral, error) {
	return j.act(p, r, action, &referralv1.ActionRequest{RequestId: id.New(), Version: r.GetVersion()})
}

func (j journey) reasoned(p *harness.Person, r *referralv1.Referral, action, reason string) (*referralv1.Referral, error) {
	return j.act(p, r, action, &referralv1.ReasonRequest{RequestId: id.New(), Version: r.GetVersion(), ReasonCode: reason})
}

// run is sent, answered, treated, and acknowledged or sent home; some are returned first, some declined or cancelled.
func (j journey) run() error {
	r, err := j.send()
	if err != nil {
		return err
	}
	desk := j.load.cast.desk
	switch j.random.IntN(10) {
	case 0:
		_, err = j.reasoned(desk, r, "decline", "NO_CAPACITY")
		return err
	case 1:
		if r, err = j.reasoned(desk, r, "return", "MISSING_RESULTS"); err != nil {
			return err
		}
		if r, err = j.plain(j.doctor, r, "resubmit"); err != nil {
			return err
		}
	}
	if r, err = j.accept(r); err != nil {
		return err
	}
	if j.random.IntN(10) == 0 {
		_, err = j.reasoned(j.doctor, r, "cancel", "PATIENT_DECLINED")
		return err
	}
	if r, err = j.plain(desk, r, "arrive"); err != nil {
		return err
	}
	if j.random.IntN(2) == 0 {
		if r, err = j.act(desk, r, "admit", &referralv1.AdmitRequest{RequestId: id.New(), Version: r.GetVersion(), Ward: "病区", Bed: "1"}); err != nil {
			return err
		}
	}
	if r, err = j.act(desk, r, "conclude", &referralv1.ConcludeRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED", Reply: reply()}); err != nil {
		return err
	}
	if j.random.IntN(2) == 0 {
		return j.goHome(r)
	}
	_, err = j.plain(j.doctor, r, "acknowledge")
	return err
}

// send creates and submits, with a slot, a bed or without.
func (j journey) send() (*referralv1.Referral, error) {
	request := j.load.cast.upward(j.patient, neurology)
	var err error
	switch j.random.IntN(4) {
	case 0:
		request.Kind, request.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	case 1:
		request.Kind = commonv1.Kind_INPATIENT
	case 2:
		request.Kind = commonv1.Kind_INPATIENT
		request.HoldId, err = j.hold(j.doctor, request.GetKind())
	default:
		request.HoldId, err = j.hold(j.doctor, request.GetKind())
	}
	if err != nil {
		return nil, err
	}
	return j.create(j.doctor, request)
}

// create sends a referral. The request's id stands in the note, so that what came of it can be counted.
func (j journey) create(p *harness.Person, request *referralv1.CreateReferralRequest) (*referralv1.Referral, error) {
	request.TransferNote = request.GetRequestId()
	j.load.asks(request.GetRequestId())
	r, err := do[referralv1.Referral](j, p, http.MethodPost, "/referrals", request)
	if err == nil {
		j.load.answered(request.GetRequestId(), r.GetId())
	}
	return r, err
}

// accept uses the hold that came with the referral, or takes one; an emergency walks in, and whoever finds the hospital full.
func (j journey) accept(r *referralv1.Referral) (*referralv1.Referral, error) {
	desk, holdID := j.load.cast.desk, r.GetHoldId()
	for {
		request := &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), HoldId: holdID}
		if holdID == "" && r.GetKind() != commonv1.Kind_EMERGENCY {
			var err error
			if request.HoldId, err = j.hold(desk, r.GetKind()); err != nil {
				return nil, err
			}
		}
		if request.GetHoldId() == "" {
			request.WalkIn = walkIn()
		}
		out, err := j.act(desk, r, "accept", request)
		var refused *harness.Refusal
		if errors.As(err, &refused) && slices.Contains([]string{"HOLD_EXPIRED", "BOOKING_LOST", "SLOT_TAKEN"}, refused.Reason) {
			holdID = ""
			continue
		}
		return out, err
	}
}

// hold takes a bed, or one of the next slots; many want the same.
func (j journey) hold(p *harness.Person, kind commonv1.Kind_Code) (string, error) {
	for {
		request := &schedulingv1.CreateHoldRequest{RequestId: id.New(), PatientId: j.patient}
		if kind == commonv1.Kind_INPATIENT {
			request.Bed = &schedulingv1.BedRequest{OrganizationId: j.load.cast.hospital, DepartmentCode: neurology}
		} else {
			slots, err := ask(j.ctx, j.load, func() ([]*schedulingv1.Slot, error) {
				return freeSlots(j.ctx, p, j.load.cast.hospital, neurology)
			})
			if err != nil {
				return "", err
			}
			if len(slots) == 0 {
				return "", nil // full
			}
			request.SlotId = slots[j.random.IntN(min(len(slots), 4))].GetId()
		}
		h, err := do[schedulingv1.Hold](j, p, http.MethodPost, "/holds", request)
		var refused *harness.Refusal
		if errors.As(err, &refused) && refused.Reason == "SLOT_TAKEN" {
			if kind == commonv1.Kind_INPATIENT {
				return "", nil
			}
			continue
		}
		return h.GetId(), err
	}
}
