package figures_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

func TestTheSchemaIsSoundAndThePublishedDefinitionsStandOnIt(t *testing.T) {
	t.Parallel()
	if _, err := figures.NewSchema(); err != nil {
		t.Fatal(err)
	}
	book, err := figures.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{
		"IND-DN-A", "IND-DN-B", "IND-DN-C", "IND-T3-2", "IND-SUC", "IND-CLS", "IND-ACK", "IND-REJ", "BOUNCE", "NO-SHOW", "DN-CANCELLED",
		"CAND-FOUND", "CAND-SENT", "FU-KEPT", "OVERDUE", "RETRO", "CRIT-MET", "TIME-ANSWER", "TIME-CONTACT", "VERDICT-TOO-LATE",
	} {
		if _, ok := book.Measure(code); !ok {
			t.Errorf("%s has no definition", code)
		}
	}
	if _, ok := book.Measure("IND-COUNTY"); ok || len(book.Absent) != 9 {
		t.Error("what cannot be derived is among the measures, or is not listed")
	}
	for _, a := range book.Absent {
		if a.Code == "" || a.Name.Zh == "" || a.Name.En == "" || a.Why.Zh == "" || a.Why.En == "" || a.Source.Text == "" || a.Source.Certainty == "" {
			t.Errorf("%s does not say what it is and why it is not there", a.Code)
		}
	}
}

func TestEveryCounterGoesByOneEvent(t *testing.T) {
	t.Parallel()
	if figures.EventOf("arrived") != figures.Arrived || figures.EventOf("visits_due") != figures.Planned || figures.EventOf("nothing") != "" {
		t.Error("a counter goes by another event")
	}
}
