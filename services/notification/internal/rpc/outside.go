package rpc

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
)

// OutsidePeers are the connections that a message is worded with.
type OutsidePeers struct {
	Directory, PatientRecord, Referral, Scheduling grpc.ClientConnInterface
}

// Outside implements app.Outside over gRPC, as the service itself.
type Outside struct {
	directory  directoryv1.DirectoryServiceClient
	consents   patientrecordv1.ConsentServiceClient
	handover   referralv1.HandoverServiceClient
	scheduling schedulingv1.SchedulingServiceClient
	clk        clock.Clock

	mu    sync.Mutex
	names map[string]*named
}

type named struct {
	names   app.Names
	at      time.Time // zero: never read
	failed  time.Time
	err     error
	reading chan struct{} // closed when the reading under way ends; nil: there is none
}

const (
	// namesFor is how long names of a county count: they change a few times a year.
	namesFor = 10 * time.Minute
	// askNotBefore is how long a directory that did not answer is left alone: messages must not queue up behind it.
	askNotBefore = 10 * time.Second
	// namesWait is how long a message waits for names that were never read: without them it says a little less.
	namesWait = time.Second
	// patience with a peer: the message can wait, its lease cannot.
	patience = 5 * time.Second
)

// NewOutside calls through the connections.
func NewOutside(p OutsidePeers, clk clock.Clock) *Outside {
	return &Outside{
		directory: directoryv1.NewDirectoryServiceClient(p.Directory), consents: patientrecordv1.NewConsentServiceClient(p.PatientRecord),
		handover: referralv1.NewHandoverServiceClient(p.Referral), scheduling: schedulingv1.NewSchedulingServiceClient(p.Scheduling),
		clk: clk, names: map[string]*named{},
	}
}

func self(ctx context.Context, county string) (context.Context, context.CancelFunc) {
	return context.WithTimeout(platform.WithCounty(platform.AsService(ctx), county), patience)
}

// Contact implements app.Outside.
func (o *Outside) Contact(ctx context.Context, county, patientID, referralID string) (phone, reason string, err error) {
	ctx, stop := self(ctx, county)
	defer stop()
	c, err := o.consents.GetContact(ctx, &patientrecordv1.GetContactRequest{County: county, PatientId: patientID, ReferralId: referralID})
	if err != nil {
		return "", "", errs.FromStatus(err)
	}
	return c.GetPhone(), c.GetReason(), nil
}

// Booking implements app.Outside.
func (o *Outside) Booking(ctx context.Context, county, bookingID string) (app.Place, error) {
	ctx, stop := self(ctx, county)
	defer stop()
	b, err := o.scheduling.GetBooking(ctx, &schedulingv1.GetBookingRequest{Id: bookingID})
	if err != nil {
		return app.Place{}, errs.FromStatus(err)
	}
	p := app.Place{
		OrganizationID: b.GetOrganizationId(), DepartmentCode: b.GetDepartmentCode(), Location: b.GetLocation(), Ward: b.GetWard(), Bed: b.GetBed(),
		Bring: b.GetPreparation(), BringEnglish: b.GetPreparationEnglish(), Gone: b.GetDisplaced() || b.GetState() == schedulingv1.BookingState_RELEASED,
	}
	if b.GetStart() != nil {
		p.Start = b.GetStart().AsTime()
	}
	return p, nil
}

// SlipKey implements app.Outside.
func (o *Outside) SlipKey(ctx context.Context, county, referralID string) (number, key string, err error) {
	ctx, stop := self(ctx, county)
	defer stop()
	k, err := o.handover.GetSlipKey(ctx, &referralv1.GetSlipKeyRequest{ReferralId: referralID})
	if err != nil {
		return "", "", errs.FromStatus(err)
	}
	return k.GetNumber(), k.GetKey(), nil
}

// Names implements app.Outside. One reading at a time; while it is under way, and while the directory is away, older names are better than none.
func (o *Outside) Names(ctx context.Context, county string) (app.Names, error) {
	reading := o.refresh(ctx, county)
	if reading != nil {
		wait := time.NewTimer(namesWait)
		defer wait.Stop()
		select {
		case <-reading:
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	known := o.names[county]
	switch {
	case !known.at.IsZero():
		return known.names, nil
	case known.err != nil:
		return app.Names{}, known.err
	}
	return app.Names{}, errs.Unavailable("directory", ctx.Err())
}

// refresh begins a reading if one is due, and answers the one under way if there are no names yet.
func (o *Outside) refresh(ctx context.Context, county string) (reading <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	known, now := o.names[county], o.clk.Now()
	if known == nil {
		known = &named{}
		o.names[county] = known
	}
	stale := known.at.IsZero() || now.Sub(known.at) >= namesFor
	if stale && known.reading == nil && (known.err == nil || now.Sub(known.failed) >= askNotBefore) {
		done := make(chan struct{})
		known.reading = done
		go func() { // no longer than patience
			defer close(done)
			fresh, err := o.read(context.WithoutCancel(ctx), county)
			o.mu.Lock()
			defer o.mu.Unlock()
			if known.reading = nil; err == nil {
				known.names, known.at, known.err = fresh, o.clk.Now(), nil
			} else {
				known.failed, known.err = o.clk.Now(), err
			}
		}()
	}
	if known.at.IsZero() && known.reading != nil {
		return known.reading
	}
	return nil
}

func (o *Outside) read(ctx context.Context, county string) (app.Names, error) {
	ctx, stop := self(ctx, county)
	defer stop()
	out := app.Names{Organizations: map[string]app.Name{}, Departments: map[[2]string]app.Name{}}
	for token := ""; ; {
		page, err := o.directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: maxPage, PageToken: token})
		if err != nil {
			return out, errs.FromStatus(err)
		}
		for _, one := range page.GetOrganizations() {
			out.Organizations[one.GetId()] = app.Name{Name: one.GetName(), NameEnglish: one.GetNameEn(), Phone: one.GetPhone(), Location: one.GetAddress()}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	departments, err := o.directory.ListDepartments(ctx, &directoryv1.ListDepartmentsRequest{})
	if err != nil {
		return out, errs.FromStatus(err)
	}
	for _, one := range departments.GetDepartments() {
		out.Departments[[2]string{one.GetOrganizationId(), one.GetCode()}] = app.Name{
			Name: one.GetName(), NameEnglish: one.GetNameEn(), Phone: one.GetPhone(), Location: one.GetLocation(),
		}
	}
	return out, nil
}
