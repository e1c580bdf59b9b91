package recognition

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func edits(r *http.Request) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return slices.Contains(visitor.Account.GetRoles(), commonv1.Role_COUNTY_ADMIN)
}

// itemsData is what items.html sees.
type itemsData struct {
	Query      string
	Items      []listed
	Directions *patientrecordv1.RecognitionSettings
	// Changes of the directions, newest first, for whoever may set them.
	Changes   []change
	Edits     bool
	RequestID string
	Problem   string
}

// listed is an item with its price in yuan.
type listed struct {
	*patientrecordv1.RecognitionItem
	Yuan string
}

// yuan words an amount of fen; nothing for none.
func yuan(fen int64) string {
	if fen == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%02d", fen/fenInYuan, fen%fenInYuan)
}

func (p *Pages) items(w http.ResponseWriter, r *http.Request) error {
	return p.showItems(w, r, nil)
}

func (p *Pages) showItems(w http.ResponseWriter, r *http.Request, refused error) error {
	data := itemsData{Query: r.URL.Query().Get("q"), Edits: edits(r), RequestID: id.New()}
	list, err := p.Recognition.ListRecognitionItems(r.Context(), &patientrecordv1.ListRecognitionItemsRequest{Query: data.Query, WithDisabled: true})
	if err != nil {
		return err
	}
	for _, i := range list.GetItems() {
		data.Items = append(data.Items, listed{i, yuan(i.GetPrice())})
	}
	if data.Directions, err = p.Recognition.GetRecognitionSettings(r.Context(), &patientrecordv1.GetRecognitionSettingsRequest{}); err != nil {
		return err
	}
	if data.Edits {
		if data.Changes, err = p.changes(r, ""); err != nil {
			return err
		}
	}
	status := http.StatusOK
	if refused != nil {
		status, data.Problem = errs.HTTPStatus(refused), p.Shell.ErrorText(r, refused)
	}
	return p.Shell.Render(w, r, p.itemsSet, shell.Page{Title: "recognition.items.title", Nav: "statistics", Status: status, Data: data})
}

func (p *Pages) saveDirections(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	on := func(name string) bool { return r.PostFormValue(name) != "" }
	_, err := p.Recognition.UpdateRecognitionSettings(r.Context(), &patientrecordv1.UpdateRecognitionSettingsRequest{
		Settings: &patientrecordv1.RecognitionSettings{
			Version: number(r.PostForm, "version"), Upper: on("upper"), Lower: on("lower"), Peers: on("peers"), Unknown: on("unknown"),
		},
		RequestId: r.PostFormValue("requestId"),
	})
	switch {
	case err == nil:
		p.Shell.Flash(w, "recognition.saved")
		http.Redirect(w, r, "/settings/recognition", http.StatusSeeOther)
		return nil
	case errs.KindOf(err) == errs.KindStale:
		// What stands now is shown; it is for the administrator to decide again.
		return p.showItems(w, r, err)
	}
	return err
}

