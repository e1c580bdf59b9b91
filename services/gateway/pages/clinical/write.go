package clinical

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// choice is an entry of a list.
type choice struct{ Value, Name string }

// formData is what a form sees.
type formData struct {
	Head      head
	Form      shell.Form
	RequestID string
	// Kind of the form; Do is new, amend, correct or withdraw.
	Kind, Do, Action string
	// Entry that is changed, as it stands now; nil for a new one, and while the record is away. Back is where to go without saving.
	Entry *row
	Back  string
	// Draft names the form in the browser's storage.
	Draft string
	// Stale: somebody changed the entry while the form was filled in.
	Stale     bool
	Diagnoses []parts.Diagnosis
	// Items that can be measured, Values those of the form of several.
	Items, Values []item
	Statuses      []string
	// Under what it is written.
	Under   []choice
	Problem string
	Reasons []string
}

// EntryKind is what the form writes, as the contract calls it.
func (d formData) EntryKind() string { return strings.ToUpper(d.Kind) }

// statuses that a form offers for a kind; the first is proposed. Empty: there is nothing to choose.
func statuses(kind string) []string {
	switch kind {
	case "problem":
		return []string{"active", "inactive", "resolved"}
	case "allergy":
		return []string{"active", "inactive", "resolved"}
	case "medication":
		return []string{"active", "on-hold", "stopped", "completed"}
	case "procedure", "immunization":
		return []string{"completed", "not-done"}
	}
	return nil
}

func reasons() []string {
	return []string{"WRONG_VALUE", "WRONG_PATIENT", "WRONG_TIME", "INCOMPLETE", "NEW_FINDING", "DUPLICATE", "OTHER"}
}

// prepared is a form without its values; with an error it has no head.
func (p *Pages) prepared(r *http.Request, kind, do string) (formData, error) {
	h, err := p.head(r)
	data := formData{
		Head: h, RequestID: id.New(), Kind: kind, Do: do, Action: r.URL.Path, Items: items(), Values: items()[2:9], Statuses: statuses(kind), Reasons: reasons(),
		Back: "/patients/" + h.PatientID + "/record", Draft: draftOf(r, kind, ""),
	}
	if entry := r.PathValue("entry"); entry != "" {
		data.Back = "/patients/" + h.PatientID + "/entries/" + entry
	}
	return data, err
}

// draftOf names a form in the browser's storage. That of a change goes with the version on which it is written.
func draftOf(r *http.Request, kind, version string) string {
	draft := "clinical:" + r.PathValue("id") + ":" + kind
	if entry := r.PathValue("entry"); entry != "" {
		draft += ":" + entry + ":" + version
	}
	return draft
}

func (p *Pages) newForm(w http.ResponseWriter, r *http.Request) error {
	kind := known(r.PathValue("kind"), forms())
	if kind == "" {
		return errs.NotFound("form")
	}
	data, err := p.prepared(r, kind, "new")
	if err != nil {
		return err
	}
	values := url.Values{}
	if slices.Contains([]string{"values", "result", "note", "encounter", "report"}, kind) {
		values.Set("date", p.Shell.Now().Format("2006-01-02"))
		values.Set("hour", p.Shell.Now().Format("15:04"))
	}
	if len(data.Statuses) > 0 {
		values.Set("status", data.Statuses[0])
	}
	values.Set("class", "AMB")
	values.Set("item", known(r.URL.Query().Get("item"), itemNames()))
	data.Form.Values = values
	return p.showForm(w, r, http.StatusOK, data)
}

func itemNames() []string {
	var out []string
	for _, i := range items() {
		out = append(out, i.Name)
	}
	return out
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, status int, data formData) error {
	data.Diagnoses = parts.Chosen(data.Form.Values)
	if data.Do == "new" && data.Kind != "encounter" {
		data.Under = p.under(r, data.Head.PatientID)
		if under := data.Form.Value("under"); under != "" && !slices.ContainsFunc(data.Under, func(c choice) bool { return c.Value == under }) {
			data.Under = append(data.Under, choice{under, p.Shell.T(r, "clinical.under.chosen")})
		}
	}
	title := map[string]string{"new": "clinical.new", "amend": "clinical.amend", "correct": "clinical.correct", "withdraw": "clinical.withdraw"}[data.Do]
	return p.Shell.Render(w, r, p.formSet, shell.Page{Title: title, Nav: "patients", Status: status, Data: data})
}

