package rpc

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Alarms implements AlarmService.
type Alarms struct {
	notificationv1.UnimplementedAlarmServiceServer
	app      *app.App
	outgoing *app.Outgoing
}

// telephones are those who pick up the telephone: the desk and the heads of the receiver, the doctors who sent the patient, and the county.
func telephones() []string {
	return []string{"INTAKE_DESK", "CENTRE_HEAD", "DEPARTMENT_HEAD", "TOWNSHIP_DOCTOR", "VILLAGE_DOCTOR", countyAdmin}
}

// alarmPolicy is who may call what of AlarmService.
func alarmPolicy(table authz.Table) authz.Table {
	own := authz.Rule{AnyPerson: true, Need: authz.Own}
	calls := authz.Rule{Roles: telephones(), Need: authz.Own}
	for _, method := range []string{
		notificationv1.AlarmService_ListAlarms_FullMethodName, notificationv1.AlarmService_AcknowledgeAlarm_FullMethodName,
		notificationv1.AlarmService_GetPreferences_FullMethodName, notificationv1.AlarmService_SetPreferences_FullMethodName,
		notificationv1.AlarmService_GetCountyRules_FullMethodName,
	} {
		table[method] = own
	}
	table[notificationv1.AlarmService_ListCalls_FullMethodName] = calls
	table[notificationv1.AlarmService_RecordCall_FullMethodName] = calls
	senders := []string{"CENTRE_HEAD", "TOWNSHIP_DOCTOR", "VILLAGE_DOCTOR"}
	table[notificationv1.AlarmService_RecordTelephoned_FullMethodName] = authz.Rule{Roles: senders, Need: authz.Own}
	table[notificationv1.AlarmService_GetRung_FullMethodName] = authz.Rule{
		Roles: append(senders, "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER"), Need: authz.Own,
	}
	table[notificationv1.AlarmService_SetCountyRules_FullMethodName] = authz.Rule{Roles: []string{countyAdmin}, Need: authz.Own}
	table[notificationv1.AlarmService_ListRules_FullMethodName] = authz.Rule{AnyPerson: true}
	return table
}