func number(form url.Values, name string) int32 {
	n, err := strconv.ParseInt(strings.TrimSpace(form.Get(name)), 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// itemData is what item.html sees.
type itemData struct {
	Item          *patientrecordv1.RecognitionItem
	Form          shell.Form
	Organizations []organization
	Changes       []change
	Edits, New    bool
	RequestID     string
	Problem       string
	Ranges, Kinds []string
}

// Qualified tells whether an organisation is ticked.
func (d itemData) Qualified(id string) bool { return slices.Contains(d.Form.Values["qualified"], id) }

// organization with its name in the visitor's language.
type organization struct{ ID, Name string }

type change struct {
	*patientrecordv1.RecognitionChange
	Organization string
}

// newItem is the code under which a new item is entered.
const newItem = "new"

func (p *Pages) item(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadItem(r)
	if err != nil {
		return err
	}
	data.Form.Values = shell.Original(valuesOf(data.Item), nil)
	return p.showItem(w, r, http.StatusOK, data)
}

func (p *Pages) showItem(w http.ResponseWriter, r *http.Request, status int, data itemData) error {
	return p.Shell.Render(w, r, p.itemSet, shell.Page{Title: "recognition.item.title", Nav: "statistics", Status: status, Data: data})
}

func (p *Pages) loadItem(r *http.Request) (itemData, error) {
	code := r.PathValue("code")
	data := itemData{
		Edits: edits(r), New: code == newItem, RequestID: id.New(), Kinds: []string{"LAB", "EXAM"}, Ranges: []string{"NATIONAL", "PROVINCE", "CITY", "COUNTY"},
		Item: &patientrecordv1.RecognitionItem{Kind: "LAB", Range: "CITY"},
	}
	if county, err := p.Shell.Names().County(r.Context()); err == nil {
		for _, o := range county.Organizations {
			if o.GetType() != directoryv1.OrganizationType_AUTHORITY {
				data.Organizations = append(data.Organizations, organization{o.GetId(), county.OrganizationName(p.Shell.Language(r), o.GetId())})
			}
		}
	}
	if data.New {
		return data, nil
	}
	list, err := p.Recognition.ListRecognitionItems(r.Context(), &patientrecordv1.ListRecognitionItemsRequest{Query: code, WithDisabled: true})
	if err != nil {
		return data, err
	}
	i := slices.IndexFunc(list.GetItems(), func(x *patientrecordv1.RecognitionItem) bool { return x.GetCode() == code })
	if i < 0 {
		return data, errs.NotFound("item")
	}
	data.Item = list.GetItems()[i]
	if !data.Edits {
		return data, nil
	}
	data.Changes, err = p.changes(r, code)
	return data, err
}

// changes of an item, or without a code of the directions, newest first.
func (p *Pages) changes(r *http.Request, code string) (out []change, err error) {
	list, err := p.Recognition.ListRecognitionChanges(r.Context(), &patientrecordv1.ListRecognitionChangesRequest{ItemCode: code})
	if err != nil {
		return nil, err
	}
	for _, c := range list.GetChanges() {
		out = append(out, change{c, p.organization(r, c.GetOrganizationId())})
	}
	return out, nil
}

// valuesOf is an item as the form shows it: the price in yuan, codes one to a line.
func valuesOf(i *patientrecordv1.RecognitionItem) url.Values {
	v := url.Values{
		"code": {i.GetCode()}, "name": {i.GetName()}, "nameEn": {i.GetNameEn()}, "kind": {i.GetKind()}, "range": {i.GetRange()}, "mark": {i.GetMark()},
		"unit": {i.GetUnit()}, "note": {i.GetNote()}, "codes": {strings.Join(i.GetCodes(), "\n")}, "parts": {strings.Join(i.GetParts(), "\n")},
		"methods": {strings.Join(i.GetMethods(), "\n")}, "version": {fmt.Sprint(i.GetVersion())}, "qualified": i.GetQualifiedOrganizationIds(),
		"outpatientDays": {fmt.Sprint(i.GetOutpatientDays())}, "inpatientDays": {fmt.Sprint(i.GetInpatientDays())},
		"emergencyDays": {fmt.Sprint(i.GetEmergencyDays())},
	}
	for _, name := range []string{"price", "needsQuality", "disabled"} {
		v.Set(name, "")
	}
	if i.GetPrice() > 0 {
		v.Set("price", yuan(i.GetPrice()))
	}
	if i.GetNeedsQuality() {
		v.Set("needsQuality", "1")
	}
	if i.GetDisabled() {
		v.Set("disabled", "1")
	}
	return v
}

const (
	fenInYuan = 100
	maxYuan   = 1e6
)

// itemOf reads the form; bad names what is no number.
func itemOf(form url.Values, code string) (*patientrecordv1.RecognitionItem, []errs.Field) {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	var bad []errs.Field
	days := func(name string) int32 {
		n, err := strconv.ParseInt(get(name), 10, 32)
		if err != nil {
			bad = append(bad, errs.Bad("item."+name, errs.ReasonFieldInvalid))
		}
		return int32(n)
	}
	item := &patientrecordv1.RecognitionItem{
		Code: code, Version: number(form, "version"), Name: get("name"), NameEn: get("nameEn"), Kind: get("kind"), Range: get("range"), Mark: get("mark"),
		Unit: get("unit"), Note: get("note"), Codes: strings.Fields(form.Get("codes")), Parts: lines(form.Get("parts")), Methods: lines(form.Get("methods")),
		OutpatientDays: days("outpatientDays"), InpatientDays: days("inpatientDays"), EmergencyDays: days("emergencyDays"),
		NeedsQuality: get("needsQuality") != "", QualifiedOrganizationIds: form["qualified"], Disabled: get("disabled") != "",
	}
	if text := get("price"); text != "" {
		amount, err := parts.Number(text)
		if err != nil || !(amount >= 0 && amount <= maxYuan) {
			bad, amount = append(bad, errs.Bad("item.price", errs.ReasonFieldInvalid)), 0
		}
		item.Price = int64(math.Round(amount * fenInYuan))
	}
	return item, bad
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// labels are what the form of an item calls its fields.
func labels() map[string]string {
	out := map[string]string{
		"item.nameEn": "recognition.name-en", "item.outpatientDays": "recognition.setting.OUTPATIENT",
		"item.inpatientDays": "recognition.setting.INPATIENT", "item.emergencyDays": "recognition.setting.EMERGENCY",
	}
	for name := range strings.FieldsSeq("code name kind range mark codes parts methods unit price note") {
		out["item."+name] = "recognition." + name
	}
	return out
}

func (p *Pages) saveItem(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	code := r.PathValue("code")
	if code == newItem {
		code = strings.ToUpper(strings.TrimSpace(r.PostFormValue("code")))
	}
	reset := r.PostFormValue("reset") != ""
	item, bad := itemOf(r.PostForm, code)
	var err error
	if len(bad) > 0 && !reset {
		err = errs.Invalid(bad...)
	} else {
		_, err = p.Recognition.UpdateRecognitionItem(r.Context(), &patientrecordv1.UpdateRecognitionItemRequest{
			Item: item, Reset_: reset, RequestId: r.PostFormValue("requestId"),
		})
	}
	if err == nil {
		p.Shell.Flash(w, "recognition.saved")
		http.Redirect(w, r, "/settings/recognition", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, shell.Called(err, labels()), func(again shell.Refused) error {
		data, lerr := p.loadItem(r)
		if lerr != nil {
			data.Item = &patientrecordv1.RecognitionItem{Code: code} // the form stands alone
		}
		data.Form, data.Problem, data.RequestID = again.Form, again.Problem, again.RequestID
		for i, f := range data.Form.Errors {
			data.Form.Errors[i].Name = strings.TrimPrefix(f.Name, "item.")
		}
		switch {
		case reset && lerr == nil:
			data.Form.Values = shell.Original(valuesOf(data.Item), nil)
		case lerr == nil:
			again.Rebase(valuesOf(data.Item), data.Item.GetVersion())
			data.Form.Changed = again.Form.Changed
		}
		return p.showItem(w, r, again.Status, data)
	})
}
