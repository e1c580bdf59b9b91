// Package auditrpc answers tongzhen.common.v1.AuditService for the service that stands on it: search and verification of the record that
// package audit keeps in its database.
//
// Owns the form of the answers and who may ask. Refuses every county but the caller's. Safe for concurrent use.
package auditrpc

import (
	"context"
	"encoding/base64"
	"maps"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// defaultPage is the size of a page that nobody chose.
const defaultPage = 50

// Server implements AuditService on one service's database.
type Server struct {
	commonv1.UnimplementedAuditServiceServer
	db   *sqldb.DB
	keys audit.Keys
}

// Register adds the service to a gRPC server. Heads are checked with the signer's key and those it had before.
func Register(r grpc.ServiceRegistrar, db *sqldb.DB, signer *authn.Signer) {
	commonv1.RegisterAuditServiceServer(r, &Server{db: db, keys: audit.Keys(signer.KnownKeys())})
}

// With is a service's table with the rules of AuditService: auditors, and the commands of this machine.
func With(table authz.Table) authz.Table {
	out := maps.Clone(table)
	rule := authz.Rule{Roles: []string{"AUDITOR"}, Services: []string{"cli"}}
	out[commonv1.AuditService_SearchAudit_FullMethodName] = rule
	out[commonv1.AuditService_VerifyAudit_FullMethodName] = rule
	return out
}

func caller(ctx context.Context) (authn.Identity, error) {
	who, ok := authn.FromContext(ctx)
	if !ok || who.County == "" {
		return who, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the call has no county", nil)
	}
	return who, nil
}

// SearchAudit implements the contract.
func (s *Server) SearchAudit(ctx context.Context, in *commonv1.SearchAuditRequest) (*commonv1.SearchAuditResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := ParseCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := int(in.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	found, err := audit.Search(ctx, s.db, audit.Query{
		County: who.County, Patient: in.GetPatientId(), Account: in.GetAccountId(), Organization: in.GetOrganizationId(),
		Actions: in.GetActions(), From: timeOf(in.GetFrom()), To: timeOf(in.GetTo()), After: after, Limit: size + 1,
	}, about(who, in))
	if err != nil {
		return nil, err
	}
	out := &commonv1.SearchAuditResponse{}
	if len(found) > size {
		found = found[:size]
		out.NextPageToken = Cursor(found[size-1].Time, found[size-1].ID)
	}
	for _, f := range found {
		out.Entries = append(out.Entries, &commonv1.AuditEntry{
			Id: f.ID, Time: timestamppb.New(f.Time), AccountId: f.AccountID, OrganizationId: f.OrganizationID, Action: f.Action,
			ObjectType: f.ObjectType, ObjectId: f.ObjectID, PatientId: f.PatientID, Detail: f.Detail, Seq: f.Seq,
		})
	}
	return out, nil
}

// about is the entry about a search: by what was looked for, not what was found.
func about(who authn.Identity, in *commonv1.SearchAuditRequest) audit.Entry {
	e := audit.Entry{
		County: who.County, AccountID: who.Subject, OrganizationID: who.Organization, Action: "audit.search",
		ObjectType: "audit", PatientID: in.GetPatientId(),
	}
	if in.GetExport() {
		e.Action = "audit.export"
	}
	var by []string
	for _, filter := range []struct{ name, value string }{
		{"patient", in.GetPatientId()}, {"account", in.GetAccountId()}, {"organization", in.GetOrganizationId()},
	} {
		if filter.value != "" {
			by = append(by, filter.name)
		}
	}
	e.ObjectID = in.GetAccountId()
	if e.ObjectID == "" {
		e.ObjectID = in.GetOrganizationId()
	}
	e.Detail = strings.Join(by, ",")
	return e
}

// VerifyAudit implements the contract.
func (s *Server) VerifyAudit(ctx context.Context, in *commonv1.VerifyAuditRequest) (*commonv1.VerifyAuditResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	status, err := audit.StatusOf(ctx, s.db, who.County)
	if err != nil {
		return nil, err
	}
	out := &commonv1.VerifyAuditResponse{
		Sealed: status.Sealed, Signed: status.Signed, SignTime: stamp(status.SignTime), Unsealed: status.Unsealed,
		OldestUnsealed: stamp(status.OldestUnsealed), Checked: in.GetChecked(), Hash: in.GetHash(),
	}
	if in.GetLimit() == 0 {
		return out, nil
	}
	part, err := audit.VerifyPart(ctx, s.db, audit.Chain{County: who.County, Keys: s.keys, Limit: int(in.GetLimit())},
		audit.Position{Seq: in.GetChecked(), Hash: in.GetHash()})
	if err != nil {
		return nil, err
	}
	out.Checked, out.Hash, out.Done = part.Next.Seq, part.Next.Hash, part.Done
	for _, p := range part.Problems {
		out.Problems = append(out.Problems, &commonv1.AuditProblem{Kind: p.Kind, Seq: p.Seq, EntryId: p.ID})
	}
	return out, nil
}

// Cursor is the page token of what comes after an entry. It holds for every service.
func Cursor(at time.Time, entry string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at.UnixMicro(), 10) + " " + entry))
}

// ParseCursor reads a token that Cursor made; "" is the beginning.
func ParseCursor(token string) (audit.Cursor, error) {
	if token == "" {
		return audit.Cursor{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	micros, entry, ok := strings.Cut(string(text), " ")
	at, numErr := strconv.ParseInt(micros, 10, 64)
	if err != nil || numErr != nil || !ok || !id.Valid(entry) {
		return audit.Cursor{}, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return audit.Cursor{Time: time.UnixMicro(at).UTC(), ID: entry}, nil
}

func timeOf(ts *timestamppb.Timestamp) time.Time {
	if ts == nil {
		return time.Time{}
	}
	return ts.AsTime().UTC()
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
