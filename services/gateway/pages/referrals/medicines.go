package referrals

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
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

// medicationsOf reads one medicine a line: the name, then how it is taken.
func medicationsOf(lines string) (out []*referralv1.ReplyMedication) {
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		out = append(out, &referralv1.ReplyMedication{Name: words[0], Dosage: strings.Join(words[1:], " ")})
	}
	return out
}

// untold words of which medicines of a reply nobody said how they are taken.
func (p *Pages) untold(r *http.Request, fields []errs.Field) string {
	medicines := medicationsOf(r.PostFormValue("reply.medications"))
	var names []string
	for i, m := range medicines {
		if slices.ContainsFunc(fields, func(f errs.Field) bool { return f.Name == fmt.Sprintf("reply.medications[%d].dosage", i) }) {
			names = append(names, m.GetName())
		}
	}
	return p.Shell.T(r, "conclude.untold", "names", strings.Join(names, "、"))
}
