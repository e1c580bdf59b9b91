package places

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// capabilities are those of the contract, in its order.
func capabilities() []string {
	return strings.Fields("REHABILITATION DIALYSIS WOUND_CARE TCM LABORATORY ECG ULTRASOUND XRAY INFUSION HOME_VISIT PALLIATIVE")
}

// oneData is what one.html sees. Form is that of the capabilities: "can" has the chosen codes, "note.CODE" what is said of one.
type oneData struct {
	*directoryv1.Place
	Parent    string
	Form      shell.Form
	Version   int32
	Changed   bool
	Problem   string
	RequestID string
	// Own: it is the visitor's, which the visitor does not close.
	Own bool
}

// Codes are all capabilities.
func (oneData) Codes() []string { return capabilities() }

// Can tells whether a capability is chosen.
func (d oneData) Can(code string) bool { return slices.Contains(d.Form.Values["can"], code) }

// Lists tells whether the organisation takes patients, and so has departments, capabilities and medicines.
func (d oneData) Lists() bool {
	t := d.GetOrganization().GetType()
	return t != directoryv1.OrganizationType_EXTERNAL && t != directoryv1.OrganizationType_AUTHORITY
}

func capabilityValues(c *directoryv1.OrganizationCapabilities) url.Values {
	values := url.Values{}
	for _, one := range c.GetCapabilities() {
		values.Add("can", one.GetCode())
		values.Set("note."+one.GetCode(), one.GetNote())
	}
	return values
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request) error { return p.drawOne(w, r, nil) }

// drawOne shows an organisation; refused is the form of its capabilities that was refused.
func (p *Pages) drawOne(w http.ResponseWriter, r *http.Request, refused *shell.Refused) error {
	place, err := p.Place.GetPlace(r.Context(), &directoryv1.GetPlaceRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	data := oneData{
		Place: place, Own: own(r, place.GetOrganization().GetId()), RequestID: id.New(), Version: place.GetCapabilities().GetVersion(),
		Form: shell.Form{Values: capabilityValues(place.GetCapabilities())},
	}
	if county, err := p.Shell.Names().County(r.Context()); err == nil {
		data.Parent = county.OrganizationName(p.Shell.Language(r), place.GetOrganization().GetParentId())
	}
	status := http.StatusOK
	if refused != nil {
		data.Form, data.Problem, data.RequestID, status = refused.Form, refused.Problem, refused.RequestID, refused.Status
		if data.Changed = errs.KindOf(refused.Cause) == errs.KindStale; !data.Changed {
			data.Version = number(r.PostFormValue("version"))
		}
	}
	return p.Shell.Render(w, r, p.one, shell.Page{Title: "places.one", Nav: "settings", Status: status, Data: data})
}

func (p *Pages) saveCapabilities(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	in := &directoryv1.SetCapabilitiesRequest{OrganizationId: r.PathValue("id"), Version: number(r.PostFormValue("version")), RequestId: r.PostFormValue("requestId")}
	for _, code := range r.PostForm["can"] {
		in.Capabilities = append(in.Capabilities, &directoryv1.Capability{Code: code, Note: strings.TrimSpace(r.PostFormValue("note." + code))})
	}
	if _, err := p.Place.SetCapabilities(r.Context(), in); err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.drawOne(w, r, &again) })
	}
	p.Shell.Flash(w, "places.capabilities.saved")
	http.Redirect(w, r, "/settings/organizations/"+r.PathValue("id")+"#capabilities", http.StatusSeeOther)
	return nil
}

// departmentData is what department.html sees.
type departmentData struct {
	Form         shell.Form
	Organization *directoryv1.Organization
	// Code of the department, "" for a new one.
	Code      string
	Subjects  []subject
	RequestID string
	Problem   string
	// Stands is the department as it is, while it is open, and Open what is open there.
	Stands *directoryv1.Department
	Open   hanging
}

// Official is what the national catalogue calls the department.
func (d departmentData) Official() string { return officialName(d.Code) }

func departmentValues(d *directoryv1.Department) url.Values {
	return url.Values{
		"department.name": {d.GetName()}, "department.nameEn": {d.GetNameEn()}, "department.location": {d.GetLocation()}, "department.phone": {d.GetPhone()},
		"department.hasBeds": {checked(d.GetHasBeds())}, "department.disabled": {checked(d.GetDisabled())},
	}
}

