package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Keys finds the public half of a signing key by its id.
type Keys func(ctx context.Context, keyID string) (ed25519.PublicKey, error)

// The kinds of problems.
const (
	ProblemMissing   = "MISSING"   // no entry has this number
	ProblemChanged   = "CHANGED"   // the entry, or its hash, is not what was sealed
	ProblemEnd       = "END"       // the entries end elsewhere than the chain
	ProblemHead      = "HEAD"      // a signed head says something else than the chain at this number
	ProblemSignature = "SIGNATURE" // the head's signature is not right, or its key is unknown
	ProblemLost      = "LOST"      // a head known from elsewhere is beyond the end of the chain
)

// Problem is a place where the record is not what it was.
type Problem struct {
	Kind string
	Seq  int64
	ID   string // of the entry, if there is one
}

// CountyReport is what Verify found for one county.
type CountyReport struct {
	County   string
	Sealed   int64 // entries in the chain
	Signed   int64 // up to this number the chain is covered by a good signature
	Unsealed int64 // entries that have no number yet
	// OldestUnsealed is the zero time if there is none. More than some seconds means that no sealer works.
	OldestUnsealed time.Time
	// Late counts entries that say they are more than lateBy older than one sealed before them: a clock that jumped, or
	// an entry slipped in afterwards.
	Late     int64
	Problems []Problem // the first maxProblems
}

const (
	lateBy      = 10 * time.Minute
	maxProblems = 100
)

// Report is what Verify found, by county.
type Report struct{ Counties []CountyReport }

// OK tells that no county has a problem.
func (r Report) OK() bool {
	for _, c := range r.Counties {
		if len(c.Problems) > 0 {
			return false
		}
	}
	return true
}

// Verify walks all chains, checks all signatures and reports what lies outside of both. known are heads from the log:
// they find a record that was cut off together with its heads. An error means that it could not look, not that
// something is wrong. It may run at any time, beside a sealer too.
func Verify(ctx context.Context, db *sqldb.DB, keys Keys, known ...Head) (Report, error) {
	// Heads first: keys may come from afar, and a chain read later than its heads only reaches further.
	heads, err := storedHeads(ctx, db)
	if err != nil {
		return Report{}, fmt.Errorf("verify audit: %w", err)
	}
	heads = append(heads, known...)
	found, err := findKeys(ctx, keys, heads)
	if err != nil {
		return Report{}, fmt.Errorf("verify audit: %w", err)
	}
	var report Report
	err = db.View(ctx, func(tx *sqldb.Tx) error {
		counties, err := allCounties(ctx, tx)
		if err != nil {
			return err
		}
		byCounty := make(map[string][]Head)
		for _, h := range heads {
			byCounty[h.County] = append(byCounty[h.County], h)
			counties = append(counties, h.County)
		}
		slices.Sort(counties)
		for _, county := range slices.Compact(counties) {
			v := verifier{tx: tx, report: CountyReport{County: county}}
			if err := v.run(ctx, v.good(byCounty[county], found)); err != nil {
				return err
			}
			report.Counties = append(report.Counties, v.report)
		}
		return nil
	})
	if err != nil {
		return Report{}, fmt.Errorf("verify audit: %w", err)
	}
	return report, nil
}

// findKeys looks up the key of every head once. An unknown key is nil, which fits no signature.
func findKeys(ctx context.Context, keys Keys, heads []Head) (map[string]ed25519.PublicKey, error) {
	found := make(map[string]ed25519.PublicKey)
	for _, h := range heads {
		if _, asked := found[h.KeyID]; asked {
			continue
		}
		key, err := keys(ctx, h.KeyID)
		if err != nil {
			if errs.KindOf(err) == errs.KindUnavailable {
				return nil, fmt.Errorf("find key %s: %w", h.KeyID, err)
			}
			key = nil
		}
		found[h.KeyID] = key
	}
	return found, nil
}

func storedHeads(ctx context.Context, db *sqldb.DB) (heads []Head, err error) {
	err = db.View(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT county_code, seq, hash, sign_time, key_id, signature FROM audit_head
			ORDER BY county_code, seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h Head
			if err := rows.Scan(&h.County, &h.Seq, &h.Hash, &h.Time, &h.KeyID, &h.Signature); err != nil {
				return err
			}
			heads = append(heads, h)
		}
		return rows.Err()
	})
	return heads, err
}

