package patientrecord_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// handedOver is HandoverService as the test has it.
type handedOver struct {
	referralv1.UnimplementedHandoverServiceServer
	mu      sync.Mutex
	consent *referralv1.ReferralConsent
}

func (h *handedOver) GetReferralConsent(context.Context, *referralv1.GetReferralConsentRequest) (*referralv1.ReferralConsent, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.consent == nil {
		return nil, errs.NotFound("consent")
	}
	return h.consent, nil
}

func (h *handedOver) say(c *referralv1.ReferralConsent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.consent = c
}

func TestAReferralsConsentIsListedAndWithdrawnOverTheWire(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		doctor := f.as("township", "TOWNSHIP_DOCTOR")
		p, err := f.client.RegisterPatient(doctor, zeng())
		if err != nil {
			t.Fatal(err)
		}
		given := timestamppb.New(time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC))
		referral := id.New()
		f.handover.say(&referralv1.ReferralConsent{
			ReferralId: referral, PatientId: p.GetId(), Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "county"},
			Consent: &referralv1.Consent{GivenBy: "曾小明", Relation: "0", Method: "SIGNED", At: given, TextVersion: "2026-1"},
		})
		f.publish(&referralv1.Submitted{Meta: meta(2), Referral: &referralv1.ReferralFact{
			ReferralId: referral, PatientId: p.GetId(), State: referralv1.State_SUBMITTED, PreviousState: referralv1.State_DRAFT,
			Kind: commonv1.Kind_OUTPATIENT, Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "county"},
		}}, "submitted")
		var c *patientrecordv1.ConsentRecord
		f.until(func() error {
			list, err := f.consents.ListConsents(doctor, &patientrecordv1.ListConsentsRequest{PatientId: p.GetId()})
			if err == nil && len(list.GetConsents()) == 0 {
				err = errs.NotFound("consent")
			}
			if err == nil {
				c = list.GetConsents()[0]
			}
			return err
		})
		if g := c.GetGiving(); c.GetScope() != patientrecordv1.ConsentScope_REFERRAL || c.GetState() != patientrecordv1.ConsentState_GIVEN || c.GetReferralId() != referral ||
			c.GetReceiverOrganizationId() != "county" || g.GetName() != "曾小明" || !proto.Equal(g.GetTime(), given) || strings.Join(c.GetActions(), ",") != "WITHDRAW" {
			t.Errorf("%v", c)
		}
		out := &patientrecordv1.WithdrawConsentRequest{
			RequestId: id.New(), PatientId: p.GetId(), Id: c.GetId(), Version: c.GetVersion(), Withdrawal: &patientrecordv1.Withdrawal{Relation: "0", Reason: "不再同意"},
		}
		gone, err := f.consents.WithdrawConsent(doctor, out)
		if err != nil || gone.GetState() != patientrecordv1.ConsentState_WITHDRAWN || gone.GetWithdrawal().GetReason() != "不再同意" || len(gone.GetActions()) != 0 {
			t.Fatalf("%v %v", gone, err)
		}
		if again, err := f.consents.WithdrawConsent(doctor, out); err != nil || !proto.Equal(again, gone) {
			t.Errorf("a repeat: %v", err)
		}
		m := bustest.Receive(t, f.facts, "consent_withdrawn")
		for !strings.HasSuffix(m.Subject, "consent_withdrawn") {
			m = bustest.Receive(t, f.facts, "consent_withdrawn")
		}
		var fact patientrecordv1.ConsentWithdrawn
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			t.Fatal(err)
		}
		if fact.GetConsent().GetConsentId() != c.GetId() || fact.GetConsent().GetReferralId() != referral || len(fact.GetMeta().GetAudience()) != 2 || strings.Contains(string(m.Payload), "曾") {
			t.Errorf("%v", &fact)
		}
		if _, err := f.client.GetPackage(f.as("county", "INTAKE_DESK"), &patientrecordv1.GetPackageRequest{ReferralId: referral}); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("it is still handed over: %v", err)
		}
	})
}

func TestTheWithdrawalOfWhatIsSensitiveNamesWhoHoldsARelation(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		done, err := f.cli.ImportRecord(t.Context(), imported("township"))
		if err != nil {
			t.Fatal(err)
		}
		patient, referral := done.GetPatientId(), id.New()
		f.publish(&referralv1.Submitted{Meta: meta(2), Referral: &referralv1.ReferralFact{
			ReferralId: referral, PatientId: patient, State: referralv1.State_SUBMITTED, PreviousState: referralv1.State_DRAFT,
			Kind: commonv1.Kind_OUTPATIENT, Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "county"},
		}}, "submitted")
		f.until(func() error {
			_, err := f.client.GetPackage(f.as("county", "INTAKE_DESK"), &patientrecordv1.GetPackageRequest{ReferralId: referral})
			return err
		})
		doctor := f.as("township", "TOWNSHIP_DOCTOR")
		c, err := f.consents.RecordConsent(doctor, &patientrecordv1.RecordConsentRequest{
			RequestId: id.New(), PatientId: patient, Scope: patientrecordv1.ConsentScope_SENSITIVE, ReceiverOrganizationId: "township",
			Giving: &patientrecordv1.Giving{Method: "SIGNED", Relation: "0", Name: "Elisha Bradtke", Time: timestamppb.New(time.Now().Add(-time.Hour)), TextVersion: "2025-3"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.consents.WithdrawConsent(doctor, &patientrecordv1.WithdrawConsentRequest{
			RequestId: id.New(), PatientId: patient, Id: c.GetId(), Version: c.GetVersion(), Withdrawal: &patientrecordv1.Withdrawal{Relation: "0", Reason: "不再同意"},
		}); err != nil {
			t.Fatal(err)
		}
		m := bustest.Receive(t, f.facts, "consent_withdrawn")
		for !strings.HasSuffix(m.Subject, "consent_withdrawn") {
			m = bustest.Receive(t, f.facts, "consent_withdrawn")
		}
		var fact patientrecordv1.ConsentWithdrawn
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			t.Fatal(err)
		}
		if got := fact.GetConsent().GetHolderOrganizationIds(); strings.Join(got, ",") != "county,township" || !slices.Contains(fact.GetMeta().GetAudience(), "org:county") {
			t.Errorf("%v", &fact)
		}
	})
}

