package record

import (
	"net/http"
	"net/url"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func (p *Pages) loadOut(r *http.Request) (formData, error) {
	return p.load(r, "record_out", directoryv1.OrganizationType_EXTERNAL)
}

func (p *Pages) out(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadOut(r)
	if err != nil {
		return err
	}
	data.RequestID = id.New()
	data.Form.Values = empty("date", p.day())
	return p.show(w, r, p.outSet, shell.Page{Title: "record.out", Data: data})
}

func (p *Pages) recordOut(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	made, err := p.Referral.RecordOut(r.Context(), outRequest(r.PostForm, r.PathValue("patient")))
	if err == nil {
		return p.done(w, r, made, "record.out.done")
	}
	data, _ := p.loadOut(r)
	return p.refused(w, r, data, p.outSet, "record.out", "field.reasonCode", err)
}

func outRequest(form url.Values, patientID string) *referralv1.RecordOutRequest {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	request := &referralv1.RecordOutRequest{
		RequestId: get("requestId"), PatientId: patientID, Destination: get("destination"),
		Diagnoses: parts.Diagnoses(form), ReasonCode: get("reasonCode"), Note: get("note"), Date: get("date"),
	}
	if hospital := get("organization"); hospital != "" {
		request.Receiver = &commonv1.Party{OrganizationId: hospital}
	}
	return request
}
