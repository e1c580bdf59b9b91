// Package rpc answers ReferralService by the use cases of package app, and calls the peers that they need.
//
// Owns: who may call which method, and the conversion between messages and plain types. It decides nothing about a referral.
package rpc

import (
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Policy is who may call what; whether the referral concerns the caller's organisation is decided by the use cases.
func Policy() authz.Table {
	sends := []string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD"}
	answers := []string{"INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER"}
	originate, answer := authz.Rule{Roles: sends}, authz.Rule{Roles: answers}
	read := authz.Rule{Roles: slices.Concat(sends, answers)}
	anybody := authz.Rule{AnyPerson: true}
	return authz.Table{
		referralv1.ReferralService_CreateReferral_FullMethodName:    originate,
		referralv1.ReferralService_EditReferral_FullMethodName:      originate,
		referralv1.ReferralService_Submit_FullMethodName:            originate,
		referralv1.ReferralService_Resubmit_FullMethodName:          originate,
		referralv1.ReferralService_Cancel_FullMethodName:            originate,
		referralv1.ReferralService_Acknowledge_FullMethodName:       originate,
		referralv1.ReferralService_Accept_FullMethodName:            answer,
		referralv1.ReferralService_Return_FullMethodName:            answer,
		referralv1.ReferralService_Redirect_FullMethodName:          answer,
		referralv1.ReferralService_Decline_FullMethodName:           answer,
		referralv1.ReferralService_Arrive_FullMethodName:            answer,
		referralv1.ReferralService_UndoArrive_FullMethodName:        answer,
		referralv1.ReferralService_NoShow_FullMethodName:            answer,
		referralv1.ReferralService_Rebook_FullMethodName:            answer,
		referralv1.ReferralService_Admit_FullMethodName:             answer,
		referralv1.ReferralService_UndoAdmit_FullMethodName:         answer,
		referralv1.ReferralService_Conclude_FullMethodName:          answer,
		referralv1.ReferralService_MarkSeen_FullMethodName:          read,
		referralv1.ReferralService_GetReferral_FullMethodName:       read,
		referralv1.ReferralService_BatchGetReferrals_FullMethodName: read,
		referralv1.ReferralService_ListReferrals_FullMethodName:     read,
		referralv1.ReferralService_FindReferral_FullMethodName:      read,
		referralv1.ReferralService_ListHistory_FullMethodName:       read,
		referralv1.ReferralService_ListActions_FullMethodName:       read,
		referralv1.ReferralService_GetLifecycle_FullMethodName:      anybody,
		referralv1.ReferralService_ListReasons_FullMethodName:       anybody,
		referralv1.ReferralService_SearchDiagnoses_FullMethodName:   anybody,
		referralv1.ReferralService_SettleBooking_FullMethodName:     {Services: []string{"scheduling"}},
		referralv1.ReferralService_GetRelation_FullMethodName:       {Services: []string{"patientrecord"}},
	}
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
	}
}

// Method is the full name of the method that serves an action; "" if none does.
func Method(a domain.Action) string { return methods()[a] }

// may tells whether the caller's roles let it call the method of an action.
func may(caller authn.Identity, a domain.Action) bool {
	return Policy().Check(Method(a), &caller) == nil
}
