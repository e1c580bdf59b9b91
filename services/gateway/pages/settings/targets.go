package settings

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// spareRows are the empty rows at the end of the form, for new targets.
const spareRows = 3

// targetsData is what targets.html sees.
type targetsData struct {
	Form     shell.Form
	Rows     []int
	Measures []*referralv1.Measure
	// Places are the county, organisations and departments: "", "id" or "id|code".
	Places    []shell.Named
	Version   int32
	RequestID string
	Edits     bool
	Problem   string
	Changed   bool
}

// Field is the name of a field of a row.
func (targetsData) Field(name string, n int) string { return name + "." + strconv.Itoa(n) }

func (p *Pages) targets(w http.ResponseWriter, r *http.Request) error {
	stands, err := p.Setting.GetTargets(r.Context(), &referralv1.GetTargetsRequest{})
	if err != nil {
		return err
	}
	data, err := p.targetsPage(r, len(stands.GetTargets()))
	if err != nil {
		return err
	}
	data.Version = stands.GetVersion()
	p.fill(r, &data, shell.Form{Values: shell.Original(targetValues(stands, len(data.Rows)), nil)})
	return p.Shell.Render(w, r, p.targetsSet, shell.Page{Title: "targets.title", Nav: "settings", Data: data})
}

// targetValues fills so many rows of the form.
func targetValues(stands *referralv1.Targets, rows int) url.Values {
	out := url.Values{}
	for n := range max(rows, len(stands.GetTargets())) {
		set := func(name, value string) { out.Set(targetsData{}.Field(name, n), value) }
		for _, name := range []string{"measure", "place", "fromMonth", "toMonth", "value"} {
			set(name, "")
		}
		if n < len(stands.GetTargets()) {
			t := stands.GetTargets()[n]
			set("measure", t.GetMeasure())
			set("place", placeOf(t))
			set("fromMonth", t.GetFromMonth())
			set("toMonth", t.GetToMonth())
			set("value", strconv.FormatFloat(t.GetValue(), 'f', -1, 64))
		}
	}
	return out
}

// unused drops what a browser chose by itself in the rows without a target.
func unused(form shell.Form) {
	for n := range form.Values["row"] {
		if value := (targetsData{}).Field("value", n); strings.TrimSpace(form.Value(value)) == "" && form.Original(value) == "" {
			for _, name := range []string{"measure", "place"} {
				form.Values.Set(targetsData{}.Field(name, n), "")
			}
		}
	}
}

func placeOf(t *referralv1.Target) string {
	if t.GetDepartmentCode() == "" {
		return t.GetOrganizationId()
	}
	return t.GetOrganizationId() + "|" + t.GetDepartmentCode()
}

// targetsPage is the page with so many rows filled.
func (p *Pages) targetsPage(r *http.Request, filled int) (targetsData, error) {
	data := targetsData{RequestID: id.New(), Edits: edits(r)}
	for n := range filled + spareRows {
		data.Rows = append(data.Rows, n)
	}
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return data, err
	}
	for _, m := range definitions.GetMeasures() {
		if m.GetUnit() == "PERCENT" || m.GetUnit() == "COUNT" {
			data.Measures = append(data.Measures, m)
		}
	}
	data.Places, err = p.places(r)
	return data, err
}

// places are all that a target can be of.
func (p *Pages) places(r *http.Request) ([]shell.Named, error) {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return nil, err
	}
	language := p.Shell.Language(r)
	out := []shell.Named{{Name: p.Shell.T(r, "discharges.county")}}
	for _, o := range county.Organizations {
		if t := o.GetType(); o.GetDisabled() || t != directoryv1.OrganizationType_COUNTY_HOSPITAL && t != directoryv1.OrganizationType_TOWNSHIP_CENTRE {
			continue
		}
		name := county.OrganizationName(language, o.GetId())
		out = append(out, shell.Named{ID: o.GetId(), Name: name})
		for _, d := range county.Departments(o.GetId()) {
			if o.GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL {
				out = append(out, shell.Named{ID: o.GetId() + "|" + d.GetCode(), Name: name + " · " + county.DepartmentName(language, o.GetId(), d.GetCode())})
			}
		}
	}
	return out, nil
}

// placeName of an organisation or a department, closed or not.
func (p *Pages) placeName(r *http.Request, place string) string {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil || place == "" {
		return place
	}
	organization, department, _ := strings.Cut(place, "|")
	return p.Shell.StandingPlace(r, county, organization, department)
}

// fill puts the form on the page. Places of targets that were closed meanwhile stay what they are.
func (p *Pages) fill(r *http.Request, data *targetsData, form shell.Form) {
	data.Form = form
	for _, n := range data.Rows {
		data.Places = append(data.Places, form.Standing(data.Field("place", n), data.Places, func(place string) string { return p.placeName(r, place) })...)
	}
}

