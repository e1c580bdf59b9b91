package store_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// Whoever can write in the database cannot shorten, mix or exchange documents without being found out, and cannot read them.
func TestPiecesOfADocumentFitNoOtherPlace(t *testing.T) {
	t.Parallel()
	mark := []byte("血糖 16.8 MARK-45032119")
	for name, tamper := range map[string]string{
		"the last piece is gone":         `DELETE FROM attachment_chunk WHERE attachment_id = $1 AND part = 'content' AND number = 2`,
		"all pieces are gone":            `DELETE FROM attachment_chunk WHERE attachment_id = $1`,
		"two pieces change places":       `UPDATE attachment_chunk SET number = CASE number WHEN 0 THEN 11 WHEN 1 THEN 10 ELSE 12 END WHERE attachment_id = $1 AND part = 'content'`,
		"a piece of another document":    `UPDATE attachment_chunk SET content = (SELECT content FROM attachment_chunk o WHERE o.attachment_id <> $1 AND o.part = 'content' AND o.number = 1) WHERE attachment_id = $1 AND part = 'content' AND number = 1`,
		"the thumbnail in place of it":   `UPDATE attachment_chunk SET content = (SELECT content FROM attachment_chunk o WHERE o.attachment_id = $1 AND o.part = 'thumbnail') WHERE attachment_id = $1 AND part = 'content' AND number = 0`,
		"a piece comes after the others": `INSERT INTO attachment_chunk (county_code, attachment_id, part, number, content) SELECT county_code, attachment_id, part, 3, content FROM attachment_chunk WHERE attachment_id = $1 AND part = 'content' AND number = 0`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
				s := store.New(db, crypt.TestRing(), func() {})
				patient, err := add(t.Context(), s, zeng)
				if err != nil {
					t.Fatal(err)
				}
				content := bytes.Repeat(mark, 700<<10/len(mark))
				put := func() domain.Attachment {
					var a domain.Attachment
					err := s.Change(t.Context(), app.Command{County: county, Account: "a", Organization: "o"}, func(u app.Unit) error {
						a = domain.NewAttachment(id.New(), patient, domain.AttachmentDetails{Kind: domain.LabReport, Title: string(mark)},
							domain.AttachmentFile{MediaType: "image/png", Size: len(content), Thumbnail: len(mark), SHA256: sha256.Sum256(content)},
							domain.Writer{Account: "a", Organization: "o", Now: u.Now()})
						u.PutAttachment(a, content, mark)
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					return a
				}
				a := put()
				put()
				read := func() (n int, err error) {
					err = s.AttachmentContent(t.Context(), county, a.ID(), app.AttachmentContent{File: a.Keep().File}, func(piece []byte) error {
						n += len(piece)
						return nil
					})
					return n, err
				}
				if n, err := read(); err != nil || n != len(content) {
					t.Fatalf("before: %d %v", n, err)
				}
				err = db.Update(t.Context(), func(tx *sqldb.Tx) error {
					var clear int
					row := tx.QueryRow(t.Context(), "SELECT count(*) FROM attachment_chunk WHERE attachment_id = $1 AND content = $2", a.ID(), mark)
					if err := row.Scan(&clear); err != nil || clear != 0 {
						t.Errorf("%d pieces can be read, %v", clear, err)
					}
					_, err := tx.Exec(t.Context(), tamper, a.ID())
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if n, err := read(); errs.KindOf(err) != errs.KindInternal || n >= len(content) {
					t.Errorf("%d bytes, %v", n, err)
				}
			})
		})
	}
}
