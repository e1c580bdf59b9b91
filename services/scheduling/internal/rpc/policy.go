package rpc

import (
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
)

// Policy is who may call what.
func Policy() authz.Table {
	clinicians := []string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD", "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER"}
	look := authz.Rule{Roles: append([]string{"COUNTY_ADMIN"}, clinicians...), Services: []string{"referral"}}
	// Which ones they see depends on their organisation; what scheduling tells a service is in the answers of its own calls.
	read := authz.Rule{Roles: clinicians, Need: authz.Own}
	hold := authz.Rule{Roles: clinicians}
	referral := authz.Rule{Services: []string{"referral"}}
	return authz.Table{
		schedulingv1.SchedulingService_ListSlots_FullMethodName: look,
		schedulingv1.SchedulingService_ListBeds_FullMethodName:  look,
		schedulingv1.SchedulingService_GetHold_FullMethodName:   read,
		// A message says where and when at the moment of sending.
		schedulingv1.SchedulingService_GetBooking_FullMethodName:  {Roles: clinicians, Services: []string{"notification"}, Need: authz.Own},
		schedulingv1.SchedulingService_CreateHold_FullMethodName:  hold,
		schedulingv1.SchedulingService_ReleaseHold_FullMethodName: hold.Of(authz.Own),
		schedulingv1.SchedulingService_CreateSchedules_FullMethodName: {
			Roles: []string{"SYSTEM", "COUNTY_ADMIN", "BED_MANAGER"}, Services: []string{"cli"}},
		schedulingv1.SchedulingService_AttachHold_FullMethodName:  referral,
		schedulingv1.SchedulingService_ConfirmHold_FullMethodName: referral,
		schedulingv1.SchedulingService_ListLive_FullMethodName:    {Roles: []string{"SYSTEM"}, Services: []string{"cli"}},
	}
}
