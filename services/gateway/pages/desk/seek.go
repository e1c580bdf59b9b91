package desk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	// slipDigits is how many digits the number of a slip has.
	slipDigits = 16
	// soughtShown is how many referrals of a name the page lists.
	soughtShown = 20
)

// isWhole tells that a slip was scanned or its whole number typed: it is found as such, and anything else is searched for.
func isWhole(typed string) bool {
	return strings.Contains(typed, "/") || len(shell.SlipDigits(typed)) == slipDigits
}

func (p *Pages) searches() shell.Searches {
	return shell.Searches{Cache: p.Cache, Ring: p.Ring, Kind: "arrivals"}
}

// keep leads to whom the words name, under a random id; without a cache they are answered in place, and only the way back is lost.
func (p *Pages) keep(w http.ResponseWriter, r *http.Request, words string) error {
	search, err := p.searches().Keep(r.Context(), words)
	if err != nil {
		return p.answer(w, r, words)
	}
	http.Redirect(w, r, "/desk/arrivals?find="+search, http.StatusSeeOther)
	return nil
}

// answer shows whom the words name among those who were referred here and are not gone: one as a scanned slip shows them, several to choose from.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, words string) error {
	show := shownArrivals{status: http.StatusOK, form: shell.Form{Values: url.Values{"number": {words}}}}
	rows, more, err := p.seek(r, words)
	if errs.KindOf(err) == errs.KindUnavailable {
		// Who is expected can be read all the same, and what was typed is there to be sought again.
		show.status, show.form.Errors = errs.HTTPStatus(err), []shell.FieldError{{Name: "number", Text: p.Shell.T(r, "arrivals.away")}}
		return p.showArrivals(w, r, show)
	}
	if err != nil {
		return err
	}
	switch len(rows) {
	case 0:
		show.form.Errors = []shell.FieldError{{Name: "number", Text: p.Shell.T(r, "arrivals.nobody")}}
	case 1:
		show.found = &rows[0]
	default:
		// One of a later day is clearly apart: a tap meant for the one who stands there must not check in another.
		show.later = slices.DeleteFunc(slices.Clone(rows), func(one arriving) bool { return !one.Later })
		show.sought, show.more = slices.DeleteFunc(rows, func(one arriving) bool { return one.Later }), more
	}
	return p.showArrivals(w, r, show)
}

// seek are the referrals here that are not over, by the digits of a slip's number or the patient; who can be checked in comes first.
func (p *Pages) seek(r *http.Request, words string) (rows []arriving, more bool, err error) {
	ask := func() *referralv1.ListReferralsRequest {
		return &referralv1.ListReferralsRequest{View: "inbox", PageSize: soughtShown, State: []referralv1.State_Code{
			referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW, referralv1.State_ARRIVED, referralv1.State_ADMITTED,
		}}
	}
	request := ask()
	sought, err := p.Shell.Seek(r, p.Record, words, request)
	if err != nil {
		return nil, false, err
	}
	list := &referralv1.ListReferralsResponse{}
	if !sought.Nobody {
		if list, err = p.Referral.ListReferrals(r.Context(), request); err != nil {
			return nil, false, err
		}
	}
	if request.GetNumber() != "" && len(list.GetReferrals()) == 0 {
		// The end of an identity card's number is said at a desk too.
		request = ask()
		if sought, err = p.Shell.SeekPatients(r, p.Record, words, request); err != nil || sought.Nobody {
			return nil, false, err
		}
		if list, err = p.Referral.ListReferrals(r.Context(), request); err != nil {
			return nil, false, err
		}
	}
	rows = p.arriving(r, list.GetReferrals())
	slices.SortStableFunc(rows, func(a, b arriving) int {
		switch {
		case a.Arrives == b.Arrives:
			return 0
		case a.Arrives:
			return -1
		default:
			return 1
		}
	})
	return rows, sought.More || list.GetNextPageToken() != "", nil
}
