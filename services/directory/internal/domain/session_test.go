package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

func morning() time.Time { return time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC) }

func TestASessionEndsAtItsIdleLimitUnlessUsed(t *testing.T) {
	t.Parallel()
	s := domain.NewSession("s", domain.RestoreAccount(accountData(), 1), morning())
	idle := morning().Add(domain.IdleLimit)
	if !s.Live(idle.Add(-time.Microsecond)) || s.Live(idle) {
		t.Error("the idle limit is not where it should be")
	}
	used, worth := s.Touch(morning().Add(20 * time.Minute))
	if !worth || !used.Live(idle) || used.Live(idle.Add(20*time.Minute)) {
		t.Error("a use does not move the idle limit")
	}
}

func TestASessionEndsAtItsAbsoluteLimitHoweverMuchItIsUsed(t *testing.T) {
	t.Parallel()
	s := domain.NewSession("s", domain.RestoreAccount(accountData(), 1), morning())
	for at := morning(); at.Before(s.EndsAt()); at = at.Add(5 * time.Minute) {
		if !s.Live(at) {
			t.Fatalf("over at %s", at)
		}
		s, _ = s.Touch(at)
	}
	if s.EndsAt() != morning().Add(12*time.Hour) || s.Live(s.EndsAt()) {
		t.Error("the absolute limit is not where it should be")
	}
}

func TestAUseWithinAMinuteIsNotWorthAWrite(t *testing.T) {
	t.Parallel()
	s := domain.NewSession("s", domain.RestoreAccount(accountData(), 1), morning())
	if _, worth := s.Touch(morning().Add(time.Minute - time.Microsecond)); worth {
		t.Error("worth a write too early")
	}
	if _, worth := s.Touch(morning().Add(time.Minute)); !worth {
		t.Error("not worth a write after a minute")
	}
}

func TestASessionEndsOnce(t *testing.T) {
	t.Parallel()
	s := domain.NewSession("s", domain.RestoreAccount(accountData(), 1), morning())
	ended, changed := s.End(morning().Add(time.Minute))
	if !changed || ended.Live(morning().Add(time.Minute)) {
		t.Error("did not end")
	}
	if again, changed := ended.End(morning().Add(time.Hour)); changed || again != ended {
		t.Error("ended twice")
	}
}

func TestTheFifthWrongPasswordInARowLocksForFifteenMinutes(t *testing.T) {
	t.Parallel()
	now := morning()
	var g domain.Guard
	for i := 1; i <= domain.MaxFailures; i++ {
		next, locks := g.Fail(now)
		if locks != (i == domain.MaxFailures) {
			t.Fatalf("failure %d: locks %v", i, locks)
		}
		g = next
	}
	until, locked := g.Locked(now)
	if !locked || until != now.Add(15*time.Minute) {
		t.Errorf("locked %v until %s", locked, until)
	}
	if _, locked := g.Locked(until); locked {
		t.Error("still locked at the end of the lock")
	}
	if next, locks := g.Fail(until); locks || next.Failures() != 1 {
		t.Error("the count goes on after a lock")
	}
}

func TestWrongPasswordsOfYesterdayAreForgotten(t *testing.T) {
	t.Parallel()
	g := domain.RestoreGuard(4, morning(), time.Time{})
	if _, locks := g.Fail(morning().Add(domain.GuardMemory)); locks {
		t.Error("locked by what was long ago")
	}
	if _, locks := g.Fail(morning().Add(domain.GuardMemory - time.Second)); !locks {
		t.Error("forgotten too early")
	}
	if !(domain.Guard{}).Clean() || g.Clean() {
		t.Error("clean is not what it should be")
	}
}
