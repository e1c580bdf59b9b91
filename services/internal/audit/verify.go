package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

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
	SignTime time.Time
	Unsealed int64 // entries that have no number yet
	// OldestUnsealed is the zero time if there is none. More than some seconds means that no sealer works.
	OldestUnsealed time.Time
	// Late counts entries that say they are more than lateBy older than one sealed before them: a clock that jumped, or
	// an entry slipped in afterwards.
	Late int64
	// Archived: all up to this number is in archives, of which the last has this hash.
	Archived    int64
	ArchiveFile []byte
	Problems    []Problem // the first maxProblems
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
	return Check{Keys: keys, Known: known}.Run(ctx, db)
}

// Check is a Verify that can be watched.
type Check struct {
	Keys  Keys
	Known []Head
	// Progress is told up to which number a county's chain is checked and where it ends; may be nil.
	Progress func(county string, checked, end int64)
}

// partSize is how many entries are checked in one transaction.
const partSize = 5000

// Run is Verify.
func (c Check) Run(ctx context.Context, db *sqldb.DB) (Report, error) {
	counties, err := allCounties(ctx, db)
	if err != nil {
		return Report{}, fmt.Errorf("verify audit: %w", err)
	}
	for _, h := range c.Known {
		counties = append(counties, h.County)
	}
	slices.Sort(counties)
	var report Report
	for _, county := range slices.Compact(counties) {
		total := CountyReport{County: county}
		for at, done := (Position{}), false; !done; {
			part, err := VerifyPart(ctx, db, Chain{County: county, Keys: c.Keys, Known: c.Known, Limit: partSize}, at)
			if err != nil {
				return Report{}, err
			}
			total.add(part.CountyReport)
			at, done = part.Next, part.Done
			if c.Progress != nil {
				c.Progress(county, at.Seq, part.End)
			}
		}
		report.Counties = append(report.Counties, total)
	}
	return report, nil
}

func (c *CountyReport) add(part CountyReport) {
	c.Sealed += part.Sealed
	if part.Archived > 0 {
		c.Archived, c.ArchiveFile = part.Archived, part.ArchiveFile
	}
	c.Signed = max(c.Signed, part.Signed)
	if part.SignTime.After(c.SignTime) {
		c.SignTime = part.SignTime
	}
	c.Unsealed, c.OldestUnsealed = part.Unsealed, part.OldestUnsealed
	c.Late += part.Late
	c.Problems = append(c.Problems, part.Problems...)
	c.Problems = c.Problems[:min(maxProblems, len(c.Problems))]
}

// Chain is one county's chain and what it is held against.
type Chain struct {
	County string
	Keys   Keys
	// Known are heads from outside of the database; those of other counties do not count.
	Known []Head
	// Limit is how many entries a part has at most.
	Limit int
}

// Position is a place in a chain. The zero Position is its beginning.
type Position struct {
	Seq  int64
	Hash []byte
	// Latest is the latest time before it, for CountyReport.Late.
	Latest time.Time
}

// Part is what VerifyPart found.
type Part struct {
	CountyReport
	// Next is where to go on, unless Done.
	Next Position
	Done bool
	// End is the number at which the chain ends.
	End int64
}

// VerifyPart checks the entries of a chain from a place on, up to the limit. What it finds counts as long as the parts before are as they were.
func VerifyPart(ctx context.Context, db *sqldb.DB, c Chain, from Position) (Part, error) {
	v := verifier{county: c.County, from: from}
	if from.Seq == 0 {
		v.from.Hash = origin()
		if err := v.archived(ctx, db, c.Keys); err != nil {
			return Part{}, fmt.Errorf("verify audit of county %s: %w", c.County, err)
		}
	}
	part, err := v.part(ctx, db, c)
	if err != nil {
		return Part{}, fmt.Errorf("verify audit of county %s: %w", c.County, err)
	}
	return part, nil
}

func (v *verifier) storedHeads(ctx context.Context, tx *sqldb.Tx) (heads []Head, err error) {
	rows, err := tx.Query(ctx, `SELECT county_code, seq, hash, sign_time, key_id, signature FROM audit_head
		WHERE county_code = $1 AND seq > $2 AND seq <= $3 ORDER BY seq`, v.county, v.from.Seq, v.upto)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h Head
		if err := rows.Scan(&h.County, &h.Seq, &h.Hash, &h.Time, &h.KeyID, &h.Signature); err != nil {
			return nil, err
		}
		heads = append(heads, h)
	}
	return heads, rows.Err()
}

func allCounties(ctx context.Context, db *sqldb.DB) (counties []string, err error) {
	err = db.View(ctx, func(tx *sqldb.Tx) error {
		counties = nil
		rows, err := tx.Query(ctx, `SELECT county_code FROM audit_chain UNION SELECT county_code FROM audit_entry UNION SELECT county_code FROM audit_head`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var county string
			if err := rows.Scan(&county); err != nil {
				return err
			}
			counties = append(counties, county)
		}
		return rows.Err()
	})
	return counties, err
}

