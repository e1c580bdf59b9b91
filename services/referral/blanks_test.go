package referral_test

import (
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// A pile of forms from its printing to the last of them: entered, refused, taken back, verified.
func TestABlankFormIsEnteredOnceByTheOrganisationThatHasIt(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		downtime, handover := referralv1.NewDowntimeServiceClient(f.Dial("gateway", "referral")), referralv1.NewHandoverServiceClient(f.Dial("gateway", "referral"))
		desk, doctor := f.as("INTAKE_DESK"), f.as("TOWNSHIP_DOCTOR")
		before := f.must(f.client.CreateReferral(doctor, f.creation()))
		ask := &referralv1.AllotBlankFormsRequest{RequestId: id.New(), OrganizationId: before.GetOriginator().GetOrganizationId(), Form: "OUT", Count: 3}
		_, err := downtime.AllotBlankForms(doctor, ask)
		f.expectReason(err, errs.ReasonRole)
		batch, err := downtime.AllotBlankForms(desk, ask)
		if err != nil || len(batch.GetForms()) != 3 {
			f.t.Fatalf("allotted %v, %v", batch, err)
		}
		// The sheet names a day: it may be written on until that day ends in the county.
		if until := batch.GetForms()[0].GetValidUntil().AsTime().In(time.FixedZone("CST", 8*3600)); until.Format(time.TimeOnly) != "23:59:59" {
			f.t.Errorf("may be written on until %s", until)
		}
		if again, err := downtime.AllotBlankForms(desk, ask); err != nil || !proto.Equal(again, batch) {
			f.t.Errorf("the repeated request got %v, %v", again, err)
		}
		_, err = downtime.AllotBlankForms(f.as("CENTRE_HEAD"), &referralv1.AllotBlankFormsRequest{RequestId: id.New(), OrganizationId: before.GetReceiver().GetOrganizationId(), Form: "OUT", Count: 1})
		f.expectReason(err, errs.ReasonRole)
		_, err = downtime.AllotBlankForms(desk, &referralv1.AllotBlankFormsRequest{RequestId: id.New(), Form: "NOTE", Count: 51})
		if e, ok := errs.As(err); !ok || len(e.Fields) != 3 {
			f.t.Errorf("nothing of it is right: %v", err)
		}
		first, second, third := batch.GetForms()[0], batch.GetForms()[1], batch.GetForms()[2]
		verify := func(number, key string) *referralv1.Verification {
			v, err := handover.VerifySlip(rpc.AsService(f.t.Context()), &referralv1.VerifySlipRequest{Number: number, Key: key})
			if err != nil {
				f.t.Fatal(err)
			}
			return v
		}
		if v := verify(first.GetNumber(), first.GetVerificationKey()); !v.GetGenuine() || !v.GetBlank() || v.GetPatient() != "" || v.GetVoid() {
			f.t.Errorf("a blank form verifies as %v", v)
		}
		if v := verify(first.GetNumber(), "AAAAAAAA"); !proto.Equal(v, &referralv1.Verification{}) {
			f.t.Errorf("with a wrong key it verifies as %v", v)
		}

		entry := func(number string, written time.Time) *referralv1.CreateReferralRequest {
			in := f.creation()
			in.RequestId, in.Submit, in.PatientId, in.BlankNumber, in.WrittenTime = id.New(), true, id.New(), number, timestamppb.New(written)
			return in
		}
		at := first.GetPrintTime().AsTime()
		for name, in := range map[string]*referralv1.CreateReferralRequest{
			"a number that is none": entry("450321-26-0999999-1", at), "before it was printed": entry(first.GetNumber(), at.Add(-time.Hour)),
			"in the future": entry(first.GetNumber(), at.Add(time.Hour)), "another organisation's": nil, "a draft": entry(first.GetNumber(), at),
			"without a time": entry(first.GetNumber(), at), "another kind": entry(first.GetNumber(), at),
		} {
			who := doctor
			switch name {
			case "a draft":
				in.Submit = false
			case "without a time":
				in.WrittenTime = nil
			case "another kind":
				in.Kind, in.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
			case "another organisation's":
				other, err := downtime.AllotBlankForms(desk, &referralv1.AllotBlankFormsRequest{
					RequestId: id.New(), OrganizationId: before.GetReceiver().GetOrganizationId(), Form: "OUT", Count: 1,
				})
				if err != nil {
					f.t.Fatal(err)
				}
				in = entry(other.GetForms()[0].GetNumber(), at)
			}
			if _, err := f.client.CreateReferral(who, in); errs.KindOf(err) != errs.KindInvalid {
				f.t.Errorf("%s: %v", name, err)
			}
		}

		// Two people enter the same form at once: one referral carries its number.
		entries := []*referralv1.CreateReferralRequest{entry(first.GetNumber(), at), entry(first.GetNumber(), at)}
		made, failed := make([]*referralv1.Referral, 2), make([]error, 2)
		var both sync.WaitGroup
		for i, in := range entries {
			both.Go(func() { made[i], failed[i] = f.client.CreateReferral(doctor, in) })
		}
		both.Wait()
		won := 0
		if failed[0] != nil {
			won = 1
		}
		r := f.must(made[won], failed[won])
		f.expectReason(failed[1-won], errs.ReasonFieldCombination)
		if r.GetNumber() != first.GetNumber() || !r.GetWrittenTime().AsTime().Equal(at) || r.GetState() != referralv1.State_SUBMITTED || r.GetSubmitTime().AsTime().Before(at) {
			f.t.Errorf("entered as %v", r)
		}
		if again, err := f.client.CreateReferral(doctor, entries[won]); err != nil || again.GetId() != r.GetId() {
			f.t.Errorf("the repeated entry got %v, %v", again, err)
		}
		if v := verify(first.GetNumber(), first.GetVerificationKey()); v.GetPatient() == "" || v.GetBlank() {
			f.t.Errorf("an entered form verifies as %v", v)
		}

		// One is lost. What is used or taken back stays so.
		void := &referralv1.VoidBlankFormRequest{Number: second.GetNumber(), RequestId: id.New(), ReasonCode: "OTHER"}
		_, err = downtime.VoidBlankForm(desk, void)
		f.expectReason(err, errs.ReasonFieldRequired)
		void.ReasonCode = "LOST"
		for range 2 {
			if b, err := downtime.VoidBlankForm(desk, void); err != nil || b.GetState() != referralv1.BlankForm_VOID || b.GetVoidReason() != "LOST" {
				f.t.Errorf("taken back: %v, %v", b, err)
			}
		}
		for _, number := range []string{first.GetNumber(), second.GetNumber()} {
			_, err = downtime.VoidBlankForm(desk, &referralv1.VoidBlankFormRequest{Number: number, RequestId: id.New(), ReasonCode: "SPOILED"})
			f.expectReason(err, errs.ReasonActionNotAvailable)
		}
		_, err = f.client.CreateReferral(doctor, entry(second.GetNumber(), at))
		f.expectReason(err, errs.ReasonFieldCombination)
		if v := verify(second.GetNumber(), second.GetVerificationKey()); !v.GetGenuine() || !v.GetVoid() {
			f.t.Errorf("a void form verifies as %v", v)
		}
		left, err := downtime.ListBlankForms(doctor, &referralv1.ListBlankFormsRequest{State: referralv1.BlankForm_OUTSTANDING})
		if err != nil || len(left.GetForms()) != 1 || left.GetForms()[0].GetNumber() != third.GetNumber() {
			f.t.Errorf("outstanding for the township: %v, %v", left, err)
		}
		// No number was given twice.
		next := f.must(f.client.CreateReferral(doctor, func() *referralv1.CreateReferralRequest {
			in := f.creation()
			in.RequestId, in.Submit, in.PatientId = id.New(), true, id.New()
			return in
		}()))
		for _, b := range batch.GetForms() {
			if b.GetNumber() == next.GetNumber() {
				f.t.Errorf("%s was given twice", next.GetNumber())
			}
		}
	})
}

