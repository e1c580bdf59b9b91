package places

import (
	"net/http"
	"slices"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// versionRow is a version with what it changed. First tells that there is no version before it.
type versionRow struct {
	*directoryv1.PlaceVersion
	Changes []shell.Difference
	First   bool
}

// historyData is what history.html sees.
type historyData struct {
	Subject, ID, Name, Back string
	Rows                    []versionRow
	Version                 int32
	RequestID               string
	Problem                 string
	// Would is the version that is to be made again, once it was asked for.
	Would *shell.Restoring
}

func subjectOf(r *http.Request) (directoryv1.PlaceSubject_Code, error) {
	code, ok := directoryv1.PlaceSubject_Code_value[r.PathValue("subject")]
	if !ok || code == 0 {
		return 0, errs.NotFound("subject")
	}
	return directoryv1.PlaceSubject_Code(code), nil
}

func (p *Pages) history(w http.ResponseWriter, r *http.Request) error {
	return p.drawHistory(w, r, shell.Refused{RequestID: id.New(), Status: http.StatusOK})
}

func (p *Pages) drawHistory(w http.ResponseWriter, r *http.Request, again shell.Refused) error {
	subject, err := subjectOf(r)
	if err != nil {
		return err
	}
	found, err := p.Place.ListPlaceVersions(r.Context(), &directoryv1.ListPlaceVersionsRequest{Subject: subject, Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	data := historyData{
		Subject: subject.String(), ID: r.PathValue("id"), RequestID: again.RequestID, Problem: again.Problem, Back: "/settings/organizations/" + r.PathValue("id"),
	}
	if data.Problem == "" && len(again.Form.Errors) > 0 {
		data.Problem = again.Form.Errors[0].Text
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	data.Name = county.OrganizationName(p.Shell.Language(r), data.ID)
	versions := found.GetVersions()
	for i, v := range versions {
		var before map[string]string
		if i+1 < len(versions) {
			before = p.lines(r, county, versions[i+1])
		}
		data.Rows = append(data.Rows, versionRow{v, shell.Differences(before, p.lines(r, county, v)), i+1 == len(versions)})
		data.Version = max(data.Version, v.GetVersion())
		if m := v.GetMedicine(); m != nil {
			data.Name, data.Back = m.GetName()+" "+m.GetSpecification(), "/settings/formulary?organization="+m.GetOrganizationId()
		}
	}
	data.Would = p.would(r, county, versions, &data)
	return p.Shell.Render(w, r, p.historySet, shell.Page{Title: "places.history", Nav: nav(r), Status: again.Status, Data: data})
}

// would is what making the version again would change that the address asks for; nil for none.
func (p *Pages) would(r *http.Request, county *shell.County, versions []*directoryv1.PlaceVersion, data *historyData) *shell.Restoring {
	wanted := number(r.URL.Query().Get("restore"))
	i := slices.IndexFunc(versions, func(v *directoryv1.PlaceVersion) bool { return v.GetVersion() == wanted })
	if i < 1 {
		return nil
	}
	return &shell.Restoring{
		Restore: wanted, Version: data.Version, Changes: shell.Differences(p.lines(r, county, versions[0]), p.lines(r, county, versions[i])),
		Action: r.URL.Path, Back: r.URL.Path, RequestID: data.RequestID,
	}
}

// lines are what a version says, line by line, in words.
func (p *Pages) lines(r *http.Request, county *shell.County, v *directoryv1.PlaceVersion) map[string]string {
	out := map[string]string{}
	t := func(key string) string { return p.Shell.T(r, key) }
	set := func(key, value string) {
		if value != "" {
			out[t(key)] = value
		}
	}
	yes := func(key string, says bool) {
		if says {
			out[t(key)] = t("places.yes")
		}
	}
	if o := v.GetOrganization(); o != nil {
		set("field.organization.name", o.GetName())
		set("field.organization.nameEn", o.GetNameEn())
		set("field.organization.type", t("places.kind."+o.GetType().String()))
		set("field.organization.parentId", county.OrganizationName(p.Shell.Language(r), o.GetParentId()))
		set("field.organization.phone", o.GetPhone())
		set("field.organization.address", o.GetAddress())
		yes("places.is-closed", o.GetDisabled())
	}
	for _, d := range v.GetDepartments() {
		said := d.GetName()
		for _, part := range []string{d.GetNameEn(), d.GetLocation(), d.GetPhone()} {
			if part != "" {
				said += " · " + part
			}
		}
		if d.GetHasBeds() {
			said += " · " + t("field.department.hasBeds")
		}
		if d.GetDisabled() {
			said += " · " + t("places.is-closed")
		}
		out[t("places.department")+" "+d.GetCode()] = said
	}
	for _, c := range v.GetCapabilities().GetCapabilities() {
		out[t("down.capability."+c.GetCode())] = t("places.yes")
		if c.GetNote() != "" {
			out[t("down.capability."+c.GetCode())] = c.GetNote()
		}
	}
	if m := v.GetMedicine(); m != nil {
		set("field.item.atc", m.GetAtc())
		set("field.item.stock", t("formulary.stock."+m.GetStock().String()))
		yes("field.item.orderable", m.GetOrderable())
		if m.GetRestrictedClass() != "" {
			set("field.item.restrictedClass", t("formulary.class."+m.GetRestrictedClass()))
		}
		yes("formulary.is-removed", m.GetRemoved())
	}
	return out
}

// restore makes an older version again, which undoes what came after it. The version that stands is checked as for every change.
func (p *Pages) restore(w http.ResponseWriter, r *http.Request) error {
	subject, err := subjectOf(r)
	if err != nil {
		return err
	}
	_, err = p.Place.RestorePlaceVersion(r.Context(), &directoryv1.RestorePlaceVersionRequest{
		Subject: subject, Id: r.PathValue("id"), Restore: number(r.PostFormValue("restore")), Version: number(r.PostFormValue("version")), RequestId: r.PostFormValue("requestId"),
	})
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.drawHistory(w, r, again) })
	}
	p.forget(r)
	p.Shell.Flash(w, "settings.restored")
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	return nil
}
