package history_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/check"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/history"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

// until is 10:00 of a Friday in the county.
func until() time.Time { return time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC) }

// county is one that has been lived in.
type county struct {
	world    *host.Moved
	clients  history.Clients
	accounts map[string]*directoryv1.Account
	report   history.Report
}

// live makes a county on a folder of its own and lives through a month of it.
func live(t *testing.T, referrals int) county {
	t.Helper()
	settings := host.Settings{DataDir: t.TempDir(), LogLevel: "error"}
	world, err := host.OpenMoved(t.Context(), settings, seed.DemoCounty, until().AddDate(0, -1, 0))
	must(t, err)
	t.Cleanup(func() { must(t, world.Close()) })
	c := county{world: world, accounts: map[string]*directoryv1.Account{}, clients: history.Clients{
		Directory:    directoryv1.NewDirectoryServiceClient(world.Conn(host.Directory)),
		Patients:     patientrecordv1.NewPatientRecordServiceClient(world.Conn(host.PatientRecord)),
		Records:      patientrecordv1.NewClinicalRecordServiceClient(world.Conn(host.PatientRecord)),
		Recognition:  patientrecordv1.NewRecognitionServiceClient(world.Conn(host.PatientRecord)),
		Scheduling:   schedulingv1.NewSchedulingServiceClient(world.Conn(host.Scheduling)),
		Referral:     referralv1.NewReferralServiceClient(world.Conn(host.Referral)),
		Candidate:    referralv1.NewCandidateServiceClient(world.Conn(host.Referral)),
		FollowUp:     referralv1.NewFollowUpServiceClient(world.Conn(host.Referral)),
		Notification: notificationv1.NewNotificationServiceClient(world.Conn(host.Notification)),
	}}
	quiet := func(int, int, string) {}
	_, err = seed.County(t.Context(), seed.Clients{
		Directory: c.clients.Directory, Roster: directoryv1.NewRosterServiceClient(world.Conn(host.Directory)), Scheduling: c.clients.Scheduling,
		Calendar: schedulingv1.NewCalendarServiceClient(world.Conn(host.Scheduling)), PatientRecord: c.clients.Patients,
	}, seed.Options{County: seed.DemoCounty, AsOf: world.Now(), Seed: 1, Password: "tongzhen-demo"}, quiet)
	must(t, err)
	c.report, err = history.Make(t.Context(), world, c.clients, history.Options{County: seed.DemoCounty, Until: until(), Referrals: referrals, Seed: 1}, quiet)
	must(t, err)
	if c.report.Refused > 0 {
		t.Errorf("%d steps were refused: %v", c.report.Refused, c.report.First)
	}
	list, err := c.clients.Directory.ListAccounts(t.Context(), &directoryv1.ListAccountsRequest{PageSize: 200})
	must(t, err)
	for _, a := range list.GetAccounts() {
		c.accounts[a.GetLogin()] = a
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as is a context of a person.
func (c county) as(t *testing.T, login string) context.Context {
	t.Helper()
	ctx, err := c.world.As(t.Context(), c.accounts[login])
	must(t, err)
	return ctx
}

// viewers are one doctor of each centre and the hospital's desk.
func (c county) viewers() []check.Viewer {
	var out []check.Viewer
	seen := map[string]bool{}
	for _, login := range slices.Sorted(func(yield func(string) bool) {
		for l := range c.accounts {
			if !yield(l) {
				return
			}
		}
	}) {
		a := c.accounts[login]
		doctor := slices.Contains(a.GetRoles(), commonv1.Role_TOWNSHIP_DOCTOR) || slices.Contains(a.GetRoles(), commonv1.Role_INTAKE_DESK)
		if doctor && !seen[a.GetOrganizationId()] {
			seen[a.GetOrganizationId()] = true
			out = append(out, func(ctx context.Context) (context.Context, error) { return c.world.As(ctx, a) })
		}
	}
	return out
}

func (c county) read(t *testing.T) check.World {
	t.Helper()
	w, err := check.Read(t.Context(), check.Clients{
		Directory: c.clients.Directory, Referral: c.clients.Referral, Scheduling: c.clients.Scheduling, Notification: c.clients.Notification,
		Candidate: c.clients.Candidate, Statistics: referralv1.NewStatisticsServiceClient(c.world.Conn(host.Referral)),
	}, seed.DemoCounty, c.viewers()...)
	must(t, err)
	return w
}

func TestAHistoryIsAtRestHoldsEveryPromiseAndIsTheSameAgain(t *testing.T) {
	t.Parallel()
	first := live(t, 12)
	world := first.read(t)
	for _, p := range world.Problems() {
		t.Error(p)
	}
	if len(world.Referrals) < first.report.Up+first.report.Down {
		t.Errorf("%d referrals are there, %+v were made", len(world.Referrals), first.report)
	}
	first.openWork(t)

	again := live(t, 12)
	if a, b := told(world), told(again.read(t)); a != b {
		t.Errorf("the same seed and day gave two histories:\n%s", difference(a, b))
	}
}

// told is what people see of all referrals, without ids.
func told(w check.World) string {
	var lines []string
	for _, r := range w.Referrals {
		var b strings.Builder
		fmt.Fprintln(&b, r.GetPatient().GetName(), r.GetNumber(), r.GetState(), r.GetDirection(), r.GetKind(), r.GetUrgency(), r.GetMatchedCriteria(),
			r.GetExpectedFrom().AsTime(), r.GetDueTime().AsTime(), r.GetOutcomeCode(), r.GetVerdict())
		for _, h := range r.History {
			fmt.Fprintln(&b, " ", h.GetTime().AsTime(), h.GetAction(), h.GetActor().GetName(), h.GetReasonCode(), h.GetNote())
		}
		lines = append(lines, b.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func difference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return left[i] + "\n" + right[i]
		}
	}
	return fmt.Sprint(len(left), " and ", len(right), " lines")
}

// openWork: whoever signs in first finds something to do.
func (c county) openWork(t *testing.T) {
	t.Helper()
	for _, login := range []string{"township", "township2"} {
		list := c.list(t, login, "outbox")
		for _, state := range []referralv1.State_Code{
			referralv1.State_DRAFT, referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_ADMITTED, referralv1.State_CONCLUDED,
		} {
			if list[state] == 0 {
				t.Errorf("%s has sent none that is %s: %v", login, state, list)
			}
		}
		if home := c.list(t, login, "inbox"); home[referralv1.State_SUBMITTED] == 0 || home[referralv1.State_ACCEPTED] == 0 || home[referralv1.State_FOLLOW_UP] == 0 {
			t.Errorf("nobody comes home to %s: %v", login, home)
		}
	}
	if list := c.list(t, "desk", "inbox"); list[referralv1.State_SUBMITTED] < 4 {
		t.Errorf("the desk has %v", list)
	}
	for _, login := range []string{"township", "township2", "baisha1", "village"} {
		due, err := c.clients.FollowUp.ListFollowUps(c.as(t, login), &referralv1.ListFollowUpsRequest{})
		must(t, err)
		if len(due.GetFollowUps()) == 0 {
			t.Errorf("%s has no follow-up to make", login)
		}
	}
	for _, login := range []string{"specialist", "head"} {
		page, err := c.clients.Candidate.ListCandidates(c.as(t, login), &referralv1.ListCandidatesRequest{})
		must(t, err)
		if len(page.GetCandidates()) == 0 {
			t.Errorf("%s has no candidate", login)
		}
	}
	for _, login := range []string{"township", "township2", "desk", "specialist", "head", "baisha1"} {
		page, err := c.clients.Notification.ListNotifications(c.as(t, login), &notificationv1.ListNotificationsRequest{PageSize: 200})
		must(t, err)
		if len(page.GetNotifications()) == 0 {
			t.Errorf("%s has an empty inbox", login)
		}
	}
	for _, day := range []time.Time{until(), until().AddDate(0, 0, 1)} {
		page, err := c.clients.Referral.ListReferrals(c.as(t, "desk"), &referralv1.ListReferralsRequest{ExpectedOn: day.Format(time.DateOnly)})
		must(t, err)
		if len(page.GetReferrals()) == 0 && cmp.Compare(day.Weekday(), time.Saturday) != 0 {
			t.Errorf("nobody is expected on %s", day.Format(time.DateOnly))
		}
	}
}

func (c county) list(t *testing.T, login, view string) map[referralv1.State_Code]int {
	t.Helper()
	page, err := c.clients.Referral.ListReferrals(c.as(t, login), &referralv1.ListReferralsRequest{View: view, PageSize: 200})
	must(t, err)
	out := map[referralv1.State_Code]int{}
	for _, r := range page.GetReferrals() {
		out[r.GetState()]++
	}
	return out
}
