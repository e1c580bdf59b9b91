package rpc

import (
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func waitingProto(w domain.WaitingTime, days int) *schedulingv1.WaitingTime {
	return &schedulingv1.WaitingTime{OrganizationId: w.OrganizationID, DepartmentCode: w.DepartmentCode, Kind: w.Kind, Modality: w.Modality,
		Days: int32(days), NextStart: stamp(w.NextStart), ThirdStart: stamp(w.ThirdStart), Free: int32(w.Free), Waiting: int32(w.Waiting),
		ComputeTime: stamp(w.ComputeTime)}
}

func dayProto(d app.DaySession) *schedulingv1.DaySession {
	s := d.Session
	out := &schedulingv1.DaySession{Id: s.ID, DepartmentCode: s.DepartmentCode, Kind: s.Kind, PractitionerName: s.PractitionerName, Location: s.Location,
		Start: stamp(s.Start), End: stamp(s.End), Cancelled: d.State != domain.StateOpen, Slots: int32(d.Slots), Free: int32(d.Free),
		EquipmentName: d.Device.Name}
	for _, p := range d.Patients {
		h := p.Hold
		sender := p.Case.SenderOrganizationID
		if sender == "" && h.ReaderOrganizationID != s.OrganizationID {
			sender = h.ReaderOrganizationID
		}
		out.Patients = append(out.Patients, &schedulingv1.DayPatient{SlotId: h.Place.SlotID, Start: stamp(h.Place.Start), End: stamp(h.Place.End),
			State: holdState(h.State), BookingId: h.BookingID, ReferralId: h.ReferralID, ReferralNumber: p.Case.Number,
			SenderOrganizationId: sender, ReferralState: p.Case.State})
	}
	return out
}

func entryAnswer(d domain.EntryData, err error) (*schedulingv1.WaitlistEntry, error) {
	if err != nil {
		return nil, err
	}
	return entryProto(d), nil
}

// entryProto shows the hold of an offer only while it is one.
func entryProto(d domain.EntryData) *schedulingv1.WaitlistEntry {
	w := d.Wish
	out := &schedulingv1.WaitlistEntry{
		Id: d.ID, State: schedulingv1.WaitlistState_Code(schedulingv1.WaitlistState_Code_value[string(d.State)]), ReferralId: d.ReferralID,
		ReferralNumber: d.Number, Urgency: commonv1.Urgency_Code(commonv1.Urgency_Code_value[d.Urgency]), OrganizationId: d.OrganizationID,
		DepartmentCode: d.DepartmentCode, SenderOrganizationId: d.SenderOrganizationID, Kind: w.Kind, Modality: w.Modality,
		PractitionerId: w.PractitionerID, FirstDay: w.FirstDay, LastDay: w.LastDay, CreateTime: stamp(d.CreateTime), Position: int32(d.Position),
		Version: d.Version, DisplacedBookingId: d.DisplacedBookingID, Sex: w.Sex, WardClass: w.Class,
	}
	if d.State == domain.Offered {
		out.HoldId, out.OfferStart, out.OfferUntil = d.HoldID, stamp(d.OfferStart), stamp(d.OfferUntil)
	}
	return out
}

func wardProto(w app.BoardWard, now time.Time) *schedulingv1.BoardWard {
	out := &schedulingv1.BoardWard{Id: w.ID, OrganizationId: w.OrganizationID, DepartmentCode: w.DepartmentCode, Name: w.Name, Class: w.Class, Sex: w.Sex,
		CleaningMinutes: int32(w.CleaningMinutes), Total: int32(w.WardData.Beds), Version: w.Version}
	for _, b := range w.Beds {
		if b.OutReason != domain.OutClosed {
			out.Total++
		}
		if b.State(now) == domain.BedFree {
			out.Free++
		}
		out.Beds = append(out.Beds, bedProto(b, now))
	}
	return out
}

func bedProto(b domain.BedData, now time.Time) *schedulingv1.BoardBed {
	state := b.State(now)
	out := &schedulingv1.BoardBed{Id: b.ID, Label: b.Label, State: schedulingv1.BedState_Code(schedulingv1.BedState_Code_value[string(state)]), Sex: b.Sex,
		Until: stamp(b.Until(now)), OutReason: b.OutReason, Version: b.Version}
	if b.Hold.ID != "" {
		out.ReferralId, out.ReferralNumber, out.Expected = b.Hold.ReferralID, b.Case.Number, stamp(b.Hold.Place.Start)
		out.SenderOrganizationId = b.Case.SenderOrganizationID
	}
	return out
}
