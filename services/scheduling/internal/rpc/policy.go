package rpc

import (
	"maps"

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
	// Whoever plans; who treats patients sees what there is, and on which day.
	plan := authz.Rule{Roles: []string{"COUNTY_ADMIN", "INTAKE_DESK", "BED_MANAGER", "DEPARTMENT_HEAD", "CENTRE_HEAD"}, Need: authz.Own}
	seed := authz.Rule{Roles: plan.Roles, Services: []string{"cli"}, Need: authz.Own}
	table := authz.Table{
		// Who seeds a county looks at what is there, to leave it alone.
		schedulingv1.CalendarService_ListEquipment_FullMethodName:       {Roles: look.Roles, Services: []string{"referral", "cli"}},
		schedulingv1.CalendarService_SaveEquipment_FullMethodName:       seed,
		schedulingv1.CalendarService_ListTemplates_FullMethodName:       seed,
		schedulingv1.CalendarService_SaveTemplate_FullMethodName:        seed,
		schedulingv1.CalendarService_PreviewTemplate_FullMethodName:     plan,
		schedulingv1.CalendarService_ListExceptions_FullMethodName:      plan,
		schedulingv1.CalendarService_SaveException_FullMethodName:       plan,
		schedulingv1.CalendarService_RemoveException_FullMethodName:     plan,
		schedulingv1.CalendarService_ListSessions_FullMethodName:        plan,
		schedulingv1.CalendarService_CountComing_FullMethodName:         {Roles: []string{"COUNTY_ADMIN", "SYSTEM_ADMIN"}},
		schedulingv1.CalendarService_GetSession_FullMethodName:          plan,
		schedulingv1.CalendarService_SubstituteSession_FullMethodName:   plan,
		schedulingv1.CalendarService_CancelSession_FullMethodName:       plan,
		schedulingv1.CalendarService_RestoreSession_FullMethodName:      plan,
		schedulingv1.CalendarService_ListCalendarChanges_FullMethodName: plan,
		schedulingv1.CalendarService_MoveBooking_FullMethodName:         read,
		schedulingv1.CalendarService_BlockSlots_FullMethodName:          plan,
		schedulingv1.CalendarService_UnblockSlots_FullMethodName:        plan,
		schedulingv1.CalendarService_ImportSchedules_FullMethodName:     seed,
		schedulingv1.CalendarService_ExportSchedules_FullMethodName:     plan,
		schedulingv1.CalendarService_GetBookingPolicy_FullMethodName:    look,
		schedulingv1.CalendarService_SetBookingPolicy_FullMethodName:    {Roles: []string{"COUNTY_ADMIN"}},

		schedulingv1.SchedulingService_ListSlots_FullMethodName:     look,
		schedulingv1.SchedulingService_ListBeds_FullMethodName:      look,
		schedulingv1.SchedulingService_GetHold_FullMethodName:       read,
		schedulingv1.SchedulingService_BatchGetHolds_FullMethodName: read,
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
	maps.Copy(table, allocationPolicy())
	return table
}

// townshipRoles are of those who send patients up.
func townshipRoles() []string { return []string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD"} }

// allocationPolicy is who may look for places and who may change the beds. Whose list, day and board it is decides the use case.
func allocationPolicy() authz.Table {
	clinicians := append(townshipRoles(), "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER")
	look := authz.Rule{Roles: append([]string{"COUNTY_ADMIN"}, clinicians...)}
	side := authz.Rule{Roles: clinicians, Need: authz.EitherSide}
	board := authz.Rule{Roles: []string{"COUNTY_ADMIN", "BED_MANAGER", "INTAKE_DESK", "CENTRE_HEAD"}, Need: authz.Own}
	return authz.Table{
		schedulingv1.AllocationService_FindSlots_FullMethodName:        look,
		schedulingv1.AllocationService_ListWaitingTimes_FullMethodName: look,
		schedulingv1.AllocationService_ListDay_FullMethodName:          {Roles: clinicians, Need: authz.Own},
		schedulingv1.AllocationService_JoinWaitlist_FullMethodName:     side,
		schedulingv1.AllocationService_LeaveWaitlist_FullMethodName:    side,
		schedulingv1.AllocationService_ListWaitlist_FullMethodName:     {Roles: clinicians, Need: authz.Own},
		schedulingv1.AllocationService_ListBoard_FullMethodName:        look.Of(authz.Own),
		schedulingv1.AllocationService_SetWard_FullMethodName:          board,
		schedulingv1.AllocationService_AddBeds_FullMethodName:          board,
		schedulingv1.AllocationService_CloseWard_FullMethodName:        board,
		schedulingv1.AllocationService_SetBed_FullMethodName:           board,
	}
}
