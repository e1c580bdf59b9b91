// Package places holds the pages on which a county looks after its organisations, their departments and what each can do, and after the medicines of
// each; with tables to import, and the versions of each thing and the way back.
//
// The administrator of the county changes everything, the head of a centre its list of medicines, its doctors what is in stock; who may the directory
// decides. A refusal keeps everything that was typed; after a change by somebody else the form also says what stands now.
package places

import (
	"cmp"
	"embed"
	"net/http"
	"slices"
	"strconv"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Place      directoryv1.PlaceServiceClient
	Directory  directoryv1.DirectoryServiceClient
	Statistics referralv1.StatisticsServiceClient
	Calendar   schedulingv1.CalendarServiceClient
	Allocation schedulingv1.AllocationServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	list, one, form, closing, departmentSet, medicinesSet, medicineSet, tableSet, historySet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	for file, set := range map[string]**shell.Set{
		"list.html": &p.list, "one.html": &p.one, "form.html": &p.form, "close.html": &p.closing, "department.html": &p.departmentSet,
		"medicines.html": &p.medicinesSet, "medicine.html": &p.medicineSet, "table.html": &p.tableSet, "history.html": &p.historySet,
	} {
		if *set, err = deps.Shell.Parse(files, "parts.html", file); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /settings/organizations", p.Shell.Page(p.showList))
	mux.Handle("GET /settings/organizations/new", p.Shell.Page(p.newPlace))
	mux.Handle("POST /settings/organizations", p.Shell.Page(p.savePlace))
	mux.Handle("GET /settings/organizations/{id}", p.Shell.Page(p.showOne))
	mux.Handle("GET /settings/organizations/{id}/edit", p.Shell.Page(p.editPlace))
	mux.Handle("GET /settings/organizations/{id}/close", p.Shell.Page(p.askClose))
	mux.Handle("POST /settings/organizations/{id}/close", p.Shell.Page(p.closePlace))
	mux.Handle("GET /settings/organizations/{id}/department", p.Shell.Page(p.editDepartment))
	mux.Handle("POST /settings/organizations/{id}/department", p.Shell.Page(p.saveDepartment))
	mux.Handle("POST /settings/organizations/{id}/capabilities", p.Shell.Page(p.saveCapabilities))
	mux.Handle("GET /settings/formulary", p.Shell.Page(p.medicines))
	mux.Handle("POST /settings/formulary", p.Shell.Page(p.saveMedicine))
	mux.Handle("GET /settings/formulary/medicine", p.Shell.Page(p.editMedicine))
	mux.Handle("POST /settings/formulary/stock", p.Shell.Page(p.setStock))
	mux.Handle("GET /settings/tables/{table}", p.Shell.Page(p.showTable))
	mux.Handle("POST /settings/tables/{table}", p.Shell.Page(p.importTable))
	mux.Handle("GET /settings/tables/{table}/sample.csv", p.Shell.Page(p.sample))
	mux.Handle("GET /settings/versions/{subject}/{id}", p.Shell.Page(p.history))
	mux.Handle("POST /settings/versions/{subject}/{id}", p.Shell.Page(p.restore))
}

// kinds in the order in which they are shown.
func kinds() []directoryv1.OrganizationType_Code {
	return []directoryv1.OrganizationType_Code{
		directoryv1.OrganizationType_COUNTY_HOSPITAL, directoryv1.OrganizationType_TOWNSHIP_CENTRE, directoryv1.OrganizationType_VILLAGE_CLINIC,
		directoryv1.OrganizationType_AUTHORITY, directoryv1.OrganizationType_EXTERNAL,
	}
}

// row is an organisation of the list; Below tells that it stands below the one before.
type row struct {
	*directoryv1.Place
	Below bool
}

// group are the organisations of a kind, clinics below their centres.
type group struct {
	Kind         directoryv1.OrganizationType_Code
	Rows         []row
	Open, Closed int
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request) error {
	found, err := p.Place.ListPlaces(r.Context(), &directoryv1.ListPlacesRequest{})
	if err != nil {
		return err
	}
	return p.Shell.Render(w, r, p.list, shell.Page{Title: "places.title", Nav: "settings", Data: groups(found.GetPlaces())})
}

func groups(all []*directoryv1.Place) (out []group) {
	slices.SortStableFunc(all, func(a, b *directoryv1.Place) int {
		return cmp.Compare(a.GetOrganization().GetCode(), b.GetOrganization().GetCode())
	})
	for _, kind := range kinds() {
		g := group{Kind: kind}
		for _, one := range all {
			o := one.GetOrganization()
			if o.GetType() != kind {
				continue
			}
			if o.GetDisabled() {
				g.Closed++
			} else {
				g.Open++
			}
			if kind != directoryv1.OrganizationType_VILLAGE_CLINIC || o.GetParentId() == "" {
				g.Rows = append(g.Rows, row{Place: one})
			}
			for _, below := range all {
				if c := below.GetOrganization(); c.GetParentId() == o.GetId() && c.GetType() == directoryv1.OrganizationType_VILLAGE_CLINIC {
					g.Rows = append(g.Rows, row{below, true})
				}
			}
		}
		if g.Open+g.Closed > 0 {
			out = append(out, g)
		}
	}
	return out
}

// forget lets the names of the visitor's county be read anew: a change is seen at once.
func (p *Pages) forget(r *http.Request) {
	visitor, _ := door.VisitorFrom(r.Context())
	p.Shell.Names().Forget(visitor.Account.GetCounty())
}

func is(r *http.Request, role commonv1.Role_Code) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return slices.Contains(visitor.Account.GetRoles(), role)
}

// own tells that an organisation is the visitor's.
func own(r *http.Request, organizationID string) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return visitor.Account.GetOrganizationId() == organizationID
}

func number(text string) int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

func checked(yes bool) string {
	if yes {
		return "1"
	}
	return ""
}
