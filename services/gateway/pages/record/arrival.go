package record

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func (p *Pages) loadArrival(r *http.Request) (formData, error) {
	data, err := p.load(r, "record_arrival", directoryv1.OrganizationType_TOWNSHIP_CENTRE, directoryv1.OrganizationType_VILLAGE_CLINIC)
	if err == nil {
		data.Up = p.Shell.UnderWay(r, p.Referral, data.PatientID)
	}
	return data, err
}

func (p *Pages) arrival(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadArrival(r)
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data.RequestID = id.New()
	data.Form.Values = empty("kind", "OUTPATIENT", "urgency", "ROUTINE", "department", visitor.Account.GetDepartmentCode(),
		"originator", data.Patient.GetHomeOrganizationId(), "date", p.day(), "hour", p.Shell.Now().Format("15:04"))
	if from := r.URL.Query().Get("registration"); from != "" {
		if err := p.registered(r, from, data.Form.Values); err != nil {
			return err
		}
	}
	data.offered("originator", data.Organizations)
	data.offered("department", data.Departments)
	return p.show(w, r, p.arrivalSet, shell.Page{Title: "record.arrival", Data: data})
}

// offered drops a proposed value that is not on offer.
func (d formData) offered(name string, list []choice) {
	if !slices.ContainsFunc(list, func(one choice) bool { return one.Value == d.Form.Value(name) }) {
		d.Form.Values.Del(name)
	}
}

func (p *Pages) recordArrival(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	request, err := p.arrivalRequest(r.PostForm, r.PathValue("patient"))
	if err == nil {
		var made *referralv1.Referral
		if made, err = p.Referral.RecordArrival(r.Context(), request); err == nil {
			return p.done(w, r, made, "record.arrival.done")
		}
	}
	data, _ := p.loadArrival(r)
	return p.refused(w, r, data, p.arrivalSet, "record.arrival", "record.how", err)
}

func (p *Pages) arrivalRequest(form url.Values, patientID string) (*referralv1.RecordArrivalRequest, error) {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	kind := commonv1.Kind_Code(commonv1.Kind_Code_value[get("kind")])
	urgency := commonv1.Urgency_Code(commonv1.Urgency_Code_value[get("urgency")])
	if kind == commonv1.Kind_EMERGENCY {
		urgency = commonv1.Urgency_EMERGENCY
	}
	request := &referralv1.RecordArrivalRequest{
		RequestId: get("requestId"), PatientId: patientID, Kind: kind, Urgency: urgency,
		Originator: &commonv1.Party{OrganizationId: get("originator")}, DepartmentCode: get("department"),
		Diagnoses: parts.Diagnoses(form), ReasonCode: get("reasonCode"), Note: get("note"),
	}
	if get("date") == "" && get("hour") == "" {
		return request, nil // the service takes the present moment
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", get("date")+" "+get("hour"), p.Shell.Zone())
	if err != nil {
		return nil, errs.Invalid(errs.Bad("arriveTime", errs.ReasonFieldInvalid))
	}
	request.ArriveTime = timestamppb.New(at)
	return request, nil
}

// registered fills the form with what the hospital's own system registered. What it does not know stays as it is.
func (p *Pages) registered(r *http.Request, registration string, form url.Values) error {
	known, err := p.Referral.GetRegistration(r.Context(), &referralv1.GetRegistrationRequest{Id: registration})
	if errs.KindOf(err) == errs.KindNotFound || err == nil && known.GetPatientId() != r.PathValue("patient") {
		return nil
	}
	if err != nil {
		return err
	}
	set := func(name, value string) {
		if value != "" {
			form.Set(name, value)
		}
	}
	set("originator", known.GetCentreId())
	set("department", known.GetDepartmentCode())
	set("kind", map[string]string{"IMP": "INPATIENT", "EMER": "EMERGENCY"}[known.GetClass()])
	at := known.GetStartTime().AsTime().In(p.Shell.Zone())
	set("date", at.Format(time.DateOnly))
	set("hour", at.Format("15:04"))
	return nil
}
