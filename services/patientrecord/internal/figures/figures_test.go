package figures_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/figures"
)

func TestTheSchemaIsSoundAndThePublishedDefinitionsStandOnIt(t *testing.T) {
	t.Parallel()
	if _, err := figures.NewSchema(); err != nil {
		t.Fatal(err)
	}
	all, err := figures.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"IND-MR", "IND-DUP", "MR-N", "AVOIDED", "REPEATED"} {
		if _, ok := figures.Measure(all, code); !ok {
			t.Errorf("%s has no definition", code)
		}
	}
}

func TestADecisionCountsOnItsDayAndOnlyADroppedOrderIsAvoided(t *testing.T) {
	t.Parallel()
	there := &domain.Evidence{Performer: "county", From: domain.FromUpper}
	o := domain.Order{Organization: "township", Setting: domain.Outpatient, Day: "2026-11-29", Lines: []domain.OrderLine{
		{ItemCode: "CBC", Decision: domain.Ordered}, {ItemCode: "GLU", Decision: domain.Recognised, Evidence: there},
		{ItemCode: "ECG", Decision: domain.Dropped, Evidence: there}, {ItemCode: "CXR", Decision: domain.Repeated, Reason: "RT2", Evidence: there},
	}}
	var got []string
	for _, c := range figures.Cells("450321", o) {
		got = append(got, c.Dimensions["item"]+" "+c.Counter+" "+string(c.Day)+" "+c.Dimensions["reason"])
	}
	want := []string{
		"GLU decided 2026-11-29 ", "GLU recognised 2026-11-29 ", "ECG decided 2026-11-29 ", "ECG recognised 2026-11-29 ", "ECG avoided 2026-11-29 ",
		"CXR decided 2026-11-29 RT2", "CXR repeated 2026-11-29 RT2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
