package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/sheets"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// maxExport is what a page exports; more goes by `tongzhen admin audit export`.
const maxExport = 10_000

// export answers with the selection as a file, whole or not at all.
func (p *Pages) export(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	p.defaults(query)
	people, err := shell.ReadPeople(r.Context(), p.Directory)
	if err != nil {
		return err
	}
	ask, err := p.ask(query, people)
	if err != nil {
		return err
	}
	ask.PageSize, ask.Export = 200, true
	var rows []row
	for {
		page, err := p.Trail.SearchAudit(r.Context(), ask)
		if err != nil {
			return err
		}
		if len(page.GetAway()) > 0 {
			// A file with a gap looks like a whole one.
			return errs.Unavailable(page.GetAway()[0], nil)
		}
		rows = append(rows, p.rows(r, page.GetEntries(), people)...)
		if len(rows) > maxExport {
			return errs.Invalid(errs.Bad("until", errs.ReasonFieldOutOfRange))
		}
		if ask.PageToken = page.GetNextPageToken(); ask.PageToken == "" {
			break
		}
	}
	out := file{"JSONL", "application/jsonl", "audit.jsonl", asLines(rows)}
	if query.Get("format") == "csv" {
		out = file{"CSV", "text/csv; charset=utf-8", "audit.csv", asCSV(rows)}
	}
	return p.send(w, r, out, len(rows))
}

// file is what is handed out.
type file struct {
	form, kind, name string
	body             []byte
}

// send writes it into the ledger of exports, then hands it out.
func (p *Pages) send(w http.ResponseWriter, r *http.Request, f file, rows int) error {
	digest := sha256.Sum256(f.body)
	_, err := p.Exports.RecordExport(r.Context(), &patientrecordv1.RecordExportRequest{
		RequestId: id.New(), Kind: "AUDIT", Form: f.form, Entries: int32(rows), Digest: digest[:],
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	_, err = w.Write(f.body)
	return err
}

func columns() []string {
	return []string{"time", "service", "seq", "person", "account_id", "organization", "organization_id", "action", "object_type", "object_id", "patient_id", "detail", "id"}
}

func values(r row) []string {
	e := r.AuditEntry
	return []string{
		stampOf(e), e.GetService(), strconv.FormatInt(e.GetSeq(), 10), r.Person, e.GetAccountId(), r.Organization, e.GetOrganizationId(),
		e.GetAction(), e.GetObjectType(), e.GetObjectId(), e.GetPatientId(), e.GetDetail(), e.GetId(),
	}
}

func stampOf(e *commonv1.AuditEntry) string { return e.GetTime().AsTime().Format(time.RFC3339Nano) }

func asCSV(rows []row) []byte {
	table := sheets.Table{Heads: columns()}
	for _, r := range rows {
		var cells []any
		for _, value := range values(r) {
			cells = append(cells, value)
		}
		table.Rows = append(table.Rows, cells)
	}
	var out bytes.Buffer
	_ = sheets.CSV(&out, table) // a buffer takes everything
	return out.Bytes()
}

func asLines(rows []row) []byte {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for _, r := range rows {
		line := map[string]string{}
		for i, name := range columns() {
			line[name] = values(r)[i]
		}
		_ = lines.Encode(line) // texts always marshal
	}
	return out.Bytes()
}
