// Package village holds the page of a village doctor: who of the village is away at the county, who is on the way back, whose follow-up is due, and
// everybody of the village, to be found.
//
// Owns nothing and decides nothing. It says of nobody why they are away, nor where (ADR 0020): each part is a question to one service, which tells a
// village doctor no more. A part whose service is away says so and the others stand. Search words never stand in an address.
package village

import (
	"embed"
	"net/http"
	"strings"
	"time"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

const (
	// underWay is how many patients a part names: a village hardly ever has more at once.
	underWay = 50
	// found is how many residents a search names.
	found = 50
)

// Deps is what the page needs; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	FollowUp referralv1.FollowUpServiceClient
	Record   patientrecordv1.PatientRecordServiceClient
	Cache    cache.Cache
	Ring     *crypt.Ring
}

// Pages serves it.
type Pages struct {
	Deps
	set *shell.Set
}

// New parses the page.
func New(deps Deps) (*Pages, error) {
	set, err := deps.Shell.Parse(files, "village.html")
	return &Pages{Deps: deps, set: set}, err
}

// Routes adds the page to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /village", p.Shell.Page(p.village))
	mux.Handle("POST /village/search", p.Shell.Page(p.find))
	mux.Handle("GET /village/{search}", p.Shell.Page(p.village))
}

// part are the patients that are under way in one direction.
type part struct {
	Name     string
	Patients []*referralv1.VillagePatient
	More     bool
	// Away: it cannot be read now.
	Away bool
}

// due is a follow-up; Organization makes it, "" where that is the visitor's own clinic.
type due struct {
	*referralv1.FollowUp
	Organization string
}

// dueOf names who makes each.
func (p *Pages) dueOf(r *http.Request, list []*referralv1.FollowUp) []due {
	county, err := p.Shell.Names().County(r.Context())
	out := make([]due, len(list))
	for i, one := range list {
		out[i] = due{FollowUp: one}
		if one.GetTheirs() && err == nil {
			out[i].Organization = county.OrganizationName(p.Shell.Language(r), one.GetOrganizationId())
		}
	}
	return out
}

// data is what village.html sees.
type data struct {
	Parts []part
	// Due are the follow-ups up to the end of the week, with those that are late.
	Due       []due
	DueMore   bool
	DueAway   bool
	Today     string
	Words     string
	Searched  bool
	Residents []*patientrecordv1.Patient
	More      bool
}

func (p *Pages) village(w http.ResponseWriter, r *http.Request) error {
	visitor, _ := door.VisitorFrom(r.Context())
	if !shell.IsVillage(visitor.Account) {
		http.Redirect(w, r, shell.Home(visitor.Account), http.StatusSeeOther)
		return nil
	}
	out := data{Today: p.Shell.Now().Format(time.DateOnly)}
	for _, where := range []string{"AWAY", "BACK"} {
		list, err := p.FollowUp.ListVillage(r.Context(), &referralv1.ListVillageRequest{Where: where, PageSize: underWay})
		if err != nil && errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		out.Parts = append(out.Parts, part{Name: where, Patients: list.GetPatients(), More: list.GetNextPageToken() != "", Away: err != nil})
	}
	list, err := p.FollowUp.ListFollowUps(r.Context(), &referralv1.ListFollowUpsRequest{Due: "week", PageSize: underWay})
	if err != nil && errs.KindOf(err) != errs.KindUnavailable {
		return err
	}
	out.Due, out.DueMore, out.DueAway = p.dueOf(r, list.GetFollowUps()), list.GetNextPageToken() != "", err != nil
	if search := r.PathValue("search"); search != "" {
		if err := p.search(r, search, &out); err != nil {
			return err
		}
	}
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "village.title", Nav: "village", Data: out})
}

// find keeps the words under a random id and goes there.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	// Nothing typed: everybody of the village.
	search, err := p.searches().Keep(r.Context(), strings.TrimSpace(r.PostFormValue("query"))+" ")
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/village/"+search+"#residents", http.StatusSeeOther)
	return nil
}

func (p *Pages) searches() shell.Searches {
	return shell.Searches{Cache: p.Cache, Ring: p.Ring, Kind: "village"}
}

// search finds residents of the village; nothing typed finds all.
func (p *Pages) search(r *http.Request, search string, out *data) error {
	words, ok := p.searches().Words(r.Context(), search)
	if !ok {
		return nil
	}
	out.Words, out.Searched = strings.TrimSpace(words), true
	list, err := p.Record.SearchPatients(r.Context(), &patientrecordv1.SearchPatientsRequest{Query: out.Words, Village: true, PageSize: found})
	if err != nil && errs.KindOf(err) != errs.KindInvalid {
		return err
	}
	out.Residents, out.More = list.GetPatients(), list.GetNextPageToken() != ""
	return nil
}