// verifier checks the entries after from up to the number upto.
type verifier struct {
	county string
	from   Position
	upto   int64
	last   bool
	// before is what was archived, early what is wrong with it.
	before Archived
	early  []Problem
	tx     *sqldb.Tx
	report CountyReport
}

// bound finds where the part ends: at its limit, or, as the last part, at the end of everything.
func (v *verifier) bound(ctx context.Context, tx *sqldb.Tx, limit int) error {
	var n int
	var upto sql.NullInt64
	err := tx.QueryRow(ctx, `SELECT count(*), max(seq) FROM (SELECT seq FROM audit_entry
		WHERE county_code = $1 AND seq > $2 ORDER BY seq LIMIT $3) part`, v.county, v.floor(), limit).Scan(&n, &upto)
	v.upto, v.last = upto.Int64, n < limit
	if v.last {
		v.upto = math.MaxInt64
	}
	return err
}

// floor lets the first part see numbers below 1, which no sealer gives.
func (v *verifier) floor() int64 {
	if v.from.Seq == 0 {
		return math.MinInt64
	}
	return v.from.Seq
}

func (v *verifier) part(ctx context.Context, db *sqldb.DB, c Chain) (Part, error) {
	// Heads first: keys may come from afar, and a chain read later than its heads only reaches further.
	var heads []Head
	err := db.View(ctx, func(tx *sqldb.Tx) error {
		err := v.bound(ctx, tx, c.Limit)
		if err != nil {
			return err
		}
		heads, err = v.storedHeads(ctx, tx)
		return err
	})
	if err != nil {
		return Part{}, err
	}
	for _, h := range c.Known {
		if h.County == v.county && h.Seq > v.from.Seq && h.Seq <= v.upto {
			heads = append(heads, h)
		}
	}
	found, err := findKeys(ctx, c.Keys, heads)
	if err != nil {
		return Part{}, err
	}
	var part Part
	err = db.View(ctx, func(tx *sqldb.Tx) error {
		v.tx, v.report = tx, CountyReport{County: v.county, Archived: v.before.ToSeq, ArchiveFile: v.before.FileHash, Signed: v.before.ToSeq, SignTime: v.before.Time, Problems: slices.Clone(v.early)}
		part, err = v.run(ctx, v.good(heads, found))
		return err
	})
	return part, err
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

func (v *verifier) run(ctx context.Context, heads []Head) (Part, error) {
	last, latest, err := v.walk(ctx, heads)
	if err != nil {
		return Part{}, err
	}
	end := Head{Hash: origin()}
	err = v.tx.QueryRow(ctx, "SELECT seq, hash FROM audit_chain WHERE county_code = $1", v.county).Scan(&end.Seq, &end.Hash)
	if err != nil && !sqldb.NoRows(err) {
		return Part{}, err
	}
	if v.last {
		if end.Seq != last.seq || !bytes.Equal(end.Hash, last.hash) {
			v.problem(ProblemEnd, end.Seq, last.id)
		}
		for _, h := range heads {
			if h.Seq > last.seq {
				v.problem(ProblemLost, h.Seq, "")
			}
		}
	}
	if err := v.tail(ctx); err != nil {
		return Part{}, err
	}
	return Part{CountyReport: v.report, Next: Position{Seq: last.seq, Hash: last.hash, Latest: latest}, Done: v.last, End: end.Seq}, nil
}

// walk goes along the chain and answers its last entry. After a problem it goes on from what is stored, so that one
// change is one problem.
func (v *verifier) walk(ctx context.Context, heads []Head) (last stored, latest time.Time, err error) {
	rows, err := v.tx.Query(ctx, "SELECT "+entryColumns+`, seq, hash FROM audit_entry
		WHERE county_code = $1 AND seq > $2 AND seq <= $3 ORDER BY seq`, v.county, v.floor(), v.upto)
	if err != nil {
		return stored{}, latest, err
	}
	defer rows.Close()
	at := make(map[int64][]Head, len(heads))
	for _, h := range heads {
		at[h.Seq] = append(at[h.Seq], h)
	}
	last.seq, last.hash, latest = v.from.Seq, v.from.Hash, v.from.Latest
	for rows.Next() {
		var e stored
		if err := rows.Scan(append(e.fields(), &e.seq, &e.hash)...); err != nil {
			return stored{}, latest, err
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
	return last, latest, rows.Err()
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
			if h.Time.After(v.report.SignTime) {
				v.report.SignTime = h.Time
			}
		}
	}
}

func (v *verifier) tail(ctx context.Context) error {
	err := v.tx.QueryRow(ctx, "SELECT count(*) FROM audit_entry WHERE county_code = $1 AND seq IS NULL",
		v.county).Scan(&v.report.Unsealed)
	if err != nil || v.report.Unsealed == 0 {
		return err
	}
	return v.tx.QueryRow(ctx, `SELECT entry_time FROM audit_entry WHERE county_code = $1 AND seq IS NULL
		ORDER BY entry_time LIMIT 1`, v.county).Scan(&v.report.OldestUnsealed)
}
