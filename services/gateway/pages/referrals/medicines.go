package referrals

import (
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// medicine is a line of a down-referral with what the centre's list of today may call it, where it was not found when it was sent.
type medicine struct {
	*referralv1.DischargeMedicine
	Named []*referralv1.NamedMedicine
}

// Missing tells that the centre lacks it, whatever its list calls it.
func (m medicine) Missing() bool { return m.GetAvailability() == "MISSING" && m.Named == nil }

// medicines are those of the referral. The centre is told the names of its own list, for whatever it would otherwise look for in vain; without an
// answer the lines stand as they were sent.
func (p *Pages) medicines(r *http.Request, data *pageData) {
	for _, m := range data.Row.GetMedicines() {
		data.Medicines = append(data.Medicines, medicine{DischargeMedicine: m})
	}
	sought := func(m medicine) bool { return m.GetAvailability() == "UNCONFIRMED" || m.GetAvailability() == "MISSING" }
	if !data.Receiving || !slices.ContainsFunc(data.Medicines, sought) {
		return
	}
	answer, err := p.Candidate.CheckMedicines(r.Context(), &referralv1.CheckMedicinesRequest{
		OrganizationId: data.GetReceiver().GetOrganizationId(), Medicines: data.Row.GetMedicines(),
	})
	if err != nil {
		return
	}
	for i, check := range answer.GetChecks() {
		if i < len(data.Medicines) && sought(data.Medicines[i]) {
			data.Medicines[i].Named = check.GetNamed()
		}
	}
}
