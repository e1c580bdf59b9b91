package harness

import (
	"context"
	"errors"
	"testing"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/check"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// CheckRests reads the county until it has no problems, and fails the test with those that are left when patience ends.
// people are the ones whose organisations' referrals are looked at. The answer is the county as it was read last.
func (s *System) CheckRests(t testing.TB, patience time.Duration, people ...*Person) check.World {
	t.Helper()
	referral := s.Dial(t, "referral")
	clients := check.Clients{
		Directory:    directoryv1.NewDirectoryServiceClient(s.Dial(t, "directory")),
		Referral:     referralv1.NewReferralServiceClient(referral),
		Candidate:    referralv1.NewCandidateServiceClient(referral),
		Statistics:   referralv1.NewStatisticsServiceClient(referral),
		Scheduling:   schedulingv1.NewSchedulingServiceClient(s.Dial(t, "scheduling")),
		Notification: notificationv1.NewNotificationServiceClient(s.Dial(t, "notification")),
	}
	viewers := make([]check.Viewer, len(people))
	for i, p := range people {
		viewers[i] = s.viewer(t, p)
	}
	ctx := rpc.WithCounty(t.Context(), County)
	end := time.Now().Add(patience)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		world, err := check.Read(ctx, clients, County, viewers...)
		s.must(t, err)
		problems := world.Problems()
		if len(problems) == 0 {
			return world
		}
		if time.Now().After(end) {
			t.Errorf("%d broken promises among %d referrals:", len(problems), len(world.Referrals))
			for _, p := range problems[:min(len(problems), 30)] {
				t.Error(p)
			}
			return world
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-tick.C:
		}
	}
}

// viewer signs a token as the directory does for a signed-in person.
func (s *System) viewer(t testing.TB, p *Person) check.Viewer {
	t.Helper()
	signer := s.Signer(t)
	a := p.Account
	who := authn.Identity{Subject: a.GetId(), Organization: a.GetOrganizationId(), Department: a.GetDepartmentCode(), County: County, Name: a.GetName()}
	for _, r := range a.GetRoles() {
		who.Roles = append(who.Roles, r.String())
	}
	return func(ctx context.Context) (context.Context, error) {
		token, err := signer.Sign(who, time.Minute, time.Now())
		return rpc.WithToken(ctx, token), err
	}
}

// CheckAudit verifies every service's audit chain. complete: the system stopped politely and never crashed, so that all of
// it must be sealed and signed; else the lease of a sealer that died may have kept the next one from it.
func (s *System) CheckAudit(t testing.TB, complete bool) {
	t.Helper()
	keys := audit.Keys(authn.KeysOf(s.Signer(t)))
	for service, where := range s.data {
		db, err := sqldb.Open(t.Context(), where, clock.System())
		s.must(t, err)
		report, err := audit.Verify(t.Context(), db, keys)
		_ = db.Close()
		s.must(t, err)
		if len(report.Counties) == 0 && service != "notification" { // which notes only what a person does to an entry
			t.Errorf("%s has no audit chain", service)
		}
		for _, c := range report.Counties {
			if len(c.Problems) > 0 || c.Late > 0 || (complete && (c.Unsealed > 0 || c.Signed != c.Sealed)) {
				t.Errorf("audit of %s: %d sealed, %d signed, %d unsealed, %d late, problems %v", service, c.Sealed, c.Signed, c.Unsealed, c.Late, c.Problems)
			}
		}
	}
}

// Sealed lists the columns of all databases that hold values sealed with this key, by service, table and column.
func (s *System) Sealed(t testing.TB, key []byte) (columns []string) {
	t.Helper()
	for name, cfg := range s.data {
		db, err := sqldb.Open(t.Context(), cfg, clock.System())
		s.must(t, err)
		err = db.View(t.Context(), func(tx *sqldb.Tx) error {
			blobs, err := blobColumns(t.Context(), tx)
			for _, c := range blobs {
				var n int
				if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM "+c[0]+" WHERE substr("+c[1]+", 1, 4) = $1", key).Scan(&n); err != nil {
					return err
				}
				if n > 0 {
					columns = append(columns, name+"."+c[0]+"."+c[1])
				}
			}
			return err
		})
		s.must(t, errors.Join(err, db.Close()))
	}
	return columns
}

func blobColumns(ctx context.Context, tx *sqldb.Tx) (list [][2]string, err error) {
	rows, err := tx.Query(ctx, `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'BLOB'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
