// Package rosters holds who is on duty now, the week of each post with its gaps, and the hand-overs of the coming days.
//
// Who plans a post changes its week; whoever is on duty hands it over. Who may what the directory decides; what a visitor may not is not offered.
package rosters

import (
	"embed"
	"net/http"
	"net/url"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

// desk is the code of the post of a hospital's intake desk.
const desk = "DESK"

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell     *shell.Shell
	Roster    directoryv1.RosterServiceClient
	Directory directoryv1.DirectoryServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	list, one, versions *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.list, err = deps.Shell.Parse(files, "list.html"); err != nil {
		return nil, err
	}
	if p.versions, err = deps.Shell.Parse(files, "history.html"); err != nil {
		return nil, err
	}
	p.one, err = deps.Shell.Parse(files, "one.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /rosters", p.Shell.Page(p.showList))
	mux.Handle("GET /rosters/post", p.Shell.Page(p.showOne))
	mux.Handle("POST /rosters/post", p.Shell.Page(p.save))
	mux.Handle("GET /rosters/history", p.Shell.Page(p.showHistory))
	mux.Handle("POST /rosters/history", p.Shell.Page(p.restore))
	mux.Handle("POST /rosters/replace", p.Shell.Page(p.replace))
	mux.Handle("POST /rosters/hand-over", p.Shell.Page(p.handOver))
	mux.Handle("POST /rosters/take-back", p.Shell.Page(p.takeBack))
}

// row is a post with who is on duty there now.
type row struct {
	Name, Code string
	Duties     []*directoryv1.Duty
	// Opens: the visitor may see the plan.
	Opens bool
	// Closed: the department is, and its roster still stands.
	Closed bool
	// Planned: it has a roster. Left are its shifts that are nobody's.
	Planned bool
	Left    int32
}

type listData struct {
	Organization  string
	Organizations []*directoryv1.Organization
	// Closed: the organisation is. It is on no list, and is come to from its page.
	Closed bool
	Name   string
	Rows   []row
}

// showList shows the posts of an organisation: the own one, or the one that is chosen.
func (p *Pages) showList(w http.ResponseWriter, r *http.Request) error {
	visitor, _ := door.VisitorFrom(r.Context())
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	data := listData{Organization: r.URL.Query().Get("organization")}
	for _, o := range county.Organizations {
		if hasPosts(o) {
			data.Organizations = append(data.Organizations, o)
		}
	}
	if county.Organization(data.Organization) == nil {
		data.Organization = visitor.Account.GetOrganizationId()
	}
	o := county.Organization(data.Organization)
	if data.Closed = o.GetDisabled() && treats(o); data.Closed {
		data.Organizations = append(data.Organizations, o)
	} else if (o == nil || !hasPosts(o)) && len(data.Organizations) > 0 {
		// Who works in none begins with a hospital: its posts are the most.
		data.Organization = data.Organizations[max(0, slices.IndexFunc(data.Organizations, hospital))].GetId()
	}
	data.Name = county.OrganizationName(p.Shell.Language(r), data.Organization)
	on, err := p.Roster.ListOnDuty(r.Context(), &directoryv1.ListOnDutyRequest{OrganizationId: data.Organization})
	if err != nil {
		return err
	}
	opens := visitor.Account.GetOrganizationId() == data.Organization || is(visitor.Account, commonv1.Role_COUNTY_ADMIN)
	for _, code := range posts(county, data.Organization) {
		one := row{Name: p.postName(r, county, data.Organization, code), Code: code, Opens: opens}
		planned := slices.IndexFunc(on.GetPosts(), func(d *directoryv1.PostDuty) bool { return d.GetDepartmentCode() == code })
		if planned >= 0 {
			one.Duties, one.Planned, one.Left = on.GetPosts()[planned].GetDuties(), true, on.GetPosts()[planned].GetLeftShifts()
		}
		if planned >= 0 || opens {
			data.Rows = append(data.Rows, one)
		}
	}
	if data.Rows, err = p.addClosed(r, county, data, on, opens); err != nil {
		return err
	}
	return p.Shell.Render(w, r, p.list, shell.Page{Title: "rosters.title", Nav: "rosters", Data: data})
}

