package notification_test

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// consents answers for patient-record: everybody's number, or nobody's.
type consents struct {
	patientrecordv1.UnimplementedConsentServiceServer
	mu     sync.Mutex
	reason string
}

func (c *consents) say(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reason = reason
}

func (c *consents) GetContact(context.Context, *patientrecordv1.GetContactRequest) (*patientrecordv1.Contact, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason != "" {
		return &patientrecordv1.Contact{Reason: c.reason}, nil
	}
	return &patientrecordv1.Contact{Phone: "13800000000"}, nil
}

// handover answers for referral.
type handover struct {
	referralv1.UnimplementedHandoverServiceServer
}

func (handover) GetSlipKey(context.Context, *referralv1.GetSlipKeyRequest) (*referralv1.SlipKey, error) {
	return &referralv1.SlipKey{Number: printed, Key: "ABCDEFGH"}, nil
}

// bookings answers for scheduling: a booking whose id begins with a letter was given back.
type bookings struct {
	schedulingv1.UnimplementedSchedulingServiceServer
}

const gone = "aaaaaaaa-0000-7000-8000-000000000000"

func (bookings) GetBooking(_ context.Context, r *schedulingv1.GetBookingRequest) (*schedulingv1.Booking, error) {
	b := &schedulingv1.Booking{
		Id: r.GetId(), State: schedulingv1.BookingState_LIVE, OrganizationId: hospital, DepartmentCode: "0304", Location: "305 诊室",
		// A day of that weekday that is still to come: nobody is told of one that is past.
		Start: timestamppb.New(time.Date(2099, 3, 5, 0, 30, 0, 0, time.UTC)), Preparation: "空腹。", PreparationEnglish: "nothing to eat",
	}
	if r.GetId() == gone {
		b.State = schedulingv1.BookingState_RELEASED
	}
	return b, nil
}
