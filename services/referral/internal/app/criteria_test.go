package app_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func number(name string, n float64) domain.ClinicalValue {
	return domain.ClinicalValue{Name: name, Number: &n}
}

func finding(name string, holds bool) domain.ClinicalValue {
	return domain.ClinicalValue{Name: name, Finding: &holds}
}

// pressure is a record with a measured blood pressure and a problem of a foreign code.
func pressure(at time.Time, systolic float64) app.Record {
	return app.Record{
		Observations: []app.Observation{{Codes: []string{"unknown", "8480-6"}, Unit: "mm[Hg]", Number: systolic, Time: at}},
		Problems:     []domain.Diagnosis{{System: "http://snomed.info/sct", Code: "38341003"}, {System: "http://snomed.info/sct", Code: "1"}},
	}
}

func result(t *testing.T, e app.Evaluation, code string) criteria.Result {
	t.Helper()
	i := slices.IndexFunc(e.Results, func(r criteria.Result) bool { return r.Code == code })
	if i < 0 {
		t.Fatalf("%s was not looked at", code)
	}
	return e.Results[i]
}

func used(r criteria.Result, name string) criteria.Used {
	i := slices.IndexFunc(r.Used, func(u criteria.Used) bool { return u.Name == name })
	if i < 0 {
		return criteria.Used{}
	}
	return r.Used[i]
}

func TestValuesOfTheFormGoBeforeThoseOfTheRecord(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.record = pressure(h.clock.Now().Add(-time.Hour), 185)
		q := app.Question{Direction: domain.Up, PatientID: id.New()}
		e, err := h.EvaluateCriteria(t.Context(), family(), q)
		if err != nil || !e.RecordRead {
			t.Fatalf("read %v, %v", e.RecordRead, err)
		}
		sbp := func(e app.Evaluation) (out criteria.Used) {
			for _, r := range e.Results {
				if r.Condition == "HYPERTENSION" {
					if u := used(r, "sbp"); u.Name != "" {
						out = u
					}
				}
			}
			return out
		}
		if u := sbp(e); u.Number != 185 || u.Source != app.FromRecord || !u.Time.Equal(h.clock.Now().Add(-time.Hour)) {
			t.Errorf("of the record: %+v", u)
		}
		q.Values = []domain.ClinicalValue{number("sbp", 150), number("nonsense", 1)}
		if e, err = h.EvaluateCriteria(t.Context(), family(), q); err != nil || sbp(e).Number != 150 || sbp(e).Source != app.FromForm {
			t.Errorf("of the form: %+v, %v", sbp(e), err)
		}
		if len(e.Inputs) == 0 {
			t.Error("nothing is asked for")
		}
	})
}

func TestARecordThatIsAwayIsLeftOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.patientsAway = errs.New(errs.KindUnavailable, errs.ReasonPeerAway, "away", nil)
		q := app.Question{
			Direction: domain.Up, PatientID: id.New(), Diagnoses: []domain.Diagnosis{{Code: "I63.9"}}, Values: []domain.ClinicalValue{finding("stroke_suspected", true)},
		}
		e, err := h.EvaluateCriteria(t.Context(), family(), q)
		if err != nil || e.RecordRead {
			t.Fatalf("read %v, %v", e.RecordRead, err)
		}
		if r := result(t, e, "UP-STR-01"); r.Status != criteria.Met {
			t.Errorf("it is %s", r.Status)
		}
		if r := result(t, e, "UP-STR-02"); r.Status != criteria.Unknown || len(r.Missing) != 1 || r.Missing[0].Name != "onset_hours" {
			t.Errorf("it is %s, missing %v", r.Status, r.Missing)
		}
	})
}

func TestAQuestionThatCannotBeAskedIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		_, err := h.EvaluateCriteria(t.Context(), family(), app.Question{Direction: domain.Out})
		expectReason(t, err, errs.ReasonFieldInvalid)
		_, err = h.EvaluateCriteria(t.Context(), family(), app.Question{Direction: domain.Up, PatientID: "stranger"})
		if got := fieldNames(refused(t, err, errs.ReasonFieldUnknown)); !slices.Equal(got, []string{"patientId FIELD_UNKNOWN"}) {
			t.Errorf("fields %q", got)
		}
		_, err = h.EvaluateCriteria(t.Context(), family(), app.Question{
			Direction: domain.Up, Values: []domain.ClinicalValue{finding("stroke_suspected", true), finding("sbp", true), {Name: "dbp"}},
		})
		if got := fieldNames(refused(t, err, errs.ReasonFieldInvalid)); !slices.Equal(got, []string{"values[1] FIELD_INVALID", "values[2] FIELD_INVALID"}) {
			t.Errorf("fields %q", got)
		}
	})
}

func TestASubmissionKeepsTheCodesThatAreMet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := creation(id.New())
		in.Draft.Values = []domain.ClinicalValue{finding("stroke_suspected", true), number("onset_hours", 3), finding("sbp", true)}
		v, err := h.Create(t.Context(), by(family()), in)
		if err != nil || !slices.Equal(v.MatchedCriteria, []string{"UP-EMG-04", "UP-STR-01", "UP-STR-02"}) {
			t.Errorf("kept %q, %v", v.MatchedCriteria, err)
		}
		// Neither a record that is away nor values that are none stop it.
		in.Draft.PatientID, in.Draft.Kind = id.New(), domain.KindInpatient
		in.Draft.Values = append(in.Draft.Values[:1:1], domain.ClinicalValue{Name: "onset_hours"})
		h.peers.recordAway = errs.New(errs.KindUnavailable, errs.ReasonPeerAway, "away", nil)
		if v, err = h.Create(t.Context(), by(family()), in); err != nil || !slices.Equal(v.MatchedCriteria, []string{"UP-STR-01"}) {
			t.Errorf("kept %q, %v", v.MatchedCriteria, err)
		}
	})
}