func TestAConsentAndACopyComeBackOverTheWireAsTheyWereSaid(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		doctor := f.as("township", "TOWNSHIP_DOCTOR")
		p, err := f.client.RegisterPatient(doctor, zeng())
		if err != nil {
			t.Fatal(err)
		}
		at := timestamppb.New(time.Date(2026, 1, 29, 8, 0, 0, 0, time.UTC))
		in := &patientrecordv1.Giving{
			Name: "李某", Relation: "5", OnBehalf: "UNABLE", Phone: "13800138000", Method: "VERBAL_WITNESSED", Witness: "周护士", Time: at, TextVersion: "2025-3",
			Until: timestamppb.New(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)),
		}
		c, err := f.consents.RecordConsent(doctor, &patientrecordv1.RecordConsentRequest{
			RequestId: id.New(), PatientId: p.GetId(), Scope: patientrecordv1.ConsentScope_SENSITIVE, ReceiverOrganizationId: "county", Giving: in,
		})
		if err != nil {
			t.Fatal(err)
		}
		got := proto.CloneOf(c.GetGiving())
		got.AccountId, got.AccountName, got.OrganizationId, got.RecordTime = "", "", "", nil
		if !proto.Equal(got, in) || c.GetGiving().GetOrganizationId() != "township" {
			t.Errorf("%v, want %v", got, in)
		}
		if one, err := f.consents.GetConsent(doctor, &patientrecordv1.GetConsentRequest{PatientId: p.GetId(), Id: c.GetId()}); err != nil || !proto.Equal(one, c) {
			t.Errorf("read again: %v %v", one, err)
		}
		deferred, err := f.consents.RecordConsent(doctor, &patientrecordv1.RecordConsentRequest{
			RequestId: id.New(), PatientId: p.GetId(), Scope: patientrecordv1.ConsentScope_SENSITIVE, DeferredReason: "抢救",
		})
		if err != nil || deferred.GetState() != patientrecordv1.ConsentState_DEFERRED || deferred.GetReceiverOrganizationId() != "township" || deferred.GetDueTime() == nil {
			t.Errorf("%v %v", deferred, err)
		}
		list, err := f.consents.ListDeferredConsents(doctor, &patientrecordv1.ListDeferredConsentsRequest{})
		if err != nil || len(list.GetConsents()) != 1 || list.GetConsents()[0].GetPatient().GetIdentityNumber() == zeng().GetIdentityNumber() || list.GetConsents()[0].GetPatient().GetId() != p.GetId() {
			t.Errorf("%v %v", list, err)
		}
		if n, err := f.consents.CountDeferredConsents(doctor, &patientrecordv1.CountDeferredConsentsRequest{}); err != nil || n.GetCount() != 1 || n.GetOverdue() != 0 {
			t.Errorf("%v %v", n, err)
		}
		_, err = f.consents.RecordConsent(doctor, &patientrecordv1.RecordConsentRequest{RequestId: id.New(), PatientId: p.GetId()})
		f.reason(err, errs.ReasonFieldRequired)

		st := &patientrecordv1.CopyStatement{
			AskedBy: "AUTHORISED", Name: "李某", Relation: "5", IdentityCheck: "AUTHORISATION_LETTER", Purpose: "OTHER", Note: "理赔", IncludeSensitive: true, Form: "FHIR", From: at,
		}
		content, err := f.exports.ReadCopy(doctor, &patientrecordv1.ReadCopyRequest{PatientId: p.GetId(), Statement: st})
		if err != nil || content.GetPatient().GetIdentityNumber() != zeng().GetIdentityNumber() || len(content.GetConsents()) != 2 {
			t.Fatalf("%v", err)
		}
		row, err := f.exports.RecordExport(doctor, &patientrecordv1.RecordExportRequest{
			RequestId: id.New(), Kind: "OWN_COPY", Form: "FHIR", PatientId: p.GetId(), Statement: st, Entries: 2, Digest: []byte(strings.Repeat("d", 32)),
		})
		if err != nil || !proto.Equal(row.GetStatement(), st) || row.GetSha256() != strings.Repeat("64", 32) {
			t.Fatalf("%v %v", row, err)
		}
		listed, err := f.exports.ListExports(doctor, &patientrecordv1.ListExportsRequest{PatientId: p.GetId()})
		if err != nil || len(listed.GetExports()) != 1 || !proto.Equal(listed.GetExports()[0], row) {
			t.Errorf("%v %v", listed, err)
		}
		_, err = f.exports.RecordExport(doctor, &patientrecordv1.RecordExportRequest{RequestId: id.New(), Kind: "AUDIT", Form: "CSV", Digest: []byte("short")})
		if errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("a digest of five bytes: %v", err)
		}
		if strings.Contains(f.log.String(), "李某") || strings.Contains(f.log.String(), "抢救") {
			t.Error("the log tells who agreed, or why")
		}
	})
}
