package referral_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestAReturnedReferralIsMendedAndSentAgain(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		c, doctor, desk := f.client, f.as("TOWNSHIP_DOCTOR"), f.as("DEPARTMENT_HEAD")
		in := f.creation()
		in.HoldId, in.Kind, in.Urgency = "", commonv1.Kind_EMERGENCY, commonv1.Urgency_UNSPECIFIED
		in.Consent = &referralv1.Consent{DeferredReason: "昏迷"}
		r := f.must(c.CreateReferral(doctor, in))
		if r.GetUrgency() != commonv1.Urgency_EMERGENCY {
			f.t.Errorf("urgency %s", r.GetUrgency())
		}
		r = f.must(c.Return(desk, &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), ReasonCode: "OTHER", Note: secret}))
		r = f.must(c.EditReferral(doctor, &referralv1.EditReferralRequest{
			Id: r.GetId(), Version: r.GetVersion(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"form.past_history", "consent"}},
			Referral: &referralv1.CreateReferralRequest{
				Form:    &referralv1.Form{PastHistory: "高血压十年"},
				Consent: &referralv1.Consent{GivenBy: secret, Relation: "1", Method: "VERBAL_WITNESSED"},
			},
		}))
		if r.GetForm().GetPastHistory() != "高血压十年" || r.GetForm().GetPresentIllness() != secret || r.GetConsent().GetAt() == nil {
			f.t.Error("the edit is not as asked")
		}
		r = f.must(c.Resubmit(doctor, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion()}))
		r = f.must(c.Arrive(desk, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion()}))
		f.expectActions("INTAKE_DESK", r.GetId(), "undo_arrive", "admit", "conclude")
		r = f.must(c.UndoArrive(desk, &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), ReasonCode: "WRONG_PATIENT"}))
		if r.GetState() != referralv1.State_SUBMITTED {
			f.t.Errorf("back in %s", r.GetState())
		}
		r = f.must(c.Cancel(doctor, &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), ReasonCode: "PATIENT_IMPROVED"}))
		f.expectActions("TOWNSHIP_DOCTOR", r.GetId())
	})
}

func TestPickListsAndTheTableAreForEverybody(t *testing.T) {
	t.Parallel()
	f := start(t, sqldb.SQLite)
	admin := f.as("COUNTY_ADMIN")
	table, err := f.client.GetLifecycle(admin, &referralv1.GetLifecycleRequest{})
	if err != nil || len(table.GetActions()) != 28 {
		t.Errorf("%d rows, %v", len(table.GetActions()), err)
	}
	reasons, err := f.client.ListReasons(admin, &referralv1.ListReasonsRequest{Action: "decline"})
	if err != nil || len(reasons.GetReasons()) < 5 {
		t.Errorf("%d reasons, %v", len(reasons.GetReasons()), err)
	}
	found, err := f.client.SearchDiagnoses(admin, &referralv1.SearchDiagnosesRequest{Query: "ngs"})
	if err != nil || len(found.GetDiagnoses()) == 0 || found.GetDiagnoses()[0].GetCode() != "I63" {
		t.Errorf("%v, %v", found, err)
	}
	all, err := f.client.ListDiagnoses(admin, &referralv1.ListDiagnosesRequest{})
	if err != nil || len(all.GetDiagnoses()) < 1500 || all.GetDiagnoses()[0].GetCode() != "I10" || !slices.Contains(all.GetDiagnoses()[2].GetWords(), "脑梗") || !slices.Contains(all.GetDiagnoses()[2].GetWords(), "ng") {
		t.Errorf("%d diagnoses, the third %v, %v", len(all.GetDiagnoses()), all.GetDiagnoses()[2], err)
	}
}

// What is wrong with a form is told at once, that of a blank form beside the rest, and asking changes nothing.
func TestAFormIsCheckedWithoutBeingSent(t *testing.T) {
	t.Parallel()
	f := start(t, sqldb.SQLite)
	doctor := f.as("TOWNSHIP_DOCTOR")
	in := f.creation()
	in.RequestId, in.Submit, in.ValidateOnly, in.BlankNumber = id.New(), true, true, "450321-26-0999999-1"
	in.Consent, in.Form.PresentIllness = nil, ""
	_, err := f.client.CreateReferral(doctor, in)
	var wrong []string
	if e, ok := errs.As(err); ok {
		for _, field := range e.Fields {
			wrong = append(wrong, field.Name)
		}
	}
	if want := []string{"consent", "form.presentIllness", "writtenTime"}; !slices.Equal(slices.Sorted(slices.Values(wrong)), want) {
		t.Errorf("wrong are %v, %v", wrong, err)
	}
	whole := f.creation()
	whole.RequestId, whole.Submit, whole.ValidateOnly = id.New(), true, true
	if made, err := f.client.CreateReferral(doctor, whole); err != nil || made.GetId() != "" {
		t.Errorf("a whole form: %v, %v", made, err)
	}
	// The same request is not used up by having been looked at.
	whole.ValidateOnly = false
	if made := f.must(f.client.CreateReferral(doctor, whole)); made.GetState() != referralv1.State_SUBMITTED {
		t.Errorf("sent it is %s", made.GetState())
	}
}
