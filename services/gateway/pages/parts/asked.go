package parts

import (
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// Asked is the part of a form in which a returned referral lacks something: its anchor, and the text key of its name.
type Asked struct{ Anchor, Label string }

// AskedOf is where the reason of the return leads; nil for every other state, and for a reason that is of no part alone.
func AskedOf(r *referralv1.Referral) *Asked {
	if r.GetState() != referralv1.State_RETURNED {
		return nil
	}
	at, known := map[string]Asked{
		"MISSING_HISTORY":   {"f-form.presentIllness", "field.form.presentIllness"},
		"MISSING_RESULTS":   {"travels", "travels.title"},
		"MISSING_TREATMENT": {"f-form.treatment", "field.form.treatment"},
		"DIAGNOSIS_UNCLEAR": {"f-diagnoses", "field.diagnoses"},
		"MISSING_CONSENT":   {"f-consent", "field.consent"},
		"WRONG_KIND":        {"f-kind", "field.kind"},
		"MISSING_PLAN":      {"f-form.nextPlan", "field.form.nextPlan"},
		"MISSING_MEDICINE":  {"f-medicines", "field.medicines"},
	}[r.GetReasonCode()]
	if !known {
		return nil
	}
	if r.GetReasonCode() == "MISSING_HISTORY" && strings.TrimSpace(r.GetForm().GetPastHistory()) == "" {
		at = Asked{"f-form.pastHistory", "field.form.pastHistory"} // what is empty is what is missing
	}
	return &at
}
