package rpc

import (
	"encoding/base64"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// instant is zero for an unset time, else in whole microseconds, as it is kept.
func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func slotProto(s app.SlotView) *schedulingv1.Slot {
	return &schedulingv1.Slot{Id: s.ID, OrganizationId: s.Session.OrganizationID, DepartmentCode: s.Session.DepartmentCode,
		Kind: s.Session.Kind, PractitionerId: s.Session.PractitionerID, PractitionerName: s.Session.PractitionerName,
		Start: stamp(s.Start), End: stamp(s.End), Free: s.Free, Location: s.Session.Location, SessionId: s.Session.ID, Grade: s.Session.Grade,
		Pool: s.Pool, EquipmentId: s.Session.EquipmentID, EquipmentName: s.Device.Name, Modality: s.Device.Modality,
		Preparation: s.Device.Preparation, PreparationEnglish: s.Device.PreparationEnglish, Opens: stamp(s.Opens), ClosedBy: s.ClosedBy}
}

func holdState(s domain.State) schedulingv1.HoldState_Code {
	switch s {
	case domain.Held:
		return schedulingv1.HoldState_HELD
	case domain.Attached:
		return schedulingv1.HoldState_ATTACHED
	case domain.Unsettled, domain.Live:
		return schedulingv1.HoldState_BOOKED
	case domain.Released:
		return schedulingv1.HoldState_RELEASED
	case domain.Expired:
		return schedulingv1.HoldState_EXPIRED
	default:
		return schedulingv1.HoldState_UNSPECIFIED
	}
}

func bookingState(s domain.State) schedulingv1.BookingState_Code {
	switch s {
	case domain.Unsettled:
		return schedulingv1.BookingState_UNSETTLED
	case domain.Live:
		return schedulingv1.BookingState_LIVE
	case domain.Released:
		return schedulingv1.BookingState_RELEASED
	default:
		return schedulingv1.BookingState_UNSPECIFIED
	}
}

// holdProto shows until when the hold takes its place: ten minutes, or as long as it is kept for its referral.
func holdProto(v app.HoldView) *schedulingv1.Hold {
	expire := v.ExpireTime
	if v.State == domain.Attached {
		expire = v.KeepUntil
	}
	return &schedulingv1.Hold{Id: v.ID, SlotId: v.Place.SlotID, ExpireTime: stamp(expire), State: holdState(v.State),
		OrganizationId: v.Place.OrganizationID, DepartmentCode: v.Place.DepartmentCode, Start: stamp(v.Place.Start),
		End: stamp(v.Place.End), Ward: v.Ward, BedId: v.Place.BedID, Bed: v.Bed, ReferralId: v.ReferralID,
		PractitionerName: v.PractitionerName, Location: v.Location, EquipmentName: v.Device.Name, Modality: v.Device.Modality, Preparation: v.Device.Preparation,
		PreparationEnglish: v.Device.PreparationEnglish, Offered: v.AccountID == app.Self && v.State == domain.Attached}
}

func bookingProto(v app.HoldView) *schedulingv1.Booking {
	return &schedulingv1.Booking{Id: v.BookingID, HoldId: v.ID, ReferralId: v.ReferralID, State: bookingState(v.State),
		SlotId: v.Place.SlotID, BedId: v.Place.BedID, OrganizationId: v.Place.OrganizationID,
		DepartmentCode: v.Place.DepartmentCode, Start: stamp(v.Place.Start), End: stamp(v.Place.End),
		PractitionerName: v.PractitionerName, Location: v.Location, Ward: v.Ward, Bed: v.Bed, EquipmentName: v.Device.Name, Modality: v.Device.Modality,
		Preparation: v.Device.Preparation, PreparationEnglish: v.Device.PreparationEnglish, Displaced: !v.Displaced.IsZero()}
}

func holdAnswer(v app.HoldView, err error) (*schedulingv1.Hold, error) {
	if err != nil {
		return nil, err
	}
	return holdProto(v), nil
}

func bookingAnswer(v app.HoldView, err error) (*schedulingv1.Booking, error) {
	if err != nil {
		return nil, err
	}
	return bookingProto(v), nil
}

func sessionsOf(r *schedulingv1.CreateSchedulesRequest) []domain.Session {
	var out []domain.Session
	for _, s := range r.GetSchedules() {
		out = append(out, domain.Session{ID: s.GetId(), OrganizationID: s.GetOrganizationId(), DepartmentCode: s.GetDepartmentCode(),
			Kind: s.GetKind(), PractitionerID: s.GetPractitionerId(), PractitionerName: s.GetPractitionerName(),
			Location: s.GetLocation(), Start: instant(s.GetStart()), End: instant(s.GetEnd()), SlotMinutes: int(s.GetSlotMinutes()),
			Grade: s.GetGrade(), EquipmentID: s.GetEquipmentId()})
	}
	return out
}

func wardsOf(r *schedulingv1.CreateSchedulesRequest) []domain.Ward {
	var out []domain.Ward
	for _, w := range r.GetWards() {
		out = append(out, domain.Ward{ID: w.GetId(), OrganizationID: w.GetOrganizationId(), DepartmentCode: w.GetDepartmentCode(),
			Name: w.GetName(), Beds: int(w.GetBeds()), Class: w.GetClass(), Sex: w.GetSex(), CleaningMinutes: int(w.GetCleaningMinutes())})
	}
	return out
}

// Page tokens hold the key of the last row.

func idToken(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

func readIDToken(token string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return string(raw), nil
}

func slotToken(s app.SlotView) string { return idToken(s.Start.Format(time.RFC3339Nano) + " " + s.ID) }

func readSlotToken(token string) (time.Time, string, error) {
	raw, err := readIDToken(token)
	if err != nil || raw == "" {
		return time.Time{}, "", err
	}
	start, id, _ := strings.Cut(raw, " ")
	at, err := time.Parse(time.RFC3339Nano, start)
	if err != nil {
		return time.Time{}, "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return at, id, nil
}
