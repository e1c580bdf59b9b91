package referrals

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/followups"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// visitData is the form of one visit.
type visitData struct {
	// Open are the visits still to come; Next is the one proposed, nil when none is planned.
	Open []*referralv1.PlannedVisit
	Next *referralv1.PlannedVisit
	// Asked are the numbers that the proposed visit asks for, Others the rest of those that can be kept.
	Asked, Others []measure
	// Before are the latest numbers of earlier visits, by name.
	Before map[string]before
	// Following is the planned day of the visit after the proposed one; "" when that is the last.
	Following string
	// Worse is why the visits so far speak for sending the patient up again.
	Worse []string
	// After is who is to be seen next, once a visit of this patient was recorded today, and Made that visit.
	After *followups.Next
	Made  *referralv1.PlannedVisit
	// Ahead tells that the proposed visit is for another day: its form is there and does not ask to be filled in.
	Ahead bool
	// Up are the patient's referrals up that the hospital has not answered yet: who is on the way there is not to be recorded as stable here unawares.
	Up []shell.Row
	// Finished tells that no visit is waited for: every planned one was made, or the patient has died.
	Finished, Died bool
}

// measure is a number: its name, its UCUM unit and the unit as people write it.
type measure struct{ Name, Unit string }

// before is what a number was at an earlier visit.
type before struct {
	Number float64
	Time   *timestamppb.Timestamp
}

// measures are the numbers that a visit can keep, with the items that ask for them.
func measures() []struct {
	measure
	item string
} {
	return []struct {
		measure
		item string
	}{
		{measure{"sbp", "mm[Hg]"}, "BP"}, {measure{"dbp", "mm[Hg]"}, "BP"}, {measure{"heart_rate", "/min"}, "HEART_RATE"},
		{measure{"fasting_glucose", "mmol/L"}, "GLUCOSE"}, {measure{"glucose", "mmol/L"}, "GLUCOSE"}, {measure{"hba1c", "%"}, "HBA1C"},
		{measure{"temperature", "Cel"}, "TEMPERATURE"}, {measure{"spo2", "%"}, "SPO2"}, {measure{"resp_rate", "/min"}, "SPO2"},
		{measure{"weight", "kg"}, "WEIGHT"}, {measure{"ldl", "mmol/L"}, "LIPIDS"}, {measure{"egfr", "mL/min/{1.73_m2}"}, "KIDNEY"},
		{measure{"potassium", "mmol/L"}, "POTASSIUM"}, {measure{"fetal_heart_rate", "/min"}, "FETUS"}, {measure{"pain", "{score}"}, "PAIN"},
		{measure{"barthel", "{score}"}, "REHABILITATION"}, {measure{"danger_level", "{score}"}, "DANGER_LEVEL"},
	}
}

// inSight are the items that the follow-up of a condition measures each time, whatever the plan of the day names: its fields are never folded. The blood
// pressure, and the heart rate of who has a disease of the heart or the vessels or takes what changes it.
func inSight(condition string) []string {
	switch condition {
	case "HYPERTENSION", "CHD", "STROKE":
		return []string{"BP", "HEART_RATE"}
	case "DIABETES":
		return []string{"BP", "HEART_RATE", "GLUCOSE"}
	case "CKD", "PREGNANCY":
		return []string{"BP"}
	case "COPD":
		return []string{"SPO2"}
	default:
		return nil
	}
}

// Extends tells that the patient may be followed up further than was planned.
func (d visitData) Extends() bool { return d.Finished && !d.Died }

// visit is the form of the visit that is due. Who has recorded one today is led on to the next patient, not to that patient's next visit.
func (p *Pages) visit(r *http.Request, referral *referralv1.Referral, list string) visitData {
	data := visitOf(referral)
	data.Up = p.Shell.UnderWay(r, p.Referral, referral.GetPatientId())
	today := p.Shell.Now().Format(time.DateOnly)
	last := lastVisit(referral.GetPlan())
	if last == nil || last.GetDoneTime().AsTime().In(p.Shell.Zone()).Format(time.DateOnly) != today {
		return data
	}
	after := followups.After(r.Context(), p.FollowUps, list, referral.GetId())
	data.After, data.Made, data.Ahead = &after, last, data.Next.GetDue() > today
	return data
}

