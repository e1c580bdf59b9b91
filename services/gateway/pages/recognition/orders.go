package recognition

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// choice is an item of the order form.
type choice struct {
	*patientrecordv1.RecognitionItem
	// There is the valid result of it, nil if there is none.
	There *found
	// Chosen: it is ticked.
	Chosen bool
}

// Search is what the filter of the list goes by.
func (c choice) Search() string {
	return strings.ToLower(strings.Join([]string{c.GetCode(), c.GetName(), c.GetNameEn(), c.GetInitials()}, " "))
}

// found is a result with its organisation's name.
type found struct {
	*patientrecordv1.Recognisable
	Organization string
}

// past is an order with its organisation's name.
type past struct {
	*patientrecordv1.ExamOrder
	Organization string
	Lines        []pastLine
}

type pastLine struct {
	*patientrecordv1.OrderLine
	Performer string
}

// ordersData is what orders.html sees.
type ordersData struct {
	ID string
	// Patient is nil while the page cannot be read: then the order that was sent stands alone, its decisions in Kept.
	Patient       *patientrecordv1.Patient
	Kept          []kept
	Setting       string
	Settings      []string
	Referral      string
	Valid, Others []found
	Withheld      int32
	Choices       []choice
	Reasons       []string
	Orders        []past
	Form          shell.Form
	RequestID     string
	Problem       string
}

// kept is a field that the page cannot show and sends again.
type kept struct{ Name, Value string }

// Settings in which something is ordered, and the six national reasons for a repeat (domain.md §4).
func settings() []string { return []string{"OUTPATIENT", "INPATIENT", "EMERGENCY"} }
func reasons() []string  { return []string{"RT1", "RT2", "RT3", "RT4", "RT5", "RT6"} }

func (p *Pages) orders(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadOrders(r, r.URL.Query())
	if err != nil {
		return err
	}
	return p.showOrders(w, r, http.StatusOK, data)
}

func (p *Pages) showOrders(w http.ResponseWriter, r *http.Request, status int, data ordersData) error {
	return p.Shell.Render(w, r, p.ordersSet, shell.Page{Title: "recognition.orders.title", Nav: "patients", Status: status, Data: data})
}

// loadOrders reads the page; form holds the setting, the referral and, of one that was refused, what was typed.
func (p *Pages) loadOrders(r *http.Request, form url.Values) (ordersData, error) {
	ctx, patient := r.Context(), r.PathValue("id")
	data := ordersData{ID: patient, Setting: form.Get("setting"), Referral: form.Get("referral"), Settings: settings(), Reasons: reasons(), RequestID: id.New()}
	if !slices.Contains(settings(), data.Setting) {
		data.Setting = settings()[0]
	}
	if !id.Valid(data.Referral) {
		data.Referral = ""
	}
	var err error
	if data.Patient, err = p.Record.GetPatient(ctx, &patientrecordv1.GetPatientRequest{Id: patient}); err != nil {
		return data, err
	}
	there, err := p.Recognition.ListRecognisable(ctx, &patientrecordv1.ListRecognisableRequest{PatientId: patient, Setting: data.Setting, ReferralId: data.Referral})
	if err != nil {
		return data, err
	}
	data.Withheld = there.GetWithheld()
	for _, x := range there.GetRecognisable() {
		data.Valid = append(data.Valid, found{x, cmp.Or(p.organization(r, x.GetOrganizationId()), x.GetPerformerName())})
	}
	for _, x := range there.GetOthers() {
		data.Others = append(data.Others, found{x, cmp.Or(p.organization(r, x.GetOrganizationId()), x.GetPerformerName())})
	}
	items, err := p.Recognition.ListRecognitionItems(ctx, &patientrecordv1.ListRecognitionItemsRequest{})
	if err != nil {
		return data, err
	}
	for _, item := range items.GetItems() {
		c := choice{RecognitionItem: item, Chosen: slices.Contains(form["item"], item.GetCode())}
		if i := slices.IndexFunc(data.Valid, func(f found) bool { return f.GetItemCode() == item.GetCode() }); i >= 0 {
			c.There = &data.Valid[i]
		}
		data.Choices = append(data.Choices, c)
	}
	orders, err := p.Recognition.ListOrders(ctx, &patientrecordv1.ListOrdersRequest{PatientId: patient})
	if err != nil {
		return data, err
	}
	for _, o := range orders.GetOrders() {
		one := past{ExamOrder: o, Organization: p.organization(r, o.GetOrganizationId())}
		for _, l := range o.GetLines() {
			one.Lines = append(one.Lines, pastLine{l, p.organization(r, l.GetRecognised().GetOrganizationId())})
		}
		data.Orders = append(data.Orders, one)
	}
	return data, nil
}

