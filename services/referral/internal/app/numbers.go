package app

import (
	"context"
	"fmt"
	"sync"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// block is how many sequences an instance reserves at once. What it does not use is a gap, which is fine.
const block = 100

// numbers hands out referral numbers from reserved blocks, one per county and year.
type numbers struct {
	port Numbers
	mu   sync.Mutex
	open map[countyYear]span
}

type countyYear struct {
	county string
	year   int
}

type span struct{ next, end int64 }

func newNumbers(p Numbers) *numbers {
	return &numbers{port: p, open: map[countyYear]span{}}
}

// next is a number that nobody else gets. It is taken before the transaction that uses it; if that fails the number is a gap.
func (n *numbers) next(ctx context.Context, county string, year int) (domain.Number, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := countyYear{county, year}
	s := n.open[key]
	if s.next == s.end {
		first, err := n.port.ReserveNumbers(ctx, county, year, block)
		if err != nil {
			return "", fmt.Errorf("reserve numbers: %w", err)
		}
		s = span{first, first + block}
	}
	number, err := domain.NewNumber(county, year, s.next)
	s.next++
	n.open[key] = s
	return number, err
}
