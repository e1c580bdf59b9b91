package auditrpc_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/auditrpc"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// open serves the record of one database and answers a client and a way to call as somebody of a county.
func open(t *testing.T) (*sqldb.DB, *authn.Signer, commonv1.AuditServiceClient) {
	t.Helper()
	db := dbtest.SQLite(t, []sqldb.MigrationSet{sqldb.Migrations, audit.Migrations})
	key, err := authn.GenerateKey()
	check(t, err)
	signer, err := authn.NewSigner(key)
	check(t, err)
	server, err := rpc.NewServer(rpc.ServerConfig{
		Service: "referral", Table: auditrpc.With(authz.Table{}), Verifier: authn.NewVerifier(authn.KeysOf(signer), clock.System()),
		Logger: slog.New(slog.DiscardHandler), Clock: clock.System(),
	}, func(r grpc.ServiceRegistrar) { auditrpc.Register(r, db, signer) })
	check(t, err)
	network := rpc.InProcess()
	listener := network.Listen("referral")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listener) }()
	conn, err := network.Dial(ctx, "gateway", "referral", rpc.ClientConfig{Signer: signer, Clock: clock.System()})
	check(t, err)
	t.Cleanup(func() { check(t, conn.Close()); cancel(); check(t, <-done) })
	return db, signer, commonv1.NewAuditServiceClient(conn)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func as(t *testing.T, signer *authn.Signer, county, role string) context.Context {
	t.Helper()
	token, err := signer.Sign(authn.Identity{Subject: "account-of-" + role, Organization: "office", County: county, Roles: []string{role}}, time.Minute, time.Now())
	check(t, err)
	return rpc.WithToken(t.Context(), token)
}

func fill(t *testing.T, db *sqldb.DB, county string, n int) {
	t.Helper()
	check(t, db.Update(t.Context(), func(tx *sqldb.Tx) error {
		for range n {
			if err := audit.Append(t.Context(), tx, audit.Entry{County: county, AccountID: "doctor", Action: "patient.read", ObjectType: "patient", ObjectID: "p", PatientID: "p"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestOnlyAuditorsOfTheCountySearchAndTheirSearchIsRecorded(t *testing.T) {
	t.Parallel()
	db, signer, client := open(t)
	fill(t, db, "450321", 3)
	fill(t, db, "450322", 2)
	for _, role := range []string{"COUNTY_ADMIN", "SYSTEM_ADMIN", "SECURITY_ADMIN", "SPECIALIST"} {
		if _, err := client.SearchAudit(as(t, signer, "450321", role), &commonv1.SearchAuditRequest{}); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("%s: %v", role, err)
		}
	}
	if _, err := client.SearchAudit(t.Context(), &commonv1.SearchAuditRequest{}); errs.KindOf(err) != errs.KindDenied {
		t.Errorf("the gateway in its own name: %v", err)
	}
	auditor := as(t, signer, "450321", "AUDITOR")
	page, err := client.SearchAudit(auditor, &commonv1.SearchAuditRequest{PatientId: "p", To: timestamppb.New(time.Now().Add(time.Hour))})
	check(t, err)
	if len(page.GetEntries()) != 3 || page.GetNextPageToken() != "" {
		t.Errorf("%v", page)
	}
	page, err = client.SearchAudit(auditor, &commonv1.SearchAuditRequest{Actions: []string{"audit.*"}})
	check(t, err)
	if got := page.GetEntries(); len(got) != 1 || got[0].GetAccountId() != "account-of-AUDITOR" || got[0].GetPatientId() != "p" || got[0].GetDetail() != "patient" {
		t.Errorf("%v", got)
	}
}

func TestPagesAndTokens(t *testing.T) {
	t.Parallel()
	db, signer, client := open(t)
	fill(t, db, "450321", 5)
	auditor, n := as(t, signer, "450321", "AUDITOR"), 0
	ask := &commonv1.SearchAuditRequest{Actions: []string{"patient.read"}, PageSize: 2}
	for {
		page, err := client.SearchAudit(auditor, ask)
		check(t, err)
		n += len(page.GetEntries())
		if ask.PageToken = page.GetNextPageToken(); ask.PageToken == "" {
			break
		}
	}
	if n != 5 {
		t.Errorf("%d entries", n)
	}
	for _, in := range []*commonv1.SearchAuditRequest{{PageToken: "nonsense"}, {Actions: []string{"x' OR 1=1"}}, {PageSize: 201}} {
		if _, err := client.SearchAudit(auditor, in); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("%v: %v", in, err)
		}
	}
}

func TestAChainIsCheckedStepByStep(t *testing.T) {
	t.Parallel()
	db, signer, client := open(t)
	fill(t, db, "450321", 5)
	sealer := audit.NewSealer(db, audit.Signing{Signer: signer}, "test", slog.New(slog.DiscardHandler), clock.System())
	check(t, sealer.Flush(t.Context()))
	auditor := as(t, signer, "450321", "AUDITOR")
	state, err := client.VerifyAudit(auditor, &commonv1.VerifyAuditRequest{})
	check(t, err)
	if state.GetSealed() != 5 || state.GetSigned() != 5 || state.GetSignTime() == nil || state.GetUnsealed() != 0 || state.GetDone() {
		t.Errorf("%v", state)
	}
	check(t, db.Update(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE audit_entry SET account_id = 'somebody else' WHERE seq = 4")
		return err
	}))
	ask := &commonv1.VerifyAuditRequest{Limit: 2}
	var found []*commonv1.AuditProblem
	for !state.GetDone() {
		state, err = client.VerifyAudit(auditor, ask)
		check(t, err)
		found, ask.Checked, ask.Hash = append(found, state.GetProblems()...), state.GetChecked(), state.GetHash()
	}
	if len(found) != 1 || found[0].GetKind() != audit.ProblemChanged || found[0].GetSeq() != 4 {
		t.Errorf("%v", found)
	}
}
