package domain

import "time"

// The lock-out.
const (
	MaxFailures = 5
	LockFor     = 15 * time.Minute
	// GuardMemory is how long wrong passwords are remembered when no further one follows.
	GuardMemory = 24 * time.Hour
)

// Guard counts the wrong passwords for one login, known or not: an unknown login locks like a known one, so that
// locking does not tell which exist.
type Guard struct {
	failures    int
	lastFailure time.Time
	lockedUntil time.Time // zero: not locked
}

// RestoreGuard is a guard as it was kept; the zero Guard has seen nothing.
func RestoreGuard(failures int, lastFailure, lockedUntil time.Time) Guard {
	return Guard{failures: failures, lastFailure: lastFailure, lockedUntil: lockedUntil}
}

// Locked tells until when nobody may sign in with the login. At the very instant of its end the lock is open.
func (g Guard) Locked(now time.Time) (until time.Time, locked bool) {
	return g.lockedUntil, now.Before(g.lockedUntil)
}

// Fail counts one wrong password; the fifth in a row locks. A lock that is over, or GuardMemory without a failure,
// begins the count anew.
func (g Guard) Fail(now time.Time) (next Guard, locks bool) {
	if !g.lockedUntil.IsZero() || !now.Before(g.lastFailure.Add(GuardMemory)) {
		g = Guard{}
	}
	g.failures++
	g.lastFailure = now
	if g.failures >= MaxFailures {
		g.lockedUntil = now.Add(LockFor)
		return g, true
	}
	return g, false
}

// Clean tells whether there is nothing to forget.
func (g Guard) Clean() bool { return g == Guard{} }

// Failures is the count so far.
func (g Guard) Failures() int { return g.failures }

// LastFailure is the instant of the last wrong password.
func (g Guard) LastFailure() time.Time { return g.lastFailure }

// LockedUntil is the end of the lock, zero for none.
func (g Guard) LockedUntil() time.Time { return g.lockedUntil }
