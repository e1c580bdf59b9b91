package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/history"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

// county's time; it knows no summer time.
func county() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

// past is a history that is asked for.
type past struct {
	seed.Options
	Referrals, Months int
}

// lastHour is when the last day ends: in the morning, with the day's work ahead. A day that is not so far yet ends now.
const lastHour = 10

func (p past) until() time.Time {
	y, m, d := p.AsOf.In(county()).Date()
	end := time.Date(y, m, d, lastHour, 0, 0, 0, county())
	if now := time.Now().Truncate(time.Minute); end.After(now) {
		return now
	}
	return end
}

// make makes a county with a history on a new data folder.
func (p past) make(ctx context.Context, settings host.Settings, step func(done, total int, what string)) (made seed.Report, lived history.Report, err error) {
	switch {
	case p.Referrals < 1 || p.Months < 1 || p.Months > 36:
		return made, lived, errors.New("a history has at least one referral, and 1 to 36 months (--referrals, --months)")
	case p.AsOf.After(time.Now().Add(24 * time.Hour)):
		return made, lived, errors.New("a history ends today at the latest (--as-of)")
	}
	until := p.until()
	world, err := host.OpenMoved(ctx, settings, p.County, until.AddDate(0, -p.Months, 0))
	if err != nil {
		return made, lived, err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	first := p.Options
	first.AsOf = world.Now()
	if made, err = seed.County(ctx, seedClients(world), first, step); err == nil {
		lived, err = history.Make(ctx, world, historyClients(world), history.Options{County: p.County, Until: until, Referrals: p.Referrals, Seed: p.Seed}, step)
	}
	if err == nil {
		err = world.Finish(ctx)
	}
	switch {
	case err == nil:
		return made, lived, nil
	case ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	return made, lived, fmt.Errorf("%w; the history ends on %s: remove the data folder %s to begin again", err, world.Now().In(county()).Format(time.DateOnly), settings.DataDir)
}

// tellLived prints what a history made.
func tellLived(lived history.Report) {
	fmt.Printf("history: %d referrals up, %d down, %d patients\n", lived.Up, lived.Down, lived.Patients)
	if lived.Refused > 0 {
		fmt.Fprintf(os.Stderr, "tongzhen: history: %d steps were refused and left out, the first: %v\n", lived.Refused, lived.First)
	}
}

// monthly tells on stderr at each new month where a history is, when nobody sees the bar.
func monthly(bar *progress) func(done, total int, what string) {
	month := ""
	return func(done, total int, what string) {
		bar.step(done, total, what)
		if day, err := time.Parse(time.DateOnly, what); err == nil && bar.bar == nil && day.Format("2006-01") != month {
			month = day.Format("2006-01")
			fmt.Fprintf(os.Stderr, "tongzhen: history: %s, day %d of %d\n", what, done, total)
		}
	}
}

func historyClients[C grpc.ClientConnInterface](c connector[C]) history.Clients {
	return history.Clients{
		Directory:    directoryv1.NewDirectoryServiceClient(c.Conn(host.Directory)),
		Patients:     patientrecordv1.NewPatientRecordServiceClient(c.Conn(host.PatientRecord)),
		Records:      patientrecordv1.NewClinicalRecordServiceClient(c.Conn(host.PatientRecord)),
		Recognition:  patientrecordv1.NewRecognitionServiceClient(c.Conn(host.PatientRecord)),
		Scheduling:   schedulingv1.NewSchedulingServiceClient(c.Conn(host.Scheduling)),
		Referral:     referralv1.NewReferralServiceClient(c.Conn(host.Referral)),
		Candidate:    referralv1.NewCandidateServiceClient(c.Conn(host.Referral)),
		FollowUp:     referralv1.NewFollowUpServiceClient(c.Conn(host.Referral)),
		Notification: notificationv1.NewNotificationServiceClient(c.Conn(host.Notification)),
	}
}