// addClosed adds departments that were closed while they had a roster: it is in force until its week is emptied.
func (p *Pages) addClosed(r *http.Request, county *shell.County, data listData, on *directoryv1.ListOnDutyResponse, opens bool) ([]row, error) {
	var closed []row
	for _, post := range on.GetPosts() {
		if code := post.GetDepartmentCode(); county.Department(data.Organization, code).GetDisabled() {
			closed = append(closed, row{Name: p.postName(r, county, data.Organization, code), Code: code, Duties: post.GetDuties(), Opens: opens, Closed: true})
		}
	}
	if len(closed) == 0 || !opens {
		return append(data.Rows, slices.DeleteFunc(closed, func(one row) bool { return len(one.Duties) == 0 })...), nil
	}
	list, err := p.Roster.ListRosters(r.Context(), &directoryv1.ListRostersRequest{OrganizationId: data.Organization})
	if err != nil {
		return nil, err
	}
	emptied := func(one row) bool {
		i := slices.IndexFunc(list.GetRosters(), func(roster *directoryv1.Roster) bool { return roster.GetDepartmentCode() == one.Code })
		return i < 0 || len(list.GetRosters()[i].GetShifts()) == 0 && len(one.Duties) == 0
	}
	return append(data.Rows, slices.DeleteFunc(closed, emptied)...), nil
}

func hospital(o *directoryv1.Organization) bool {
	return o.GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL
}

func hasPosts(o *directoryv1.Organization) bool { return !o.GetDisabled() && treats(o) }

func treats(o *directoryv1.Organization) bool {
	return o.GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL || o.GetType() == directoryv1.OrganizationType_TOWNSHIP_CENTRE
}

// closed tells whether the organisation of a post, or its department, is: its roster is looked at then, and not planned.
func closed(county *shell.County, at place) bool {
	return county.Organization(at.organization).GetDisabled() || county.Department(at.organization, at.code).GetDisabled()
}

// posts of an organisation: the desk of a hospital or the whole centre, then the departments.
func posts(county *shell.County, organization string) []string {
	first := ""
	if county.Organization(organization).GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL {
		first = desk
	}
	out := []string{first}
	for _, d := range county.Departments(organization) {
		out = append(out, d.GetCode())
	}
	return out
}

func (p *Pages) postName(r *http.Request, county *shell.County, organization, code string) string {
	switch code {
	case desk:
		return p.Shell.T(r, "rosters.desk")
	case "":
		return p.Shell.T(r, "rosters.centre")
	}
	return county.DepartmentName(p.Shell.Language(r), organization, code)
}

func is(a *directoryv1.Account, role commonv1.Role_Code) bool {
	return slices.Contains(a.GetRoles(), role)
}

// plans tells who is offered the form of the week: as the directory decides.
func plans(a *directoryv1.Account, organization, code string) bool {
	own := a.GetOrganizationId() == organization
	return is(a, commonv1.Role_COUNTY_ADMIN) || own && (is(a, commonv1.Role_CENTRE_HEAD) || is(a, commonv1.Role_INTAKE_DESK) && code == desk ||
		is(a, commonv1.Role_DEPARTMENT_HEAD) && code != "" && a.GetDepartmentCode() == code)
}

// colleagues are the people of an organisation, also those who left; false while that cannot be read.
func (p *Pages) colleagues(r *http.Request, organization string) (out []*directoryv1.Account, ok bool) {
	for token := ""; ; {
		page, err := p.Directory.ListAccounts(r.Context(), &directoryv1.ListAccountsRequest{OrganizationId: organization, PageSize: 200, PageToken: token})
		if err != nil {
			return nil, false
		}
		out = append(out, page.GetAccounts()...)
		if token = page.GetNextPageToken(); token == "" {
			return out, true
		}
	}
}

func postURL(organization, code string) string {
	return "/rosters/post?" + url.Values{"organization": {organization}, "department": {code}}.Encode()
}
