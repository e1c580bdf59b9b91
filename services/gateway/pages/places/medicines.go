package places

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// blockingDays is how far back patients are looked for whom a medicine keeps at the hospital.
const blockingDays = 90

// medicinesData is what medicines.html sees.
type medicinesData struct {
	Place        shell.Workplace
	Query, State string
	Rows         []medicineRow
	// Missing keep patients at the hospital and are not on this page of the list.
	Missing []*referralv1.BlockingMedicine
	Next    string
	Lists   bool // says what is on the list, and not only what is in stock
	Problem string
}

// medicineRow is a line of the list. Blocks counts the patients whom it keeps at the hospital.
type medicineRow struct {
	*directoryv1.Medicine
	Blocks    int32
	RequestID string
}

// States are the parts of a list, "" for all that is on it.
func (medicinesData) States() []string { return []string{"", "OUT_OF_STOCK", "IN_STOCK", "REMOVED"} }

func lists(r *http.Request) bool {
	return is(r, commonv1.Role_COUNTY_ADMIN) || is(r, commonv1.Role_CENTRE_HEAD)
}

// nav is where the pages of medicines stand in the rail.
func nav(r *http.Request) string {
	if is(r, commonv1.Role_COUNTY_ADMIN) {
		return "settings"
	}
	return "formulary"
}

func (p *Pages) medicines(w http.ResponseWriter, r *http.Request) error {
	return p.drawMedicines(w, r, shell.Refused{Status: http.StatusOK})
}

func (p *Pages) drawMedicines(w http.ResponseWriter, r *http.Request, again shell.Refused) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	data := medicinesData{
		Place: place, Query: strings.TrimSpace(r.FormValue("query")), State: r.FormValue("state"), Lists: lists(r), Problem: again.Problem,
	}
	if data.Problem == "" && len(again.Form.Errors) > 0 {
		data.Problem = again.Form.Errors[0].Text
	}
	found, err := p.Place.ListMedicines(r.Context(), &directoryv1.ListMedicinesRequest{
		OrganizationId: place.ID, Query: data.Query, Removed: data.State == "REMOVED",
		Stock: directoryv1.StockState_Code(directoryv1.StockState_Code_value[data.State]), PageSize: 100, PageToken: r.FormValue("page"),
	})
	if err != nil {
		return err
	}
	data.Next = found.GetNextPageToken()
	for _, m := range found.GetMedicines() {
		data.Rows = append(data.Rows, medicineRow{Medicine: m, RequestID: id.New()})
	}
	p.blocking(r, &data)
	return p.Shell.Render(w, r, p.medicinesSet, shell.Page{Title: "formulary.title", Nav: nav(r), Status: again.Status, Data: data})
}

// blocking says how many patients each medicine keeps at the hospital; without an answer the list says nothing of it.
func (p *Pages) blocking(r *http.Request, data *medicinesData) {
	if !data.Lists {
		return
	}
	now := p.Shell.Now()
	found, err := p.Statistics.ListBlockingMedicines(r.Context(), &referralv1.ListBlockingMedicinesRequest{
		From: now.AddDate(0, 0, -blockingDays).Format(time.DateOnly), To: now.AddDate(0, 0, 1).Format(time.DateOnly), OrganizationId: data.Place.ID,
	})
	if err != nil {
		return
	}
	for _, m := range found.GetMedicines() {
		listed := false
		for i, row := range data.Rows {
			if name := row.GetItem().GetName(); name == m.GetName() || strings.HasPrefix(name, m.GetName()) || strings.HasPrefix(m.GetName(), name) {
				data.Rows[i].Blocks, listed = m.GetCount(), true
			}
		}
		if !listed {
			data.Missing = append(data.Missing, m)
		}
	}
}

// medicineData is what medicine.html sees.
type medicineData struct {
	Place     shell.Workplace
	Form      shell.Form
	ID        string // "" for a new one
	RequestID string
	Problem   string
}

// Classes are those of which there is no long prescription.
func (medicineData) Classes() []string {
	return strings.Fields("ANTIMICROBIAL NARCOTIC PSYCHOTROPIC TOXIC RADIOACTIVE PRECURSOR SPECIAL_STORAGE")
}

