package criteria

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

var (
	conditionCode = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,39}$`)
	rowCode       = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{0,39}$`)
	valueName     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,59}$`)
	snomedCode    = regexp.MustCompile(`^[0-9]{6,18}$`)
)

// check is a condition that must hold, and what to say if it does not.
type check struct {
	holds  bool
	reason string
}

func firstBroken(checks ...check) error {
	for _, c := range checks {
		if !c.holds {
			return errors.New(c.reason)
		}
	}
	return nil
}

func isCertainty(s string) bool {
	return slices.Contains([]string{Found, FoundMirror, OwnHigh, OwnMedium, OwnLow, Suggested}, s)
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func checkCondition(c Condition) error {
	if err := firstBroken(
		check{conditionCode.MatchString(c.Code), "its code is not of the form HYPERTENSION"},
		check{c.Name != "" && c.NameEn != "", "name and name_en are needed"},
		check{c.Version != "", "the version is missing"},
		check{isDate(c.Effective), "effective is not a date like 2026-11-01"},
		check{c.Always || len(c.Categories) > 0, "it needs icd categories, or always: true"},
	); err != nil {
		return err
	}
	for _, written := range slices.Concat(c.Categories, c.Suspected, c.Acute) {
		if _, err := parseSpan(written); err != nil {
			return err
		}
	}
	for _, h := range c.Handover {
		if !rowCode.MatchString(h.Code) || h.Text == "" || !isCertainty(h.Certainty) {
			return fmt.Errorf("handover %q needs a code, a text and a certainty", h.Code)
		}
	}
	return nil
}

func checkRule(r Rule) error {
	return firstBroken(
		check{rowCode.MatchString(r.Code), "its code is not of the form UP-HTN-10"},
		check{r.Direction == Up || r.Direction == Down, "direction is not UP or DOWN"},
		check{slices.Contains([]string{Emergency, Urgent, Routine}, r.Urgency), "urgency is not EMERGENCY, URGENT or ROUTINE"},
		check{r.Direction == Up || r.Urgency != Emergency, "a down-referral is no emergency"},
		check{r.Text != "", "the text is missing"},
		check{r.Source != "", "its source has no document"},
		check{isCertainty(r.Certainty), "certainty is not FOUND, FOUND_MIRROR, OWN_HIGH, OWN_MEDIUM, OWN_LOW or SUGGESTED"},
	)
}

func checkValue(r valueRow) error {
	isNumber := r.Type == Number
	coded := len(r.LOINC)+len(r.Local)+len(r.Units) > 0
	return firstBroken(
		check{valueName.MatchString(r.Name), "its name is not of the form severe_headache"},
		check{r.Label != "", "the label is missing"},
		check{isNumber || r.Type == Finding, "type is not NUMBER or FINDING"},
		check{r.MaxAgeDays >= 0, "max_age_days is negative"},
		check{!isNumber || r.Unit != "", "a NUMBER needs its UCUM unit"},
		check{!isNumber || r.Min < r.Max, "a NUMBER needs min and max"},
		check{isNumber || r.Unit == "" && r.Min == 0 && r.Max == 0 && !coded, "a FINDING has no unit, range or codes"},
	)
}

func checkStay(r stayRow) error {
	return firstBroken(
		check{rowCode.MatchString(r.Code), "its code is not of the form LOS-I63"},
		check{len(r.ICD) > 0, "icd is missing"},
		check{r.Days > 0, "days must be positive"},
		check{r.Text != "" && r.Source != "", "text and source are needed"},
		check{isCertainty(r.Certainty), "the certainty is missing"},
	)
}
