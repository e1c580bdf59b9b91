package domain

import "time"

// Limits of a session.
const (
	IdleLimit     = 30 * time.Minute
	AbsoluteLimit = 12 * time.Hour
	// TouchEvery spares writes: a use within it of the last one that was written is not written.
	TouchEvery = time.Minute
)

// Session is one signed-in time of an account. Its id is the hash of the secret that the person holds; who reads the
// rows cannot sign in with them.
type Session struct {
	id        string
	county    string
	accountID string
	created   time.Time
	lastSeen  time.Time
	ended     time.Time // zero: not ended by the person
}

// NewSession begins at now. The id is the lower-case hex SHA-256 of the secret.
func NewSession(id string, account Account, now time.Time) Session {
	return Session{id: id, county: account.data.County, accountID: account.data.ID, created: now, lastSeen: now}
}

// SessionTimes are the instants of a session; Ended is zero while it was not.
type SessionTimes struct{ Created, LastSeen, Ended time.Time }

// RestoreSession is a session as it was kept.
func RestoreSession(id, county, accountID string, t SessionTimes) Session {
	return Session{id: id, county: county, accountID: accountID, created: t.Created, lastSeen: t.LastSeen, ended: t.Ended}
}

// Live tells whether the session may be used at now: not ended, and both limits lie ahead. At the very instant of a
// limit it is over.
func (s Session) Live(now time.Time) bool {
	return s.ended.IsZero() && now.Before(s.lastSeen.Add(IdleLimit)) && now.Before(s.EndsAt())
}

// EndsAt is the absolute limit.
func (s Session) EndsAt() time.Time { return s.created.Add(AbsoluteLimit) }

// Touch is the session as seen at now, and whether that is worth a write.
func (s Session) Touch(now time.Time) (Session, bool) {
	if now.Before(s.lastSeen.Add(TouchEvery)) {
		return s, false
	}
	s.lastSeen = now
	return s, true
}

// End is the session ended at now, and whether it was not before.
func (s Session) End(now time.Time) (Session, bool) {
	if !s.ended.IsZero() {
		return s, false
	}
	s.ended = now
	return s, true
}

// ID is the hash of the secret.
func (s Session) ID() string { return s.id }

// County is that of the account.
func (s Session) County() string { return s.county }

// AccountID is whose session it is.
func (s Session) AccountID() string { return s.accountID }

// Times are its instants.
func (s Session) Times() SessionTimes {
	return SessionTimes{Created: s.created, LastSeen: s.lastSeen, Ended: s.ended}
}

// String is the id.
func (s Session) String() string { return s.id }
