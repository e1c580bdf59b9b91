// Package audit records who did and who saw what, so that a later change of the record is found.
//
// It owns the entries, which are written in the transaction of what they record (a read writes its entry before it
// answers), the chain that a sealer lays over them, the signed heads of that chain, and their verification. It refuses
// to decide what is worth an entry, and to hold patient data: entries carry ids and kinds.
//
// Invariants:
//  1. Entries are only ever added; the one later change is that the sealer gives each its number and hash. What a signed archive holds, which was
//     read back, may leave the database: Forget leaves a signed row by which Verify goes on.
//  2. The numbers of a county are 1, 2, 3 … without a gap, and hash n = SHA-256(hash n-1 ‖ canonical entry n).
//  3. Every minute and at stop the end of each chain is signed with a key that the database does not hold, and written
//     to the log. Whoever changes, deletes, adds or reorders what lies before a signed head is found by Verify; who
//     deletes the end of everything, heads too, is found when Verify is given a head from the log.
//
// What nothing can show: a change of an entry before it was sealed (about a second), and a rewritten chain end that was
// not signed yet (about a minute). Verify reports both lengths.
package audit

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables audit_entry, audit_chain, audit_head and audit_archive.
var Migrations = sqldb.MigrationSet{Name: "audit", FS: files}

// Entry is one thing that somebody did or saw. Ids and kinds only.
type Entry struct {
	County         string
	AccountID      string // or "service:<name>"
	OrganizationID string
	Action         string // e.g. "referral.submit", "record.read"
	ObjectType     string
	ObjectID       string
	PatientID      string // the patient concerned, empty if none
	Detail         string // kinds that say more: the purpose, the reason's code
}

// Stmt writes the entry; put it into the batch of what it records. entryID is new for every entry, now is Tx.Now.
func Stmt(e Entry, entryID string, now time.Time) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO audit_entry (county_code, id, entry_time, account_id, organization_id, action, object_type,
			object_id, patient_id, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		Args: []any{
			e.County, entryID, now.UTC().Truncate(time.Microsecond), e.AccountID, e.OrganizationID, e.Action, e.ObjectType,
			e.ObjectID, e.PatientID, e.Detail,
		},
		Want: 1,
	}
}

// Append writes the entry in tx.
func Append(ctx context.Context, tx *sqldb.Tx, e Entry) error {
	if err := tx.Batch(ctx, Stmt(e, id.New(), tx.Now())); err != nil {
		return fmt.Errorf("append audit entry: %w", err)
	}
	return nil
}

// stored is an entry with its place in the chain.
type stored struct {
	Entry
	id   string
	time time.Time
	seq  int64
	hash []byte
}

// link is the hash that binds the entry to all before it. Every text goes in with its length, so that no two entries
// have the same bytes.
func (s stored) link(prev []byte) []byte {
	h := sha256.New()
	write := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	write([]byte("tongzhen audit 1"))
	write(prev)
	var numbers [16]byte
	binary.BigEndian.PutUint64(numbers[:8], uint64(s.seq))
	binary.BigEndian.PutUint64(numbers[8:], uint64(s.time.UnixMicro()))
	write(numbers[:])
	for _, text := range []string{
		s.County, s.id, s.AccountID, s.OrganizationID, s.Action, s.ObjectType, s.ObjectID, s.PatientID, s.Detail,
	} {
		write([]byte(text))
	}
	return h.Sum(nil)
}

// origin is what the first entry of a chain is bound to.
func origin() []byte { return make([]byte, sha256.Size) }

// Head is the signed end of one county's chain.
type Head struct {
	County    string
	Seq       int64
	Hash      []byte
	Time      time.Time
	KeyID     string
	Signature []byte
}

const headPurpose = "tongzhen audit head 1"

// statement is what is signed.
func (h Head) statement() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(h.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Time.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(len(h.Hash)))
	b = append(b, h.Hash...)
	return append(b, h.County...)
}

const entryColumns = `county_code, id, entry_time, account_id, organization_id, action, object_type, object_id, patient_id, detail`

func (s *stored) fields() []any {
	return []any{
		&s.County, &s.id, &s.time, &s.AccountID, &s.OrganizationID, &s.Action, &s.ObjectType, &s.ObjectID, &s.PatientID, &s.Detail,
	}
}
