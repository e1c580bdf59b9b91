package sqldb

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// RequestsKept is how long a repeated request still gets its first answer.
const RequestsKept = 35 * 24 * time.Hour

// Request is one write as its caller named it. An empty ID means that the caller gave none: nothing is logged.
type Request struct {
	County, Account, Method, ID string
	BodyHash                    []byte
	// FormerHashes are of the same body, by keys that hashed before.
	FormerHashes [][]byte
}

// hashed tells whether the hash is of this request's body.
func (r Request) hashed(hash []byte) bool {
	return bytes.Equal(hash, r.BodyHash) || slices.ContainsFunc(r.FormerHashes, func(former []byte) bool { return bytes.Equal(hash, former) })
}

// FindRequest looks for the answer that this request got before. The same id with another body is a Conflict,
// REQUEST_ID_REUSED. Call it first in an Update: a request that runs at the same moment with the same id is
// waited for, so that the loser of the race sees the winner's answer, and not its effects as somebody else's.
func (tx *Tx) FindRequest(ctx context.Context, r Request) (response []byte, found bool, err error) {
	if r.ID == "" {
		return nil, false, nil
	}
	if err := tx.usable(); err != nil {
		return nil, false, err
	}
	const query = `SELECT body_hash, response FROM request_log
		WHERE county_code = $1 AND account_id = $2 AND method = $3 AND request_id = $4`
	var hash []byte
	var missing error
	if tx.engine == Postgres && tx.mode == update {
		err = tx.raw(func(pg *pgx.Conn) error {
			// Two statements in one round trip: the second sees what was committed while the first waited.
			var batch pgx.Batch
			tx.queueBegin(&batch)
			batch.Queue("SELECT pg_advisory_xact_lock($1)", advisoryKey("request", r.County, r.Account, r.Method, r.ID))
			batch.Queue(query, r.County, r.Account, r.Method, r.ID).QueryRow(func(row pgx.Row) error {
				// An error of the batch would have the driver forget the prepared statements.
				if missing = row.Scan(&hash, &response); NoRows(missing) {
					return nil
				}
				return missing
			})
			return pg.SendBatch(ctx, &batch).Close()
		})
		if err == nil {
			err = missing
		}
	} else {
		err = tx.QueryRow(ctx, query, r.County, r.Account, r.Method, r.ID).Scan(&hash, &response)
	}
	if NoRows(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, tx.fail(fmt.Errorf("find request: %w", clean(err)))
	}
	if !r.hashed(hash) {
		return nil, false, errs.Conflict(errs.ReasonRequestIDReused, "the request id was used with another body")
	}
	return response, true, nil
}

// RequestStmt records the answer, to be written with the change itself. response is opaque; whoever calls encrypts it.
// Without an id it is an empty statement, which Batch leaves out.
func RequestStmt(r Request, response []byte, now time.Time) Stmt {
	if r.ID == "" {
		return Stmt{}
	}
	return Stmt{
		SQL: `INSERT INTO request_log (county_code, account_id, method, request_id, body_hash, response, create_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		Args: []any{r.County, r.Account, r.Method, r.ID, r.BodyHash, response, now},
		Want: 1,
	}
}

// PruneRequests deletes at most limit requests that are older than RequestsKept and tells how many.
func PruneRequests(ctx context.Context, db *DB, limit int) (deleted int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		deleted, err = tx.Exec(ctx, `DELETE FROM request_log WHERE (county_code, account_id, method, request_id) IN
			(SELECT county_code, account_id, method, request_id FROM request_log WHERE create_time < $1 ORDER BY create_time LIMIT $2)`,
			tx.Now().Add(-RequestsKept), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune requests: %w", err)
	}
	return deleted, nil
}