func TestADraftKeepsTheCodesOfTheRecordWhenItIsSent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.record = pressure(h.clock.Now().Add(-time.Minute), 185)
		in := creation(id.New())
		in.Submit, in.Draft.Diagnoses = false, []domain.Diagnosis{{Code: "I10"}}
		in.Draft.Values = []domain.ClinicalValue{finding("stroke_suspected", true)}
		v, err := h.Create(t.Context(), by(family()), in)
		if err != nil || len(v.MatchedCriteria) > 0 {
			t.Fatalf("a draft keeps %q, %v", v.MatchedCriteria, err)
		}
		if v, err = h.Submit(t.Context(), by(family()), app.Submission{ID: v.ID, Version: v.Version}); err != nil || len(v.MatchedCriteria) == 0 {
			t.Errorf("kept %q, %v", v.MatchedCriteria, err)
		}
	})
}

func TestCriteriaAreListedByCondition(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		_, all := h.ListCriteria("")
		conditions, strokes := h.ListCriteria("STROKE")
		if len(conditions) != 1 || len(strokes) == 0 || len(strokes) >= len(all) {
			t.Errorf("%d of %d", len(strokes), len(all))
		}
		if conditions, none := h.ListCriteria("NOTHING"); len(none)+len(conditions) > 0 {
			t.Error("rules of nothing")
		}
		for code, want := range map[string]bool{"DN-STR-01": true, "LOS-I63": true, "NOTHING": false} {
			if r, ok := h.Reason(code); ok != want || ok && (r.Text == "" || r.TextEn == "" || r.Source == "") {
				t.Errorf("%s: %v", code, ok)
			}
		}
	})
}

func TestWhatTheDoctorFoundIsKeptAndJudgedAgainWhenTheReferralIsSentAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := creation(id.New())
		in.Submit = false
		in.Draft.Values = []domain.ClinicalValue{
			number("sbp", 150), finding("stroke_suspected", false), number("sbp", 151), number("nonsense", 1), number("dbp", math.NaN()), finding("dbp", true),
		}
		v, err := h.Create(t.Context(), by(doctor()), in)
		if err != nil || said(v.Values) != "sbp 150, stroke_suspected false" {
			t.Fatalf("a draft keeps %s, %v", said(v.Values), err)
		}
		if v, err = h.Submit(t.Context(), by(doctor()), app.Submission{ID: v.ID, Version: v.Version}); err != nil || slices.Contains(v.MatchedCriteria, "UP-STR-01") {
			t.Fatalf("matched %q, %v", v.MatchedCriteria, err)
		}
		v = h.do(t, desk(), v, domain.ActionReturn)
		edition := app.Edition{ID: v.ID, Version: v.Version, Fields: []string{"values"}, Draft: domain.Draft{Values: []domain.ClinicalValue{number("sbp", 150), finding("stroke_suspected", true)}}}
		if v, err = h.Edit(t.Context(), by(doctor()), edition); err != nil || said(v.Values) != "sbp 150, stroke_suspected true" || len(v.MatchedCriteria) > 0 {
			t.Fatalf("edited to %s, %q, %v", said(v.Values), v.MatchedCriteria, err)
		}
		if v, err = h.Resubmit(t.Context(), by(doctor()), app.Step{ID: v.ID, Version: v.Version}); err != nil || !slices.Contains(v.MatchedCriteria, "UP-STR-01") {
			t.Fatalf("sent again it matches %q, %v", v.MatchedCriteria, err)
		}
		seen, err := h.Get(t.Context(), desk(), v.ID)
		if err != nil || said(seen.Values) != "sbp 150, stroke_suspected true" {
			t.Errorf("the receiver sees %s, %v", said(seen.Values), err)
		}
	})
}

// A referral from before values were kept has only its codes: they stay.
func TestCodesWhoseValuesAreNotKnownStay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.record = pressure(h.clock.Now().Add(-time.Minute), 185)
		in := creation(id.New())
		in.Draft.Diagnoses = []domain.Diagnosis{{Code: "I10"}}
		v, err := h.Create(t.Context(), by(doctor()), in)
		if err != nil || len(v.MatchedCriteria) == 0 {
			t.Fatal(v.MatchedCriteria, err)
		}
		met := v.MatchedCriteria
		h.peers.record = app.Record{}
		v = h.do(t, desk(), v, domain.ActionReturn)
		edition := app.Edition{ID: v.ID, Version: v.Version, Fields: []string{"values", "transfer_note"}, Draft: domain.Draft{TransferNote: "补充"}}
		if v, err = h.Edit(t.Context(), by(doctor()), edition); err != nil {
			t.Fatal(err)
		}
		if v, err = h.Resubmit(t.Context(), by(doctor()), app.Step{ID: v.ID, Version: v.Version}); err != nil || !slices.Equal(v.MatchedCriteria, met) {
			t.Errorf("%q, not %q: %v", v.MatchedCriteria, met, err)
		}
	})
}

// said are values as they can be compared; what is kept never prints by itself.
func said(values []domain.ClinicalValue) string {
	var out []string
	for _, v := range values {
		switch {
		case v.Number != nil:
			out = append(out, fmt.Sprint(v.Name, " ", *v.Number))
		case v.Finding != nil:
			out = append(out, fmt.Sprint(v.Name, " ", *v.Finding))
		}
	}
	return strings.Join(out, ", ")
}
