package access

import (
	"net/http"
	"net/url"
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
	ID                 string
	Use                use // without the use itself while it cannot be read
	Verdicts           []verdict
	Own                bool // the visitor's own use: somebody else reviews it
	Ours               bool // the patient's home is the visitor's own organisation, which sees the record
	RequestID, Problem string
	Form               shell.Form
}

func (p *Pages) load(r *http.Request) (reviewData, error) {
	g, err := p.Access.GetGlass(r.Context(), &patientrecordv1.GetGlassRequest{Id: r.PathValue("id")})
	if err != nil {
		return reviewData{ID: r.PathValue("id")}, err
	}
	d := reviewData{ID: g.GetId(), Use: p.use(r, g), RequestID: id.New()}
	d.Form.Values = url.Values{"version": {strconv.Itoa(int(g.GetVersion()))}}
	for _, v := range g.GetReviews() {
		d.Verdicts = append(d.Verdicts, verdict{GlassReview: v, Organization: p.organization(r, v.GetOrganizationId())})
	}
	visitor, _ := door.VisitorFrom(r.Context())
	d.Own = visitor.Account.GetId() == g.GetAccountId()
	d.Ours = visitor.Account.GetOrganizationId() == g.GetHomeOrganizationId() && shell.IsTownship(visitor.Account)
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
	return p.Shell.Again(w, r, shell.Called(err, map[string]string{"verdict": "review.verdict"}), func(again shell.Refused) error {
		d, _ := p.load(r) // without the use the form stands alone
		d.Form, d.RequestID, d.Problem = again.Form, again.RequestID, again.Problem
		if errs.KindOf(err) == errs.KindStale && d.Use.Glass != nil {
			// What others said meanwhile is shown above: sent again it stands on that.
			d.Form.Values.Set("version", strconv.Itoa(int(d.Use.GetVersion())))
		}
		return p.showReview(w, r, again.Status, d)
	})
}
