package rpc

import (
	"context"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// settingServer implements SettingService.
type settingServer struct {
	referralv1.UnimplementedSettingServiceServer
	app *app.Service
}

// GetSettings implements SettingService.
func (s settingServer) GetSettings(ctx context.Context, _ *referralv1.GetSettingsRequest) (*referralv1.Settings, error) {
	set, err := s.app.GetSettings(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return settings(set), nil
}

// UpdateSettings implements SettingService.
func (s settingServer) UpdateSettings(ctx context.Context, m *referralv1.UpdateSettingsRequest) (*referralv1.Settings, error) {
	cmd, err := command(ctx, referralv1.SettingService_UpdateSettings_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	if m.GetSettings() == nil {
		return nil, errs.Invalid(errs.Required("settings"))
	}
	set, err := s.app.UpdateSettings(ctx, cmd, toSettings(m.GetSettings()))
	if err != nil {
		return nil, err
	}
	return settings(set), nil
}

func settings(s domain.Settings) *referralv1.Settings {
	out := &referralv1.Settings{
		Version: s.Version, Opens: s.Opens, Closes: s.Closes, Holidays: s.Holidays, Workdays: s.Workdays, BounceBackDays: int32(s.BounceBackDays),
	}
	for _, l := range s.Limits {
		out.Limits = append(out.Limits, &referralv1.Limit{
			Step: string(l.Step), Direction: string(l.Direction),
			Urgency: commonv1.Urgency_Code(commonv1.Urgency_Code_value[string(l.Urgency)]),
			Minutes: int32(l.Minutes), WorkingDays: int32(l.WorkingDays), RepeatMinutes: int32(l.RepeatMinutes),
		})
	}
	return out
}

func toSettings(m *referralv1.Settings) domain.Settings {
	s := domain.Settings{
		Version: m.GetVersion(), Opens: trim(m.GetOpens()), Closes: trim(m.GetCloses()), Holidays: m.GetHolidays(), Workdays: m.GetWorkdays(),
		BounceBackDays: int(m.GetBounceBackDays()),
	}
	for _, l := range m.GetLimits() {
		s.Limits = append(s.Limits, domain.Limit{
			Step: domain.Step(l.GetStep()), Direction: domain.Direction(l.GetDirection()), Urgency: domain.Urgency(word(l.GetUrgency())),
			Minutes: int(l.GetMinutes()), WorkingDays: int(l.GetWorkingDays()), RepeatMinutes: int(l.GetRepeatMinutes()),
		})
	}
	return s
}
