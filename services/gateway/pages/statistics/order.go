package statistics

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// order is how a table by one dimension is sorted; all of it stands in the address.
type order struct {
	// By is name, value, numerator or denominator; "" puts first what needs somebody.
	By   string
	Desc bool
}

// columns by which a head can be clicked.
func columns() []string { return []string{"name", "value", "numerator", "denominator"} }

func orderOf(query url.Values) order {
	o := order{By: query.Get("sort"), Desc: query.Get("desc") != ""}
	if !slices.Contains(columns(), o.By) {
		return order{}
	}
	return o
}

// sort puts worded figures into the order.
func (o order) sort(list []figure) {
	by := map[string]func(a, b figure) int{
		"name": func(a, b figure) int { return cmp.Compare(a.Key, b.Key) },
		"value": func(a, b figure) int {
			return cmp.Compare(amountOf(a.Measure, a.Figure), amountOf(b.Measure, b.Figure))
		},
		"numerator":   func(a, b figure) int { return cmp.Compare(a.GetNumerator(), b.GetNumerator()) },
		"denominator": func(a, b figure) int { return cmp.Compare(a.GetDenominator(), b.GetDenominator()) },
	}[o.By]
	slices.SortStableFunc(list, func(a, b figure) int {
		switch {
		case by == nil:
			return needFirst(a, b)
		case o.By == "value" && valued(a) != valued(b):
			return last(a, b) // without a value it is neither high nor low
		case o.Desc:
			return by(b, a)
		}
		return by(a, b)
	})
}

// needFirst puts first what is the furthest from good: the lowest of what is better high, the highest of what is better low, and of equals that
// with the most cases. What is neither begins with the most cases; what has no value ends every table.
func needFirst(a, b figure) int {
	if valued(a) != valued(b) {
		return last(a, b)
	}
	x, y := amountOf(a.Measure, a.Figure), amountOf(b.Measure, b.Figure)
	switch a.Measure.GetDirection() {
	case "HIGHER_BETTER":
		return cmp.Or(cmp.Compare(x, y), mostFirst(a.Figure, b.Figure), cmp.Compare(a.Key, b.Key))
	case "LOWER_BETTER":
		return cmp.Or(cmp.Compare(y, x), mostFirst(a.Figure, b.Figure), cmp.Compare(a.Key, b.Key))
	}
	return cmp.Or(mostFirst(a.Figure, b.Figure), cmp.Compare(a.Key, b.Key))
}

func valued(f figure) bool { return f.GetHasValue() || f.Measure.GetUnit() == "COUNT" }

// last puts the one without a value behind.
func last(a, b figure) int {
	if valued(a) == valued(b) {
		return 0
	}
	if valued(a) {
		return -1
	}
	return 1
}

func amountOf(m *referralv1.Measure, f *referralv1.Figure) float64 {
	if m.GetUnit() == "COUNT" {
		return float64(f.GetNumerator())
	}
	return f.GetValue()
}

func mostFirst(a, b *referralv1.Figure) int {
	weight := func(f *referralv1.Figure) int64 { return max(f.GetNumerator(), f.GetDenominator()) }
	return cmp.Compare(weight(b), weight(a))
}

// head is the head of a column that sorts by it.
type head struct {
	Text, At string
	// Sorted is ascending, descending or "", as aria-sort says it.
	Sorted string
	Number bool
}

// heads of the table; a click sorts by a column, a second one the other way round.
func (o order) heads(query url.Values) []head {
	texts := map[string]string{"name": "statistics.what", "value": "statistics.value", "numerator": "statistics.numerator", "denominator": "statistics.denominator"}
	var out []head
	for _, column := range columns() {
		at := url.Values{}
		for name, values := range query {
			if name != "sort" && name != "desc" {
				at[name] = values
			}
		}
		at.Set("sort", column)
		one := head{Text: texts[column], Number: column != "name"}
		// Numbers are looked at from the top, names from the beginning.
		desc := one.Number
		if o.By == column {
			one.Sorted, desc = "ascending", !o.Desc
			if o.Desc {
				one.Sorted = "descending"
			}
		}
		if desc {
			at.Set("desc", "1")
		}
		one.At = here("/statistics", at) + "#by"
		out = append(out, one)
	}
	return out
}

// withNothing adds the places of the county that have no case of a count, for who sees the county: nobody sent down is a figure too.
func (p *Pages) withNothing(r *http.Request, m *referralv1.Measure, dimension string, found []*referralv1.Figure) []*referralv1.Figure {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil || m.GetUnit() != "COUNT" || !administers(r) {
		return found
	}
	var places []string
	for _, o := range county.Organizations {
		hospital, centre := o.GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL, o.GetType() == directoryv1.OrganizationType_TOWNSHIP_CENTRE
		switch {
		case o.GetDisabled():
		case dimension == "centre" && centre, dimension == "hospital" && hospital:
			places = append(places, o.GetId())
		case dimension == "department" && hospital:
			for _, d := range county.Departments(o.GetId()) {
				places = append(places, d.GetCode())
			}
		}
	}
	for _, place := range places {
		if !slices.ContainsFunc(found, func(f *referralv1.Figure) bool { return slices.Equal(f.GetKey(), []string{place}) }) {
			found = append(found, &referralv1.Figure{Measure: m.GetCode(), Key: []string{place}})
		}
	}
	return found
}