func medicineValues(m *directoryv1.FormularyItem) url.Values {
	return url.Values{
		"item.name": {m.GetName()}, "item.specification": {m.GetSpecification()}, "item.atc": {m.GetAtc()}, "item.stock": {m.GetStock().String()},
		"item.orderable": {checked(m.GetOrderable())}, "item.restrictedClass": {m.GetRestrictedClass()},
	}
}

func (p *Pages) editMedicine(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	data := medicineData{Place: place, ID: r.URL.Query().Get("id"), RequestID: id.New()}
	data.Form.Values = url.Values{"item.name": {r.URL.Query().Get("name")}, "item.stock": {"IN_STOCK"}}
	if data.ID != "" {
		m, err := p.medicine(r, data.ID)
		if err != nil {
			return err
		}
		data.Form.Values = shell.Original(medicineValues(m), nil)
		data.Form.Values.Set("version", strconv.Itoa(int(m.GetVersion())))
	}
	return p.drawMedicine(w, r, http.StatusOK, data)
}

// medicine as its newest version says.
func (p *Pages) medicine(r *http.Request, medicineID string) (*directoryv1.FormularyItem, error) {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return nil, err
	}
	for _, removed := range []bool{false, true} {
		for token := ""; ; {
			page, err := p.Place.ListMedicines(r.Context(), &directoryv1.ListMedicinesRequest{OrganizationId: place.ID, Removed: removed, PageSize: 200, PageToken: token})
			if err != nil {
				return nil, err
			}
			for _, m := range page.GetMedicines() {
				if m.GetItem().GetId() == medicineID {
					return m.GetItem(), nil
				}
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
	}
	return nil, errs.NotFound("formulary_item")
}

func (p *Pages) drawMedicine(w http.ResponseWriter, r *http.Request, status int, data medicineData) error {
	title := "formulary.edit"
	if data.ID == "" {
		title = "formulary.new"
	}
	return p.Shell.Render(w, r, p.medicineSet, shell.Page{Title: title, Nav: nav(r), Status: status, Data: data})
}

func (p *Pages) saveMedicine(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue("item." + name)) }
	item := &directoryv1.FormularyItem{
		Id: r.PostFormValue("id"), Version: number(r.PostFormValue("version")), OrganizationId: place.ID, Name: get("name"), Specification: get("specification"),
		Atc: get("atc"), Stock: directoryv1.StockState_Code(directoryv1.StockState_Code_value[get("stock")]), Orderable: get("orderable") != "",
		RestrictedClass: get("restrictedClass"), Removed: r.PostFormValue("do") == "remove",
	}
	saved, err := p.Place.SaveMedicine(r.Context(), &directoryv1.SaveMedicineRequest{Item: item, RequestId: r.PostFormValue("requestId")})
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			data := medicineData{Place: place, Form: again.Form, ID: item.GetId(), RequestID: again.RequestID, Problem: again.Problem}
			if errs.KindOf(err) == errs.KindStale && data.ID != "" {
				if m, err := p.medicine(r, data.ID); err == nil {
					data.Form.Rebase(medicineValues(m), nil)
					data.Form.Values.Set("version", strconv.Itoa(int(m.GetVersion())))
				}
			}
			return p.drawMedicine(w, r, again.Status, data)
		})
	}
	flash := "formulary.saved"
	if item.GetRemoved() {
		flash = "formulary.removed"
	}
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, place.At("/settings/formulary", "query", saved.GetName()), http.StatusSeeOther)
	return nil
}

// setStock changes what a line of the list says of the stock, and nothing else.
func (p *Pages) setStock(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	_, err = p.Directory.SetStock(r.Context(), &directoryv1.SetStockRequest{
		Id: r.PostFormValue("id"), Version: number(r.PostFormValue("version")), RequestId: r.PostFormValue("requestId"),
		Stock: directoryv1.StockState_Code(directoryv1.StockState_Code_value[r.PostFormValue("stock")]), Orderable: r.PostFormValue("orderable") != "",
	})
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.drawMedicines(w, r, again) })
	}
	p.Shell.Flash(w, "formulary.stocked")
	http.Redirect(w, r, place.At("/settings/formulary", "query", r.PostFormValue("query"), "state", r.PostFormValue("state")), http.StatusSeeOther)
	return nil
}
