package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var ordered = time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)

func hba1c() domain.Item {
	return domain.Item{
		Code: "HBA1C", Name: "糖化血红蛋白", Kind: domain.ExamLab, Codes: []string{"loinc|4548-4"}, Range: domain.RangeCity, Mark: "桂HR", Unit: "%",
		Days: map[domain.Setting]int{domain.Outpatient: 90, domain.Inpatient: domain.NoLimit, domain.Emergency: 0},
	}
}

func measured(daysAgo int, organization string) domain.Finding {
	return domain.Finding{
		EntryID: "e-" + organization, Version: 1, Codes: []string{"loinc|4548-4"}, Status: "final", Unit: "%", Value: "7.1 %",
		Time: ordered.AddDate(0, 0, -daysAgo), Organization: organization,
	}
}

func from(organization string, accepts domain.Directions) domain.Viewpoint {
	return domain.Viewpoint{
		Organization: organization, Setting: domain.Outpatient, At: ordered, Accepts: accepts,
		Tiers: map[string]domain.Tier{
			"village": domain.TierVillage, "township": domain.TierTownship, "other": domain.TierTownship, "county": domain.TierCounty,
			"outside": domain.TierOutside,
		},
	}
}

func TestAResultIsRecognisedOnlyIfEverythingHolds(t *testing.T) {
	t.Parallel()
	all := domain.Directions{Upper: true, Lower: true, Peers: true}
	for name, c := range map[string]struct {
		change func(*domain.Item, *domain.Finding, *domain.Viewpoint)
		want   domain.Hindrance
	}{
		"as it is":        {func(*domain.Item, *domain.Finding, *domain.Viewpoint) {}, ""},
		"on the last day": {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Time = ordered.AddDate(0, 0, -90) }, ""},
		"a moment too old": {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) {
			f.Time = ordered.AddDate(0, 0, -90).Add(-1)
		}, domain.Expired},
		"without limit": {func(_ *domain.Item, f *domain.Finding, v *domain.Viewpoint) {
			f.Time, v.Setting = ordered.AddDate(-9, 0, 0), domain.Inpatient
		}, ""},
		"never in an emergency": {func(_ *domain.Item, _ *domain.Finding, v *domain.Viewpoint) { v.Setting = domain.Emergency }, domain.NeverValid},
		"preliminary":           {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Status = "preliminary" }, domain.NotFinal},
		"withdrawn":             {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Status = "entered-in-error" }, domain.NotFinal},
		"without a time":        {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Time = time.Time{} }, domain.Undated},
		"of tomorrow":           {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Time = ordered.AddDate(0, 0, 1) }, domain.Undated},
		"in another unit":       {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Unit = "mmol/mol" }, domain.OtherUnit},
		"by another method": {func(i *domain.Item, f *domain.Finding, _ *domain.Viewpoint) {
			i.Methods, f.Method = []string{"HPLC"}, "POCT"
		}, domain.OtherMethod},
		"by no known method":  {func(i *domain.Item, _ *domain.Finding, _ *domain.Viewpoint) { i.Methods = []string{"HPLC"} }, domain.OtherMethod},
		"of nobody":           {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Organization = "" }, domain.Nobodys},
		"of somebody unknown": {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Organization = "gone" }, domain.Nobodys},
		"unknown but allowed": {func(_ *domain.Item, f *domain.Finding, v *domain.Viewpoint) {
			f.Organization, v.Accepts.Unknown = "", true
		}, ""},
		"without evidence": {func(i *domain.Item, _ *domain.Finding, _ *domain.Viewpoint) { i.NeedsQuality = true }, domain.NotQualified},
		"with evidence": {func(i *domain.Item, _ *domain.Finding, _ *domain.Viewpoint) {
			i.NeedsQuality, i.Qualified = true, []string{"county"}
		}, ""},
		"from outside": {func(_ *domain.Item, f *domain.Finding, _ *domain.Viewpoint) { f.Organization = "outside" }, ""},
		"outside the county's mark": {func(i *domain.Item, f *domain.Finding, _ *domain.Viewpoint) {
			i.Range, f.Organization = domain.RangeCounty, "outside"
		}, domain.OutOfRange},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item, finding, view := hba1c(), measured(10, "county"), from("township", all)
			c.change(&item, &finding, &view)
			got, ok := domain.Recognise(item, []domain.Finding{finding}, view)
			if !ok || got.Refusal != c.want {
				t.Errorf("refusal %q (there: %t), want %q", got.Refusal, ok, c.want)
			}
		})
	}
	if _, ok := domain.Recognise(hba1c(), []domain.Finding{{EntryID: "x", Codes: []string{"loinc|718-7"}, Status: "final"}}, from("township", all)); ok {
		t.Error("another item's result is there")
	}
}

func TestAsShippedOnlyTheLowerAcceptsTheUpper(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		own, performer string
		from           domain.Direction
		valid          bool
	}{
		{"township", "county", domain.FromUpper, true}, {"village", "township", domain.FromUpper, true},
		{"township", "outside", domain.FromOutside, true}, {"township", "township", domain.FromOwn, true},
		{"county", "township", domain.FromLower, false}, {"township", "other", domain.FromPeer, false},
	} {
		got, _ := domain.Recognise(hba1c(), []domain.Finding{measured(1, c.performer)}, from(c.own, domain.ShippedDirections()))
		if got.From != c.from || (got.Refusal == "") != c.valid {
			t.Errorf("%s about %s: %s, refusal %q", c.own, c.performer, got.From, got.Refusal)
		}
	}
}

