package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// typedTargets are the sample's as the form sends them, with a third and an empty row.
func typedTargets() url.Values {
	v := form("version", "4", "requestId", "0192f0c1-0000-7000-8000-0000000000e4", "measure.0", "IND-DN-A", "place.0", "", "fromMonth.0", "2026-01", "toMonth.0", "2026-12", "value.0", "80",
		"measure.1", "UP-N", "place.1", hospitalID+"|0304", "fromMonth.1", "", "toMonth.1", "", "value.1", "20", "measure.2", "IND-DN-A", "value.2", "",
		"measure.3", "IND-ACK", "place.3", hospitalID, "fromMonth.3", "", "toMonth.3", "", "value.3", "95.5%")
	v["row"] = strings.Fields("0 1 2 3")
	return v
}

func TestTargetsAreSetRowByRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	if got := b.post("/settings/targets", typedTargets()); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	want := sampleTargets()
	want.Targets = append(want.Targets, &referralv1.Target{Measure: "IND-ACK", OrganizationId: hospitalID, Value: 95.5})
	if sent := called[*referralv1.UpdateTargetsRequest](w, setTargetsMethod); len(sent) != 1 || !proto.Equal(sent[0].GetTargets(), want) {
		t.Errorf("%v", sent)
	}
	for name, c := range map[string]struct {
		err    error
		values url.Values
		shows  string
	}{
		"no number":   {nil, with(typedTargets(), "value.3", "viel"), `href="#f-value.3">Row 4:`},
		"too much":    {errs.Invalid(errs.Bad("targets.targets[2].value", errs.ReasonFieldOutOfRange)), typedTargets(), `href="#f-value.3">Row 4:`},
		"overlapping": {errs.Invalid(errs.Bad("targets.targets[1].fromMonth", errs.ReasonFieldCombination)), typedTargets(), "let one end before the other begins"},
		"changed":     {errs.Stale(5, ""), typedTargets(), "Somebody else changed this"},
		"away":        {errs.Unavailable("referral", nil), typedTargets(), `value="0192f0c1-0000-7000-8000-0000000000e4"`},
	} {
		w.refuse(setTargetsMethod, c.err)
		body := b.post("/settings/targets", c.values).Body.String()
		if !strings.Contains(body, c.shows) {
			t.Errorf("%s: %q is missing", name, c.shows)
		}
		keeps(t, body, url.Values{"value": {c.values.Get("value.3")}, "month": {"2026-12"}})
	}
}
