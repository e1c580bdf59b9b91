package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

const (
	lease     = "audit-sealer"
	leaseTime = 15 * time.Second
	sealEvery = time.Second
	signEvery = time.Minute
	sealRows  = 500
	stopTime  = 5 * time.Second
)

// Signing is how the ends of chains are signed, and where the heads are kept beside the database and the log.
type Signing struct {
	Signer *authn.Signer
	Heads  HeadFile
}

// Sealer numbers, chains and signs. Several may run on one database: one of them works, by a lease.
type Sealer struct {
	db      *sqldb.DB
	signing Signing
	holder  string
	logger  *slog.Logger
	clk     clock.Clock

	fence  int64
	until  time.Time // the lease is surely ours until then
	signed time.Time
}

// NewSealer gives a sealer that Run starts. holder names this process and no other, ever.
func NewSealer(db *sqldb.DB, signing Signing, holder string, logger *slog.Logger, clk clock.Clock) *Sealer {
	return &Sealer{db: db, signing: signing, holder: holder, logger: logger, clk: clk}
}

// Run seals every second and signs every minute until ctx ends; then it seals and signs what there is, gives up the
// lease and returns nil. Errors are logged and the work is tried again. An idle database is read only.
func (s *Sealer) Run(ctx context.Context) error {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for failures := 0; ; {
		err := s.work(ctx, s.clk.Now().Sub(s.signed) >= signEvery)
		switch {
		case err == nil || ctx.Err() != nil:
			failures = 0
		case failures&(failures-1) == 0:
			s.logger.WarnContext(ctx, "audit entries wait to be sealed", "attempts", failures+1, "error", err)
			fallthrough
		default:
			failures++
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.stop(context.WithoutCancel(ctx))
			return nil
		}
	}
}

func (s *Sealer) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	err := s.Flush(ctx)
	if s.fence != 0 {
		err = errors.Join(err, sqldb.ReleaseLease(ctx, s.db, lease, s.fence))
		s.fence, s.until = 0, time.Time{}
	}
	if err != nil {
		s.logger.WarnContext(ctx, "audit entries are left unsealed", "error", err)
	}
}

// Flush seals and signs all that there is now, unless another sealer is at work. It must not be called while Run is.
func (s *Sealer) Flush(ctx context.Context) error { return s.work(ctx, true) }

func (s *Sealer) work(ctx context.Context, sign bool) error {
	for {
		waiting, err := s.waiting(ctx, sign)
		if err != nil {
			return err
		}
		if !waiting {
			break
		}
		ours, err := s.acquire(ctx)
		if err != nil || !ours {
			return err
		}
		n, err := s.seal(ctx)
		if err != nil {
			return s.overtaken(err)
		}
		if n == sealRows {
			continue
		}
		if sign {
			if err := s.sign(ctx); err != nil {
				return s.overtaken(err)
			}
		}
		break
	}
	if sign {
		s.signed = s.clk.Now()
	}
	return nil
}

// waiting tells whether there is work, so that an idle database is not written to.
func (s *Sealer) waiting(ctx context.Context, sign bool) (some bool, err error) {
	query := "SELECT EXISTS (SELECT 1 FROM audit_entry WHERE seq IS NULL)"
	if sign {
		query += " OR EXISTS (" + unsigned + ")"
	}
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error { return tx.QueryRow(ctx, query).Scan(&some) })
	if err != nil {
		return false, fmt.Errorf("look for unsealed audit entries: %w", err)
	}
	return some, nil
}

func (s *Sealer) acquire(ctx context.Context) (bool, error) {
	now := s.clk.Now()
	if s.fence != 0 && s.until.Sub(now) > leaseTime/2 {
		return true, nil
	}
	fence, ok, err := sqldb.AcquireLease(ctx, s.db, lease, s.holder, leaseTime)
	s.fence, s.until = fence, now.Add(leaseTime)
	return ok, err
}

// overtaken forgets a lease that another sealer holds by now.
func (s *Sealer) overtaken(err error) error {
	s.fence, s.until = 0, time.Time{}
	return err
}

// seal chains the oldest unsealed entries and tells how many.
func (s *Sealer) seal(ctx context.Context) (n int, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		entries, err := unsealed(ctx, tx)
		n = len(entries)
		if err != nil || n == 0 {
			return err
		}
		chains, err := ends(ctx, tx, entries)
		if err != nil {
			return err
		}
		stmts := []sqldb.Stmt{sqldb.FenceStmt(lease, s.fence)}
		for i, e := range entries {
			end := chains[e.County]
			e.seq = end.Seq + 1
			chains[e.County] = Head{County: e.County, Seq: e.seq, Hash: e.link(end.Hash)}
			entries[i].seq, entries[i].hash = e.seq, chains[e.County].Hash
		}
		stmts = append(stmts, sealStmts(tx.Engine(), entries)...)
		for county, end := range chains {
			stmts = append(stmts, sqldb.Stmt{
				SQL: `INSERT INTO audit_chain (county_code, seq, hash) VALUES ($1, $2, $3)
					ON CONFLICT (county_code) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`,
				Args: []any{county, end.Seq, end.Hash}, Want: 1,
			})
		}
		return tx.Batch(ctx, stmts...)
	})
	if err != nil {
		return 0, fmt.Errorf("seal audit entries: %w", err)
	}
	return n, nil
}