// ListAlarms implements the contract.
func (s *Alarms) ListAlarms(ctx context.Context, r *notificationv1.ListAlarmsRequest) (*notificationv1.ListAlarmsResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	size := wholePage(r.GetPageSize(), maxPage)
	q := app.AlarmQuery{County: c.County, AccountID: c.AccountID, Limit: size + 1}
	if q.AfterTime, q.AfterID, err = readTimeToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	alarms, err := s.app.Alarms(ctx, q)
	if err != nil {
		return nil, err
	}
	wants, _, err := s.app.Preferences(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListAlarmsResponse{SoundForUrgent: wants.SoundForUrgent}
	alarms, out.NextPageToken = cut(alarms, size, func(a app.AlarmView) string {
		return timeToken(domain.EntryData{CreateTime: a.CreateTime, ID: a.ID})
	})
	for _, a := range alarms {
		out.Alarms = append(out.Alarms, alarmProto(a))
	}
	if who, _ := authn.FromContext(ctx); slices.ContainsFunc(telephones(), who.Has) {
		organization := c.OrganizationID
		if who.Has(countyAdmin) {
			organization = ""
		}
		n, err := s.app.OpenCalls(ctx, c.County, organization)
		if err != nil {
			return nil, err
		}
		out.OpenCallCount = int32(n)
	}
	return out, nil
}

// AcknowledgeAlarm implements the contract.
func (s *Alarms) AcknowledgeAlarm(ctx context.Context, r *notificationv1.AcknowledgeAlarmRequest) (*notificationv1.Alarm, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	a, err := s.app.AcknowledgeAlarm(ctx, c, r.GetId())
	if err != nil {
		return nil, err
	}
	return alarmProto(a), nil
}

// ListCalls implements the contract.
func (s *Alarms) ListCalls(ctx context.Context, r *notificationv1.ListCallsRequest) (*notificationv1.ListCallsResponse, error) {
	c, everywhere, err := callMaker(ctx)
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	q := app.CallQuery{County: c.County, OrganizationID: c.OrganizationID, Ended: r.GetEnded(), Limit: size + 1}
	if everywhere {
		q.OrganizationID = ""
	}
	if q.BeforeTime, q.BeforeID, err = readTimeToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	calls, err := s.app.Calls(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListCallsResponse{}
	if len(calls) > size {
		calls = calls[:size]
		out.NextPageToken = idToken(calls[size-1].CreateTime.Format(time.RFC3339Nano) + " " + calls[size-1].ID)
	}
	for _, one := range calls {
		out.Calls = append(out.Calls, callProto(one))
	}
	return out, nil
}

// RecordCall implements the contract.
func (s *Alarms) RecordCall(ctx context.Context, r *notificationv1.RecordCallRequest) (*notificationv1.Call, error) {
	c, everywhere, err := callMaker(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.app.RecordCall(ctx, c, everywhere, app.CallOutcome{
		ID: r.GetId(), Version: r.GetVersion(), RequestID: r.GetRequestId(),
		Record: domain.CallRecord{Outcome: r.GetOutcome(), ReachedAccount: r.GetReachedAccountId(), ReachedName: r.GetReachedName(), Note: r.GetNote()},
	})
	if err != nil {
		return nil, err
	}
	return callProto(v), nil
}

// GetRung implements the contract.
func (s *Alarms) GetRung(ctx context.Context, r *notificationv1.GetRungRequest) (*notificationv1.Rung, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	v, err := s.app.Rung(ctx, c, r.GetReferralId())
	if err != nil {
		return nil, err
	}
	return rungProto(v), nil
}

// RecordTelephoned implements the contract.
func (s *Alarms) RecordTelephoned(ctx context.Context, r *notificationv1.RecordTelephonedRequest) (*notificationv1.Rung, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	t := app.Telephoning{ReferralID: r.GetReferralId(), ReachedName: strings.TrimSpace(r.GetReachedName()), Note: strings.TrimSpace(r.GetNote()), RequestID: r.GetRequestId()}
	if r.GetTime() != nil {
		t.Time = r.GetTime().AsTime().Truncate(time.Microsecond)
	}
	v, err := s.app.RecordTelephoned(ctx, c, t)
	if err != nil {
		return nil, err
	}
	return rungProto(v), nil
}

// callMaker is who calls; the administrator of the county sees its calls everywhere.
func callMaker(ctx context.Context) (app.Caller, bool, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return c, false, err
	}
	who, _ := authn.FromContext(ctx)
	if c.OrganizationID == "" && !who.Has(countyAdmin) {
		return c, false, errs.Denied(errs.ReasonRole)
	}
	return c, who.Has(countyAdmin), nil
}

// GetPreferences implements the contract.
func (s *Alarms) GetPreferences(ctx context.Context, _ *notificationv1.GetPreferencesRequest) (*notificationv1.Preferences, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	p, county, err := s.app.Preferences(ctx, c)
	if err != nil {
		return nil, err
	}
	out := preferencesProto(p, county)
	out.County.PatientSmsWorks = s.outgoing.ReachesPatients(county)
	return out, nil
}

// SetPreferences implements the contract.
func (s *Alarms) SetPreferences(ctx context.Context, r *notificationv1.SetPreferencesRequest) (*notificationv1.Preferences, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := s.app.SetPreferences(ctx, c, preferences(r.GetPreferences()), r.GetRequestId()); err != nil {
		return nil, err
	}
	return s.GetPreferences(ctx, nil)
}

// GetCountyRules implements the contract.
func (s *Alarms) GetCountyRules(ctx context.Context, _ *notificationv1.GetCountyRulesRequest) (*notificationv1.CountyRules, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	rules, err := s.app.CountyRules(ctx, c)
	if err != nil {
		return nil, err
	}
	out := countyRulesProto(rules)
	out.PatientSmsWorks = s.outgoing.ReachesPatients(rules)
	return out, nil
}

// SetCountyRules implements the contract.
func (s *Alarms) SetCountyRules(ctx context.Context, r *notificationv1.SetCountyRulesRequest) (*notificationv1.CountyRules, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := s.app.SetCountyRules(ctx, c, countyRules(r.GetRules()), r.GetRequestId()); err != nil {
		return nil, err
	}
	return s.GetCountyRules(ctx, nil)
}

// ListRules implements the contract.
func (s *Alarms) ListRules(context.Context, *notificationv1.ListRulesRequest) (*notificationv1.ListRulesResponse, error) {
	out := &notificationv1.ListRulesResponse{}
	for _, r := range s.app.Rules() {
		out.Rules = append(out.Rules, ruleProto(r))
	}
	return out, nil
}

func timeProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
