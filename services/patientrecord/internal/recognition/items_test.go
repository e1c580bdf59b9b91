package recognition_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/recognition"
)

func TestTheShippedCatalogueIsSoundAndHasNoPrices(t *testing.T) {
	t.Parallel()
	items, err := recognition.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	days := map[string][3]int{}
	for _, i := range items {
		days[i.Code] = [3]int{i.Days[domain.Outpatient], i.Days[domain.Inpatient], i.Days[domain.Emergency]}
		if i.Price != 0 || i.Source == "" || i.Certainty != "SUGGESTED" || !i.Shipped {
			t.Errorf("%s: price %d, source %q, certainty %q", i.Code, i.Price, i.Source, i.Certainty)
		}
	}
	for code, want := range map[string][3]int{
		"CBC": {7, 3, 3}, "HBA1C": {90, 90, 90}, "LIPID": {30, 30, 30}, "HIV": {90, 90, 90}, "ECG": {7, 7, 0}, "ECHO": {90, 90, 90}, "CT-HEAD": {30, 30, 30},
		"PATH": {domain.NoLimit, domain.NoLimit, domain.NoLimit},
	} {
		if days[code] != want {
			t.Errorf("%s is valid for %v days, want %v", code, days[code], want)
		}
	}
}
