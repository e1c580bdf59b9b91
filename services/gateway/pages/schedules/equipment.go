package schedules

import (
	"net/http"
	"net/url"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

type equipmentData struct {
	page
	Rows []deviceRow
}

// deviceRow is a device with what is to be done before it, in the language of the page.
type deviceRow struct {
	*schedulingv1.Equipment
	Preparation string
}

func (p *Pages) showEquipment(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	list, err := p.devices(r, place.ID)
	if err != nil {
		return err
	}
	data := equipmentData{page: page{place, "equipment"}}
	for _, e := range list {
		row := deviceRow{e, e.GetPreparation()}
		if p.Shell.Language(r) == "en" && e.GetPreparationEnglish() != "" {
			row.Preparation = e.GetPreparationEnglish()
		}
		data.Rows = append(data.Rows, row)
	}
	return p.Shell.Render(w, r, p.equipment, shell.Page{Title: "schedules.equipment", Nav: "sessions", Data: data})
}

type deviceData struct {
	page
	Form      shell.Form
	ID        string
	RequestID string
	New       bool
	Problem   string
	Alone     bool
}

// Modalities are those of the contract.
func (deviceData) Modalities() []string {
	return strings.Fields("CT MR US DX MG NM ES ECG LAB PF OTHER")
}

func (p *Pages) newDevice(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	values := url.Values{"equipment.modality": {"CT"}, "equipment.inService": {"1"}, "equipment.departmentCode": {place.Department}}
	return p.drawDevice(w, r, http.StatusOK, deviceData{page: page{place, "equipment"}, ID: id.New(), New: true, RequestID: id.New(), Form: shell.Form{Values: values}})
}

func (p *Pages) editDevice(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	e, err := p.findDevice(r, place.ID)
	if err != nil {
		return err
	}
	return p.drawDevice(w, r, http.StatusOK, deviceData{page: page{place, "equipment"}, ID: e.GetId(), RequestID: id.New(), Form: shell.Form{Values: shell.Original(deviceValues(e), nil)}})
}

func deviceValues(e *schedulingv1.Equipment) url.Values {
	values := url.Values{
		"version": texts([]int32{e.GetVersion()}), "equipment.departmentCode": {e.GetDepartmentCode()}, "equipment.modality": {e.GetModality()}, "equipment.name": {e.GetName()},
		"equipment.location": {e.GetLocation()}, "equipment.preparation": {e.GetPreparation()}, "equipment.preparationEnglish": {e.GetPreparationEnglish()}, "equipment.inService": {""},
	}
	if e.GetInService() {
		values.Set("equipment.inService", "1")
	}
	return values
}

func (p *Pages) findDevice(r *http.Request, organization string) (*schedulingv1.Equipment, error) {
	list, err := p.devices(r, organization)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.GetId() == r.PathValue("id") {
			return e, nil
		}
	}
	return nil, errs.NotFound("equipment")
}

func (p *Pages) drawDevice(w http.ResponseWriter, r *http.Request, status int, data deviceData) error {
	title := "schedules.device.edit"
	if data.New {
		title = "schedules.device.new"
	}
	return p.Shell.Render(w, r, p.device, shell.Page{Title: title, Nav: "sessions", Status: status, Data: data})
}

func (p *Pages) saveDevice(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	var version int32
	if err == nil {
		version, err = number(r, "version")
	}
	if err == nil {
		get := func(name string) string { return strings.TrimSpace(r.PostFormValue("equipment." + name)) }
		_, err = p.Calendar.SaveEquipment(r.Context(), &schedulingv1.SaveEquipmentRequest{RequestId: r.PostFormValue("requestId"), Equipment: &schedulingv1.Equipment{
			Id: r.PathValue("id"), Version: version, OrganizationId: place.ID, DepartmentCode: get("departmentCode"), Modality: get("modality"), Name: get("name"),
			Location: get("location"), Preparation: get("preparation"), PreparationEnglish: get("preparationEnglish"), InService: get("inService") != "",
		}})
	}
	if err == nil {
		p.Shell.Flash(w, "schedules.device.saved")
		http.Redirect(w, r, place.At("/schedules/equipment"), http.StatusSeeOther)
		return nil
	}
	cause := err
	return p.Shell.Again(w, r, shell.Under("equipment", cause), func(again shell.Refused) error {
		data := deviceData{page: page{place, "equipment"}, ID: r.PathValue("id"), New: r.PostFormValue("version") == "", Form: again.Form, Problem: again.Problem, RequestID: again.RequestID, Alone: place.Name == ""}
		if errs.KindOf(cause) == errs.KindStale {
			if now, ferr := p.findDevice(r, place.ID); ferr == nil {
				again.Rebase(deviceValues(now), now.GetVersion())
				data.Form = again.Form
			}
		}
		return p.drawDevice(w, r, again.Status, data)
	})
}
