package statistics

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// courses is where the course of a case is shown.
const courses = "/statistics/cases/"

// caseAt is the course of a case, from which back leads to the list.
func caseAt(id, back string) string {
	if back == "" {
		return courses + id
	}
	return courses + id + "?" + url.Values{"back": {back}}.Encode()
}

// returning makes the address of a row's course lead back to the list that is shown, at the row; other addresses stay. The list's address has all of
// its filters and its page.
func returning(r *http.Request, at, row string) string {
	id, isCourse := strings.CutPrefix(at, courses)
	if !isCourse {
		return at
	}
	return caseAt(id, here(r.URL.Path, r.URL.Query())+"#"+row)
}

// backTo is the list to go back to, of those from which a case can be opened; an address of anything else is refused as unknown.
func backTo(back string) (string, error) {
	if back == "" {
		return "", nil
	}
	to, err := url.Parse(back)
	if err != nil || to.IsAbs() || to.Host != "" || !slices.Contains([]string{"/statistics/cases", "/overview", "/overview/late"}, to.Path) {
		return "", errs.NotFound("back")
	}
	return to.String(), nil
}

// stands words how a case stands in the measures.
func (p *Pages) stands(r *http.Request, found []*referralv1.CaseStanding) ([]standRow, error) {
	if len(found) == 0 {
		return nil, nil
	}
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return nil, err
	}
	var out []standRow
	for _, one := range found {
		if m := find(definitions.GetMeasures(), one.GetMeasure()); m != nil {
			out = append(out, standRow{Measure: m, Ground: one.GetGround()})
		}
	}
	return out, nil
}
