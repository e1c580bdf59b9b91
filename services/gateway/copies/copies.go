// Package copies makes a patient's own copy (复制病历): it reads what the person may have, writes it as a FHIR document, and has it written into
// the ledger of exports before anything is handed out. Owns nothing and keeps nothing; who may have what is decided by patient-record. Safe for
// concurrent use.
package copies

import (
	"context"
	"crypto/sha256"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// FileName of a downloaded copy: it tells nothing of whose it is.
const FileName = "record.fhir.json"

// MediaType of a copy.
const MediaType = "application/fhir+json; charset=utf-8"

// Maker makes copies.
type Maker struct {
	exports   patientrecordv1.ExportServiceClient
	directory directoryv1.DirectoryServiceClient
}

// New makes a maker.
func New(exports patientrecordv1.ExportServiceClient, directory directoryv1.DirectoryServiceClient) *Maker {
	return &Maker{exports: exports, directory: directory}
}

// Made is a copy that may be handed out.
type Made struct {
	Record   *patientrecordv1.RecordCopy
	Document []byte
	// Row of the ledger; its digest is that of Document.
	Row *patientrecordv1.Export
	// Author is the visitor's organisation, Organizations are the county's by id.
	Author        fhir.Party
	Organizations map[string]fhir.Party
}

// Make makes one for the visitor. Each is a row of the ledger of its own, also when the same is asked for again: it is handed out again.
func (m *Maker) Make(ctx context.Context, patient string, st *patientrecordv1.CopyStatement) (Made, error) {
	var out Made
	visitor, ok := door.VisitorFrom(ctx)
	if !ok {
		return out, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "sign in first", nil)
	}
	var err error
	if out.Record, err = m.exports.ReadCopy(ctx, &patientrecordv1.ReadCopyRequest{PatientId: patient, Statement: st}); err != nil {
		return out, err
	}
	if out.Organizations, err = m.parties(ctx); err != nil {
		return out, err
	}
	own := visitor.Account.GetOrganizationId()
	if out.Author, ok = out.Organizations[own]; !ok {
		out.Author = fhir.Party{ID: own, Name: visitor.Account.GetOrganizationName()}
	}
	document := id.New()
	var entries int
	out.Document, entries, err = fhir.Document(out.Record, fhir.DocumentOptions{
		ID: document, Author: out.Author, Organizations: out.Organizations, Sensitive: st.GetIncludeSensitive(),
	})
	if err != nil {
		return out, err
	}
	digest := sha256.Sum256(out.Document)
	out.Row, err = m.exports.RecordExport(ctx, &patientrecordv1.RecordExportRequest{
		RequestId: document, Kind: "OWN_COPY", Form: st.GetForm(), PatientId: out.Record.GetPatient().GetId(), Statement: st,
		Entries: int32(entries), Digest: digest[:],
	})
	return out, err
}

func (m *Maker) parties(ctx context.Context) (map[string]fhir.Party, error) {
	out := map[string]fhir.Party{}
	for token := ""; ; {
		page, err := m.directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return nil, err
		}
		for _, o := range page.GetOrganizations() {
			out[o.GetId()] = fhir.Party{ID: o.GetId(), Code: o.GetCode(), Name: o.GetName()}
		}
		if token = page.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}
