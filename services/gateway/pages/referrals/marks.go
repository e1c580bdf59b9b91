package referrals

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// isMark tells whether an action changes no state and stands on no version.
func isMark(action string) bool {
	return slices.Contains(strings.Fields("depart message assess correct record_consent convert"), action)
}

// marks are what changes no state.
func (p *Pages) marks() map[string]doer {
	return map[string]doer{
		"depart": p.depart,
		"message": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.PostMessage(ctx, &referralv1.PostMessageRequest{Id: c.id, RequestId: c.requestID, Text: c.get("text")})
			return "/referrals/" + c.id + "#thread", err
		},
		"assess": func(ctx context.Context, c command) (string, error) {
			_, err := p.Referral.Assess(ctx, &referralv1.AssessRequest{Id: c.id, RequestId: c.requestID, Verdict: c.get("verdict"), Note: c.get("note")})
			return "", err
		},
		"correct": p.correct,
		"record_consent": func(ctx context.Context, c command) (string, error) {
			consent := &referralv1.Consent{GivenBy: c.get("consent.givenBy"), Relation: c.get("consent.relation"), Method: c.get("consent.method")}
			_, err := p.Referral.RecordConsent(ctx, &referralv1.RecordConsentRequest{Id: c.id, RequestId: c.requestID, Consent: consent})
			return "", err
		},
		"convert": func(ctx context.Context, c command) (string, error) {
			kind := commonv1.Kind_Code(commonv1.Kind_Code_value[c.get("kind")])
			draft, err := p.Referral.Convert(ctx, &referralv1.ConvertRequest{Id: c.id, RequestId: c.requestID, Kind: kind})
			return "/referrals/" + draft.GetId() + "/edit", err
		},
	}
}

func (p *Pages) depart(ctx context.Context, c command) (string, error) {
	request := &referralv1.DepartRequest{Id: c.id, RequestId: c.requestID, Transport: c.get("transport"), Note: c.get("note")}
	if minutes, err := strconv.ParseInt(c.get("arriveIn"), 10, 32); err == nil {
		request.ExpectedMinutes = proto.Int32(int32(minutes))
	} else if expected := c.get("expectedArrival"); expected != "" {
		at, err := time.ParseInLocation("2006-01-02T15:04", expected, p.Shell.Zone())
		if err != nil {
			return "", errs.Invalid(errs.Bad("expectedArrival", errs.ReasonFieldInvalid))
		}
		request.ExpectedArrival = timestamppb.New(at)
	}
	_, err := p.Referral.Depart(ctx, request)
	return "", err
}

// correctable is a text of the sealed content.
type correctable struct{ Path, Text string }

// paths are the texts of a referral that can be corrected, by the names of the contract.
func paths() []string {
	return strings.Fields(`form.initial_impression form.present_illness form.past_history form.treatment form.diagnosis form.inpatient_number
		form.examination_results form.next_plan form.rehabilitation_advice reply.diagnosis reply.findings reply.treatment reply.next_steps reply.answer`)
}

// correctableOf are the texts that stand in a referral; nothing is corrected that was never written.
func correctableOf(r *referralv1.Referral) []correctable {
	var out []correctable
	for _, path := range paths() {
		outer, field := textAt(r, path)
		if text := outer.Get(field).String(); text != "" {
			out = append(out, correctable{path, text})
		}
	}
	return out
}

// textAt finds a text by its path: the form or reply that holds it and the field there. The path must be one of [paths].
func textAt(r *referralv1.Referral, path string) (protoreflect.Message, protoreflect.FieldDescriptor) {
	part, name, _ := strings.Cut(path, ".")
	m := r.GetForm().ProtoReflect()
	if part == "reply" {
		m = r.GetReply().ProtoReflect()
	}
	return m, m.Descriptor().Fields().ByName(protoreflect.Name(name))
}

func (p *Pages) correct(ctx context.Context, c command) (string, error) {
	path := c.get("path")
	changed := &referralv1.Referral{Form: &referralv1.Form{}, Reply: &referralv1.Reply{}}
	switch {
	case path == "outcome_code":
		changed.OutcomeCode = c.get("outcomeCode")
	case path == "diagnoses":
		changed.Diagnoses = parts.Diagnoses(c.form)
	case slices.Contains(paths(), path):
		outer, field := textAt(changed, path)
		outer.Set(field, protoreflect.ValueOfString(c.get("after")))
	default:
		return "", errs.Invalid(errs.Required("path"))
	}
	_, err := p.Referral.Correct(ctx, &referralv1.CorrectRequest{
		Id: c.id, RequestId: c.requestID, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}}, Referral: changed, ReasonCode: c.get("reasonCode"), Note: c.get("note"),
	})
	return "", err
}
