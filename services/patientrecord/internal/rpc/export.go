package rpc

import (
	"context"
	"encoding/hex"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// exportServer implements ExportService.
type exportServer struct {
	patientrecordv1.UnimplementedExportServiceServer
	app *app.App
}

// ReadCopy implements the contract.
func (s exportServer) ReadCopy(ctx context.Context, in *patientrecordv1.ReadCopyRequest) (*patientrecordv1.RecordCopy, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.app.ReadCopy(ctx, who, in.GetPatientId(), toCopyStatement(in.GetStatement()))
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.RecordCopy{Patient: fromShown(c.Patient), Consents: fromConsents(c.Consents, c.Time), Time: stamp(c.Time)}
	for _, w := range c.Entries {
		one, err := fromOne(app.ShownEntry{Written: w})
		if err != nil {
			return nil, err
		}
		out.Entries = append(out.Entries, one)
	}
	for _, a := range c.Attachments {
		if a.Counts() {
			out.Attachments = append(out.Attachments, fromAttachment(a))
		}
	}
	return out, nil
}

// RecordExport implements the contract.
func (s exportServer) RecordExport(ctx context.Context, in *patientrecordv1.RecordExportRequest) (*patientrecordv1.Export, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	request, err := requestOf("RecordExport", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	export := app.Exporting{
		Request: request, Kind: in.GetKind(), Form: in.GetForm(), PatientID: in.GetPatientId(), Statement: toCopyStatement(in.GetStatement()), Entries: int(in.GetEntries()),
	}
	if copy(export.Digest[:], in.GetDigest()) != len(export.Digest) {
		return nil, errs.Invalid(errs.Bad("digest", errs.ReasonFieldInvalid))
	}
	row, err := s.app.RecordExport(ctx, who, export)
	if err != nil {
		return nil, err
	}
	return fromExport(row), nil
}

// ListExports implements the contract.
func (s exportServer) ListExports(ctx context.Context, in *patientrecordv1.ListExportsRequest) (*patientrecordv1.ListExportsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, err := s.app.Exports(ctx, who, app.ExportQuery{
		PatientID: in.GetPatientId(), Account: in.GetAccountId(), Organization: in.GetOrganizationId(), Kind: in.GetKind(),
		From: timeOf(in.GetFrom()), To: timeOf(in.GetTo()), After: after, Limit: int(in.GetPageSize()),
	})
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListExportsResponse{NextPageToken: cursorToken(page.Next)}
	for _, e := range page.Exports {
		out.Exports = append(out.Exports, fromExport(e))
	}
	return out, nil
}

func toCopyStatement(m *patientrecordv1.CopyStatement) domain.CopyStatement {
	return domain.CopyStatement{
		AskedBy: m.GetAskedBy(), Name: m.GetName(), Relation: m.GetRelation(), IdentityCheck: m.GetIdentityCheck(), Purpose: m.GetPurpose(), Note: m.GetNote(),
		Sensitive: m.GetIncludeSensitive(), Form: m.GetForm(), From: timeOf(m.GetFrom()), To: timeOf(m.GetTo()),
	}
}

func fromCopyStatement(s domain.CopyStatement) *patientrecordv1.CopyStatement {
	if s == (domain.CopyStatement{}) {
		return nil
	}
	return &patientrecordv1.CopyStatement{
		AskedBy: s.AskedBy, Name: s.Name, Relation: s.Relation, IdentityCheck: s.IdentityCheck, Purpose: s.Purpose, Note: s.Note,
		IncludeSensitive: s.Sensitive, Form: s.Form, From: stamp(s.From), To: stamp(s.To),
	}
}

func fromExport(e domain.Export) *patientrecordv1.Export {
	return &patientrecordv1.Export{
		Id: e.ID, Time: stamp(e.By.At), Kind: e.Kind, Form: e.Form, PatientId: e.PatientID, AccountId: e.By.Account, AccountName: e.By.AccountName,
		OrganizationId: e.By.Organization, Statement: fromCopyStatement(e.Statement), Entries: int32(e.Entries), Sha256: hex.EncodeToString(e.Digest[:]),
	}
}
