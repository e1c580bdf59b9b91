package authn

import (
	"crypto/ed25519"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// generation is how many tokens a memory takes before it begins to forget the oldest.
const generation = 2048

// memory holds the tokens of people that were found good, by their hashes: one comes with every call of its five
// minutes. A service makes a token for each call, so those are not worth it. At most two generations are held.
type memory struct {
	mu       sync.Mutex
	new, old map[[sha256.Size]byte]verified
}

// verified is what a good token says, until when, and by which key.
type verified struct {
	id  Identity
	kid string
	key ed25519.PublicKey
	end time.Time
}

// identity is a copy: the caller may do with it what it likes.
func (v verified) identity() Identity {
	id := v.id
	id.Roles = slices.Clone(id.Roles)
	return id
}

func (m *memory) find(hash [sha256.Size]byte) (verified, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.new[hash]
	if !ok {
		v, ok = m.old[hash]
	}
	return v, ok
}

func (m *memory) keep(hash [sha256.Size]byte, v verified) {
	v.id = v.identity()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.new == nil || len(m.new) >= generation {
		m.old, m.new = m.new, make(map[[sha256.Size]byte]verified)
	}
	m.new[hash] = v
}