// under are the visits here and the referrals that something can be written under; without an answer there are none.
func (p *Pages) under(r *http.Request, patient string) []choice {
	visitor, _ := door.VisitorFrom(r.Context())
	own := visitor.Account.GetOrganizationId()
	var out []choice
	visits, err := p.Clinical.ListEntries(r.Context(), &patientrecordv1.ListEntriesRequest{PatientId: patient, Kinds: []string{"ENCOUNTER"}, PageSize: 20})
	if err == nil {
		for _, e := range p.rows(r, visits.GetEntries()) {
			if e.GetOrganizationId() == own && e.GetEffectiveTime() != nil && !e.GetSealed() {
				day := e.GetEffectiveTime().AsTime().In(p.Shell.Zone()).Format("2006-01-02")
				out = append(out, choice{"encounter:" + e.GetId(), p.Shell.T(r, "clinical.under.visit", "name", e.Name, "day", day)})
			}
		}
	}
	list, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{View: "all", PatientId: patient, PageSize: 10})
	if err == nil {
		for _, one := range list.GetReferrals() {
			ended := slices.Contains([]string{"DRAFT", "CLOSED", "CANCELLED", "DECLINED"}, one.GetState().String())
			if party := one.GetOriginator().GetOrganizationId() == own || one.GetReceiver().GetOrganizationId() == own; party && !ended {
				out = append(out, choice{"referral:" + one.GetId(), p.Shell.T(r, "clinical.under.referral", "number", one.GetNumber())})
			}
		}
	}
	return out
}

func (p *Pages) write(w http.ResponseWriter, r *http.Request) error {
	kind := known(r.PathValue("kind"), forms())
	if err := r.ParseForm(); err != nil || kind == "" {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	f := &reader{form: r.PostForm, zone: p.Shell.Zone()}
	var contents []*patientrecordv1.ClinicalEntry
	if kind == "values" {
		contents = f.values()
	} else {
		contents = append(contents, f.content(kind))
	}
	in := &patientrecordv1.RecordEntriesRequest{RequestId: f.get("requestId"), PatientId: r.PathValue("id")}
	setting, under, _ := strings.Cut(f.get("under"), ":")
	for _, c := range contents {
		draft := &patientrecordv1.EntryDraft{Content: c}
		switch setting {
		case "encounter":
			draft.EncounterId = under
		case "referral":
			draft.ReferralId = under
		}
		in.Entries = append(in.Entries, draft)
	}
	err := f.failed()
	if err == nil {
		if _, err = p.Clinical.RecordEntries(r.Context(), in); err == nil {
			p.Shell.Flash(w, "clinical.done", draftOf(r, kind, ""))
			http.Redirect(w, r, "/patients/"+in.GetPatientId()+"/record", http.StatusSeeOther)
			return nil
		}
	}
	return p.Shell.Again(w, r, shell.Called(p.onForm(r, err), labels(kind)), func(again shell.Refused) error {
		data, _ := p.prepared(r, kind, "new") // without the record the form stands alone
		return p.showAgain(w, r, data, again)
	})
}

func (f *reader) failed() error {
	if len(f.wrong) == 0 {
		return nil
	}
	return errs.Invalid(f.wrong...)
}

// showAgain shows a refused form with what was typed and what is wrong with it.
func (p *Pages) showAgain(w http.ResponseWriter, r *http.Request, data formData, again shell.Refused) error {
	data.Form, data.Problem, data.RequestID = again.Form, again.Problem, again.RequestID
	data.Form.Errors = shell.InOrder(data.Form.Errors, order()...)
	return p.showForm(w, r, again.Status, data)
}

// labels are what a form calls the fields that others call otherwise; a form of nothing known has none.
func labels(kind string) map[string]string {
	out := map[string]string{"reasonCode": "clinical.why", "entry.encounterId": "clinical.under", "entry.referralId": "clinical.under"}
	switch kind {
	case "values":
		out["entry.time"] = "clinical.measured"
	case "result":
		out["entry.text"], out["entry.words"], out["entry.time"] = "clinical.item.name", "clinical.result.words", "clinical.measured"
	case "problem":
		out["entry.text"], out["entry.time"] = "clinical.problem.text", "clinical.onset"
	case "allergy":
		out["entry.text"], out["entry.category"], out["entry.criticality"] = "clinical.allergy.text", "clinical.allergy.category", "clinical.allergy.criticality"
	case "medication":
		out["entry.text"], out["entry.time"] = "clinical.medication.text", "clinical.medication.since"
	case "encounter":
		out["entry.text"], out["entry.words"], out["entry.time"] = "clinical.encounter.text", "clinical.encounter.reason", "clinical.began"
	default:
		out["entry.text"], out["entry.category"] = "clinical.called."+kind, "clinical."+kind+".category"
	}
	return out
}

func order() []string {
	return strings.Fields(`value.sbp value.dbp value.heart_rate value.temperature value.spo2 value.resp_rate value.weight value.fasting_glucose value.glucose
		diagnoses entry.text entry.classCode value entry.words entry.status entry.time entry.endTime entry.encounterId entry.referralId reasonCode note`)
}

// onForm calls the fields of the API what the forms call them: "entries[2].value.weight" is "value.weight", "entries[0].text" "entry.text". A value that was
// alone on its form is "value". Units are worded as people write them.
func (p *Pages) onForm(r *http.Request, err error) error {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid {
		return err
	}
	fields := make([]errs.Field, len(e.Fields))
	for i, f := range e.Fields {
		if _, rest, found := strings.Cut(f.Name, "]."); found {
			f.Name = rest
			if rest != "value" && !strings.HasPrefix(rest, "value.") {
				f.Name = "entry." + rest
			}
		}
		meta := make(map[string]string, len(f.Meta))
		for k, v := range f.Meta {
			meta[k] = v
		}
		if unit := meta["unit"]; unit != "" {
			meta["unit"] = p.Shell.Unit(r, unit)
		}
		f.Meta = meta
		fields[i] = f
	}
	return errs.Invalid(fields...)
}

// changing loads the entry that is to be changed; with an error it is the form without the entry, of the kind that the form itself says.
func (p *Pages) changing(r *http.Request) (formData, error) {
	do := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	e, err := p.Clinical.GetEntry(r.Context(), &patientrecordv1.GetEntryRequest{PatientId: r.PathValue("id"), Id: r.PathValue("entry")})
	if err != nil {
		data, _ := p.prepared(r, known(r.PostFormValue("kind"), forms()), do)
		return data, err
	}
	data, err := p.prepared(r, formOf(e.GetKind()), do)
	data.Entry = &p.rows(r, []*patientrecordv1.RecordEntry{e})[0]
	data.Form.Values = fill(e, p.Shell.Zone())
	return data, err
}

func (p *Pages) changeForm(w http.ResponseWriter, r *http.Request) error {
	data, err := p.changing(r)
	if err != nil {
		return err
	}
	data.Draft = draftOf(r, data.Kind, data.Form.Value("version"))
	return p.showForm(w, r, http.StatusOK, data)
}

func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	data, err := p.changing(r)
	if data.Entry != nil {
		err = p.send(r, data)
	}
	if err == nil {
		p.Shell.Flash(w, "clinical.done."+data.Do, draftOf(r, data.Kind, r.PostFormValue("version")))
		http.Redirect(w, r, data.Back, http.StatusSeeOther)
		return nil
	}
	if data.Kind == "" {
		return err
	}
	return p.Shell.Again(w, r, shell.Called(p.onForm(r, err), labels(data.Kind)), func(again shell.Refused) error {
		if errs.KindOf(err) == errs.KindStale {
			p.renew(r, &data, &again)
		}
		data.Draft = draftOf(r, data.Kind, again.Form.Value("version"))
		return p.showAgain(w, r, data, again)
	})
}

