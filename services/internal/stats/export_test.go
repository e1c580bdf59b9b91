package stats

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// FoldBatch folds one batch without asking whether another folder is at it, as one does
// whose lock broke.
func (f *Folder) FoldBatch(ctx context.Context) (int, error) { return f.batch(ctx) }

// SQL is the statement that Read makes of a query.
func (s *Schema) SQL(tx *sqldb.Tx, q Query) (text string, args []any, err error) {
	c, err := s.choose(q)
	if err != nil {
		return "", nil, err
	}
	text, args = s.sql(tx, q, c)
	return text, args, nil
}
