package app

import (
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// What a lane remembers of addresses is bounded, however many of them fail; whom a call is under way to is not forgotten.
func TestALaneRemembersABoundedNumberOfAddresses(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	s := &Sender{SenderDeps: SenderDeps{Clock: clk, Logger: slog.New(slog.DiscardHandler)}, cfg: SenderConfig{Parallel: 2, Trip: 1, Rest: time.Hour}}
	l := newLane(s, domain.Webhook)
	busy := Owner{County: "450321", OrganizationID: "busy"}
	leave, _ := l.breaker(groupKey(busy), busy).enter(0)
	for i := range 3 * maxBreakers {
		of := Owner{County: "450321", OrganizationID: strconv.Itoa(i)}
		b := l.breaker(groupKey(of), of)
		ends, _ := b.enter(0)
		if ends == nil {
			t.Fatal("a new one rests")
		}
		if i%2 == 0 {
			ends(fails, "410") // it rests now
		} else {
			ends(works, "")
		}
		l.sit(domain.Delivery{Dispatch: domain.Dispatch{County: of.County, OrganizationID: of.OrganizationID}}).rise()
		l.permits.keep(groupKey(of), 20, clk.Now())
	}
	if n := len(l.breakers); n > maxBreakers+1 {
		t.Errorf("%d breakers", n)
	}
	if len(l.known) > maxKnown || len(l.permits.unused) > maxKnown || len(l.inHand) != 0 {
		t.Errorf("%d known, %d permits, %d in hand", len(l.known), len(l.permits.unused), len(l.inHand))
	}
	if l.breakers[groupKey(busy)] == nil {
		t.Error("the one with a call under way is forgotten")
	}
	if faults := l.faults("450321"); len(faults) == 0 || faults[0].OrganizationID == "" || faults[0].Reason != "410" {
		t.Errorf("%v", faults)
	}
	if worst, _, _ := l.state(); worst != breakerClosed {
		t.Errorf("a group's address counts for the provider: %s", worst)
	}
	leave(works, "")
}
