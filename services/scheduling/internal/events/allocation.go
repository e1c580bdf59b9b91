package events

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// encodeEntry makes the fact of what happened to an entry of the fallback list: an offer, and an end by time. What a person or the referral did is
// told by those.
func encodeEntry(h app.Happened) (outbox.Fact, bool, error) {
	d := h.Entry.Entry
	meta := &commonv1.FactMeta{
		FactId: h.FactID, County: d.County, AggregateId: d.ID, AggregateVersion: d.Version, OccurTime: timestamppb.New(h.Time), CauseId: h.CauseID,
		Actor:    &commonv1.Actor{AccountId: h.By.AccountID, OrganizationId: h.By.OrganizationID},
		Audience: []string{"org:" + d.OrganizationID, "org:" + d.SenderOrganizationID},
	}
	switch h.Entry.Action {
	case domain.WaitOffer:
		capacity := capacityOf(h.Event.Hold)
		capacity.SenderOrganizationId = d.SenderOrganizationID
		return envelope(h, d.County, "waitlist_offered", &schedulingv1.WaitlistOffered{Meta: meta, Capacity: capacity, EntryId: d.ID, Until: stamp(d.OfferUntil)})
	case domain.WaitLapse:
		return envelope(h, d.County, "waitlist_ended", &schedulingv1.WaitlistEnded{
			Meta: meta, EntryId: d.ID, ReferralId: d.ReferralID, OrganizationId: d.OrganizationID, DepartmentCode: d.DepartmentCode,
			SenderOrganizationId: d.SenderOrganizationID,
		})
	default:
		return outbox.Fact{}, false, nil
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
