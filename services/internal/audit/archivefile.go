package audit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// archiveLine is one line of an archive: JSON, one of the four. The first is the beginning, the last the end.
type archiveLine struct {
	Begin *archiveEdge  `json:"archive,omitempty"`
	Entry *archiveEntry `json:"entry,omitempty"`
	Head  *headLine     `json:"head,omitempty"`
	End   *archiveEdge  `json:"end,omitempty"`
}

type archiveEdge struct {
	Service   string    `json:"service"`
	County    string    `json:"county"`
	Seq       int64     `json:"seq"`
	Hash      string    `json:"hash"`
	Entries   int64     `json:"entries,omitempty"`
	FileHash  string    `json:"fileHash,omitempty"`
	Time      time.Time `json:"time,omitzero"`
	KeyID     string    `json:"keyId,omitempty"`
	Signature string    `json:"signature,omitempty"`
}

type archiveEntry struct {
	Seq          int64     `json:"seq"`
	ID           string    `json:"id"`
	Time         time.Time `json:"time"`
	Account      string    `json:"account,omitempty"`
	Organization string    `json:"organization,omitempty"`
	Action       string    `json:"action"`
	ObjectType   string    `json:"objectType,omitempty"`
	ObjectID     string    `json:"objectId,omitempty"`
	Patient      string    `json:"patient,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	Hash         string    `json:"hash"`
}

// Archiving is what WriteArchive writes: of one service's database, what of a county's chain was signed before a time.
type Archiving struct {
	Service, County string
	Before          time.Time
	Signer          *authn.Signer
	Now             time.Time
}

// lineWriter writes lines and hashes them.
type lineWriter struct {
	out io.Writer
	sum hash.Hash
}

func (w lineWriter) write(l archiveLine) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	w.sum.Write(text)
	_, err = w.out.Write(text)
	return err
}

// WriteArchive writes the part and changes nothing in the database. ErrNothingToArchive when there is none.
func WriteArchive(ctx context.Context, db *sqldb.DB, in Archiving, out io.Writer) (Archived, error) {
	var from Archived
	var to Head
	err := db.View(ctx, func(tx *sqldb.Tx) (err error) {
		from, to, err = next(ctx, tx, in.County, in.Before)
		return err
	})
	if err != nil {
		return Archived{}, err
	}
	w := lineWriter{out, sha256.New()}
	a := Archived{
		Service: in.Service, County: in.County, FromSeq: from.ToSeq, FromHash: from.ToHash, ToSeq: to.Seq, ToHash: to.Hash,
		Time: in.Now.UTC().Truncate(time.Microsecond),
	}
	begin := archiveEdge{Service: in.Service, County: in.County, Seq: a.FromSeq, Hash: hex.EncodeToString(a.FromHash)}
	if err := w.write(archiveLine{Begin: &begin}); err != nil {
		return a, fmt.Errorf("write audit archive: %w", err)
	}
	for at := a.FromSeq; at < a.ToSeq; {
		n, last, err := writePart(ctx, db, w, part{in, at, min(at+partSize, a.ToSeq)})
		if err != nil {
			return a, fmt.Errorf("write audit archive: %w", err)
		}
		a.Entries, at = a.Entries+n, last
	}
	a.FileHash = w.sum.Sum(nil)
	a.KeyID, _ = in.Signer.Public()
	a.Signature = in.Signer.SignBytes(archivePurpose, a.statement())
	end := archiveEdge{
		Service: in.Service, County: in.County, Seq: a.ToSeq, Hash: hex.EncodeToString(a.ToHash), Entries: a.Entries,
		FileHash: hex.EncodeToString(a.FileHash), Time: a.Time, KeyID: a.KeyID, Signature: hex.EncodeToString(a.Signature),
	}
	if err := w.write(archiveLine{End: &end}); err != nil {
		return a, fmt.Errorf("write audit archive: %w", err)
	}
	return a, nil
}

type part struct {
	Archiving
	after, upto int64
}

// writePart writes the entries of some numbers, then the heads that were signed over them.
func writePart(ctx context.Context, db *sqldb.DB, w lineWriter, p part) (n, last int64, err error) {
	var lines []archiveLine
	err = db.View(ctx, func(tx *sqldb.Tx) (err error) {
		lines, n, err = p.lines(ctx, tx)
		return err
	})
	for _, l := range lines {
		err = errors.Join(err, w.write(l))
	}
	return n, p.upto, err
}

func (p part) lines(ctx context.Context, tx *sqldb.Tx) (lines []archiveLine, n int64, err error) {
	rows, err := tx.Query(ctx, "SELECT "+entryColumns+", seq, hash FROM audit_entry WHERE county_code = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",
		p.County, p.after, p.upto)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var e stored
		if err := rows.Scan(append(e.fields(), &e.seq, &e.hash)...); err != nil {
			return nil, 0, err
		}
		lines, n = append(lines, archiveLine{Entry: lineOfEntry(e)}), n+1
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	v := verifier{county: p.County, from: Position{Seq: p.after}, upto: p.upto}
	heads, err := v.storedHeads(ctx, tx)
	for _, h := range heads {
		line := lineOf(p.Service, h)
		lines = append(lines, archiveLine{Head: &line})
	}
	return lines, n, err
}

func lineOfEntry(e stored) *archiveEntry {
	return &archiveEntry{
		Seq: e.seq, ID: e.id, Time: e.time.UTC(), Account: e.AccountID, Organization: e.OrganizationID, Action: e.Action, ObjectType: e.ObjectType,
		ObjectID: e.ObjectID, Patient: e.PatientID, Detail: e.Detail, Hash: hex.EncodeToString(e.hash),
	}
}

func (l archiveEntry) stored(county string) (stored, error) {
	hash, err := hex.DecodeString(l.Hash)
	return stored{
		Entry: Entry{
			County: county, AccountID: l.Account, OrganizationID: l.Organization, Action: l.Action, ObjectType: l.ObjectType, ObjectID: l.ObjectID,
			PatientID: l.Patient, Detail: l.Detail,
		}, id: l.ID, time: l.Time, seq: l.Seq, hash: hash,
	}, err
}

// ReadArchive checks an archive by itself: the chain from its beginning to its end, every head, and the signature over the whole. An error means
// that it is no archive, or cut off; what was changed is a problem. known are heads from elsewhere.
func ReadArchive(ctx context.Context, in io.Reader, keys Keys, known ...Head) (Archived, []Problem, error) {
	r := archiveReader{sum: sha256.New(), keys: keys, known: known}
	lines := bufio.NewReader(in)
	for r.end == nil {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return r.a, r.problems(), errors.New("read audit archive: it is cut off")
		}
		if err := r.line(ctx, text); err != nil {
			return r.a, r.problems(), fmt.Errorf("read audit archive: line %d: %w", r.n, err)
		}
	}
	if _, err := lines.ReadByte(); err == nil {
		return r.a, r.problems(), errors.New("read audit archive: something follows its end")
	}
	err := r.close(ctx)
	return r.a, r.problems(), err
}

type archiveReader struct {
	a     Archived
	n     int
	sum   hash.Hash
	keys  Keys
	known []Head
	last  stored
	v     verifier
	// recent are the hashes of the entries of a part, by number: its heads follow them.
	recent map[int64][]byte
	headed bool
	end    *archiveEdge
}

func (r *archiveReader) problems() []Problem { return r.v.report.Problems }

func (r *archiveReader) line(ctx context.Context, text []byte) error {
	r.n++
	var l archiveLine
	if err := json.Unmarshal(text, &l); err != nil {
		return errors.New("not a line of an archive")
	}
	if l.End == nil {
		r.sum.Write(text)
	}
	switch {
	case (r.n == 1) != (l.Begin != nil):
		return errors.New("an archive begins with its beginning, once")
	case l.Begin != nil:
		return r.begin(*l.Begin)
	case l.Entry != nil:
		e, err := l.Entry.stored(r.a.County)
		if err != nil {
			return errors.New("a hash is not hexadecimal")
		}
		if r.headed {
			clear(r.recent)
			r.headed = false
		}
		r.recent[e.seq] = e.hash
		r.v.compare(r.last, e, ofSeq(r.known, r.a.County, e.seq))
		r.last, r.a.Entries = e, r.a.Entries+1
	case l.Head != nil:
		return r.head(ctx, *l.Head)
	case l.End != nil:
		r.end = l.End
	default:
		return errors.New("an empty line")
	}
	return nil
}

func ofSeq(heads []Head, county string, seq int64) (out []Head) {
	for _, h := range heads {
		if h.County == county && h.Seq == seq {
			out = append(out, h)
		}
	}
	return out
}

func (r *archiveReader) begin(b archiveEdge) (err error) {
	r.a = Archived{Service: b.Service, County: b.County, FromSeq: b.Seq}
	r.a.FromHash, err = hex.DecodeString(b.Hash)
	r.last = stored{seq: b.Seq, hash: r.a.FromHash}
	r.v, r.recent = verifier{county: b.County}, map[int64][]byte{}
	return err
}

func (r *archiveReader) head(ctx context.Context, l headLine) error {
	h, err := l.head()
	if err != nil {
		return err
	}
	found, err := findKeys(ctx, r.keys, []Head{h})
	if err != nil {
		return err
	}
	r.headed = true
	if len(r.v.good([]Head{h}, found)) == 1 && !bytes.Equal(r.recent[h.Seq], h.Hash) {
		r.v.problem(ProblemHead, h.Seq, "")
	}
	return nil
}

// close holds the end against what was read.
func (r *archiveReader) close(ctx context.Context) error {
	e := r.end
	var hashErr, fileErr, signErr error
	r.a.ToSeq, r.a.Time, r.a.KeyID = e.Seq, e.Time, e.KeyID
	r.a.ToHash, hashErr = hex.DecodeString(e.Hash)
	r.a.FileHash, fileErr = hex.DecodeString(e.FileHash)
	r.a.Signature, signErr = hex.DecodeString(e.Signature)
	if err := errors.Join(hashErr, fileErr, signErr); err != nil {
		return errors.New("read audit archive: its end is not whole")
	}
	found, err := findKeys(ctx, r.keys, []Head{{KeyID: e.KeyID}})
	if err != nil {
		return err
	}
	counted := r.a
	counted.Entries = e.Entries
	if !counted.signed(found) {
		r.v.problem(ProblemSignature, e.Seq, "")
	}
	if !bytes.Equal(r.sum.Sum(nil), r.a.FileHash) || e.Entries != r.a.Entries {
		r.v.problem(ProblemChanged, e.Seq, "")
	}
	if r.last.seq != e.Seq || !bytes.Equal(r.last.hash, r.a.ToHash) {
		r.v.problem(ProblemEnd, e.Seq, "")
	}
	return nil
}
