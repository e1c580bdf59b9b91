package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
)

func TestBehindCountsWhatIsStillToHandle(t *testing.T) {
	t.Parallel()
	bustest.Each(t, func(t *testing.T, b bus.Bus) {
		taken, release := make(chan string, 2), make(chan struct{})
		bustest.Start(t, b, bus.Consumer{Name: "test-behind", Subjects: []string{"referral.v1.>"}}, func(_ context.Context, m bus.Msg) error {
			taken <- m.ID
			<-release
			return nil
		})
		if _, err := b.Publish(t.Context(), bustest.Fact("referral.v1.450321.submitted"), bustest.Fact("referral.v1.450321.accepted"), bustest.Fact("record.v1.450321.other")); err != nil {
			t.Fatal(err)
		}
		bustest.Receive(t, taken, "message")
		if n, err := bus.Behind(t.Context(), b); n != 2 || err != nil {
			t.Errorf("one under way and one waiting: %d, %v", n, err)
		}
		close(release)
		bustest.Receive(t, taken, "message")
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for {
			n, err := bus.Behind(ctx, b)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				return
			}
		}
	})
}
