package rpc

import (
	"context"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// GetTargets implements SettingService.
func (s settingServer) GetTargets(ctx context.Context, _ *referralv1.GetTargetsRequest) (*referralv1.Targets, error) {
	t, err := s.app.GetTargets(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return targets(t), nil
}

// UpdateTargets implements SettingService.
func (s settingServer) UpdateTargets(ctx context.Context, m *referralv1.UpdateTargetsRequest) (*referralv1.Targets, error) {
	cmd, err := command(ctx, referralv1.SettingService_UpdateTargets_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	if m.GetTargets() == nil {
		return nil, errs.Invalid(errs.Required("targets"))
	}
	in := domain.Targets{Version: m.GetTargets().GetVersion()}
	for _, t := range m.GetTargets().GetTargets() {
		in.Targets = append(in.Targets, domain.Target{
			Measure: trim(t.GetMeasure()), OrganizationID: t.GetOrganizationId(), DepartmentCode: t.GetDepartmentCode(),
			FromMonth: trim(t.GetFromMonth()), ToMonth: trim(t.GetToMonth()), Value: t.GetValue(),
		})
	}
	t, err := s.app.UpdateTargets(ctx, cmd, in)
	if err != nil {
		return nil, err
	}
	return targets(t), nil
}

func targets(t domain.Targets) *referralv1.Targets {
	out := &referralv1.Targets{Version: t.Version}
	for _, one := range t.Targets {
		out.Targets = append(out.Targets, &referralv1.Target{
			Measure: one.Measure, OrganizationId: one.OrganizationID, DepartmentCode: one.DepartmentCode,
			FromMonth: one.FromMonth, ToMonth: one.ToMonth, Value: one.Value,
		})
	}
	return out
}

// GetReasonSettings implements SettingService.
func (s settingServer) GetReasonSettings(ctx context.Context, _ *referralv1.GetReasonSettingsRequest) (*referralv1.ReasonSettings, error) {
	set, err := s.app.GetReasonSettings(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return reasonSettings(set), nil
}

// UpdateReasonSettings implements SettingService.
func (s settingServer) UpdateReasonSettings(ctx context.Context, m *referralv1.UpdateReasonSettingsRequest) (*referralv1.ReasonSettings, error) {
	cmd, err := command(ctx, referralv1.SettingService_UpdateReasonSettings_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	if m.GetSettings() == nil {
		return nil, errs.Invalid(errs.Required("settings"))
	}
	in := domain.ReasonSettings{Version: m.GetSettings().GetVersion()}
	for _, r := range m.GetSettings().GetReasons() {
		in.Reasons = append(in.Reasons, domain.ReasonSetting{
			Action: domain.Action(r.GetAction()), Code: r.GetCode(), Text: trim(r.GetText()), TextEn: trim(r.GetTextEn()), Hidden: r.GetHidden(),
			CountsAs: r.GetCountsAs(),
		})
	}
	set, err := s.app.UpdateReasonSettings(ctx, cmd, in)
	if err != nil {
		return nil, err
	}
	return reasonSettings(set), nil
}

func reasonSettings(s domain.ReasonSettings) *referralv1.ReasonSettings {
	out := &referralv1.ReasonSettings{Version: s.Version}
	for _, r := range s.Reasons {
		out.Reasons = append(out.Reasons, &referralv1.ReasonSetting{
			Action: string(r.Action), Code: r.Code, Text: r.Text, TextEn: r.TextEn, Hidden: r.Hidden, CountsAs: r.CountsAs,
		})
	}
	return out
}

// ListSettingVersions implements SettingService.
func (s settingServer) ListSettingVersions(ctx context.Context, m *referralv1.ListSettingVersionsRequest) (*referralv1.ListSettingVersionsResponse, error) {
	subject := app.Subject(m.GetSubject())
	found, err := s.app.SettingHistory(ctx, caller(ctx), subject)
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListSettingVersionsResponse{Shipped: settingVersion(subject, app.SettingVersion{Settings: domain.DefaultSettings(), Reasons: domain.ShippedReasons()})}
	for _, v := range found {
		one := settingVersion(subject, v)
		one.ChangeTime = stamp(v.At)
		out.Versions = append(out.Versions, one)
	}
	return out, nil
}

// settingVersion is a version without its time.
func settingVersion(subject app.Subject, v app.SettingVersion) *referralv1.SettingVersion {
	out := &referralv1.SettingVersion{Version: v.Version, AccountId: v.AccountID, AccountName: v.AccountName}
	switch subject {
	case app.SubjectSettings:
		out.Settings = settings(v.Settings)
	case app.SubjectTargets:
		out.Targets = targets(v.Targets)
	case app.SubjectReasons:
		out.Reasons = reasonSettings(v.Reasons)
	}
	return out
}
