package gateway

import (
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/alarms"
	"github.com/tongzhen/tongzhen/services/gateway/pages/preferences"
	"github.com/tongzhen/tongzhen/services/gateway/pages/rosters"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// dutyPages are who is on duty, what rings, whom to telephone, and how people want to be told.
func dutyPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	alarm := notificationv1.NewAlarmServiceClient(deps.Conns.Notification)
	rosterPages, err := rosters.New(rosters.Deps{
		Shell: sh, Roster: directoryv1.NewRosterServiceClient(deps.Conns.Directory), Directory: directoryv1.NewDirectoryServiceClient(deps.Conns.Directory),
	})
	if err != nil {
		return err
	}
	rosterPages.Routes(mux)
	alarmPages, err := alarms.New(alarms.Deps{Shell: sh, Alarm: alarm})
	if err != nil {
		return err
	}
	alarmPages.Routes(mux)
	preferencePages, err := preferences.New(preferences.Deps{Shell: sh, Alarm: alarm})
	if err != nil {
		return err
	}
	preferencePages.Routes(mux)
	return nil
}
