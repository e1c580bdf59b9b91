package gateway_test

import (
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

const (
	templateID, exceptionID = "0192f0c1-0000-7000-8000-000000000c01", "0192f0c1-0000-7000-8000-000000000c02"
	deviceID, sessionID     = "0192f0c1-0000-7000-8000-000000000c03", "0192f0c1-0000-7000-8000-000000000c04"
	otherSlotID, entryID2   = "0192f0c1-0000-7000-8000-000000000c05", "0192f0c1-0000-7000-8000-000000000c06"
	bedID, wardID           = "0192f0c1-0000-7000-8000-000000000c07", "0192f0c1-0000-7000-8000-000000000c08"
	deliveryID              = "0192f0c1-0000-7000-8000-000000000c09"

	listTemplatesMethod   = schedulingv1.CalendarService_ListTemplates_FullMethodName
	saveTemplateMethod    = schedulingv1.CalendarService_SaveTemplate_FullMethodName
	listExceptionsMethod  = schedulingv1.CalendarService_ListExceptions_FullMethodName
	previewMethod         = schedulingv1.CalendarService_PreviewTemplate_FullMethodName
	saveExceptionMethod   = schedulingv1.CalendarService_SaveException_FullMethodName
	removeExceptionMethod = schedulingv1.CalendarService_RemoveException_FullMethodName
	saveEquipmentMethod   = schedulingv1.CalendarService_SaveEquipment_FullMethodName
	setPolicyMethod       = schedulingv1.CalendarService_SetBookingPolicy_FullMethodName
	importMethod          = schedulingv1.CalendarService_ImportSchedules_FullMethodName
	exportMethod          = schedulingv1.CalendarService_ExportSchedules_FullMethodName
	listSessionsMethod    = schedulingv1.CalendarService_ListSessions_FullMethodName
	getSessionMethod      = schedulingv1.CalendarService_GetSession_FullMethodName
	substituteMethod      = schedulingv1.CalendarService_SubstituteSession_FullMethodName
	cancelSessionMethod   = schedulingv1.CalendarService_CancelSession_FullMethodName
	blockMethod           = schedulingv1.CalendarService_BlockSlots_FullMethodName
	unblockMethod         = schedulingv1.CalendarService_UnblockSlots_FullMethodName
	restoreMethod         = schedulingv1.CalendarService_RestoreSession_FullMethodName
	changesMethod         = schedulingv1.CalendarService_ListCalendarChanges_FullMethodName
	moveMethod            = schedulingv1.CalendarService_MoveBooking_FullMethodName
	findSlotsMethod       = schedulingv1.AllocationService_FindSlots_FullMethodName
	waitingMethod         = schedulingv1.AllocationService_ListWaitingTimes_FullMethodName
	dayMethod             = schedulingv1.AllocationService_ListDay_FullMethodName
	joinMethod            = schedulingv1.AllocationService_JoinWaitlist_FullMethodName
	leaveMethod           = schedulingv1.AllocationService_LeaveWaitlist_FullMethodName
	waitlistMethod        = schedulingv1.AllocationService_ListWaitlist_FullMethodName
	boardMethod           = schedulingv1.AllocationService_ListBoard_FullMethodName
	setBedMethod          = schedulingv1.AllocationService_SetBed_FullMethodName
	setWardMethod         = schedulingv1.AllocationService_SetWard_FullMethodName
	listDeliveriesMethod  = notificationv1.DeliveryService_ListDeliveries_FullMethodName
	getDeliveryMethod     = notificationv1.DeliveryService_GetDelivery_FullMethodName
	replayMethod          = notificationv1.DeliveryService_ReplayDelivery_FullMethodName
	replayAllMethod       = notificationv1.DeliveryService_ReplayDeliveries_FullMethodName
	channelsMethod        = notificationv1.DeliveryService_ListChannels_FullMethodName
	addressesMethod       = notificationv1.DeliveryService_ListAddresses_FullMethodName
	setAddressMethod      = notificationv1.DeliveryService_SetAddress_FullMethodName
	testMethod            = notificationv1.DeliveryService_SendTest_FullMethodName
)

func sampleTemplate() *schedulingv1.Template {
	return &schedulingv1.Template{
		Id: templateID, Version: 2, OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "CLINIC", Grade: "GENERAL", PractitionerId: "P1001", PractitionerName: "陈医生",
		Location: "3 层", Pattern: schedulingv1.Pattern_WEEKLY, Weekdays: []int32{1, 3}, Every: 1, FirstDay: "2026-01-01", Starts: "08:00", Ends: "12:00", SlotMinutes: 15,
	}
}

func sampleSession() *schedulingv1.Session {
	return &schedulingv1.Session{
		Id: sessionID, Version: 4, OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "CLINIC", Grade: "EXPERT", PractitionerName: "陈医生", Location: "3 层",
		Start: in(time.Hour), End: in(3 * time.Hour), SlotMinutes: 15, State: schedulingv1.SessionState_OPEN, Slots: 4, Reserved: 1, Taken: 2, Blocked: 1, Free: 1,
	}
}

func sampleSlot(id string, at time.Duration) *schedulingv1.Slot {
	return &schedulingv1.Slot{
		Id: id, OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "CLINIC", PractitionerName: "陈医生", Start: in(at), End: in(at + 15*time.Minute), Free: true,
		SessionId: sessionID, Grade: "GENERAL", Pool: "COMMON",
	}
}

// sampleDetail has one slot of each state.
func sampleDetail() *schedulingv1.SessionDetail {
	blocked, reserved := sampleSlot("0192f0c1-0000-7000-8000-000000000c11", 90*time.Minute), sampleSlot("0192f0c1-0000-7000-8000-000000000c12", 105*time.Minute)
	blocked.Free, blocked.ClosedBy, reserved.Pool = false, "BREAK", "RESERVED"
	taken, held := sampleSlot(slotID, time.Hour), sampleSlot("0192f0c1-0000-7000-8000-000000000c13", 75*time.Minute)
	taken.Free, held.Free = false, false
	return &schedulingv1.SessionDetail{Session: sampleSession(), Slots: []*schedulingv1.SlotUse{
		{Slot: taken, State: schedulingv1.HoldState_BOOKED, HoldId: holdID, BookingId: bookingID, ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", SenderOrganizationId: townshipID},
		{Slot: held, State: schedulingv1.HoldState_HELD, HoldId: "h"},
		{Slot: blocked},
		{Slot: reserved},
		{Slot: sampleSlot(otherSlotID, 2*time.Hour)},
	}}
}

func sampleEntryOf(state schedulingv1.WaitlistState_Code) *schedulingv1.WaitlistEntry {
	e := &schedulingv1.WaitlistEntry{
		Id: entryID2, State: state, ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", Urgency: commonv1.Urgency_URGENT, OrganizationId: hospitalID,
		DepartmentCode: "0304", SenderOrganizationId: townshipID, Kind: "CLINIC", FirstDay: "2026-03-02", LastDay: "2026-04-01", CreateTime: in(-time.Hour), Position: 2, Version: 1,
	}
	if state == schedulingv1.WaitlistState_OFFERED {
		e.HoldId, e.OfferStart, e.OfferUntil = holdID, in(26*time.Hour), in(2*time.Hour)
	}
	return e
}

func sampleBoard() *schedulingv1.ListBoardResponse {
	bed := func(n, label string, state schedulingv1.BedState_Code) *schedulingv1.BoardBed {
		return &schedulingv1.BoardBed{Id: bedID[:len(bedID)-2] + n, Label: label, State: state, Version: 1}
	}
	taken := bed("22", "2", schedulingv1.BedState_BOOKED)
	taken.ReferralId, taken.ReferralNumber, taken.SenderOrganizationId, taken.Expected = referralID, "450321-26-0000123-4", townshipID, in(time.Hour)
	cleaning := bed("23", "3", schedulingv1.BedState_CLEANING)
	cleaning.Until, cleaning.Sex = in(time.Hour), "FEMALE"
	out := bed("24", "4", schedulingv1.BedState_OUT_OF_SERVICE)
	out.OutReason = "REPAIR"
	free := bed("07", "1", schedulingv1.BedState_FREE)
	return &schedulingv1.ListBoardResponse{Wards: []*schedulingv1.BoardWard{
		{Id: wardID, OrganizationId: hospitalID, DepartmentCode: "0304", Name: "心内一区", Class: "GENERAL", CleaningMinutes: 60, Total: 6, Free: 1, Version: 3, Beds: []*schedulingv1.BoardBed{
			free, taken, cleaning, out, bed("25", "5", schedulingv1.BedState_HELD), bed("26", "6", schedulingv1.BedState_OCCUPIED),
		}},
		{Id: wardID[:len(wardID)-2] + "99", OrganizationId: hospitalID, DepartmentCode: "0304", Name: "监护", Class: "ICU", Sex: "MALE", Total: 1, Free: 1, Version: 1, Beds: []*schedulingv1.BoardBed{bed("27", "1", schedulingv1.BedState_FREE)}},
	}}
}

// capacity answers what the pages of schedules, sessions, beds and the fallback list ask.
func capacity() map[string]proto.Message {
	lunar := sampleTemplate()
	lunar.Id, lunar.Pattern, lunar.Digits, lunar.Kind, lunar.LastDay = templateID[:len(templateID)-2]+"77", schedulingv1.Pattern_LUNAR_DIGITS, []int32{3, 6, 9}, "EXPERT", "2026-02-01"
	device := sampleDevice()
	closed := &schedulingv1.ScheduleException{
		Id: exceptionID, Version: 2, OrganizationId: hospitalID, TemplateId: templateID, FirstDay: "2026-03-04", LastDay: "2026-03-05", Effect: schedulingv1.ExceptionEffect_CLOSED, ReasonCode: "LEAVE", Note: "外出",
	}
	workday := &schedulingv1.ScheduleException{Id: exceptionID[:len(exceptionID)-2] + "88", FirstDay: "2026-03-07", LastDay: "2026-03-07", Effect: schedulingv1.ExceptionEffect_WORKDAY, Weekday: 1, ReasonCode: "HOLIDAY"}
	cancelled := sampleSession()
	cancelled.Id, cancelled.State, cancelled.ReasonCode, cancelled.Displaced = sessionID[:len(sessionID)-2]+"66", schedulingv1.SessionState_CANCELLED, "LEAVE", 1
	reserved := sampleSlot(otherSlotID, 26*time.Hour)
	reserved.Pool, reserved.Grade = "RESERVED", "EXPERT"
	same := map[string]proto.Message{
		schedulingv1.CalendarService_ListEquipment_FullMethodName: &schedulingv1.ListEquipmentResponse{Equipment: []*schedulingv1.Equipment{device}},
		saveEquipmentMethod: device,
		listTemplatesMethod: &schedulingv1.ListTemplatesResponse{Templates: []*schedulingv1.Template{sampleTemplate(), lunar}},
		saveTemplateMethod:  &schedulingv1.SaveTemplateResponse{Template: sampleTemplate(), Made: 8},
		previewMethod: &schedulingv1.PreviewTemplateResponse{Days: []*schedulingv1.PlannedDay{
			{Date: "2026-03-02", LunarDate: "正月十四"}, {Date: "2026-03-04", LunarDate: "正月十六", ClosedBy: "LEAVE"}, {Date: "2026-03-09", LunarDate: "正月廿一", ConflictingTemplateId: templateID},
		}},
		listExceptionsMethod:  &schedulingv1.ListExceptionsResponse{Exceptions: []*schedulingv1.ScheduleException{closed, workday}},
		saveExceptionMethod:   &schedulingv1.SaveExceptionResponse{Exception: closed, Removed: 2},
		removeExceptionMethod: &schedulingv1.SaveExceptionResponse{Made: 2},
		listSessionsMethod:    &schedulingv1.ListSessionsResponse{Sessions: []*schedulingv1.Session{sampleSession(), cancelled}},
		getSessionMethod:      sampleDetail(),
		substituteMethod:      sampleSession(),
		cancelSessionMethod: &schedulingv1.CancelSessionResponse{Session: cancelled, Displaced: 1, Moved: []*schedulingv1.Moved{{BookingId: bookingID, HoldId: holdID, ReferralId: referralID, Slot: sampleSlot(otherSlotID, 26*time.Hour)}},
			DisplacedBookingIds: []string{bookingID}},
		restoreMethod: sampleSession(),
		changesMethod: &schedulingv1.ListCalendarChangesResponse{Changes: sampleChanges()},
		moveMethod:    &schedulingv1.Booking{Id: bookingID},
		blockMethod:   &schedulingv1.BlockSlotsResponse{Changed: 1},
		unblockMethod: &schedulingv1.BlockSlotsResponse{Changed: 1},
		importMethod:  &schedulingv1.ImportSchedulesResponse{Templates: 1, Sessions: 12, Unchanged: 3},
		exportMethod:  &schedulingv1.ExportSchedulesResponse{Content: []byte("BEGIN:VCALENDAR"), ContentType: "text/calendar", FileName: "sessions.ics"},
		schedulingv1.CalendarService_GetBookingPolicy_FullMethodName: &schedulingv1.BookingPolicy{Version: 3, ReservePercent: 30, ExpertPercent: 50, CommonDays: 14, ReserveLeadDays: 14, FallbackHours: 24},
		setPolicyMethod: &schedulingv1.BookingPolicy{Version: 4},
		findSlotsMethod: &schedulingv1.FindSlotsResponse{Slots: []*schedulingv1.Slot{reserved}},
		waitingMethod: &schedulingv1.ListWaitingTimesResponse{WaitingTimes: []*schedulingv1.WaitingTime{
			{OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "CLINIC", Days: 3, Free: 12, Waiting: 2}, {OrganizationId: hospitalID, DepartmentCode: "20", Kind: "CLINIC", Days: -1},
			{OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "BED", Free: 2}, {OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "EXAM", Modality: "CT", Days: 0, Free: 5},
		}},
		dayMethod: &schedulingv1.ListDayResponse{Sessions: []*schedulingv1.DaySession{
			{Id: sessionID, DepartmentCode: "0304", Kind: "CLINIC", PractitionerName: "陈医生", Location: "3 层", Start: in(-2 * time.Hour), End: in(2 * time.Hour), Slots: 16, Free: 15, Patients: []*schedulingv1.DayPatient{
				{SlotId: slotID, Start: in(-time.Hour), End: in(-45 * time.Minute), State: schedulingv1.HoldState_BOOKED, BookingId: bookingID, ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", SenderOrganizationId: townshipID, ReferralState: "ACCEPTED"},
			}},
			{Id: "other", DepartmentCode: "20", Kind: "CLINIC", Start: in(time.Hour), End: in(2 * time.Hour), Cancelled: true},
		}},
		joinMethod:     sampleEntryOf(schedulingv1.WaitlistState_WAITING),
		leaveMethod:    sampleEntryOf(schedulingv1.WaitlistState_LEFT),
		waitlistMethod: &schedulingv1.ListWaitlistResponse{},
		boardMethod:    sampleBoard(),
		setBedMethod:   sampleBoard().GetWards()[0].GetBeds()[0],
		setWardMethod:  sampleBoard().GetWards()[0],
		addBedsMethod:  sampleBoard().GetWards()[0], closeWardMethod: sampleBoard().GetWards()[0],
	}
	return same
}

func sampleDevice() *schedulingv1.Equipment {
	return &schedulingv1.Equipment{Id: deviceID, Version: 1, OrganizationId: hospitalID, DepartmentCode: "0304", Modality: "CT", Name: "CT 一号机", Preparation: "空腹 4 小时", PreparationEnglish: "Nothing to eat for 4 hours", InService: true}
}

// changeID is the id of the nth of the sample changes.
func changeID(n int) string { return "0192f0c1-0000-7000-8000-000000000c9" + string(rune('0'+n)) }

// sampleChanges are of a template, of an exception that was removed, and of a session.
func sampleChanges() []*schedulingv1.CalendarChange {
	before := sampleTemplate()
	before.PractitionerName, before.OnHolidays = "李医生", true
	closed := &schedulingv1.ScheduleException{Id: exceptionID, OrganizationId: hospitalID, DepartmentCode: "0304", FirstDay: "2026-03-04", LastDay: "2026-03-05",
		Effect: schedulingv1.ExceptionEffect_CLOSED, ReasonCode: "LEAVE"}
	return []*schedulingv1.CalendarChange{
		{Id: changeID(0), Subject: "TEMPLATE", SubjectId: templateID, Action: "SAVED", AccountName: "王主任", ChangeTime: in(-time.Hour), Template: sampleTemplate()},
		{Id: changeID(1), Subject: "TEMPLATE", SubjectId: templateID, Action: "BEFORE", Template: before},
		{Id: changeID(2), Subject: "EXCEPTION", SubjectId: exceptionID, Action: "REMOVED", AccountName: "王主任", ChangeTime: in(-2 * time.Hour), Exception: closed},
	}
}

// sampleSessionChanges are a cancellation after a substitution and a blocking.
func sampleSessionChanges(undoable bool) []*schedulingv1.CalendarChange {
	cancelled, was := sampleSession(), sampleSession()
	cancelled.State, cancelled.ReasonCode, was.PractitionerName = schedulingv1.SessionState_CANCELLED, "LEAVE", "李医生"
	return []*schedulingv1.CalendarChange{
		{Id: changeID(3), Subject: "SESSION", SubjectId: sessionID, Action: "CANCELLED", AccountName: "王主任", ChangeTime: in(-time.Minute), Session: cancelled, CanBeUndone: undoable},
		{Id: changeID(4), Subject: "SESSION", SubjectId: sessionID, Action: "BLOCKED", AccountName: "王主任", ChangeTime: in(-time.Hour), Session: sampleSession(),
			Slots: []*schedulingv1.ClosedSlot{{Id: otherSlotID, Start: in(2 * time.Hour), ReasonCode: "BREAK"}}},
		{Id: changeID(5), Subject: "SESSION", SubjectId: sessionID, Action: "SUBSTITUTED", AccountName: "王主任", ChangeTime: in(-2 * time.Hour), Session: sampleSession()},
		{Id: changeID(6), Subject: "SESSION", SubjectId: sessionID, Action: "BEFORE", Session: was},
	}
}

func sampleDelivery(state notificationv1.DeliveryState_Code) *notificationv1.Delivery {
	return &notificationv1.Delivery{
		Id: deliveryID, Channel: notificationv1.Channel_SMS, State: state, OrganizationId: townshipID, AccountId: "a", AddressMasked: "139****4321", Event: "submitted",
		ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", Urgency: commonv1.Urgency_URGENT, CreateTime: in(-time.Hour), DueTime: in(time.Minute), AttemptCount: 2, Reason: "REFUSED",
		Attempts: []*notificationv1.Attempt{
			{Number: 1, StartTime: in(-time.Hour), EndTime: in(-time.Hour), Outcome: "UNKNOWN"},
			{Number: 2, StartTime: in(-time.Minute), EndTime: in(-time.Minute), Outcome: "REFUSED", ProviderCode: "ILLEGAL-40001", ProviderMessageId: "m1", Again: true},
		},
	}
}

// sending answers what the pages of outgoing messages ask.
func sending() map[string]proto.Message {
	return map[string]proto.Message{
		listDeliveriesMethod: &notificationv1.ListDeliveriesResponse{Deliveries: []*notificationv1.Delivery{sampleDelivery(notificationv1.DeliveryState_DEAD), sampleDelivery(notificationv1.DeliveryState_PENDING)}, NextPageToken: "next", DeadCount: 7},
		getDeliveryMethod:    sampleDelivery(notificationv1.DeliveryState_DEAD),
		replayMethod:         sampleDelivery(notificationv1.DeliveryState_PENDING),
		replayAllMethod:      &notificationv1.ReplayDeliveriesResponse{Replayed: 5},
		channelsMethod: &notificationv1.ListChannelsResponse{Channels: []*notificationv1.ChannelStatus{
			{Channel: notificationv1.Channel_SMS, Configured: true, Breaker: "OPEN", RestsUntil: in(time.Minute), Pending: 3, Dead: 7, LastSentTime: in(-time.Hour), RatePerMinute: 60, Fault: "SETUP 535"},
			{Channel: notificationv1.Channel_EMAIL, Configured: true, Breaker: "CLOSED"}, {Channel: notificationv1.Channel_WEBHOOK},
			{Channel: notificationv1.Channel_WECOM_ROBOT, Configured: true, Breaker: "CLOSED", Faults: []*notificationv1.ChannelFault{
				{OrganizationId: hospitalID, DepartmentCode: "0304", Reason: "SETUP 93000", RestsUntil: in(time.Minute)},
			}},
		}},
		addressesMethod: &notificationv1.ListAddressesResponse{Addresses: []*notificationv1.Address{
			{Channel: notificationv1.Channel_SMS, Masked: "139****4321", UpdateTime: in(-time.Hour), TestTime: in(-time.Minute)}, {Channel: notificationv1.Channel_WEBHOOK, DepartmentCode: "0304", Masked: "https://…", HasSecret: true},
		}},
		setAddressMethod: &notificationv1.Address{Channel: notificationv1.Channel_SMS, Masked: "139****4321"},
		testMethod:       sampleDelivery(notificationv1.DeliveryState_SENT),
	}
}
