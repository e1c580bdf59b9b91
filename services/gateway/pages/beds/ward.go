package beds

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// wardData is what ward.html sees. ID is the new ward's, chosen when the form is opened: sent twice it makes one.
type wardData struct {
	choices
	Place   shell.Workplace
	ID      string
	Form    shell.Form
	Problem string
}

func (p *Pages) newWard(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	values := url.Values{"ward.departmentCode": {place.Department}, "ward.class": {"GENERAL"}, "ward.cleaningMinutes": {"60"}}
	return p.drawWard(w, r, http.StatusOK, wardData{Place: place, ID: id.New(), Form: shell.Form{Values: values}})
}

func (p *Pages) drawWard(w http.ResponseWriter, r *http.Request, status int, data wardData) error {
	return p.Shell.Render(w, r, p.ward, shell.Page{Title: "beds.ward.add", Nav: "beds", Status: status, Data: data})
}

// wardOf reads the form; what is wrong is told field by field.
func wardOf(r *http.Request, organization string) (*schedulingv1.Ward, error) {
	if err := r.ParseForm(); err != nil {
		return nil, errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue("ward." + name)) }
	ward := &schedulingv1.Ward{Id: r.PathValue("id"), OrganizationId: organization, DepartmentCode: get("departmentCode"), Name: get("name"), Class: get("class"), Sex: get("sex")}
	var bad []errs.Field
	for _, name := range []string{"departmentCode", "name", "beds"} {
		if get(name) == "" {
			bad = append(bad, errs.Required("ward."+name))
		}
	}
	for _, n := range []struct {
		name      string
		low, high int64
		into      *int32
	}{{"beds", 1, 500, &ward.Beds}, {"cleaningMinutes", 0, 24 * 60, &ward.CleaningMinutes}} {
		if get(n.name) == "" {
			continue
		}
		value, err := strconv.ParseInt(get(n.name), 10, 32)
		if err != nil || value < n.low || value > n.high {
			bad = append(bad, errs.Bad("ward."+n.name, errs.ReasonFieldOutOfRange))
		}
		*n.into = int32(value)
	}
	if len(bad) > 0 {
		return nil, errs.Invalid(bad...)
	}
	return ward, nil
}

func (p *Pages) addWard(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	var ward *schedulingv1.Ward
	if err == nil {
		ward, err = wardOf(r, place.ID)
	}
	if err == nil {
		_, err = p.Scheduling.CreateSchedules(r.Context(), &schedulingv1.CreateSchedulesRequest{Wards: []*schedulingv1.Ward{ward}})
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			return p.drawWard(w, r, again.Status, wardData{Place: place, ID: r.PathValue("id"), Form: again.Form, Problem: again.Problem})
		})
	}
	p.Shell.Flash(w, "beds.ward.added")
	http.Redirect(w, r, place.At("/beds", "ward", ward.GetId()), http.StatusSeeOther)
	return nil
}
