package domain

import (
	"errors"
	"time"
)

// Pools of slots.
const (
	Common   = "COMMON"
	Reserved = "RESERVED" // for townships, until it falls back
)

// Grades of a session (普通号, 专家号).
const (
	General = "GENERAL"
	Expert  = "EXPERT"
)

// ErrPolicy says that a policy's number is out of its range.
var ErrPolicy = errors.New("a number of the booking policy is out of its range")

// Policy is how slots open to whom. Source of the reserve: core hospitals keep at least 30 % of their slots for primary institutions, at least half of
// them with experts, and release them at least two weeks before the others; when unused ones fall back is the county's to set.
type Policy struct {
	ReservePercent  int // of the slots of a department's day
	ExpertPercent   int // of the reserved ones, as far as there are experts
	CommonDays      int // local days before its own on which a common slot opens
	ReserveLeadDays int // how much earlier a reserved one opens to townships
	FallbackHours   int // before its start a reserved one becomes common
}

// DefaultPolicy holds where a county has set none.
func DefaultPolicy() Policy {
	return Policy{ReservePercent: 30, ExpertPercent: 50, CommonDays: 14, ReserveLeadDays: 14, FallbackHours: 24}
}

// Check is ErrPolicy for a number out of its range.
func (p Policy) Check() error {
	for _, n := range []struct{ value, low, high int }{
		{p.ReservePercent, 0, 100}, {p.ExpertPercent, 0, 100}, {p.CommonDays, 1, 180}, {p.ReserveLeadDays, 0, 90}, {p.FallbackHours, 0, 336},
	} {
		if n.value < n.low || n.value > n.high {
			return ErrPolicy
		}
	}
	return nil
}

// Opens is the instant from which on a slot that starts then may be taken: the beginning of the local day, in start's location, that many days before.
// township tells whether whoever asks takes it for a patient whom a township sends. A reserved slot opens to others when it falls back.
func (p Policy) Opens(pool string, start time.Time, township bool) time.Time {
	y, m, d := start.Date()
	common := time.Date(y, m, d-p.CommonDays, 0, 0, 0, 0, start.Location())
	if pool != Reserved {
		return common
	}
	if township {
		return common.AddDate(0, 0, -p.ReserveLeadDays)
	}
	fallback := start.Add(-time.Duration(p.FallbackHours) * time.Hour)
	if fallback.Before(common) {
		return common
	}
	return fallback
}

// PoolAt is the pool of a slot for everybody at an instant: a reserved one that has fallen back is common.
func (p Policy) PoolAt(pool string, start, now time.Time) string {
	if pool == Reserved && !now.Before(p.Opens(Reserved, start, false)) {
		return Common
	}
	return pool
}
