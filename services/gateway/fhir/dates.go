package fhir

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// parseDateTime reads a FHIR date, dateTime or instant. A date without a time is the beginning of that day in China, of its month or year
// if those are missing.
func parseDateTime(s string) (time.Time, bool) {
	china := time.FixedZone("UTC+8", 8*60*60)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02", "2006-01", "2006", "2006-01-02T15:04Z07:00"} {
		if t, err := time.ParseInLocation(layout, s, china); err == nil {
			// What a Timestamp holds begins with the year 1.
			return t.UTC(), t.Year() >= 1 && t.Year() < 9999
		}
	}
	return time.Time{}, false
}

// dates reads the dates of one resource; the first that is none is kept.
type dates struct {
	path string
	err  error
}

// at is the time in the first of the fields that is not empty; fields are pairs of name and text.
func (d *dates) at(fields ...string) *timestamppb.Timestamp {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] == "" {
			continue
		}
		t, ok := parseDateTime(fields[i+1])
		if !ok {
			if d.err == nil {
				d.err = wrong(d.path+"."+fields[i], "not a date")
			}
			return nil
		}
		return timestamppb.New(t)
	}
	return nil
}

// shift moves every clinical date so that the newest becomes to.
func (p *parser) shift(to time.Time) error {
	var all []*timestamppb.Timestamp
	var newest time.Time
	for _, one := range p.order {
		for _, e := range one.request.GetEntries() {
			for _, t := range timesOf(e) {
				if t == nil {
					continue
				}
				all = append(all, t)
				if at := t.AsTime(); at.After(newest) {
					newest = at
				}
			}
		}
	}
	// In seconds: centuries do not fit a Duration.
	seconds, nanos := to.Unix()-newest.Unix(), int64(to.Nanosecond()-newest.Nanosecond())
	for _, t := range all {
		n := int64(t.GetNanos()) + nanos
		t.Seconds += seconds
		if n < 0 {
			t.Seconds, n = t.Seconds-1, n+1e9
		} else if n >= 1e9 {
			t.Seconds, n = t.Seconds+1, n-1e9
		}
		t.Nanos = int32(n)
		if !t.IsValid() {
			return wrong("Bundle", "dates lie too far apart to be moved")
		}
	}
	return nil
}

func timesOf(e *patientrecordv1.ClinicalEntry) []*timestamppb.Timestamp {
	switch r := e.GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		return []*timestamppb.Timestamp{r.Problem.GetOnsetTime(), r.Problem.GetAbatementTime(), r.Problem.GetRecordedTime()}
	case *patientrecordv1.ClinicalEntry_Allergy:
		return []*timestamppb.Timestamp{r.Allergy.GetRecordedTime()}
	case *patientrecordv1.ClinicalEntry_Medication:
		return []*timestamppb.Timestamp{r.Medication.GetAuthoredTime()}
	case *patientrecordv1.ClinicalEntry_Observation:
		return []*timestamppb.Timestamp{r.Observation.GetEffectiveTime()}
	case *patientrecordv1.ClinicalEntry_Procedure:
		return []*timestamppb.Timestamp{r.Procedure.GetPerformedTime()}
	case *patientrecordv1.ClinicalEntry_Immunization:
		return []*timestamppb.Timestamp{r.Immunization.GetOccurrenceTime()}
	case *patientrecordv1.ClinicalEntry_Encounter:
		return []*timestamppb.Timestamp{r.Encounter.GetStartTime(), r.Encounter.GetEndTime()}
	case *patientrecordv1.ClinicalEntry_DiagnosticReport:
		return []*timestamppb.Timestamp{r.DiagnosticReport.GetEffectiveTime()}
	}
	return nil
}