// renew puts a refused form upon the entry as it stands now, which is shown above it: sent again it is the version after that one.
func (p *Pages) renew(r *http.Request, data *formData, again *shell.Refused) {
	fresh, _ := p.changing(r)
	if fresh.Entry == nil {
		return
	}
	*data = fresh
	data.Stale = true
	again.Form.Values.Set("version", strconv.Itoa(int(fresh.Entry.GetVersion())))
}

// send makes the change that the form asks for.
func (p *Pages) send(r *http.Request, data formData) error {
	f := &reader{form: r.PostForm, zone: p.Shell.Zone()}
	version, _ := strconv.ParseInt(f.get("version"), 10, 32)
	in := &patientrecordv1.ChangeEntryRequest{
		RequestId: f.get("requestId"), PatientId: r.PathValue("id"), Id: r.PathValue("entry"), Version: int32(version), ReasonCode: f.get("reasonCode"), Note: f.get("note"),
	}
	do := p.Clinical.MarkEnteredInError
	if data.Do != "withdraw" {
		in.Content = f.content(data.Kind)
		keep(in.GetContent(), data.Entry.GetContent())
		do = p.Clinical.CorrectEntry
	}
	if data.Do == "amend" {
		in.ReasonCode, in.Note = "", ""
		do = p.Clinical.AmendEntry
	}
	if err := f.failed(); err != nil {
		return err
	}
	_, err := do(r.Context(), in)
	return err
}
