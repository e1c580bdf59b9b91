package rpc

import (
	"slices"
	"time"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func equipmentProto(e domain.Equipment) *schedulingv1.Equipment {
	return &schedulingv1.Equipment{Id: e.ID, Version: e.Version, OrganizationId: e.OrganizationID, DepartmentCode: e.DepartmentCode,
		Modality: e.Modality, Name: e.Name, Location: e.Location, Preparation: e.Preparation, PreparationEnglish: e.PreparationEnglish, InService: e.InService}
}

func equipmentOf(m *schedulingv1.Equipment) domain.Equipment {
	return domain.Equipment{ID: m.GetId(), Version: m.GetVersion(), OrganizationID: m.GetOrganizationId(), DepartmentCode: m.GetDepartmentCode(),
		Modality: m.GetModality(), Name: m.GetName(), Location: m.GetLocation(), Preparation: m.GetPreparation(),
		PreparationEnglish: m.GetPreparationEnglish(), InService: m.GetInService()}
}

func patternCode(p domain.PatternCode) schedulingv1.Pattern_Code {
	return schedulingv1.Pattern_Code(schedulingv1.Pattern_Code_value[string(p)])
}

func templateProto(t domain.Template) *schedulingv1.Template {
	return &schedulingv1.Template{Id: t.ID, Version: t.Version, OrganizationId: t.OrganizationID, DepartmentCode: t.DepartmentCode, Kind: t.Kind,
		Grade: t.Grade, PractitionerId: t.PractitionerID, PractitionerName: t.PractitionerName, EquipmentId: t.EquipmentID, Location: t.Location,
		Pattern: patternCode(t.Pattern.Code), Weekdays: int32s(t.Pattern.Weekdays), Every: int32(t.Pattern.Every), Anchor: domain.Date(t.Pattern.Anchor),
		Digits: int32s(t.Pattern.Digits), FirstDay: domain.Date(t.FirstDay), LastDay: domain.Date(t.LastDay), Starts: domain.Clock(t.Starts),
		Ends: domain.Clock(t.Ends), SlotMinutes: int32(t.SlotMinutes), OnHolidays: t.OnHolidays}
}

// templateOf reads a template. What cannot be read is named; what may not be so is the domain's to say.
func templateOf(m *schedulingv1.Template) (domain.Template, error) {
	var r reader
	t := domain.Template{ID: m.GetId(), Version: m.GetVersion(), OrganizationID: m.GetOrganizationId(), DepartmentCode: m.GetDepartmentCode(),
		Kind: m.GetKind(), Grade: m.GetGrade(), PractitionerID: m.GetPractitionerId(), PractitionerName: m.GetPractitionerName(),
		EquipmentID: m.GetEquipmentId(), Location: m.GetLocation(), SlotMinutes: int(m.GetSlotMinutes()), OnHolidays: m.GetOnHolidays(),
		Pattern: domain.Pattern{Weekdays: ints(m.GetWeekdays()), Every: int(m.GetEvery()), Digits: ints(m.GetDigits()),
			Anchor: r.day("template.anchor", m.GetAnchor())},
		FirstDay: r.day("template.firstDay", m.GetFirstDay()), LastDay: r.day("template.lastDay", m.GetLastDay()),
		Starts: r.clock("template.starts", m.GetStarts()), Ends: r.clock("template.ends", m.GetEnds())}
	if m.GetPattern() != schedulingv1.Pattern_UNSPECIFIED {
		t.Pattern.Code = domain.PatternCode(m.GetPattern().String())
	}
	return t, r.all(app.FieldsOf("template.", t.Faults()), "template.starts", "template.ends", "template.lastDay")
}

func effectCode(e domain.Effect) schedulingv1.ExceptionEffect_Code {
	return schedulingv1.ExceptionEffect_Code(schedulingv1.ExceptionEffect_Code_value[string(e)])
}

func exceptionProto(e domain.Exception) *schedulingv1.ScheduleException {
	return &schedulingv1.ScheduleException{Id: e.ID, Version: e.Version, OrganizationId: e.OrganizationID, DepartmentCode: e.DepartmentCode,
		TemplateId: e.TemplateID, PractitionerId: e.PractitionerID, FirstDay: domain.Date(e.FirstDay), LastDay: domain.Date(e.LastDay),
		Effect: effectCode(e.Effect), Weekday: int32(e.Weekday), SubstitutePractitionerId: e.SubstituteID, SubstitutePractitionerName: e.SubstituteName,
		SubstituteLocation: e.SubstitutePlace, ReasonCode: e.ReasonCode, Note: e.Note}
}

func exceptionOf(m *schedulingv1.ScheduleException) (domain.Exception, error) {
	var r reader
	e := domain.Exception{ID: m.GetId(), Version: m.GetVersion(), OrganizationID: m.GetOrganizationId(), DepartmentCode: m.GetDepartmentCode(),
		TemplateID: m.GetTemplateId(), PractitionerID: m.GetPractitionerId(), FirstDay: r.day("exception.firstDay", m.GetFirstDay()),
		LastDay: r.day("exception.lastDay", m.GetLastDay()), Weekday: int(m.GetWeekday()), SubstituteID: m.GetSubstitutePractitionerId(),
		SubstituteName: m.GetSubstitutePractitionerName(), SubstitutePlace: m.GetSubstituteLocation(), ReasonCode: m.GetReasonCode(), Note: m.GetNote()}
	if m.GetEffect() != schedulingv1.ExceptionEffect_UNSPECIFIED {
		e.Effect = domain.Effect(m.GetEffect().String())
	}
	return e, r.all(app.FieldsOf("exception.", e.Faults()), "exception.lastDay")
}

func sessionProto(v app.SessionView) *schedulingv1.Session {
	state := schedulingv1.SessionState_OPEN
	if v.Cancelled {
		state = schedulingv1.SessionState_CANCELLED
	}
	return &schedulingv1.Session{Id: v.ID, Version: v.Version, OrganizationId: v.OrganizationID, DepartmentCode: v.DepartmentCode, Kind: v.Kind,
		Grade: v.Grade, PractitionerId: v.PractitionerID, PractitionerName: v.PractitionerName, Location: v.Location, Start: stamp(v.Start),
		End: stamp(v.End), SlotMinutes: int32(v.SlotMinutes), State: state, TemplateId: v.TemplateID, EquipmentId: v.EquipmentID,
		Modality: v.Equipment.Modality, EquipmentName: v.Equipment.Name, Preparation: v.Equipment.Preparation,
		PreparationEnglish: v.Equipment.PreparationEnglish, ReasonCode: v.ReasonCode, Note: v.Note, Slots: int32(v.Slots), Reserved: int32(v.Reserved),
		Taken: int32(v.Taken), Blocked: int32(v.Blocked), Free: int32(v.Free), Displaced: int32(v.Displaced)}
}

func sessionProtos(views []app.SessionView) (out []*schedulingv1.Session) {
	for _, v := range views {
		out = append(out, sessionProto(v))
	}
	return out
}

// placeProto is a slot as the planner sees it, with the device of its session.
func placeProto(s domain.Slot, e domain.Equipment) *schedulingv1.Slot {
	return &schedulingv1.Slot{Id: s.ID, OrganizationId: s.Session.OrganizationID, DepartmentCode: s.Session.DepartmentCode, Kind: s.Session.Kind,
		PractitionerId: s.Session.PractitionerID, PractitionerName: s.Session.PractitionerName, Start: stamp(s.Start), End: stamp(s.End),
		Free: s.Free && s.ClosedBy == "", Location: s.Session.Location, SessionId: s.Session.ID, Grade: s.Session.Grade, Pool: s.Pool,
		EquipmentId: s.Session.EquipmentID, EquipmentName: e.Name, Modality: e.Modality, Preparation: e.Preparation,
		PreparationEnglish: e.PreparationEnglish, ClosedBy: s.ClosedBy}
}

func useProto(use app.SlotUse, e domain.Equipment) *schedulingv1.SlotUse {
	out := &schedulingv1.SlotUse{Slot: placeProto(use.Slot, e)}
	if d := use.Hold; d.State != "" {
		out.State, out.HoldId, out.BookingId, out.ReferralId, out.ReferralNumber = holdState(d.State), d.ID, d.BookingID, d.ReferralID, use.Number
		if d.ReaderOrganizationID != d.Place.OrganizationID {
			out.SenderOrganizationId = d.ReaderOrganizationID
		}
	}
	return out
}

func policyProto(p app.BookingPolicy) *schedulingv1.BookingPolicy {
	return &schedulingv1.BookingPolicy{Version: p.Version, OrganizationId: p.OrganizationID, ReservePercent: int32(p.ReservePercent),
		ExpertPercent: int32(p.ExpertPercent), CommonDays: int32(p.CommonDays), ReserveLeadDays: int32(p.ReserveLeadDays), FallbackHours: int32(p.FallbackHours),
		Inherited: p.Inherited}
}

func policyOf(m *schedulingv1.BookingPolicy) app.BookingPolicy {
	return app.BookingPolicy{Version: m.GetVersion(), OrganizationID: m.GetOrganizationId(), Inherited: m.GetInherited(), Policy: domain.Policy{
		ReservePercent: int(m.GetReservePercent()), ExpertPercent: int(m.GetExpertPercent()), CommonDays: int(m.GetCommonDays()),
		ReserveLeadDays: int(m.GetReserveLeadDays()), FallbackHours: int(m.GetFallbackHours())}}
}

func cancellationProto(v app.SessionView, moved []app.Rebooked) *schedulingv1.CancelSessionResponse {
	out := &schedulingv1.CancelSessionResponse{Session: sessionProto(v)}
	for _, m := range moved {
		switch m.Outcome {
		case app.OutcomeMoved:
			out.Moved = append(out.Moved, &schedulingv1.Moved{BookingId: m.BookingID, HoldId: m.HoldID, ReferralId: m.ReferralID, ReferralNumber: m.Number,
				Slot: placeProto(m.Slot, domain.Equipment{ID: v.EquipmentID, Modality: v.Equipment.Modality})})
		case app.OutcomeDisplaced:
			id := m.BookingID
			if id == "" {
				id = m.HoldID // tied to a referral that has no answer yet
			}
			if out.Displaced++; id != "" {
				out.DisplacedBookingIds = append(out.DisplacedBookingIds, id)
			}
		case app.OutcomeEnded:
			out.HoldsEnded++
		}
	}
	return out
}

// reader collects the fields that cannot be read.
type reader struct{ bad []errs.Field }

func (r *reader) day(name, text string) time.Time {
	day, ok := domain.ReadDate(text)
	if !ok {
		r.bad = append(r.bad, errs.Bad(name, errs.ReasonFieldInvalid))
	}
	return day
}

func (r *reader) clock(name, text string) int {
	minute, ok := domain.ReadClock(text)
	switch {
	case text == "":
		r.bad = append(r.bad, errs.Required(name))
	case !ok:
		r.bad = append(r.bad, errs.Bad(name, errs.ReasonFieldInvalid))
	}
	return minute
}

func (r *reader) err() error {
	if len(r.bad) == 0 {
		return nil
	}
	return errs.Invalid(r.bad...)
}

// all is what cannot be read together with what the domain says of the rest; nil if all can be read. What depends on something unread is left to the
// next time, except is that.
func (r *reader) all(faults []errs.Field, except ...string) error {
	if len(r.bad) == 0 {
		return nil
	}
	bad := r.bad
	for _, f := range faults {
		known := func(have errs.Field) bool { return have.Name == f.Name }
		if !slices.Contains(except, f.Name) && !slices.ContainsFunc(bad, known) {
			bad = append(bad, f)
		}
	}
	return errs.Invalid(bad...)
}

func ints(list []int32) []int {
	var out []int
	for _, n := range list {
		out = append(out, int(n))
	}
	return out
}

func int32s(list []int) []int32 {
	var out []int32
	for _, n := range list {
		out = append(out, int32(n))
	}
	return out
}

func sessionToken(v app.SessionView) string {
	return idToken(v.Start.Format(time.RFC3339Nano) + " " + v.ID)
}
