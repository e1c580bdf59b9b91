package rpc

import (
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func alarmProto(a app.AlarmView) *notificationv1.Alarm {
	out := &notificationv1.Alarm{
		Id: a.ID, ReferralId: a.About.ReferralID, ReferralNumber: a.About.ReferralNumber, Event: a.About.Event, FromOrganizationId: a.About.ActorOrganizationID,
		CreateTime: timestamppb.New(a.CreateTime), Rings: int32(a.Rings),
		LastRingTime: timeProto(a.LastRing), CallTime: timestamppb.New(a.CallTime), CallId: a.CallID, AccountIds: a.Accounts,
	}
	if a.State != domain.AlarmRinging {
		out.AcknowledgeTime, out.AcknowledgeAccountId, out.AcknowledgeChannel = timeProto(a.AcknowledgeTime), a.AcknowledgeAccount, a.AcknowledgeChannel
	}
	return out
}

func callProto(v app.CallView) *notificationv1.Call {
	out := &notificationv1.Call{
		Id: v.ID, Version: v.Version, State: v.State, ReferralId: v.ReferralID, ReferralNumber: v.ReferralNumber, Urgency: urgency(v.Urgency),
		OrganizationId: v.OrganizationID, CreateTime: timestamppb.New(v.CreateTime), Step: v.Step,
	}
	for _, c := range v.Callees {
		out.Callees = append(out.Callees, &notificationv1.Callee{AccountId: c.AccountID, Name: v.Names[c.AccountID], Phone: v.Phones[c.AccountID], As: c.As})
	}
	out.Records = recordProtos(v)
	return out
}

func recordProtos(v app.CallView) (out []*notificationv1.CallRecord) {
	for _, r := range v.Records {
		name := r.ReachedName
		if name == "" {
			name = v.Names[r.ReachedAccount]
		}
		out = append(out, &notificationv1.CallRecord{
			Outcome: r.Outcome, ReachedAccountId: r.ReachedAccount, ReachedName: name, Note: r.Note, AccountId: r.Account, AccountName: v.Names[r.Account],
			Time: timestamppb.New(r.Time),
		})
	}
	return out
}

func rungProto(v app.RungView) *notificationv1.Rung {
	out := &notificationv1.Rung{
		State: v.State, CreateTime: timestamppb.New(v.CreateTime), Rings: int32(v.Rings), LastRingTime: timeProto(v.LastRing), Calls: recordProtos(v.Call),
	}
	if v.State != domain.AlarmRinging {
		out.AcknowledgeTime, out.AcknowledgeAccountId, out.AcknowledgeAccountName = timeProto(v.AcknowledgeTime), v.AcknowledgeAccount, v.Taker
		out.AcknowledgeChannel = v.AcknowledgeChannel
	}
	for _, p := range v.People {
		one := &notificationv1.RungPerson{AccountId: p.AccountID, Name: p.Name, Roles: p.Roles, ToldTime: timeProto(p.Told), AcknowledgeTime: timeProto(p.Acknowledged)}
		for _, w := range p.Ways {
			one.Ways = append(one.Ways, &notificationv1.RungWay{Channel: w.Channel, State: w.State})
		}
		out.People = append(out.People, one)
	}
	return out
}

func preferencesProto(p domain.Preferences, county domain.CountyRules) *notificationv1.Preferences {
	return &notificationv1.Preferences{
		Version: p.Version, Urgent: p.Urgent, Routine: p.Routine, QuietFrom: p.QuietFrom, QuietTo: p.QuietTo, DigestTimes: p.DigestTimes,
		Language: p.Language, SoundForUrgent: p.SoundForUrgent, County: countyRulesProto(county),
	}
}

func preferences(p *notificationv1.Preferences) domain.Preferences {
	return domain.Preferences{
		Version: p.GetVersion(), Urgent: slices.Clone(p.GetUrgent()), Routine: slices.Clone(p.GetRoutine()), QuietFrom: p.GetQuietFrom(), QuietTo: p.GetQuietTo(),
		DigestTimes: slices.Clone(p.GetDigestTimes()), Language: p.GetLanguage(), SoundForUrgent: p.GetSoundForUrgent(),
	}
}

func countyRulesProto(r domain.CountyRules) *notificationv1.CountyRules {
	return &notificationv1.CountyRules{
		Version: r.Version, Allowed: r.Allowed, AlwaysEmergency: r.AlwaysEmergency, AlwaysUrgent: r.AlwaysUrgent, QuietAllowed: r.QuietAllowed,
		QuietHoursMost: int32(r.QuietHoursMost), RingSeconds: int32(r.RingSeconds), CallMinutes: int32(r.CallMinutes),
		PatientSms: r.PatientSMS,
	}
}

func countyRules(r *notificationv1.CountyRules) domain.CountyRules {
	return domain.CountyRules{
		Version: r.GetVersion(), Allowed: slices.Clone(r.GetAllowed()), AlwaysEmergency: slices.Clone(r.GetAlwaysEmergency()), AlwaysUrgent: slices.Clone(r.GetAlwaysUrgent()),
		QuietAllowed: r.GetQuietAllowed(), QuietHoursMost: int(r.GetQuietHoursMost()), RingSeconds: int(r.GetRingSeconds()), CallMinutes: int(r.GetCallMinutes()),
		PatientSMS: r.GetPatientSms(),
	}
}

// ruleProto joins the channels of all urgencies: the contract tells on which at all.
func ruleProto(r app.RuleView) *notificationv1.Rule {
	var channels []string
	for _, c := range slices.Concat(r.Channels.Emergency, r.Channels.Urgent, r.Channels.Routine) {
		if !slices.Contains(channels, c) {
			channels = append(channels, c)
		}
	}
	return &notificationv1.Rule{
		Event: r.Event, To: string(r.To), When: string(r.When), Channels: channels, Template: r.Template, Text: r.Text, TextEnglish: r.TextEnglish, County: r.County,
	}
}
