package places

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// placeData is what form.html and close.html see.
type placeData struct {
	Form      shell.Form
	ID        string // "" for a new one
	Place     *directoryv1.Place
	Kinds     []directoryv1.OrganizationType_Code
	Parents   []shell.Named
	RequestID string
	Problem   string
	// Open is what is open at an organisation that is to be closed; Last tells that it is the only hospital that is open.
	Open hanging
	Last bool
}

func placeValues(o *directoryv1.Organization) url.Values {
	return url.Values{
		"organization.code": {o.GetCode()}, "organization.name": {o.GetName()}, "organization.nameEn": {o.GetNameEn()}, "organization.type": {o.GetType().String()},
		"organization.parentId": {o.GetParentId()}, "organization.phone": {o.GetPhone()}, "organization.address": {o.GetAddress()},
	}
}

func (p *Pages) newPlace(w http.ResponseWriter, r *http.Request) error {
	values := url.Values{"organization.type": {r.URL.Query().Get("kind")}, "organization.parentId": {r.URL.Query().Get("parent")}}
	return p.drawPlace(w, r, http.StatusOK, placeData{Form: shell.Form{Values: values}, RequestID: id.New()})
}

func (p *Pages) editPlace(w http.ResponseWriter, r *http.Request) error {
	o, err := p.organization(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	values := shell.Original(placeValues(o), nil)
	values.Set("version", strconv.Itoa(int(o.GetVersion())))
	values.Set("disabled", checked(o.GetDisabled()))
	return p.drawPlace(w, r, http.StatusOK, placeData{Form: shell.Form{Values: values}, ID: o.GetId(), RequestID: id.New()})
}

func (p *Pages) organization(r *http.Request, organizationID string) (*directoryv1.Organization, error) {
	place, err := p.Place.GetPlace(r.Context(), &directoryv1.GetPlaceRequest{Id: organizationID})
	return place.GetOrganization(), err
}

// nameOf an organisation; the id itself while names cannot be read.
func (p *Pages) nameOf(r *http.Request, organizationID string) string {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return organizationID
	}
	return county.OrganizationName(p.Shell.Language(r), organizationID)
}

func (p *Pages) drawPlace(w http.ResponseWriter, r *http.Request, status int, data placeData) error {
	data.Kinds = kinds()
	// Without the others the form stands alone: what was typed is worth more than the list.
	if county, err := p.Shell.Names().County(r.Context()); err == nil {
		for _, o := range county.Organizations {
			if t := o.GetType(); !o.GetDisabled() && o.GetId() != data.ID && t != directoryv1.OrganizationType_VILLAGE_CLINIC && t != directoryv1.OrganizationType_EXTERNAL {
				data.Parents = append(data.Parents, shell.Named{ID: o.GetId(), Name: county.OrganizationName(p.Shell.Language(r), o.GetId())})
			}
		}
		data.Parents = append(data.Parents, data.Form.Standing("organization.parentId", data.Parents, func(parent string) string {
			return p.Shell.StandingPlace(r, county, parent, "")
		})...)
	}
	title := "places.edit"
	if data.ID == "" {
		title = "places.new"
	}
	return p.Shell.Render(w, r, p.form, shell.Page{Title: title, Nav: "settings", Status: status, Data: data})
}

func (p *Pages) savePlace(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue("organization." + name)) }
	in := &directoryv1.SavePlaceRequest{RequestId: r.PostFormValue("requestId"), Organization: &directoryv1.Organization{
		Id: r.PostFormValue("id"), Version: number(r.PostFormValue("version")), Code: get("code"), Name: get("name"), NameEn: get("nameEn"),
		Type:     directoryv1.OrganizationType_Code(directoryv1.OrganizationType_Code_value[get("type")]),
		ParentId: get("parentId"), Phone: get("phone"), Address: get("address"), Disabled: r.PostFormValue("disabled") != "",
	}}
	saved, err := p.Place.SavePlace(r.Context(), in)
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			data := placeData{Form: again.Form, ID: in.GetOrganization().GetId(), Problem: again.Problem, RequestID: again.RequestID}
			if errs.KindOf(err) == errs.KindStale && data.ID != "" {
				if o, err := p.organization(r, data.ID); err == nil {
					data.Form.Rebase(placeValues(o), nil)
					data.Form.Values.Set("version", strconv.Itoa(int(o.GetVersion())))
					data.Form.Values.Set("disabled", checked(o.GetDisabled()))
					if above, changed := data.Form.Changed["organization.parentId"]; changed {
						data.Form.Changed["organization.parentId"] = p.nameOf(r, above)
					}
				}
			}
			return p.drawPlace(w, r, again.Status, data)
		})
	}
	p.forget(r)
	p.Shell.Flash(w, "places.saved")
	http.Redirect(w, r, "/settings/organizations/"+saved.GetId(), http.StatusSeeOther)
	return nil
}

// askClose says what hangs on an organisation before it is closed, or opened again.
func (p *Pages) askClose(w http.ResponseWriter, r *http.Request) error {
	return p.drawClose(w, r, shell.Refused{RequestID: id.New(), Status: http.StatusOK})
}

func (p *Pages) drawClose(w http.ResponseWriter, r *http.Request, again shell.Refused) error {
	place, err := p.Place.GetPlace(r.Context(), &directoryv1.GetPlaceRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	title := "places.close"
	if place.GetOrganization().GetDisabled() {
		title = "places.reopen"
	}
	data := placeData{ID: r.PathValue("id"), Place: place, RequestID: again.RequestID, Problem: again.Problem, Form: again.Form}
	if !place.GetOrganization().GetDisabled() {
		if own(r, data.ID) {
			return errs.Invalid(errs.Bad("organization.disabled", errs.ReasonFieldCombination))
		}
		data.Open, data.Last = p.hangs(r, data.ID, ""), p.last(r, place.GetOrganization())
	}
	return p.Shell.Render(w, r, p.closing, shell.Page{Title: title, Nav: "settings", Status: again.Status, Data: data})
}

func (p *Pages) closePlace(w http.ResponseWriter, r *http.Request) error {
	o, err := p.organization(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	closes := r.PostFormValue("do") == "close"
	if closes && !o.GetDisabled() {
		err = confirmed(p.hangs(r, o.GetId(), ""), o.GetName(), r.PostFormValue("confirm"))
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.drawClose(w, r, again) })
	}
	o.Version, o.Disabled = number(r.PostFormValue("version")), closes
	if _, err := p.Place.SavePlace(r.Context(), &directoryv1.SavePlaceRequest{Organization: o, RequestId: r.PostFormValue("requestId")}); err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.drawClose(w, r, again) })
	}
	p.forget(r)
	flash := "places.reopened"
	if o.GetDisabled() {
		flash = "places.closed"
	}
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, "/settings/organizations/"+o.GetId(), http.StatusSeeOther)
	return nil
}