func TestTheNewestValidResultCountsAndNotANewerOneThatIsNot(t *testing.T) {
	t.Parallel()
	older, newer := measured(9, "county"), measured(3, "township")
	got, _ := domain.Recognise(hba1c(), []domain.Finding{newer, older}, from("county", domain.ShippedDirections()))
	if got.Performer != "county" || got.Refusal != "" || !got.Until.Equal(older.Time.AddDate(0, 0, 90)) {
		t.Errorf("got %s of %s until %s", got.Refusal, got.Performer, got.Until)
	}
}

func TestAPanelCountsOnlyWhole(t *testing.T) {
	t.Parallel()
	item := domain.Item{
		Code: "CBC", Parts: [][]string{{"wbc"}, {"hb"}}, Codes: []string{"panel"}, Range: domain.RangeCity, Days: map[domain.Setting]int{domain.Outpatient: 7},
	}
	value := func(code string, hoursAgo int, organization string) domain.Finding {
		return domain.Finding{
			EntryID: code, Codes: []string{code}, Status: "final", Time: ordered.Add(-time.Duration(hoursAgo) * time.Hour), Organization: organization,
		}
	}
	view := from("township", domain.Directions{Upper: true})
	for name, c := range map[string]struct {
		findings []domain.Finding
		results  int
	}{
		"a part":              {[]domain.Finding{value("hb", 2, "county")}, 0},
		"whole":               {[]domain.Finding{value("hb", 2, "county"), value("wbc", 3, "county")}, 2},
		"of two days":         {[]domain.Finding{value("hb", 2, "county"), value("wbc", 30, "county")}, 0},
		"of two laboratories": {[]domain.Finding{value("hb", 2, "county"), value("wbc", 2, "township")}, 0},
		"the report":          {[]domain.Finding{value("panel", 2, "county")}, 1},
	} {
		got, ok := domain.Recognise(item, c.findings, view)
		if ok != (c.results > 0) || len(got.Results) != c.results || got.Refusal != "" {
			t.Errorf("%s: %d results, refusal %q", name, len(got.Results), got.Refusal)
		}
	}
	got, _ := domain.Recognise(item, []domain.Finding{value("hb", 2, "county"), value("wbc", 20, "county")}, view)
	if want := ordered.Add(-20 * time.Hour); !got.Time.Equal(want) {
		t.Errorf("a panel is as old as its oldest value: %s", got.Time)
	}
}

func TestAnOrderOfWhatIsThereIsRecognisedOrRepeatedForAReason(t *testing.T) {
	t.Parallel()
	items := map[string]domain.Item{"HBA1C": hba1c()}
	there, _ := domain.Recognise(hba1c(), []domain.Finding{measured(1, "county")}, from("township", domain.ShippedDirections()))
	valid := map[string]domain.Recognisable{"HBA1C": there}
	noted := there
	noted.Noted = true
	line := func(d domain.OrderDecision) domain.OrderLine { return domain.OrderLine{ItemCode: "HBA1C", Decision: d} }
	repeat := domain.OrderLine{ItemCode: "HBA1C", Decision: domain.Repeated, Reason: "RT1", Explained: true}
	other := domain.OrderLine{ItemCode: "HBA1C", Decision: domain.Repeated, Reason: "RT6", Explained: true}
	for name, c := range map[string]struct {
		line  domain.OrderLine
		found map[string]domain.Recognisable
		want  string // field and reason of the problem
	}{
		"a plain order is asked back":        {line(domain.Ordered), valid, "lines[0].decision FIELD_RECOGNISABLE"},
		"a plain order of what is not there": {line(domain.Ordered), nil, ""},
		"dropped":                            {line(domain.Dropped), valid, ""},
		"dropped without a result":           {line(domain.Dropped), nil, "lines[0].decision FIELD_NOT_RECOGNISABLE"},
		"recognised":                         {line(domain.Recognised), valid, ""},
		"recognised twice":                   {line(domain.Recognised), map[string]domain.Recognisable{"HBA1C": noted}, "lines[0].decision FIELD_NOT_RECOGNISABLE"},
		"repeated":                           {repeat, valid, ""},
		"repeated without anything":          {line(domain.Repeated), valid, "lines[0].reasonCode FIELD_REQUIRED, lines[0].explained FIELD_REQUIRED"},
		"RT6 without words":                  {other, valid, "lines[0].reasonText FIELD_REQUIRED"},
		"an item that is none":               {domain.OrderLine{ItemCode: "X", Decision: domain.Ordered}, nil, "lines[0].itemCode FIELD_UNKNOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, ps := domain.Decide([]domain.OrderLine{c.line}, items, c.found)
			if ps.Error() != c.want {
				t.Errorf("problems %q, want %q", ps.Error(), c.want)
			}
			if c.want == "" && (out[0].Evidence != nil) != (c.found != nil) {
				t.Error("evidence is kept exactly when there was a result")
			}
		})
	}
	if _, ps := domain.Decide([]domain.OrderLine{line(domain.Dropped), line(domain.Dropped)}, items, valid); len(ps) != 1 {
		t.Errorf("the same item twice: %v", ps)
	}
	out, _ := domain.Decide([]domain.OrderLine{repeat}, items, nil)
	if out[0].Decision != domain.Ordered || out[0].Reason != "" {
		t.Errorf("a repeat of what is not valid any more stays %s", out[0].Decision)
	}
}