func allCounties(ctx context.Context, tx *sqldb.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT county_code FROM audit_chain UNION SELECT county_code FROM audit_entry`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var counties []string
	for rows.Next() {
		var county string
		if err := rows.Scan(&county); err != nil {
			return nil, err
		}
		counties = append(counties, county)
	}
	return counties, rows.Err()
}

type verifier struct {
	tx     *sqldb.Tx
	report CountyReport
}

func (v *verifier) problem(kind string, seq int64, id string) {
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, Problem{Kind: kind, Seq: seq, ID: id})
	}
}

// good are the heads whose signature is right.
func (v *verifier) good(heads []Head, keys map[string]ed25519.PublicKey) []Head {
	var out []Head
	for _, h := range heads {
		if !authn.VerifyBytes(keys[h.KeyID], headPurpose, h.statement(), h.Signature) {
			v.problem(ProblemSignature, h.Seq, "")
			continue
		}
		out = append(out, h)
	}
	return out
}

func (v *verifier) run(ctx context.Context, heads []Head) error {
	last, err := v.walk(ctx, heads)
	if err != nil {
		return err
	}
	end := Head{Hash: origin()}
	err = v.tx.QueryRow(ctx, "SELECT seq, hash FROM audit_chain WHERE county_code = $1", v.report.County).Scan(&end.Seq, &end.Hash)
	if err != nil && !sqldb.NoRows(err) {
		return err
	}
	if end.Seq != last.seq || !bytes.Equal(end.Hash, last.hash) {
		v.problem(ProblemEnd, end.Seq, last.id)
	}
	for _, h := range heads {
		if h.Seq > last.seq {
			v.problem(ProblemLost, h.Seq, "")
		}
	}
	return v.tail(ctx)
}

// walk goes along the chain and answers its last entry. After a problem it goes on from what is stored, so that one
// change is one problem.
func (v *verifier) walk(ctx context.Context, heads []Head) (last stored, err error) {
	rows, err := v.tx.Query(ctx, "SELECT "+entryColumns+`, seq, hash FROM audit_entry
		WHERE county_code = $1 AND seq IS NOT NULL ORDER BY seq`, v.report.County)
	if err != nil {
		return stored{}, err
	}
	defer rows.Close()
	at := make(map[int64][]Head, len(heads))
	for _, h := range heads {
		at[h.Seq] = append(at[h.Seq], h)
	}
	last.hash = origin()
	var latest time.Time
	for rows.Next() {
		var e stored
		if err := rows.Scan(append(e.fields(), &e.seq, &e.hash)...); err != nil {
			return stored{}, err
		}
		v.compare(last, e, at[e.seq])
		if e.time.Before(latest.Add(-lateBy)) {
			v.report.Late++
		}
		if e.time.After(latest) {
			latest = e.time
		}
		v.report.Sealed++
		last = e
	}
	return last, rows.Err()
}

func (v *verifier) compare(prev, e stored, heads []Head) {
	switch {
	case e.seq != prev.seq+1:
		v.problem(ProblemMissing, prev.seq+1, "")
	case !bytes.Equal(e.link(prev.hash), e.hash):
		v.problem(ProblemChanged, e.seq, e.id)
	}
	for _, h := range heads {
		if !bytes.Equal(h.Hash, e.hash) {
			v.problem(ProblemHead, h.Seq, e.id)
		} else {
			v.report.Signed = max(v.report.Signed, h.Seq)
		}
	}
}

func (v *verifier) tail(ctx context.Context) error {
	err := v.tx.QueryRow(ctx, "SELECT count(*) FROM audit_entry WHERE county_code = $1 AND seq IS NULL",
		v.report.County).Scan(&v.report.Unsealed)
	if err != nil || v.report.Unsealed == 0 {
		return err
	}
	return v.tx.QueryRow(ctx, `SELECT entry_time FROM audit_entry WHERE county_code = $1 AND seq IS NULL
		ORDER BY entry_time LIMIT 1`, v.report.County).Scan(&v.report.OldestUnsealed)
}