// The way back on paper: once, by the hospital that has the form, and on a form of its kind.
func TestAFormOfTheWayBackIsEnteredOnceByTheHospitalThatHasIt(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		downtime := referralv1.NewDowntimeServiceClient(f.Dial("gateway", "referral"))
		desk, doctor := f.as("INTAKE_DESK"), f.as("SPECIALIST")
		up := f.must(f.client.CreateReferral(f.as("TOWNSHIP_DOCTOR"), f.creation()))
		hospital := up.GetReceiver().GetOrganizationId()
		allot := func(organization, form string) *referralv1.BlankForm {
			f.t.Helper()
			batch, err := downtime.AllotBlankForms(desk, &referralv1.AllotBlankFormsRequest{RequestId: id.New(), OrganizationId: organization, Form: form, Count: 1})
			if err != nil {
				f.t.Fatal(err)
			}
			return batch.GetForms()[0]
		}
		own := allot(hospital, "BACK")
		entry := func(number string) *referralv1.CreateReferralRequest {
			in := f.back(id.New())
			in.BlankNumber, in.WrittenTime = number, own.GetPrintTime()
			return in
		}
		_, err := f.client.CreateReferral(doctor, entry(allot(hospital, "OUT").GetNumber()))
		f.expectReason(err, errs.ReasonFieldCombination)
		_, err = f.client.CreateReferral(doctor, entry(allot(f.township, "BACK").GetNumber()))
		f.expectReason(err, errs.ReasonFieldUnknown)
		wrongWay := f.creation()
		wrongWay.RequestId, wrongWay.Submit, wrongWay.BlankNumber, wrongWay.WrittenTime = id.New(), true, allot(f.township, "BACK").GetNumber(), own.GetPrintTime()
		_, err = f.client.CreateReferral(f.as("TOWNSHIP_DOCTOR"), wrongWay)
		f.expectReason(err, errs.ReasonFieldCombination)
		r := f.must(f.client.CreateReferral(doctor, entry(own.GetNumber())))
		if r.GetNumber() != own.GetNumber() || r.GetDirection() != commonv1.Direction_DOWN || !r.GetWrittenTime().AsTime().Equal(own.GetPrintTime().AsTime()) {
			f.t.Errorf("entered as %v", r)
		}
		_, err = f.client.CreateReferral(doctor, entry(own.GetNumber()))
		f.expectReason(err, errs.ReasonFieldCombination)
	})
}

