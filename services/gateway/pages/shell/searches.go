package shell

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// searchTTL is how long a search can be shown again by its address.
const searchTTL = 10 * time.Minute

// Searches keep the words of searches for a while, encrypted, so that an address names them by a random id only: words name patients.
type Searches struct {
	Cache cache.Cache
	Ring  *crypt.Ring
	// Kind keeps the searches of one page from another.
	Kind string
}

// Keep answers the id under which words can be found again. Whoever gets an error answers in place; only the way back is lost.
func (s Searches) Keep(ctx context.Context, words string) (string, error) {
	search := id.New()
	sealed, err := s.Ring.Seal("search", s.Kind, search, []byte(words))
	if err != nil {
		return "", err
	}
	return search, s.Cache.Set(ctx, s.key(search), sealed, searchTTL)
}

// Words of a search; false when they are gone or cannot be read.
func (s Searches) Words(ctx context.Context, search string) (string, bool) {
	sealed, ok, err := s.Cache.Get(ctx, s.key(search))
	if err != nil || !ok {
		return "", false
	}
	opened, err := s.Ring.Open("search", s.Kind, search, sealed)
	return string(opened), err == nil
}

func (s Searches) key(search string) string { return "search:" + s.Kind + ":" + search }
