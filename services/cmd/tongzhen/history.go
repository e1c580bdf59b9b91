package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/history"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

// past is a history that is asked for.
type past struct {
	seed.Options
	Referrals, Months int
}

// lastHour is when the last day ends: in the morning, with the day's work ahead. A day that is not so far yet ends now.
const lastHour = 10

func (p past) until() time.Time {
	zone := time.FixedZone("Asia/Shanghai", 8*60*60)
	y, m, d := p.AsOf.In(zone).Date()
	end := time.Date(y, m, d, lastHour, 0, 0, 0, zone)
	if now := time.Now().Truncate(time.Minute); end.After(now) {
		return now
	}
	return end
}

// make makes a county with a history on a data folder that has none. Ready-made counties are refused: errCountyThere.
func (p past) make(ctx context.Context, settings host.Settings, bar func(done, total int, what string)) (made seed.Report, lived history.Report, err error) {
	if p.Referrals < 1 || p.Months < 1 || p.Months > 36 {
		return made, lived, errors.New("a history has at least one referral, and 1 to 36 months (--referrals, --months)")
	}
	until := p.until()
	world, err := host.OpenMoved(ctx, settings, p.County, until.AddDate(0, -p.Months, 0))
	if err != nil {
		return made, lived, err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	clients := historyClients(world)
	there, err := clients.Directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 1})
	if err != nil {
		return made, lived, err
	}
	if len(there.GetOrganizations()) > 0 {
		return made, lived, errCountyThere
	}
	first := p.Options
	first.AsOf = world.Now()
	if made, err = seed.County(ctx, seedClients(world), first, bar); err != nil {
		return made, lived, err
	}
	lived, err = history.Make(ctx, world, clients, history.Options{County: p.County, Until: until, Referrals: p.Referrals, Seed: p.Seed}, bar)
	if err != nil {
		err = fmt.Errorf("%w; the county is whole and at rest up to %s, but not further: remove the data folder %s to begin again", err, world.Now().Format(time.DateOnly), settings.DataDir)
	}
	return made, lived, err
}

var errCountyThere = errors.New("the county is there already, and time does not go backwards: a history needs a new data folder (TONGZHEN_DATA_DIR)")

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