// However many there are, each is listed, and once.
func TestBlankFormsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		downtime := referralv1.NewDowntimeServiceClient(f.Dial("gateway", "referral"))
		desk := f.as("INTAKE_DESK")
		want := map[string]bool{}
		for range 3 {
			batch, err := downtime.AllotBlankForms(desk, &referralv1.AllotBlankFormsRequest{RequestId: id.New(), OrganizationId: f.township, Form: "OUT", Count: 5})
			if err != nil {
				f.t.Fatal(err)
			}
			for _, b := range batch.GetForms() {
				want[b.GetNumber()] = true
			}
		}
		ask := &referralv1.ListBlankFormsRequest{PageSize: 4}
		for pages := 0; ; pages++ {
			page, err := downtime.ListBlankForms(desk, ask)
			if err != nil || pages > 4 {
				f.t.Fatalf("page %d: %v", pages, err)
			}
			for _, b := range page.GetForms() {
				if !want[b.GetNumber()] {
					f.t.Errorf("%s is listed twice, or was not printed", b.GetNumber())
				}
				delete(want, b.GetNumber())
			}
			if ask.PageToken = page.GetNextPageToken(); ask.PageToken == "" {
				break
			}
		}
		if len(want) > 0 {
			f.t.Errorf("%d are not listed", len(want))
		}
		// Who asks for no size reads no token either.
		_, err := downtime.AllotBlankForms(desk, &referralv1.AllotBlankFormsRequest{RequestId: id.New(), OrganizationId: f.township, Form: "OUT", Count: 50})
		if err != nil {
			f.t.Fatal(err)
		}
		if all, err := downtime.ListBlankForms(desk, &referralv1.ListBlankFormsRequest{}); err != nil || len(all.GetForms()) != 65 || all.GetNextPageToken() != "" {
			f.t.Errorf("%d are listed at once, %v", len(all.GetForms()), err)
		}
		_, err = downtime.ListBlankForms(desk, &referralv1.ListBlankFormsRequest{PageToken: "x"})
		f.expectReason(err, errs.ReasonFieldInvalid)
	})
}