// targetName is what a target is of, in words.
func (p *Pages) targetName(r *http.Request, t *referralv1.Target, measures map[string]string) string {
	name, where := cmp.Or(measures[t.GetMeasure()], t.GetMeasure()), p.placeName(r, placeOf(t))
	if where == "" {
		where = p.Shell.T(r, "discharges.county")
	}
	out := []string{name, where}
	if t.GetFromMonth() != "" || t.GetToMonth() != "" {
		out = append(out, t.GetFromMonth()+" – "+t.GetToMonth())
	}
	return strings.Join(out, " · ")
}

// targetsOf reads the form. A row without a value is none; rows tells in which row each target stands. What is no number is among the bad ones, and
// refused in the targets.
func targetsOf(form url.Values) (t *referralv1.Targets, rows []int, bad []errs.Field) {
	t = &referralv1.Targets{Version: versionOf(form)}
	for n := range form["row"] {
		get := func(name string) string { return strings.TrimSpace(form.Get(name + "." + strconv.Itoa(n))) }
		if get("value") == "" {
			continue
		}
		organization, department, _ := strings.Cut(get("place"), "|")
		one := &referralv1.Target{
			Measure: get("measure"), OrganizationId: organization, DepartmentCode: department, FromMonth: get("fromMonth"), ToMonth: get("toMonth"),
		}
		value, err := parts.Number(strings.TrimRight(get("value"), "%％"))
		if err != nil {
			value = noNumber
			bad = append(bad, errs.Bad("targets.targets["+strconv.Itoa(len(rows))+"].value", errs.ReasonFieldInvalid))
		}
		one.Value = value
		t.Targets, rows = append(t.Targets, one), append(rows, n)
	}
	return t, rows, bad
}

func (p *Pages) saveTargets(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	wanted, rows, bad := targetsOf(r.PostForm)
	_, err := p.Setting.UpdateTargets(r.Context(), &referralv1.UpdateTargetsRequest{Targets: wanted, RequestId: r.PostFormValue("requestId")})
	if err = together(bad, err); err == nil {
		p.Shell.Flash(w, "targets.saved")
		http.Redirect(w, r, "/settings/targets", http.StatusSeeOther)
		return nil
	}
	return p.refusedTargets(w, r, err, rows)
}

// refusedTargets shows the form with everything that was typed and what was wrong with it; after a change by somebody else upon what stands now.
func (p *Pages) refusedTargets(w http.ResponseWriter, r *http.Request, cause error, rows []int) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		filled := max(0, len(r.PostForm["row"])-spareRows)
		if errs.KindOf(cause) == errs.KindStale {
			stands, err := p.Setting.GetTargets(r.Context(), &referralv1.GetTargetsRequest{})
			if err != nil {
				return err
			}
			filled = max(filled, len(stands.GetTargets()))
			unused(again.Form)
			again.Rebase(targetValues(stands, filled+spareRows), stands.GetVersion())
		}
		data, err := p.targetsPage(r, filled)
		if err != nil {
			return err
		}
		again.Form.Errors = p.targetErrors(r, cause, rows)
		p.fill(r, &data, again.Form)
		data.Problem, data.RequestID, data.Version = again.Problem, again.RequestID, versionOf(again.Form.Values)
		data.Changed = again.Form.Changed != nil
		return p.Shell.Render(w, r, p.targetsSet, shell.Page{Title: "targets.title", Nav: "settings", Status: again.Status, Data: data})
	})
}

var targetField = regexp.MustCompile(`^targets\.targets\[(\d+)\]\.(\w+)$`)

// targetErrors names refused fields as the form does: "targets.targets[1].departmentCode" is the place of the second target's row.
func (p *Pages) targetErrors(r *http.Request, cause error, rows []int) []shell.FieldError {
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return nil
	}
	var out []shell.FieldError
	for _, f := range e.Fields {
		found := targetField.FindStringSubmatch(f.Name)
		if found == nil {
			out = append(out, shell.FieldError{Name: "row.0", Text: p.Shell.ErrorText(r, errs.Invalid(f))})
			continue
		}
		n, err := strconv.Atoi(found[1])
		if err != nil || n >= len(rows) {
			continue
		}
		name := found[2]
		if name == "organizationId" || name == "departmentCode" {
			name = "place"
		}
		f.Name = "targets." + name
		text := p.Shell.T(r, "targets.row", "n", rows[n]+1, "text", p.Shell.ErrorText(r, errs.Invalid(f)))
		if name == "fromMonth" && f.Reason == errs.ReasonFieldCombination {
			text = p.Shell.T(r, "targets.row", "n", rows[n]+1, "text", p.Shell.T(r, "targets.overlap"))
		}
		out = append(out, shell.FieldError{Name: name + "." + strconv.Itoa(rows[n]), Text: text})
	}
	return out
}
