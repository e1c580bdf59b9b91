// Package rpc answers ReferralService by the use cases of package app, and calls the peers that they need.
//
// Owns: who may call which method, and the conversion between messages and plain types. It decides nothing about a referral.
package rpc

import (
	"maps"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Policy is who may call what; whether the referral concerns the caller's organisation, and whether the caller's roles act for its side
// in its direction, is decided by the use cases.
func Policy() authz.Table {
	clinical := slices.Concat(domain.Roles(domain.Up, domain.Originator), domain.Roles(domain.Up, domain.Receiver))
	read, anybody := authz.Rule{Roles: clinical}, authz.Rule{AnyPerson: true}
	party, own := read.Of(authz.Party), read.Of(authz.Own)
	candidates := authz.Rule{Roles: []string{"SPECIALIST", "DEPARTMENT_HEAD", "INTAKE_DESK"}, Need: authz.Own}
	township := authz.Rule{Roles: domain.Roles(domain.Down, domain.Receiver), Need: authz.Own}
	prints := authz.Rule{Roles: []string{"INTAKE_DESK", "CENTRE_HEAD", "COUNTY_ADMIN"}, Need: authz.Own}
	table := authz.Table{
		referralv1.DowntimeService_AllotBlankForms_FullMethodName: prints,
		referralv1.DowntimeService_VoidBlankForm_FullMethodName:   prints,
		referralv1.DowntimeService_ListBlankForms_FullMethodName: {
			Roles: append(slices.Concat(domain.Roles(domain.Up, domain.Originator), domain.Roles(domain.Down, domain.Originator)), "COUNTY_ADMIN"), Need: authz.Own,
		},

		referralv1.ReferralService_MarkSeen_FullMethodName:          party,
		referralv1.ReferralService_GetReferral_FullMethodName:       party,
		referralv1.ReferralService_BatchGetReferrals_FullMethodName: own,
		referralv1.ReferralService_ListReferrals_FullMethodName:     own,
		referralv1.ReferralService_ListUnderWay_FullMethodName:      read.Of(authz.Package),
		referralv1.ReferralService_FindReferral_FullMethodName:      party,
		referralv1.ReferralService_ListHistory_FullMethodName:       party,
		referralv1.ReferralService_ListActions_FullMethodName:       party,
		referralv1.ReferralService_ListMessages_FullMethodName:      party,
		referralv1.ReferralService_ListCorrections_FullMethodName:   party,
		referralv1.ReferralService_ListLinks_FullMethodName:         party,
		referralv1.ReferralService_GetLifecycle_FullMethodName:      anybody,

		referralv1.FollowUpService_ListFollowUps_FullMethodName:         township,
		referralv1.FollowUpService_ListVillage_FullMethodName:           {Roles: []string{"VILLAGE_DOCTOR"}, Need: authz.Own},
		referralv1.FollowUpService_RecordCheck_FullMethodName:           township,
		referralv1.FollowUpService_ListFollowUpTemplates_FullMethodName: read,

		referralv1.CriteriaService_ListCriteria_FullMethodName:      anybody,
		referralv1.CriteriaService_EvaluateCriteria_FullMethodName:  read.Of(authz.Package),
		referralv1.CandidateService_CheckMedicines_FullMethodName:   read,
		referralv1.CandidateService_ListCandidates_FullMethodName:   candidates,
		referralv1.CandidateService_GetCandidate_FullMethodName:     candidates,
		referralv1.CandidateService_ReferCandidate_FullMethodName:   candidates,
		referralv1.CandidateService_DismissCandidate_FullMethodName: candidates,

		referralv1.ReferralService_ListRegistrations_FullMethodName:   {Roles: domain.Roles(domain.Up, domain.Receiver)},
		referralv1.ReferralService_GetRegistration_FullMethodName:     {Roles: domain.Roles(domain.Up, domain.Receiver)},
		referralv1.ReferralService_DismissRegistration_FullMethodName: {Roles: domain.Roles(domain.Up, domain.Receiver)},

		referralv1.ReferralService_ListReasons_FullMethodName:     anybody,
		referralv1.ReferralService_SearchDiagnoses_FullMethodName: anybody,
		referralv1.ReferralService_ListDiagnoses_FullMethodName:   anybody,
		referralv1.ReferralService_SettleBooking_FullMethodName:   {Services: []string{"scheduling"}},
		referralv1.ReferralService_GetRelation_FullMethodName:     {Services: []string{"patientrecord"}},
		referralv1.ReferralService_GetCase_FullMethodName:         {Services: []string{"scheduling"}},
	}
	maps.Copy(table, handoverPolicy(read))
	maps.Copy(table, settingsPolicy())
	maps.Copy(table, statisticsPolicy())
	for a, method := range methods() {
		table[method] = authz.Rule{Roles: rolesOf(a), Need: needOf(a)}
	}
	for a, method := range markMethods() {
		table[method] = authz.Rule{Roles: rolesOf(a), Need: needOf(a)}
	}
	return table
}

// handoverPolicy: what is handed over is read by who reads the referral.
func handoverPolicy(read authz.Rule) authz.Table {
	return authz.Table{
		referralv1.HandoverService_GetSlip_FullMethodName:               read.Of(authz.Party),
		referralv1.HandoverService_GetCompleteness_FullMethodName:       read.Of(authz.Party),
		referralv1.HandoverService_EvaluateCompleteness_FullMethodName:  read.Of(authz.Package),
		referralv1.HandoverService_ListCompletenessItems_FullMethodName: {AnyPerson: true},
		referralv1.HandoverService_VerifySlip_FullMethodName:            {Services: []string{"gateway"}},
		referralv1.HandoverService_GetSlipKey_FullMethodName:            {Services: []string{"notification"}},
		referralv1.HandoverService_GetHandedBack_FullMethodName:         {Services: []string{"patientrecord"}},
		referralv1.HandoverService_GetReferralConsent_FullMethodName:    {Services: []string{"patientrecord"}},
	}
}

// settingsPolicy: everybody works by what the county set, its administrator sets it.
func settingsPolicy() authz.Table {
	admin := authz.Rule{Roles: []string{"COUNTY_ADMIN"}}
	return authz.Table{
		referralv1.SettingService_GetSettings_FullMethodName:          {AnyPerson: true},
		referralv1.SettingService_UpdateSettings_FullMethodName:       admin,
		referralv1.SettingService_GetTargets_FullMethodName:           {AnyPerson: true},
		referralv1.SettingService_UpdateTargets_FullMethodName:        admin,
		referralv1.SettingService_GetReasonSettings_FullMethodName:    {AnyPerson: true},
		referralv1.SettingService_UpdateReasonSettings_FullMethodName: admin,
		referralv1.SettingService_ListSettingVersions_FullMethodName:  admin,
	}
}

// rolesOf are all roles that may do an action or set a mark in some direction.
func rolesOf(a domain.Action) []string {
	var out []string
	add := func(scope domain.Scope, who []domain.Side) {
		for _, d := range scope.Directions {
			for _, side := range who {
				out = append(out, domain.Roles(d, side)...)
			}
		}
	}
	for _, row := range domain.Lifecycle() {
		if row.Action == a {
			add(row.Applies, row.Who)
		}
	}
	for _, m := range domain.Marks() {
		if m.Action == a {
			add(m.Applies, m.Who)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// needOf is which sides of a referral may do an action or set a mark; what makes a referral has none yet.
func needOf(a domain.Action) authz.Need {
	var who []domain.Side
	for _, row := range domain.Lifecycle() {
		if row.Action == a && len(row.From) > 0 {
			who = append(who, row.Who...)
		}
	}
	for _, m := range domain.Marks() {
		if m.Action == a {
			who = append(who, m.Who...)
		}
	}
	originator, receiver := slices.Contains(who, domain.Originator), slices.Contains(who, domain.Receiver)
	switch {
	case originator && receiver:
		return authz.EitherSide
	case originator:
		return authz.Originator
	case receiver:
		return authz.Receiver
	}
	return authz.RoleAlone
}

// methods is the method that serves each action of the life-cycle table.
func methods() map[domain.Action]string {
	return map[domain.Action]string{
		domain.ActionCreate:      referralv1.ReferralService_CreateReferral_FullMethodName,
		domain.ActionEdit:        referralv1.ReferralService_EditReferral_FullMethodName,
		domain.ActionSubmit:      referralv1.ReferralService_Submit_FullMethodName,
		domain.ActionAccept:      referralv1.ReferralService_Accept_FullMethodName,
		domain.ActionReturn:      referralv1.ReferralService_Return_FullMethodName,
		domain.ActionResubmit:    referralv1.ReferralService_Resubmit_FullMethodName,
		domain.ActionRedirect:    referralv1.ReferralService_Redirect_FullMethodName,
		domain.ActionDecline:     referralv1.ReferralService_Decline_FullMethodName,
		domain.ActionCancel:      referralv1.ReferralService_Cancel_FullMethodName,
		domain.ActionArrive:      referralv1.ReferralService_Arrive_FullMethodName,
		domain.ActionUndoArrive:  referralv1.ReferralService_UndoArrive_FullMethodName,
		domain.ActionNoShow:      referralv1.ReferralService_NoShow_FullMethodName,
		domain.ActionRebook:      referralv1.ReferralService_Rebook_FullMethodName,
		domain.ActionAdmit:       referralv1.ReferralService_Admit_FullMethodName,
		domain.ActionUndoAdmit:   referralv1.ReferralService_UndoAdmit_FullMethodName,
		domain.ActionConclude:    referralv1.ReferralService_Conclude_FullMethodName,
		domain.ActionAcknowledge: referralv1.ReferralService_Acknowledge_FullMethodName,

		domain.ActionAnswer:        referralv1.ReferralService_Answer_FullMethodName,
		domain.ActionRecordArrival: referralv1.ReferralService_RecordArrival_FullMethodName,
		domain.ActionRecordOut:     referralv1.ReferralService_RecordOut_FullMethodName,
		domain.ActionBeginFollowUp: referralv1.ReferralService_BeginFollowUp_FullMethodName,
		domain.ActionRecordVisit:   referralv1.ReferralService_RecordVisit_FullMethodName,
		domain.ActionRevisePlan:    referralv1.ReferralService_RevisePlan_FullMethodName,
		domain.ActionEscalate:      referralv1.ReferralService_Escalate_FullMethodName,
		domain.ActionComplete:      referralv1.ReferralService_Complete_FullMethodName,
	}
}

// markMethods is the method that sets each mark.
func markMethods() map[domain.Action]string {
	return map[domain.Action]string{
		domain.MarkDepart:  referralv1.ReferralService_Depart_FullMethodName,
		domain.MarkMessage: referralv1.ReferralService_PostMessage_FullMethodName,
		domain.MarkAssess:  referralv1.ReferralService_Assess_FullMethodName,
		domain.MarkCorrect: referralv1.ReferralService_Correct_FullMethodName,
		domain.MarkConsent: referralv1.ReferralService_RecordConsent_FullMethodName,
		domain.MarkConvert: referralv1.ReferralService_Convert_FullMethodName,
	}
}

// MarkMethod is the full name of the method that sets a mark; "" if none does.
func MarkMethod(a domain.Action) string { return markMethods()[a] }

// Method is the full name of the method that serves an action; "" if none does.
func Method(a domain.Action) string { return methods()[a] }
