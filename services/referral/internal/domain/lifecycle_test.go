package domain_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// The design's table, written down a second time: from → action → to by whom, for whom.
const design = `
— create DRAFT originator allButOut
DRAFT,RETURNED edit same originator allButOut
DRAFT submit SUBMITTED originator allButOut
SUBMITTED accept ACCEPTED receiver allButAdvice
SUBMITTED return RETURNED receiver all
RETURNED resubmit SUBMITTED originator all
SUBMITTED redirect SUBMITTED receiver all
SUBMITTED decline DECLINED receiver all
SUBMITTED answer CONCLUDED receiver ADVICE
DRAFT,SUBMITTED,RETURNED,ACCEPTED,NO_SHOW cancel CANCELLED originator all
SUBMITTED arrive ARRIVED receiver EMERGENCY
ACCEPTED,NO_SHOW arrive ARRIVED receiver allButAdvice
— record_arrival ARRIVED receiver UP:OUTPATIENT,INPATIENT,EMERGENCY,EXAM
ARRIVED undo_arrive SUBMITTED receiver EMERGENCY
ARRIVED undo_arrive ACCEPTED receiver allButAdvice
ARRIVED undo_arrive NO_SHOW receiver allButAdvice
ACCEPTED no_show NO_SHOW receiver,system allButAdvice
NO_SHOW rebook ACCEPTED receiver allButAdvice
ARRIVED admit ADMITTED receiver UP:OUTPATIENT,INPATIENT,EMERGENCY
ADMITTED undo_admit ARRIVED receiver UP:OUTPATIENT,INPATIENT,EMERGENCY
ARRIVED,ADMITTED conclude CONCLUDED receiver UP:OUTPATIENT,INPATIENT,EMERGENCY,EXAM
CONCLUDED acknowledge CLOSED originator,system UP
ARRIVED begin_follow_up FOLLOW_UP receiver DOWN
FOLLOW_UP record_visit FOLLOW_UP receiver DOWN
FOLLOW_UP revise_plan FOLLOW_UP receiver DOWN
FOLLOW_UP escalate CLOSED receiver DOWN
FOLLOW_UP complete CLOSED receiver DOWN
— record_out CLOSED originator OUT`

func appliesTo(name string) func(domain.Direction, domain.Kind) bool {
	return func(d domain.Direction, k domain.Kind) bool {
		switch name {
		case "all":
			return true
		case "allButOut":
			return d != domain.Out
		case "allButAdvice":
			return k != domain.KindAdvice
		case "UP", "DOWN", "OUT":
			return string(d) == name
		case "UP:OUTPATIENT,INPATIENT,EMERGENCY":
			return d == domain.Up && slices.Contains([]domain.Kind{domain.KindOutpatient, domain.KindInpatient, domain.KindEmergency}, k)
		case "UP:OUTPATIENT,INPATIENT,EMERGENCY,EXAM":
			return d == domain.Up && k != domain.KindAdvice
		}
		return string(k) == name
	}
}

func TestTheTableIsTheDesign(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(design)) {
		f := strings.Fields(line)
		for from := range strings.SplitSeq(f[0], ",") {
			for _, p := range pairs() {
				if appliesTo(f[4])(p.d, p.k) {
					want[fmt.Sprint(from, " ", f[1], " ", f[2], " ", f[3], " ", p)] = true
				}
			}
		}
	}
	got := map[string]bool{}
	for _, row := range domain.Lifecycle() {
		who := make([]string, len(row.Who))
		for i, w := range row.Who {
			who[i] = string(w)
		}
		to := string(row.To)
		if to == "" {
			to = "same"
		}
		from := row.From
		if len(from) == 0 {
			from = []domain.State{"—"}
		}
		for _, f := range from {
			for _, p := range pairs() {
				if row.Applies.Has(p.d, p.k) {
					got[fmt.Sprint(f, " ", row.Action, " ", to, " ", strings.Join(who, ","), " ", p)] = true
				}
			}
		}
	}
	for k := range want {
		if !got[k] {
			t.Errorf("the table lacks %s", k)
		}
	}
	for k := range got {
		if !want[k] {
			t.Errorf("the design has no %s", k)
		}
	}
}

type pair struct {
	d domain.Direction
	k domain.Kind
}

func pairs() (out []pair) {
	for _, d := range []domain.Direction{domain.Up, domain.Down, domain.Out} {
		for _, k := range domain.KindsOf(d) {
			out = append(out, pair{d, k})
		}
	}
	return out
}

func actions() (out []domain.Action) {
	for _, row := range domain.Lifecycle() {
		if !slices.Contains(out, row.Action) {
			out = append(out, row.Action)
		}
	}
	return out
}

// Every state and action, for each kind and side: what is done is a row of the table, and every such row can be done.
func TestEveryStateAndAction(t *testing.T) {
	t.Parallel()
	for _, p := range pairs() {
		kind := p.k
		for _, state := range domain.States() {
			for _, action := range actions() {
				for _, side := range []domain.Side{domain.Originator, domain.Receiver, domain.System} {
					for _, before := range []domain.State{domain.StateSubmitted, domain.StateAccepted, domain.StateNoShow} {
						s := inState(kind, state)
						s.ArrivedFrom = before
						checkDecision(t, s, action, side)
					}
				}
			}
		}
	}
}

func checkDecision(t *testing.T, s domain.Snapshot, action domain.Action, side domain.Side) {
	t.Helper()
	r := domain.Restore(s)
	err := r.Decide(command(r, action, side), calendar(t))
	to, allowed := expected(s, action, side)
	name := fmt.Sprint(s.Kind, " ", s.State, " (", s.ArrivedFrom, ") ", action, " by ", side)
	offered := slices.ContainsFunc(domain.Restore(s).Actions(side, now), func(row domain.Row) bool { return row.Action == action })
	if offered != allowed {
		t.Errorf("%s: offered %v, want %v", name, offered, allowed)
	}
	if !allowed {
		var refused *domain.Refusal
		if !errors.As(err, &refused) || refused.Why != domain.NotAvailable || r.Snapshot().Version != s.Version {
			t.Errorf("%s: got %v, want not available", name, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if got := r.Snapshot(); got.State != to || got.Version != s.Version+1 {
		t.Errorf("%s: got %s at %d, want %s at %d", name, got.State, got.Version, to, s.Version+1)
	}
}

// expected reads the design, not the code.
func expected(s domain.Snapshot, action domain.Action, side domain.Side) (domain.State, bool) {
	for line := range strings.Lines(strings.TrimSpace(design)) {
		f := strings.Fields(line)
		if f[1] != string(action) || !appliesTo(f[4])(s.Direction, s.Kind) ||
			!slices.Contains(strings.Split(f[0], ","), string(s.State)) || !slices.Contains(strings.Split(f[3], ","), string(side)) {
			continue
		}
		if action == domain.ActionUndoArrive && f[2] != string(s.ArrivedFrom) {
			continue
		}
		if f[2] == "same" {
			return s.State, true
		}
		return domain.State(f[2]), true
	}
	return "", false
}
