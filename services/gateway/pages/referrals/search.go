package referrals

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// narrowing is what the list is narrowed by. Words name a patient or a slip: the address has them under a random id only.
type narrowing struct {
	// Find is that id, Words what was typed; Gone tells that it is not known any more.
	Find, Words string
	Gone        bool
	// From and Last are the first and the last day of sending, Wrong that one of them is no day or they are the wrong way round.
	From, Last string
	Wrong      bool
	// More tells that more patients have the name than are sought.
	More bool
	// Nobody tells that no patient has the name.
	Nobody bool
}

// Any tells that the list is narrowed.
func (n narrowing) Any() bool { return n.Words != "" || n.From != "" || n.Last != "" }

// Address is that of a tab of the list, narrowed as it is.
func (n narrowing) Address(tab string) string {
	query := url.Values{"tab": {tab}}
	for name, value := range map[string]string{"find": n.Find, "from": n.From, "to": n.Last} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return "/referrals?" + query.Encode()
}

// find keeps the words under a random id and goes to the list, so that a reload and the way back work. A search looks at all states.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	n := narrowing{From: r.PostFormValue("from"), Last: r.PostFormValue("to")}
	tab := r.PostFormValue("tab")
	if words := strings.TrimSpace(r.PostFormValue("query")); words != "" {
		var err error
		if n.Find, err = p.searches().Keep(r.Context(), words); err != nil {
			return err
		}
	}
	if n.Find != "" || n.From != "" || n.Last != "" {
		tab = "all"
	}
	http.Redirect(w, r, n.Address(tab), http.StatusSeeOther)
	return nil
}

func (p *Pages) searches() shell.Searches {
	return shell.Searches{Cache: p.Cache, Ring: p.Ring, Kind: "referrals"}
}

// narrow reads what the list is narrowed by, and puts it into the request.
func (p *Pages) narrow(r *http.Request, request *referralv1.ListReferralsRequest) (narrowing, error) {
	query := r.URL.Query()
	n := narrowing{Find: query.Get("find"), From: query.Get("from"), Last: query.Get("to")}
	n.period(request)
	if n.Find == "" {
		return n, nil
	}
	var known bool
	if n.Words, known = p.searches().Words(r.Context(), n.Find); !known {
		n.Find, n.Gone = "", true
		return n, nil
	}
	sought, err := p.Shell.Seek(r, p.Record, n.Words, request)
	n.Nobody, n.More = sought.Nobody, sought.More
	return n, err
}

// period reads the days. What is no day narrows nothing, and the page says so.
func (n *narrowing) period(request *referralv1.ListReferralsRequest) {
	day := func(text string) (time.Time, bool) {
		at, err := time.Parse(time.DateOnly, text)
		return at, err == nil
	}
	from, fromGood := day(n.From)
	last, lastGood := day(n.Last)
	if n.Wrong = n.From != "" && !fromGood || n.Last != "" && !lastGood || fromGood && lastGood && last.Before(from); n.Wrong {
		return
	}
	request.SentFrom = n.From
	if lastGood {
		request.SentTo = last.AddDate(0, 0, 1).Format(time.DateOnly)
	}
}
