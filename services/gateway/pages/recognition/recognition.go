// Package recognition holds the pages of mutual recognition (互认): the tab on which a clinician sees what of a patient is still valid and
// orders examinations, the catalogue and directions that an administrator sets, and the figures.
//
// Every page works without a script. An order of what is there comes back with the result and the question: recognised, or repeated for
// which reason. Owns no rule: what is valid is decided by patient-record.
package recognition

import (
	"embed"
	"net/http"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell       *shell.Shell
	Record      patientrecordv1.PatientRecordServiceClient
	Recognition patientrecordv1.RecognitionServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	ordersSet, itemsSet, itemSet, figuresSet, casesSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	for file, set := range map[string]**shell.Set{
		"orders.html": &p.ordersSet, "items.html": &p.itemsSet, "item.html": &p.itemSet, "figures.html": &p.figuresSet, "cases.html": &p.casesSet,
	} {
		parsed, err := deps.Shell.Parse(files, file, "parts.html")
		if err != nil {
			return nil, err
		}
		*set = parsed
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /patients/{id}/orders", p.Shell.Page(p.orders))
	mux.Handle("POST /patients/{id}/orders", p.Shell.Page(p.order))
	mux.Handle("GET /settings/recognition", p.Shell.Page(p.items))
	mux.Handle("POST /settings/recognition", p.Shell.Page(p.saveDirections))
	mux.Handle("GET /settings/recognition/{code}", p.Shell.Page(p.item))
	mux.Handle("POST /settings/recognition/{code}", p.Shell.Page(p.saveItem))
	mux.Handle("GET /statistics/recognition", p.Shell.Page(p.figures))
	mux.Handle("GET /statistics/recognition/cases", p.Shell.Page(p.cases))
}

// organization is an organisation's name in the visitor's language; the id where it is not known.
func (p *Pages) organization(r *http.Request, id string) string {
	if county, err := p.Shell.Names().County(r.Context()); err == nil && county.Organization(id) != nil {
		return county.OrganizationName(p.Shell.Language(r), id)
	}
	return id
}
