package app

import (
	"strings"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// route is where what is for a group goes: its provider, and the breaker of the address by which it is reached.
type route struct{ provider, group string }

// maxKnown bounds what is remembered of groups.
const maxKnown = 5000

// group is whom a message is for, if that is a group.
func group(d domain.Delivery) Owner {
	return Owner{County: d.County, OrganizationID: d.OrganizationID, DepartmentCode: d.DepartmentCode}
}

// seat is a parcel in a hand, counted by where it goes; until that is known, by the group it is for.
type seat struct {
	l   *lane
	of  Owner
	key string
}

// sit counts a parcel that a hand takes.
func (l *lane) sit(d domain.Delivery) *seat {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &seat{l: l, of: group(d)}
	if s.key = l.known[s.of].provider; s.key == "" {
		s.key = strings.Join([]string{"unknown", s.of.County, s.of.OrganizationID, s.of.DepartmentCode}, ":")
		l.remember(s.of, route{provider: s.key})
	}
	l.inHand[s.key]++
	return s
}

// learn says where the parcel goes, and so what is for its group.
func (s *seat) learn(r route) {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.leave(s.key)
	s.key = r.provider
	s.l.inHand[s.key]++
	s.l.remember(s.of, r)
}

// rise ends the count.
func (s *seat) rise() {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.leave(s.key)
}

// leave and remember are called with the lock held.
func (l *lane) leave(key string) {
	if l.inHand[key]--; l.inHand[key] == 0 {
		delete(l.inHand, key)
	}
}

func (l *lane) remember(of Owner, r route) {
	if of.OrganizationID == "" {
		return
	}
	if len(l.known) >= maxKnown {
		clear(l.known)
	}
	l.known[of] = r
}

// spread leaves out the groups to which nothing may go now, since their provider or address rests or has all the hands it may have; and limits what is taken
// to what the fullest of the others may have, so that nothing is claimed to be put back.
func (l *lane) spread(usual, urgent int) (limit, urgently int, except []Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := usual + urgent
	if l.whole == "" {
		room = min(room, l.most())
	}
	for of, r := range l.known {
		most := l.most()
		for _, key := range []string{r.provider, r.group} {
			if b := l.breakers[key]; b != nil && key != l.whole {
				switch state, _, _ := b.state(); state {
				case breakerOpen:
					most = 0
				case breakerHalfOpen:
					most = min(most, 1)
				}
			}
		}
		if l.whole != "" {
			if most == 0 {
				except = append(except, of)
			}
			continue
		}
		switch free := most - l.inHand[r.provider]; {
		case free <= 0:
			except = append(except, of)
		default:
			room = min(room, free)
		}
	}
	limit = min(usual, room)
	return limit, min(urgent, room-limit), except
}
