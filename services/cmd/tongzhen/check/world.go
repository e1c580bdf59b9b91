package check

import (
	"context"
	"fmt"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Clients are the services that are asked. Calls go out in the name "cli" unless a Viewer says otherwise.
type Clients struct {
	Directory    directoryv1.DirectoryServiceClient
	Referral     referralv1.ReferralServiceClient
	Scheduling   schedulingv1.SchedulingServiceClient
	Notification notificationv1.NotificationServiceClient
	Candidate    referralv1.CandidateServiceClient
	Statistics   referralv1.StatisticsServiceClient
}

// Viewer turns a context into one in which calls are those of a person who may read the referrals of one organisation.
// Together the viewers of all originators see every referral, drafts too, and those of the hospitals every candidate.
type Viewer func(ctx context.Context) (context.Context, error)

// Referral with its timeline.
type Referral struct {
	*referralv1.Referral
	History []*referralv1.HistoryRow
}

// World is what the services say of one county.
type World struct {
	Lifecycle []*referralv1.Action
	Referrals []Referral
	// Holds and Bookings are those that take capacity; a hold that became a booking is only the latter.
	Holds    []*schedulingv1.Hold
	Bookings []*schedulingv1.Booking
	Entries  []*notificationv1.Notification
	Accounts []*directoryv1.Account
	// Candidates in every state; none when nobody of a hospital looked.
	Candidates []*referralv1.Candidate
	// Figures are those that a recount from history gives another number for.
	Figures []*referralv1.StatisticDifference
}

const pageSize = 200

// Read asks for everything. It is no snapshot: between two answers the county may move.
func Read(ctx context.Context, c Clients, county string, viewers ...Viewer) (World, error) {
	w := World{}
	for _, step := range []func() error{
		func() error { return w.readReferrals(ctx, c.Referral, viewers) },
		func() error { return w.readCapacity(ctx, c.Scheduling, county) },
		func() error { return w.readEntries(ctx, c.Notification, county) },
		func() error { return w.readAccounts(ctx, c.Directory) },
		func() error { return w.readCandidates(ctx, c.Candidate, viewers) },
		func() error { return w.readFigures(ctx, c.Statistics, county) },
	} {
		if err := step(); err != nil {
			return World{}, err
		}
	}
	return w, nil
}

func (w *World) readReferrals(ctx context.Context, client referralv1.ReferralServiceClient, viewers []Viewer) error {
	seen := map[string]bool{}
	for _, viewer := range viewers {
		as, err := viewer(ctx)
		if err != nil {
			return fmt.Errorf("take a viewer's place: %w", err)
		}
		if w.Lifecycle == nil {
			table, err := client.GetLifecycle(as, &referralv1.GetLifecycleRequest{})
			if err != nil {
				return fmt.Errorf("read life cycle: %w", err)
			}
			w.Lifecycle = table.GetActions()
		}
		if err := w.readView(as, client, seen); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) readView(ctx context.Context, client referralv1.ReferralServiceClient, seen map[string]bool) error {
	for token := ""; ; {
		page, err := client.ListReferrals(ctx, &referralv1.ListReferralsRequest{View: "all", PageSize: pageSize, PageToken: token})
		if err != nil {
			return fmt.Errorf("list referrals: %w", err)
		}
		for _, r := range page.GetReferrals() {
			if seen[r.GetId()] {
				continue
			}
			seen[r.GetId()] = true
			history, err := client.ListHistory(ctx, &referralv1.ListHistoryRequest{Id: r.GetId()})
			if err != nil {
				return fmt.Errorf("read history of %s: %w", r.GetId(), err)
			}
			w.Referrals = append(w.Referrals, Referral{r, history.GetHistory()})
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

func (w *World) readCapacity(ctx context.Context, client schedulingv1.SchedulingServiceClient, county string) error {
	for token := ""; ; {
		page, err := client.ListLive(ctx, &schedulingv1.ListLiveRequest{County: county, PageSize: pageSize, PageToken: token})
		if err != nil {
			return fmt.Errorf("list holds and bookings: %w", err)
		}
		w.Holds = append(w.Holds, page.GetHolds()...)
		w.Bookings = append(w.Bookings, page.GetBookings()...)
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

func (w *World) readEntries(ctx context.Context, client notificationv1.NotificationServiceClient, county string) error {
	for token := ""; ; {
		page, err := client.ListDelivered(ctx, &notificationv1.ListDeliveredRequest{County: county, PageSize: pageSize, PageToken: token})
		if err != nil {
			return fmt.Errorf("list inbox entries: %w", err)
		}
		w.Entries = append(w.Entries, page.GetNotifications()...)
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

func (w *World) readAccounts(ctx context.Context, client directoryv1.DirectoryServiceClient) error {
	for token := ""; ; {
		page, err := client.ListAccounts(ctx, &directoryv1.ListAccountsRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return fmt.Errorf("list accounts: %w", err)
		}
		w.Accounts = append(w.Accounts, page.GetAccounts()...)
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

func (w *World) readCandidates(ctx context.Context, client referralv1.CandidateServiceClient, viewers []Viewer) error {
	seen := map[string]bool{}
	for _, viewer := range viewers {
		as, err := viewer(ctx)
		if err != nil {
			return fmt.Errorf("take a viewer's place: %w", err)
		}
		for token := ""; ; {
			page, err := client.ListCandidates(as, &referralv1.ListCandidatesRequest{State: "ALL", PageSize: pageSize, PageToken: token})
			if errs.KindOf(err) == errs.KindDenied {
				break // candidates are the hospitals'
			}
			if err != nil {
				return fmt.Errorf("list candidates: %w", err)
			}
			for _, c := range page.GetCandidates() {
				if !seen[c.GetId()] {
					seen[c.GetId()] = true
					w.Candidates = append(w.Candidates, c)
				}
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
	}
	return nil
}

func (w *World) readFigures(ctx context.Context, client referralv1.StatisticsServiceClient, county string) error {
	checked, err := client.CheckStatistics(ctx, &referralv1.CheckStatisticsRequest{County: county})
	if err != nil {
		return fmt.Errorf("check figures: %w", err)
	}
	w.Figures = checked.GetDifferences()
	return nil
}

// transitions are the rows that changed the referral, without the marks.
func (r Referral) transitions() []*referralv1.HistoryRow {
	var rows []*referralv1.HistoryRow
	for _, row := range r.History {
		if row.GetKind() == "TRANSITION" {
			rows = append(rows, row)
		}
	}
	return rows
}

// arrivedFrom is the state in which the patient was awaited; UNSPECIFIED for one who has not arrived, or whose arrival was recorded afterwards.
func (r Referral) arrivedFrom() referralv1.State_Code {
	from := referralv1.State_UNSPECIFIED
	for _, row := range r.transitions() {
		if row.GetAction() == "arrive" {
			from = row.GetFrom()
		}
	}
	return from
}

func (r Referral) did(action string) bool {
	for _, row := range r.transitions() {
		if row.GetAction() == action {
			return true
		}
	}
	return false
}

func holds(a *directoryv1.Account, roles ...commonv1.Role_Code) bool {
	for _, held := range a.GetRoles() {
		for _, role := range roles {
			if held == role {
				return true
			}
		}
	}
	return false
}