// order records an order, or (recognise) that a result was recognised without one.
func (p *Pages) order(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	lines := linesOf(r.PostForm)
	_, err := p.Recognition.RecordOrder(r.Context(), &patientrecordv1.RecordOrderRequest{
		PatientId: r.PathValue("id"), Setting: r.PostFormValue("setting"), ReferralId: r.PostFormValue("referral"), Lines: lines,
		RequestId: r.PostFormValue("requestId"),
	})
	if err == nil {
		flash := "recognition.ordered"
		if r.PostFormValue("recognise") != "" {
			flash = "recognition.noted"
		}
		p.Shell.Flash(w, flash)
		back := url.Values{"setting": {r.PostFormValue("setting")}}
		if referral := r.PostFormValue("referral"); referral != "" {
			back.Set("referral", referral)
		}
		http.Redirect(w, r, "/patients/"+r.PathValue("id")+"/orders?"+back.Encode(), http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, byItem(err, lines), func(again shell.Refused) error {
		data, lerr := p.loadOrders(r, r.PostForm)
		if lerr != nil {
			data = alone(data, r.PostForm)
		}
		data.Form, data.Problem, data.RequestID = again.Form, again.Problem, again.RequestID
		return p.showOrders(w, r, again.Status, data)
	})
}

// alone is the page of an order without anything that the record adds: the items by their codes, and everything else that was typed kept.
func alone(data ordersData, form url.Values) ordersData {
	data.Patient, data.Valid, data.Others, data.Orders, data.Choices = nil, nil, nil, nil, nil
	for _, code := range form["item"] {
		data.Choices = append(data.Choices, choice{RecognitionItem: &patientrecordv1.RecognitionItem{Code: code, Name: code, NameEn: code}, Chosen: true})
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if place, _, dotted := strings.Cut(name, "."); dotted && slices.Contains([]string{"decision", "reasonCode", "reasonText", "explained"}, place) {
			data.Kept = append(data.Kept, kept{name, form.Get(name)})
		}
	}
	return data
}

// linesOf reads the form. An item without a decision is a plain order, which is asked back when there is a result.
func linesOf(form url.Values) []*patientrecordv1.OrderLine {
	if code := form.Get("recognise"); code != "" {
		return []*patientrecordv1.OrderLine{{ItemCode: code, Decision: "RECOGNISE"}}
	}
	var out []*patientrecordv1.OrderLine
	for _, code := range form["item"] {
		line := &patientrecordv1.OrderLine{ItemCode: code, Decision: "ORDER"}
		switch form.Get("decision." + code) {
		case "DROP":
			line.Decision = "DROP"
		case "REPEAT":
			line.Decision, line.ReasonCode = "REPEAT", form.Get("reasonCode."+code)
			line.ReasonText, line.Explained = form.Get("reasonText."+code), form.Get("explained."+code) != ""
		}
		out = append(out, line)
	}
	return out
}

// byItem names refused fields by the item instead of the line's place: "lines[1].reasonCode" is "reasonCode.CBC".
func byItem(err error, lines []*patientrecordv1.OrderLine) error {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid {
		return err
	}
	called := map[string]string{
		"decision": "recognition.decision", "reasonCode": "recognition.reason", "reasonText": "recognition.reason-text", "explained": "recognition.explained",
	}
	fields, labels := slices.Clone(e.Fields), map[string]string{}
	for i, line := range lines {
		for k, f := range fields {
			if name, cut := strings.CutPrefix(e.Fields[k].Name, lineField(i)); cut {
				f.Name = name + "." + line.GetItemCode()
				fields[k] = f
				labels[f.Name] = called[name]
			}
		}
	}
	return shell.Called(errs.Invalid(fields...), labels)
}

func lineField(i int) string { return "lines[" + strconv.Itoa(i) + "]." }