// sealStmts writes numbers and hashes: in one statement where the engine takes lists as arguments.
func sealStmts(engine sqldb.Engine, entries []stored) []sqldb.Stmt {
	if engine == sqldb.Postgres {
		var counties, ids []string
		var seqs []int64
		var hashes [][]byte
		for _, e := range entries {
			counties, ids, seqs, hashes = append(counties, e.County), append(ids, e.id), append(seqs, e.seq), append(hashes, e.hash)
		}
		return []sqldb.Stmt{{
			SQL: `UPDATE audit_entry e SET seq = v.seq, hash = v.hash
				FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) AS v (county_code, id, seq, hash)
				WHERE e.county_code = v.county_code AND e.id = v.id AND e.seq IS NULL`,
			Args: []any{counties, ids, seqs, hashes}, Want: int64(len(entries)),
		}}
	}
	stmts := make([]sqldb.Stmt, len(entries))
	for i, e := range entries {
		stmts[i] = sqldb.Stmt{
			SQL:  "UPDATE audit_entry SET seq = $1, hash = $2 WHERE county_code = $3 AND id = $4 AND seq IS NULL",
			Args: []any{e.seq, e.hash, e.County, e.id}, Want: 1,
		}
	}
	return stmts
}

func unsealed(ctx context.Context, tx *sqldb.Tx) ([]stored, error) {
	rows, err := tx.Query(ctx, "SELECT "+entryColumns+" FROM audit_entry WHERE seq IS NULL ORDER BY entry_time, id LIMIT $1", sealRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []stored
	for rows.Next() {
		var e stored
		if err := rows.Scan(e.fields()...); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// ends finds where the chains of the entries' counties end.
func ends(ctx context.Context, tx *sqldb.Tx, entries []stored) (map[string]Head, error) {
	chains := make(map[string]Head)
	var counties []string
	for _, e := range entries {
		if _, known := chains[e.County]; !known {
			chains[e.County] = Head{County: e.County, Hash: origin()}
			counties = append(counties, e.County)
		}
	}
	in, arg := tx.List("county_code", 1, counties)
	rows, err := tx.Query(ctx, "SELECT county_code, seq, hash FROM audit_chain WHERE "+in+" ORDER BY county_code"+tx.ForUpdate(), arg)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var end Head
		if err := rows.Scan(&end.County, &end.Seq, &end.Hash); err != nil {
			return nil, err
		}
		chains[end.County] = end
	}
	return chains, rows.Err()
}

// unsigned are the ends of chains that have grown since their last head.
const unsigned = `SELECT c.county_code, c.seq, c.hash FROM audit_chain c
	WHERE c.seq > (SELECT coalesce(max(h.seq), 0) FROM audit_head h WHERE h.county_code = c.county_code)`

func (s *Sealer) sign(ctx context.Context) error {
	var heads []Head
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		var err error
		if heads, err = s.grown(ctx, tx); err != nil || len(heads) == 0 {
			return err
		}
		stmts := []sqldb.Stmt{sqldb.FenceStmt(lease, s.fence)}
		for _, h := range heads {
			stmts = append(stmts, sqldb.Stmt{
				SQL: `INSERT INTO audit_head (county_code, seq, hash, sign_time, key_id, signature)
					VALUES ($1, $2, $3, $4, $5, $6)`,
				Args: []any{h.County, h.Seq, h.Hash, h.Time, h.KeyID, h.Signature}, Want: 1,
			})
		}
		return tx.Batch(ctx, stmts...)
	})
	if err != nil {
		return fmt.Errorf("sign audit heads: %w", err)
	}
	for _, h := range heads {
		// The log is the copy that whoever owns the database does not own.
		s.logger.InfoContext(ctx, headMessage, "part", s.signing.Heads.Service, "county", h.County, "seq", h.Seq, "hash", hex.EncodeToString(h.Hash),
			"head", h.Time.Format(time.RFC3339Nano), "key_id", h.KeyID, "signature", hex.EncodeToString(h.Signature))
	}
	if err := s.signing.Heads.Append(heads...); err != nil {
		// The heads stand in the database and in the log; the next ones cover these.
		s.logger.ErrorContext(ctx, "audit heads are missing in their file", "error", err)
	}
	return nil
}

func (s *Sealer) grown(ctx context.Context, tx *sqldb.Tx) ([]Head, error) {
	rows, err := tx.Query(ctx, unsigned)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	keyID, _ := s.signing.Signer.Public()
	var heads []Head
	for rows.Next() {
		h := Head{Time: tx.Now(), KeyID: keyID}
		if err := rows.Scan(&h.County, &h.Seq, &h.Hash); err != nil {
			return nil, err
		}
		h.Signature = s.signing.Signer.SignBytes(headPurpose, h.statement())
		heads = append(heads, h)
	}
	return heads, rows.Err()
}
