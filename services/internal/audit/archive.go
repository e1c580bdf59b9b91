package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Archived is a part of a county's chain that is in a file: the entries behind From up to To.
type Archived struct {
	Service, County string
	FromSeq         int64
	FromHash        []byte
	ToSeq           int64
	ToHash          []byte
	Entries         int64
	// FileHash is of the file's lines but the last, which is this.
	FileHash  []byte
	Time      time.Time
	KeyID     string
	Signature []byte
}

const archivePurpose = "tongzhen audit archive 1"

// statement is what is signed. What is in the database names neither service nor beginning: the hash of the file does.
func (a Archived) statement() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(a.ToSeq))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Entries))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Time.UnixMicro()))
	for _, part := range [][]byte{a.ToHash, a.FileHash} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return append(b, a.County...)
}

func (a Archived) signed(keys map[string]ed25519.PublicKey) bool {
	return authn.VerifyBytes(keys[a.KeyID], archivePurpose, a.statement(), a.Signature)
}

// ErrNothingToArchive: no signed part of the chain is as old as was asked for.
var ErrNothingToArchive = errors.New("no signed part of the audit record is that old")

// lastArchived is the newest row of a county; the zero Archived is the beginning of the chain.
func lastArchived(ctx context.Context, tx *sqldb.Tx, county string) (Archived, error) {
	a := Archived{County: county, ToHash: origin()}
	err := tx.QueryRow(ctx, `SELECT seq, hash, file_hash, entries, archive_time, key_id, signature FROM audit_archive
		WHERE county_code = $1 ORDER BY seq DESC LIMIT 1`, county).Scan(&a.ToSeq, &a.ToHash, &a.FileHash, &a.Entries, &a.Time, &a.KeyID, &a.Signature)
	if sqldb.NoRows(err) {
		return a, nil
	}
	return a, err
}

// next is the part of a chain that can be archived: from where the last archive ended to the newest head that was signed before the time.
// What a head covers was there when it was signed, so that all of it is older.
func next(ctx context.Context, tx *sqldb.Tx, county string, before time.Time) (from Archived, to Head, err error) {
	if from, err = lastArchived(ctx, tx, county); err != nil {
		return from, to, err
	}
	to.County = county
	err = tx.QueryRow(ctx, `SELECT seq, hash, sign_time FROM audit_head WHERE county_code = $1 AND sign_time < $2 AND seq > $3 ORDER BY seq DESC LIMIT 1`,
		county, before, from.ToSeq).Scan(&to.Seq, &to.Hash, &to.Time)
	if sqldb.NoRows(err) {
		err = ErrNothingToArchive
	}
	return from, to, err
}

// Forget takes the entries and heads of an archive out of the database, and leaves the signed row by which Verify goes on behind them. Whoever
// calls has read the file back. The entry about it is written by by. It refuses when the database holds something else than the archive.
func Forget(ctx context.Context, db *sqldb.DB, a Archived, by Entry) error {
	err := db.Update(ctx, func(tx *sqldb.Tx) error {
		last, err := lastArchived(ctx, tx, a.County)
		if err != nil {
			return err
		}
		if last.ToSeq != a.FromSeq || !bytes.Equal(last.ToHash, a.FromHash) {
			return errors.New("the archive does not begin where the last one ended")
		}
		by.County, by.Action, by.ObjectType = a.County, "audit.archive", "audit"
		by.Detail = fmt.Sprintf("%d to %d", a.FromSeq+1, a.ToSeq)
		return tx.Batch(ctx,
			sqldb.Stmt{
				SQL: `INSERT INTO audit_archive (county_code, seq, hash, file_hash, entries, archive_time, key_id, signature)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				Args: []any{a.County, a.ToSeq, a.ToHash, a.FileHash, a.Entries, a.Time, a.KeyID, a.Signature}, Want: 1,
			},
			sqldb.Stmt{SQL: "DELETE FROM audit_entry WHERE county_code = $1 AND seq <= $2", Args: []any{a.County, a.ToSeq}, Want: a.Entries},
			sqldb.Stmt{SQL: "DELETE FROM audit_head WHERE county_code = $1 AND seq <= $2", Args: []any{a.County, a.ToSeq}, Want: -1},
			Stmt(by, id.New(), tx.Now()),
		)
	})
	if err != nil {
		return fmt.Errorf("take archived audit entries of county %s out: %w", a.County, err)
	}
	return nil
}

// Knows tells whether the database was told of this archive.
func Knows(ctx context.Context, db *sqldb.DB, a Archived) (known bool, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM audit_archive WHERE county_code = $1 AND seq = $2 AND hash = $3 AND file_hash = $4)`,
			a.County, a.ToSeq, a.ToHash, a.FileHash).Scan(&known)
	})
	if err != nil {
		return false, fmt.Errorf("look for the archive of county %s: %w", a.County, err)
	}
	return known, nil
}

// archived lets the first part begin behind what was archived. A row that nobody signed covers nothing: then the numbers before are missing. Entries
// that stand before an archive's end were put there afterwards.
func (v *verifier) archived(ctx context.Context, db *sqldb.DB, keys Keys) error {
	var a Archived
	var slipped *int64
	err := db.View(ctx, func(tx *sqldb.Tx) (err error) {
		if a, err = lastArchived(ctx, tx, v.county); err != nil || a.ToSeq == 0 {
			return err
		}
		return tx.QueryRow(ctx, "SELECT min(seq) FROM audit_entry WHERE county_code = $1 AND seq <= $2", v.county, a.ToSeq).Scan(&slipped)
	})
	if err != nil || a.ToSeq == 0 {
		return err
	}
	found, err := findKeys(ctx, keys, []Head{{KeyID: a.KeyID}})
	if err != nil {
		return err
	}
	if !a.signed(found) {
		v.early = append(v.early, Problem{Kind: ProblemSignature, Seq: a.ToSeq})
		return nil
	}
	if slipped != nil {
		v.early = append(v.early, Problem{Kind: ProblemChanged, Seq: *slipped})
	}
	v.from, v.before = Position{Seq: a.ToSeq, Hash: a.ToHash}, a
	return nil
}
