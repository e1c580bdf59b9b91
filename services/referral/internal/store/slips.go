package store

import (
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var _ app.Slips = (*Store)(nil)

// slipKind names the hashes that are printed on slips.
const slipKind = "referral slip"

// SlipToken implements [app.Slips].
func (s *Store) SlipToken(n domain.Number) []byte { return s.Ring.Token(slipKind, string(n)) }

// SlipTokens implements [app.Slips]. An index key is not taken away while there are slips that it made (Hashed), so a slip stays genuine.
func (s *Store) SlipTokens(n domain.Number) [][]byte { return s.Ring.Tokens(slipKind, string(n)) }