func (p *Pages) editDepartment(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Place.GetPlace(r.Context(), &directoryv1.GetPlaceRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	data := departmentData{Organization: place.GetOrganization(), Code: r.URL.Query().Get("code"), RequestID: id.New()}
	values := url.Values{}
	if data.Code != "" {
		d := departmentOf(place, data.Code)
		if d == nil {
			return errs.NotFound("department")
		}
		values = shell.Original(departmentValues(d), nil)
		data.stands(p, r, d)
	}
	values.Set("version", strconv.Itoa(int(place.GetOrganization().GetVersion())))
	data.Form.Values = values
	return p.drawDepartment(w, r, http.StatusOK, data)
}

// stands takes what hangs on a department that is open.
func (d *departmentData) stands(p *Pages, r *http.Request, one *directoryv1.Department) {
	if !one.GetDisabled() {
		d.Stands, d.Open = one, p.hangs(r, d.Organization.GetId(), one.GetCode())
	}
}

func departmentOf(place *directoryv1.Place, code string) *directoryv1.Department {
	for _, d := range place.GetDepartments() {
		if d.GetCode() == code {
			return d
		}
	}
	return nil
}

func (p *Pages) drawDepartment(w http.ResponseWriter, r *http.Request, status int, data departmentData) error {
	data.Subjects = subjects()
	title := "places.department.edit"
	if data.Code == "" {
		title = "places.department.new"
	}
	return p.Shell.Render(w, r, p.departmentSet, shell.Page{Title: title, Nav: "settings", Status: status, Data: data})
}

func (p *Pages) saveDepartment(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue("department." + name)) }
	d := &directoryv1.Department{
		Code: r.PostFormValue("code"), Name: get("name"), NameEn: get("nameEn"), Location: get("location"), Phone: get("phone"),
		HasBeds: get("hasBeds") != "", Disabled: get("disabled") != "",
	}
	adds := d.GetCode() == ""
	if adds {
		var usual string
		if d.Code, usual = picked(get("code")); d.GetName() == "" {
			d.Name = usual
		}
	}
	err := unclear(adds, d.GetCode(), get("code"))
	if err == nil && d.GetDisabled() && !adds {
		err = p.mayClose(r, d.GetCode())
	}
	if err == nil {
		_, err = p.Place.SaveDepartment(r.Context(), &directoryv1.SaveDepartmentRequest{
			OrganizationId: r.PathValue("id"), Version: number(r.PostFormValue("version")), Department: d, Adds: adds, RequestId: r.PostFormValue("requestId"),
		})
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.departmentAgain(w, r, again) })
	}
	p.forget(r)
	p.Shell.Flash(w, "places.department.saved")
	http.Redirect(w, r, "/settings/organizations/"+r.PathValue("id")+"#departments", http.StatusSeeOther)
	return nil
}

// mayClose refuses to close a department that something hangs on before its name was typed.
func (p *Pages) mayClose(r *http.Request, code string) error {
	place, err := p.Place.GetPlace(r.Context(), &directoryv1.GetPlaceRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	d := departmentOf(place, code)
	if d == nil || d.GetDisabled() {
		return nil
	}
	return confirmed(p.hangs(r, r.PathValue("id"), code), d.GetName(), r.PostFormValue("confirm"))
}

// departmentAgain shows the form as it was typed. The version is the organisation's: what somebody else changed there need not concern the department.
func (p *Pages) departmentAgain(w http.ResponseWriter, r *http.Request, again shell.Refused) error {
	data := departmentData{
		Form: again.Form, Code: r.PostFormValue("code"), RequestID: again.RequestID, Problem: again.Problem,
		Organization: &directoryv1.Organization{Id: r.PathValue("id")},
	}
	place, err := p.Place.GetPlace(r.Context(), &directoryv1.GetPlaceRequest{Id: r.PathValue("id")})
	if err == nil {
		data.Organization = place.GetOrganization()
		if d := departmentOf(place, data.Code); d != nil {
			data.stands(p, r, d)
		}
		if errs.KindOf(again.Cause) == errs.KindStale {
			data.Form.Values.Set("version", strconv.Itoa(int(place.GetOrganization().GetVersion())))
			if d := departmentOf(place, data.Code); d != nil {
				data.Form.Rebase(departmentValues(d), nil)
			}
		}
	}
	return p.drawDepartment(w, r, again.Status, data)
}
