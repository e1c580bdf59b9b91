package events

import (
	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// ofEntry is the fact of what happened to an entry of the fallback list: an offer, and an end by time. What a person or the referral did is told by
// those.
func ofEntry(h app.Happened) named {
	d := h.Entry.Entry
	m := meta(h, d.ID, d.Version, d.OrganizationID, d.SenderOrganizationID)
	switch h.Entry.Action {
	case domain.WaitOffer:
		c := capacity(h.Event.Hold)
		c.SenderOrganizationId = d.SenderOrganizationID
		return named{"waitlist_offered", &schedulingv1.WaitlistOffered{Meta: m, Capacity: c, EntryId: d.ID, Until: stamp(d.OfferUntil)}}
	case domain.WaitLapse:
		return named{"waitlist_ended", &schedulingv1.WaitlistEnded{
			Meta: m, EntryId: d.ID, ReferralId: d.ReferralID, OrganizationId: d.OrganizationID, DepartmentCode: d.DepartmentCode,
			SenderOrganizationId: d.SenderOrganizationID,
		}}
	default:
		return named{}
	}
}

// caseOf is the referral as its fact tells it.
func caseOf(meta *commonv1.FactMeta, f *referralv1.ReferralFact) domain.Case {
	return domain.Case{
		County: meta.GetCounty(), ReferralID: f.GetReferralId(), Version: meta.GetAggregateVersion(), Number: f.GetNumber(), PatientID: f.GetPatientId(),
		State: f.GetState().String(), Direction: f.GetDirection().String(), Kind: f.GetKind().String(), Urgency: f.GetUrgency().String(),
		SenderOrganizationID: f.GetOriginator().GetOrganizationId(), ReceiverOrganizationID: f.GetReceiver().GetOrganizationId(),
		ReceiverDepartment: f.GetReceiver().GetDepartmentCode(), DueTime: instant(f.GetDueTime()),
	}
}
