package gateway

import (
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/pages/slips"
)

// slipPages are the printed slips and their verification; the answer serves verification as JSON, which needs no token either.
func slipPages(mux shell.Mux, cfg Config, deps Deps, sh *shell.Shell) error {
	pages, err := slips.New(slips.Deps{
		Shell: sh, Referral: referralv1.NewReferralServiceClient(deps.Conns.Referral), Handover: referralv1.NewHandoverServiceClient(deps.Conns.Referral),
		Downtime:   referralv1.NewDowntimeServiceClient(deps.Conns.Referral),
		Scheduling: schedulingv1.NewSchedulingServiceClient(deps.Conns.Scheduling),
		Limiter:    deps.Cache, Ring: deps.Ring, Secure: cfg.Secure,
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	mux.HandleFunc("GET /api/v1/verify/{number}", pages.Verify)
	return nil
}
