// Package parts holds what the forms have in common on which referrals are written: the diagnoses, the consent and the
// criteria that are held against what was typed.
//
// Fields are named as the API names them, so that an error finds its field. Owns no page and decides nothing. Safe for
// concurrent use.
package parts

import (
	"embed"
	"io/fs"
	"net/url"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

// Parse reads a page's templates, which may use "diagnoses", "consent", "criteria", "completeness",
// "travels", "times", "package-documents", "downtime" and "stale".
func Parse(sh *shell.Shell, fsys fs.FS, names ...string) (*shell.Set, error) {
	return sh.Parse(shell.Over(fsys, files), append(names, "diagnoses.html", "consent.html", "criteria.html", "completeness.html", "travels.html", "downtime.html", "stale.html", "times.html", "asked.html")...)
}

// Diagnosis is a chosen one: Value is what the field sends ("I10|原发性高血压").
type Diagnosis struct{ Value, Label string }

// Chosen are the diagnoses of a form as the picker shows them.
func Chosen(form url.Values) []Diagnosis {
	var out []Diagnosis
	for _, v := range form["diagnosis"] {
		if v != "" {
			out = append(out, Diagnosis{Value: v, Label: strings.Replace(v, "|", " ", 1)})
		}
	}
	return out
}

// Diagnoses reads the picker; the field for browsers without scripts may be empty.
func Diagnoses(form url.Values) []*commonv1.Coding {
	var out []*commonv1.Coding
	for _, value := range form["diagnosis"] {
		if code, display, _ := strings.Cut(strings.TrimSpace(value), "|"); code != "" {
			out = append(out, &commonv1.Coding{Code: code, Display: display})
		}
	}
	return out
}

// SetDiagnoses fills the picker.
func SetDiagnoses(form url.Values, diagnoses []*commonv1.Coding) {
	for _, d := range diagnoses {
		form.Add("diagnosis", d.GetCode()+"|"+d.GetDisplay())
	}
}

// Consent reads the consent; nil when nothing was said. That it comes later is said in an emergency only, and why it was to come later is over when it has
// come: who consents is proposed, but how is chosen by the doctor.
func Consent(form url.Values, kind commonv1.Kind_Code) *referralv1.Consent {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	if get("consent.method") == "" {
		if reason := get("consent.deferredReason"); reason != "" && kind == commonv1.Kind_EMERGENCY {
			return &referralv1.Consent{DeferredReason: reason}
		}
		return nil
	}
	return &referralv1.Consent{GivenBy: get("consent.givenBy"), Relation: get("consent.relation"), Method: get("consent.method")}
}

// SetConsent fills the consent from a referral; without one it proposes who consents.
func SetConsent(form url.Values, consent *referralv1.Consent, patient *patientrecordv1.Patient) {
	if consent == nil {
		name, relation := consenter(patient)
		consent = &referralv1.Consent{GivenBy: name, Relation: relation}
	}
	form.Set("consent.givenBy", consent.GetGivenBy())
	form.Set("consent.relation", consent.GetRelation())
	form.Set("consent.method", consent.GetMethod())
	form.Set("consent.deferredReason", consent.GetDeferredReason())
}

// SameConsenter tells that a form names whom the record proposes; false without the record.
func SameConsenter(form url.Values, patient *patientrecordv1.Patient) bool {
	name, relation := consenter(patient)
	return name != "" && form.Get("consent.givenBy") == name && form.Get("consent.relation") == relation
}

// consenter is the patient, or the guardian on record, most often a parent.
func consenter(patient *patientrecordv1.Patient) (name, relation string) {
	if guardian := patient.GetGuardianName(); guardian != "" {
		return guardian, "5"
	}
	return patient.GetName(), "0"
}
