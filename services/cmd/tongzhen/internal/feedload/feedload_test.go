package feedload_test

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/feedload"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/patientrecord"
)

// count is 10000 for the proof: go test -run Feed -v ./cmd/tongzhen/internal/feedload -messages 10000.
var count = flag.Int("messages", 500, "messages of the feed")

const hospital = "018f0000-0000-7000-8000-000000000001"

const senders = `
senders:
  - {application: HIS, facility: YSX, addresses: [127.0.0.1], county: "450321", organization: "450321101", account: feed, departments: {NK1: "0304"}}
`

// directory knows the one hospital.
type directory struct {
	directoryv1.DirectoryServiceClient
}

func (directory) ListOrganizations(context.Context, *directoryv1.ListOrganizationsRequest, ...grpc.CallOption) (*directoryv1.ListOrganizationsResponse, error) {
	return &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{{Id: hospital, Code: "450321101"}}}, nil
}

func (directory) ListAccounts(context.Context, *directoryv1.ListAccountsRequest, ...grpc.CallOption) (*directoryv1.ListAccountsResponse, error) {
	return &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{
		{Id: "feed", Login: "feed", OrganizationId: hospital, Roles: []commonv1.Role_Code{commonv1.Role_INTEGRATION}},
	}}, nil
}

// serve starts patient-record on a database, with a gateway's feed in front.
func serve(t *testing.T, db *sqldb.DB) (addr string) {
	t.Helper()
	mesh := rpctest.New(t, slog.New(slog.DiscardHandler))
	table := authz.Table{}
	for _, m := range referralv1.ReferralService_ServiceDesc.Methods {
		table["/"+referralv1.ReferralService_ServiceDesc.ServiceName+"/"+m.MethodName] = authz.Rule{Services: []string{"patientrecord"}}
	}
	mesh.Serve("referral", table, func(r grpc.ServiceRegistrar) {
		referralv1.RegisterReferralServiceServer(r, referralv1.UnimplementedReferralServiceServer{})
	})
	s, err := patientrecord.New(t.Context(), patientrecord.Config{}, patientrecord.Deps{
		DB: db, Bus: bustest.Embedded(t), Cache: cache.Memory(clock.System()),
		Peers: patientrecord.Peers{Referral: mesh.Dial("patientrecord", "referral"), Directory: mesh.Dial("patientrecord", "directory")},
		Ring:  crypt.TestRing(), Signer: mesh.Signer, Clock: clock.System(), Telemetry: telemetry.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	mesh.Serve("patientrecord", s.Policy(), s.Register)
	mesh.Background(s.Run)
	list, err := hl7.ReadSenders([]byte(senders))
	if err != nil {
		t.Fatal(err)
	}
	feed := hl7.NewFeed(hl7.Deps{
		Senders: list, Feed: patientrecordv1.NewFeedServiceClient(mesh.Dial("gateway", "patientrecord")), Directory: directory{},
		Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), Zone: time.UTC,
	})
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mesh.Background(func(ctx context.Context) error { return hl7.NewServer(feed, hl7.Limits{}, nil).Serve(ctx, listener) })
	return listener.Addr().String()
}

// run sends n messages and holds the database against what was sent.
func run(t *testing.T, db *sqldb.DB, n int) {
	t.Helper()
	messages := feedload.Messages(n, 4, 1, clock.System().Now().Add(-24*time.Hour))
	report, err := feedload.Send(t.Context(), serve(t, db), messages, 25, clock.System().Now)
	if err != nil {
		t.Fatal(err)
	}
	good, entries := 0, map[string]bool{}
	for _, m := range messages {
		if m.Good {
			good++
			for _, e := range m.Entries {
				entries[e] = true
			}
		}
	}
	for _, wrong := range report.Wrong {
		t.Error(wrong)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM feed_message WHERE state = 'STORED' AND raw IS NULL":          good,
		"SELECT count(*) FROM feed_message WHERE state = 'QUARANTINED' AND raw IS NOT NULL": n - good,
		"SELECT count(*) FROM clinical_entry WHERE is_current":                              len(entries),
	} {
		var got int
		err := db.View(t.Context(), func(tx *sqldb.Tx) error { return tx.QueryRow(t.Context(), query).Scan(&got) })
		if err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", query, got, want, err)
		}
	}
	if report.Stored != good || report.Quarantined != n-good || n-good != n/20 {
		t.Errorf("%d stored and %d in quarantine of %d", report.Stored, report.Quarantined, n)
	}
	t.Logf("%d messages, %d of them stored and %d in quarantine, in %s: %.0f a second", n, report.Stored, report.Quarantined,
		report.Took.Round(time.Millisecond), float64(n)/report.Took.Seconds())
}

func TestOfAFeedEveryGoodMessageIsStoredOnceAndEveryBadOneIsInQuarantine(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, patientrecord.Migrations(), func(t *testing.T, db *sqldb.DB) { run(t, db, *count) })
}
