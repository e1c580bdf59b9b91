package gateway

import (
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/accounts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// keptAccountPages are those on which the county's accounts are looked after.
func keptAccountPages(mux shell.Mux, cfg Config, deps Deps, sh *shell.Shell) error {
	pages, err := accounts.New(accounts.Deps{
		Shell: sh, Accounts: directoryv1.NewAccountServiceClient(deps.Conns.Directory), Secure: cfg.Secure,
		Statistics: referralv1.NewStatisticsServiceClient(deps.Conns.Referral), Calendar: schedulingv1.NewCalendarServiceClient(deps.Conns.Scheduling),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
