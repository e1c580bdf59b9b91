package stats

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables statistics_delta and statistics_total.
var Migrations = sqldb.MigrationSet{Name: "statistics", FS: files}

const (
	lockName  = "statistics-folder"
	foldEvery = 2 * time.Second
	// Deltas in one transaction: the more, the more of them fall into the same totals. But whoever writes to SQLite
	// waits meanwhile.
	foldRows, foldRowsSQLite = 1000, 200
)

// Folder adds deltas to totals. Any number may run on one database: one of them works at a time, to save work; that each
// delta counts once does not hang on it.
type Folder struct {
	db     *sqldb.DB
	schema *Schema
}

// NewFolder gives a folder that Run starts.
func NewFolder(db *sqldb.DB, schema *Schema) *Folder { return &Folder{db: db, schema: schema} }

// Run folds what there is every two seconds until ctx ends, and then returns nil. Errors are logged and the work is tried
// again; meanwhile figures stay exact and get slower. A batch that is cut off is rolled back and counts later.
func (f *Folder) Run(ctx context.Context) error {
	run.Every(ctx, foldEvery, nil, f.Fold)
	return nil
}

// Fold folds all that there is now, unless another folder is at it.
func (f *Folder) Fold(ctx context.Context) error {
	var waiting bool
	err := f.db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM statistics_delta)").Scan(&waiting)
	})
	if err != nil {
		return fmt.Errorf("look for unfolded statistics: %w", err)
	}
	if !waiting {
		return nil // an idle database is not written to
	}
	_, err = f.db.Alone(ctx, lockName, func() error {
		for {
			n, err := f.batch(ctx)
			if err != nil || n < f.limit() {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("fold statistics: %w", err)
	}
	return nil
}

func (f *Folder) limit() int {
	if f.db.Engine() == sqldb.SQLite {
		return foldRowsSQLite
	}
	return foldRows
}

// batch moves the oldest deltas into the totals and tells how many.
func (f *Folder) batch(ctx context.Context) (n int, err error) {
	err = f.db.Update(ctx, func(tx *sqldb.Tx) error {
		totals := sums{}
		n, err = take(ctx, tx, f.limit(), func(p place, number int64) {
			for _, c := range f.schema.cubes {
				if c.keeps(p.counter) {
					totals[p.in(c)] += number
				}
			}
		})
		if err != nil {
			return err
		}
		return tx.Last(ctx, f.schema.totalStmts(totals)...)
	})
	return n, err
}

// take deletes deltas and tells what they were. What another transaction deletes at the same moment it alone is told.
func take(ctx context.Context, tx *sqldb.Tx, limit int, each func(place, int64)) (n int, err error) {
	rows, err := tx.Query(ctx, `DELETE FROM statistics_delta WHERE (county_code, batch_id, line) IN
		(SELECT county_code, batch_id, line FROM statistics_delta ORDER BY county_code, batch_id, line LIMIT $1)
		RETURNING `+placeColumns("''", "day"), limit)
	if err != nil {
		return 0, err
	}
	return scan(rows, each)
}

// placeColumns are those that scan reads: all dimensions, also those that only a newer release of the schema knows.
func placeColumns(cube, day string) string {
	columns := []string{"county_code", cube, "counter", day, "bucket", "n"}
	for i := range maxDimensions {
		columns = append(columns, column(i))
	}
	return strings.Join(columns, ", ")
}

// scan tells every row and closes the rows.
func scan(rows *sql.Rows, each func(place, int64)) (n int, err error) {
	defer rows.Close()
	for ; rows.Next(); n++ {
		var p place
		var number int64
		dest := []any{&p.county, &p.cube, &p.counter, &p.day, &p.bucket, &number}
		for i := range p.key {
			dest = append(dest, &p.key[i])
		}
		if err := rows.Scan(dest...); err != nil {
			return 0, err
		}
		each(p, number)
	}
	return n, rows.Err()
}
