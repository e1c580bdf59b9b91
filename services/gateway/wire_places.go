package gateway

import (
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/places"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// placePages are the organisations of a county, and the medicines of each.
func placePages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := places.New(places.Deps{
		Shell: sh, Place: directoryv1.NewPlaceServiceClient(deps.Conns.Directory), Directory: directoryv1.NewDirectoryServiceClient(deps.Conns.Directory),
		Statistics: referralv1.NewStatisticsServiceClient(deps.Conns.Referral), Calendar: schedulingv1.NewCalendarServiceClient(deps.Conns.Scheduling),
		Allocation: schedulingv1.NewAllocationServiceClient(deps.Conns.Scheduling),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
