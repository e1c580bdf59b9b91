// Package home holds the page that a township's day begins with: what needs the visitor now, most urgent first.
//
// Owns nothing and decides nothing: every part is a question to one service, asked for its first rows and shown with a link to the page that has
// the rest. The parts are read side by side, so that the page takes as long as its slowest one; a part whose service is away says so by name
// and the others stand. Each part is a fragment, fetched again alone when something happened.
package home

import (
	"embed"
	"net/http"
	"slices"
	"sync"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

const (
	// shown is how many rows a part shows: what fits in a glance.
	shown = 5
	// counted is how far a part counts; beyond it says "more than".
	counted = 50
)

// Deps is what the page needs; all fields are required.
type Deps struct {
	Shell        *shell.Shell
	Referral     referralv1.ReferralServiceClient
	FollowUp     referralv1.FollowUpServiceClient
	Notification notificationv1.NotificationServiceClient
}

// Pages serves it.
type Pages struct {
	Deps
	set *shell.Set
}

// New parses the page.
func New(deps Deps) (*Pages, error) {
	set, err := deps.Shell.Parse(files, "home.html", "rows.html")
	return &Pages{Deps: deps, set: set}, err
}

// Routes adds the page to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /home", p.Shell.Page(p.home))
}

// part is one of the page: its rows, or that they cannot be read.
type part struct {
	// Name is that of the fragment and of its texts; All is where the rest is.
	Name, All string
	// Kinds are the live events after which it is read again.
	Kinds string
	// Count is how many there are, at least that many with More.
	Count int
	More  bool
	// Urgent tells that the count is of what should have been done already.
	Urgent int
	// Away names the service that could not be asked, as a text key below "home.service".
	Away string

	Referrals []row
	FollowUps []followUp
	Notices   []notice
}

// Empty tells that there is nothing to show and nothing to say.
func (p part) Empty() bool { return p.Count == 0 && p.Away == "" }

// reader reads one part.
type reader struct {
	name, all, kinds, service string
	read                      func(*http.Request, *part) error
}

// parts are those of the page, in the order in which they are to be dealt with.
func (p *Pages) parts() []reader {
	const mine = "/referrals?tab="
	return []reader{
		{"returned", mine + "mine", "referral", "referral", p.returned},
		{"back", "/desk?direction=DOWN", "referral", "referral", p.back},
		{"replies", mine + "replied", "referral", "referral", p.replies},
		{"followups", "/follow-ups", "referral", "referral", p.followUps},
		{"notices", "/inbox", "notification", "notification", p.notices},
		{"waiting", mine + "county", "referral booking", "referral", p.waiting},
		{"drafts", mine + "draft", "referral", "referral", p.drafts},
	}
}

// homeData is what home.html sees.
type homeData struct {
	Parts []part
	// Village: a village doctor asks and sees who is to be followed up; the centre does the rest.
	Village bool
	// Nothing waits; Away: some of it could not be read.
	Nothing bool
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	visitor, _ := door.VisitorFrom(r.Context())
	if !shell.IsTownship(visitor.Account) {
		http.Redirect(w, r, shell.Home(visitor.Account), http.StatusSeeOther)
		return nil
	}
	all := p.parts()
	if wanted := r.Header.Get("X-Fragment"); wanted != "" {
		i := slices.IndexFunc(all, func(one reader) bool { return one.name == wanted })
		if i < 0 {
			return errs.NotFound("fragment")
		}
		one, err := p.one(r, all[i])
		if err != nil {
			return err
		}
		return p.Shell.Fragment(w, r, p.set, "part", one)
	}
	data := homeData{Parts: make([]part, len(all)), Village: shell.IsVillage(visitor.Account), Nothing: true}
	problems := make([]error, len(all))
	var asked sync.WaitGroup
	for i, one := range all {
		asked.Go(func() { data.Parts[i], problems[i] = p.one(r, one) })
	}
	asked.Wait()
	for i := range all {
		if problems[i] != nil {
			return problems[i]
		}
		data.Nothing = data.Nothing && data.Parts[i].Empty()
	}
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "home.title", Nav: "home", Data: data})
}

// one reads a part. A service that is away is said in its place; a part that is not the visitor's is left empty.
func (p *Pages) one(r *http.Request, one reader) (part, error) {
	out := part{Name: one.name, All: one.all, Kinds: one.kinds}
	err := one.read(r, &out)
	switch errs.KindOf(err) {
	case errs.KindUnavailable, errs.KindInternal, errs.KindLimited:
		return part{Name: one.name, All: one.all, Kinds: one.kinds, Away: one.service}, nil
	case errs.KindDenied:
		return part{Name: one.name, All: one.all, Kinds: one.kinds}, nil
	}
	return out, err
}
