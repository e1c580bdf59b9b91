package gateway

import (
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/beds"
	"github.com/tongzhen/tongzhen/services/gateway/pages/schedules"
	"github.com/tongzhen/tongzhen/services/gateway/pages/sessions"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/pages/waitlist"
)

// capacityPages are those of what can be booked: schedules, sessions, beds and the fallback list.
func capacityPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	var (
		calendar   = schedulingv1.NewCalendarServiceClient(deps.Conns.Scheduling)
		allocation = schedulingv1.NewAllocationServiceClient(deps.Conns.Scheduling)
		referral   = referralv1.NewReferralServiceClient(deps.Conns.Referral)
	)
	planned, err := schedules.New(schedules.Deps{Shell: sh, Calendar: calendar, Allocation: allocation})
	if err != nil {
		return err
	}
	planned.Routes(mux)
	sessionPages, err := sessions.New(sessions.Deps{Shell: sh, Calendar: calendar, Allocation: allocation, Referral: referral})
	if err != nil {
		return err
	}
	sessionPages.Routes(mux)
	waiting, err := waitlist.New(waitlist.Deps{Shell: sh, Allocation: allocation, Scheduling: schedulingv1.NewSchedulingServiceClient(deps.Conns.Scheduling), Referral: referral})
	if err != nil {
		return err
	}
	waiting.Routes(mux)
	board, err := beds.New(beds.Deps{Shell: sh, Allocation: allocation, Scheduling: schedulingv1.NewSchedulingServiceClient(deps.Conns.Scheduling), Referral: referral})
	if err != nil {
		return err
	}
	board.Routes(mux)
	return nil
}