func visitOf(referral *referralv1.Referral) visitData {
	last := lastVisit(referral.GetPlan())
	data := visitData{Before: beforeOf(referral.GetPlan()), Open: ahead(referral.GetPlan()), Worse: referral.GetWorseReasons(), Died: last.GetFindings().GetResult() == "DIED"}
	if data.Died {
		data.Open = nil
	}
	if len(data.Open) > 0 {
		data.Next = data.Open[0]
	}
	if len(data.Open) > 1 {
		data.Following = data.Open[1].GetDue()
	}
	asked := slices.Concat(data.Next.GetItems(), inSight(referral.GetPlan().GetCondition()))
	for _, m := range measures() {
		if slices.Contains(asked, m.item) {
			data.Asked = append(data.Asked, m.measure)
		} else {
			data.Others = append(data.Others, m.measure)
		}
	}
	data.Finished = last != nil && data.Next == nil
	return data
}

// beforeOf finds the latest of each number that visits kept.
func beforeOf(plan *referralv1.FollowUpPlan) map[string]before {
	out := map[string]before{}
	for _, v := range plan.GetVisits() {
		if !v.GetDone() {
			continue
		}
		for _, m := range v.GetFindings().GetValues() {
			if known, ok := out[m.GetName()]; !ok || known.Time.AsTime().Before(v.GetDoneTime().AsTime()) {
				out[m.GetName()] = before{m.GetNumber(), v.GetDoneTime()}
			}
		}
	}
	return out
}

// lastVisit is the one made last, nil before the first.
func lastVisit(plan *referralv1.FollowUpPlan) *referralv1.PlannedVisit {
	done := slices.DeleteFunc(slices.Clone(plan.GetVisits()), func(v *referralv1.PlannedVisit) bool { return !v.GetDone() })
	if len(done) == 0 {
		return nil
	}
	return slices.MaxFunc(done, func(a, b *referralv1.PlannedVisit) int {
		return cmp.Or(a.GetDoneTime().AsTime().Compare(b.GetDoneTime().AsTime()), cmp.Compare(a.GetNumber(), b.GetNumber()))
	})
}

// findingsOf reads the form, and names the fields of the values in the order in which they are sent.
func findingsOf(c command) (*referralv1.Findings, []string, error) {
	findings := &referralv1.Findings{
		Result: c.get("findings.result"), MedicationTaking: c.get("findings.medicationTaking"),
		AdverseReaction: c.get("findings.adverseReaction") != "", Note: c.get("findings.note"),
	}
	var names []string
	var bad []errs.Field
	for _, m := range measures() {
		field := "value." + m.Name
		if c.get(field) == "" {
			continue
		}
		number, err := parts.Number(c.get(field))
		if err != nil {
			bad = append(bad, errs.Bad(field, errs.ReasonFieldInvalid))
			continue
		}
		names = append(names, field)
		findings.Values = append(findings.Values, &referralv1.Measured{Name: m.Name, Number: number, Unit: m.Unit})
	}
	if bad != nil {
		return nil, nil, errs.Invalid(bad...)
	}
	return findings, names, nil
}

// named puts the fields of the form in the place of "findings.values[2].number" in a refusal.
func named(err error, fields []string) error {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid {
		return err
	}
	renamed := slices.Clone(e.Fields)
	for i, f := range renamed {
		for j, field := range fields {
			if strings.HasPrefix(f.Name, fmt.Sprintf("findings.values[%d]", j)) {
				renamed[i].Name = field
			}
		}
	}
	return errs.Invalid(renamed...)
}

// nextOn is a plan whose next visit after the one being recorded is on a day, those behind it as far away as they were; with
// none planned it is one more of the same kind.
func nextOn(plan *referralv1.FollowUpPlan, recorded int32, day string) *referralv1.FollowUpPlan {
	open := ahead(plan)
	same := &referralv1.PlannedVisit{Due: day, Mode: "CLINIC"}
	for _, v := range open {
		if v.GetNumber() == recorded {
			same.Mode, same.Items = v.GetMode(), v.GetItems()
		}
	}
	rest := slices.DeleteFunc(open, func(v *referralv1.PlannedVisit) bool { return v.GetNumber() == recorded })
	if len(rest) == 0 {
		rest = []*referralv1.PlannedVisit{same}
	} else {
		rest = moved(rest, day)
	}
	return &referralv1.FollowUpPlan{Template: plan.GetTemplate(), Condition: plan.GetCondition(), Goal: plan.GetGoal(), Visits: rest}
}
