package access

import (
	"net/http"
	"strconv"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// use is one use with the names of its organisations.
type use struct {
	*patientrecordv1.Glass
	Organization, Home string
}

type reviewsData struct {
	All  bool
	Uses []use
	Next string
}

func (p *Pages) reviews(w http.ResponseWriter, r *http.Request) error {
	d := reviewsData{All: r.URL.Query().Get("show") == "all"}
	list, err := p.Access.ListGlasses(r.Context(), &patientrecordv1.ListGlassesRequest{Open: !d.All, PageToken: r.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	d.Next = list.GetNextPageToken()
	for _, g := range list.GetGlasses() {
		d.Uses = append(d.Uses, p.use(r, g))
	}
	return p.Shell.Render(w, r, p.reviewsSet, shell.Page{Title: "reviews.title", Nav: "reviews", Data: d})
}

func (p *Pages) use(r *http.Request, g *patientrecordv1.Glass) use {
	return use{Glass: g, Organization: p.organization(r, g.GetOrganizationId()), Home: p.organization(r, g.GetHomeOrganizationId())}
}

// organization is its name, or its id while the directory is away.
func (p *Pages) organization(r *http.Request, organization string) string {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return organization
	}
	return county.OrganizationName(p.Shell.Language(r), organization)
}

// verdict is a review with the name of its organisation.
type verdict struct {
	*patientrecordv1.GlassReview
	Organization string
}

type reviewData struct {
	Use                use
	Verdicts           []verdict
	Own                bool // the visitor's own use: somebody else reviews it
	RequestID, Problem string
	Form               shell.Form
}

func (p *Pages) load(r *http.Request) (reviewData, error) {
	g, err := p.Access.GetGlass(r.Context(), &patientrecordv1.GetGlassRequest{Id: r.PathValue("id")})
	if err != nil {
		return reviewData{}, err
	}
	d := reviewData{Use: p.use(r, g), RequestID: id.New()}
	for _, v := range g.GetReviews() {
		d.Verdicts = append(d.Verdicts, verdict{GlassReview: v, Organization: p.organization(r, v.GetOrganizationId())})
	}
	visitor, _ := door.VisitorFrom(r.Context())
	d.Own = visitor.Account.GetId() == g.GetAccountId()
	return d, nil
}

func (p *Pages) review(w http.ResponseWriter, r *http.Request) error {
	d, err := p.load(r)
	if err != nil {
		return err
	}
	return p.showReview(w, r, http.StatusOK, d)
}

func (p *Pages) showReview(w http.ResponseWriter, r *http.Request, status int, d reviewData) error {
	return p.Shell.Render(w, r, p.reviewSet, shell.Page{Title: "review.title", Nav: "reviews", Status: status, Data: d})
}

func (p *Pages) judge(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	_, err := p.Access.ReviewGlass(r.Context(), &patientrecordv1.ReviewGlassRequest{
		Id: r.PathValue("id"), Version: int32(version), Verdict: r.PostFormValue("verdict"), Note: strings.TrimSpace(r.PostFormValue("note")),
		RequestId: r.PostFormValue("requestId"),
	})
	if err == nil {
		p.Shell.Flash(w, "review.done")
		http.Redirect(w, r, "/reviews/"+r.PathValue("id"), http.StatusSeeOther)
		return nil
	}
	d, lerr := p.load(r)
	if lerr != nil {
		return lerr
	}
	fresh := d.RequestID
	d.Form = shell.Form{Values: r.PostForm, Errors: p.Shell.FieldErrors(r, err)}
	d.RequestID = r.PostFormValue("requestId")
	if errs.KindOf(err) == errs.KindStale {
		d.RequestID = fresh
	}
	return p.again(r, err, &d.Form, &d.RequestID, &d.Problem, func(status int) error { return p.showReview(w, r, status, d) })
}
