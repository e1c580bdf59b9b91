package patientrecord_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord"
)

// aboutPatient is a request of each method that the policy says needs a relation to the patient.
func aboutPatient(patient, entry, document string) map[string]proto.Message {
	why := func(version int32) *patientrecordv1.ChangeEntryRequest {
		return &patientrecordv1.ChangeEntryRequest{
			RequestId: id.New(), PatientId: patient, Id: entry, Version: version, Content: allergyTo("青霉素", ""), ReasonCode: "WRONG_VALUE",
		}
	}
	of := &patientrecordv1.GetEntryRequest{PatientId: patient, Id: entry}
	file := &patientrecordv1.GetAttachmentRequest{PatientId: patient, Id: document}
	return map[string]proto.Message{
		patientrecordv1.PatientIndexService_UpdatePatient_FullMethodName: &patientrecordv1.UpdatePatientRequest{
			Id: patient, RequestId: id.New(), Version: 1, Village: proto.String("旧县村"),
		},
		patientrecordv1.PatientIndexService_RevealPatient_FullMethodName: &patientrecordv1.RevealPatientRequest{Id: patient, Purpose: "CONTACT"},
		patientrecordv1.PatientIndexService_ListMerges_FullMethodName:    &patientrecordv1.ListMergesRequest{PatientId: patient},
		patientrecordv1.PatientRecordService_GetPatient_FullMethodName:   &patientrecordv1.GetPatientRequest{Id: patient},
		patientrecordv1.PatientRecordService_GetSummary_FullMethodName:   &patientrecordv1.GetSummaryRequest{PatientId: patient},
		patientrecordv1.PatientRecordService_ListResults_FullMethodName:  &patientrecordv1.ListResultsRequest{PatientId: patient},
		patientrecordv1.PatientRecordService_GetSnapshot_FullMethodName:  &patientrecordv1.GetSnapshotRequest{PatientId: patient},
		patientrecordv1.ClinicalRecordService_RecordEntries_FullMethodName: &patientrecordv1.RecordEntriesRequest{
			RequestId: id.New(), PatientId: patient, Entries: []*patientrecordv1.EntryDraft{draft(allergyTo("头孢", ""))},
		},
		patientrecordv1.ClinicalRecordService_AmendEntry_FullMethodName:         why(1),
		patientrecordv1.ClinicalRecordService_CorrectEntry_FullMethodName:       why(1),
		patientrecordv1.ClinicalRecordService_MarkEnteredInError_FullMethodName: why(1),
		patientrecordv1.ClinicalRecordService_GetEntry_FullMethodName:           of,
		patientrecordv1.ClinicalRecordService_ListEntryVersions_FullMethodName:  of,
		patientrecordv1.ClinicalRecordService_ListEntries_FullMethodName:        &patientrecordv1.ListEntriesRequest{PatientId: patient},
		patientrecordv1.ClinicalRecordService_GetTrends_FullMethodName:          &patientrecordv1.GetTrendsRequest{PatientId: patient},
		patientrecordv1.AttachmentService_UploadAttachment_FullMethodName: &patientrecordv1.UploadAttachmentRequest{
			Part: &patientrecordv1.UploadAttachmentRequest_Header{Header: &patientrecordv1.AttachmentHeader{
				RequestId: id.New(), PatientId: patient, Kind: patientrecordv1.AttachmentKind_LAB_REPORT, Title: "化验单",
			}},
		},
		patientrecordv1.AttachmentService_ListAttachments_FullMethodName: &patientrecordv1.ListAttachmentsRequest{PatientId: patient},
		patientrecordv1.AttachmentService_GetAttachment_FullMethodName:   file,
		patientrecordv1.AttachmentService_DownloadAttachment_FullMethodName: &patientrecordv1.DownloadAttachmentRequest{
			PatientId: patient, Id: document,
		},
		patientrecordv1.AttachmentService_CorrectAttachment_FullMethodName: &patientrecordv1.CorrectAttachmentRequest{
			RequestId: id.New(), PatientId: patient, Id: document, Version: 1, Kind: patientrecordv1.AttachmentKind_LAB_REPORT, Title: "血常规", Reason: "写错了",
		},
		patientrecordv1.AttachmentService_MarkAttachmentEnteredInError_FullMethodName: &patientrecordv1.MarkAttachmentEnteredInErrorRequest{
			RequestId: id.New(), PatientId: patient, Id: document, Version: 1, Reason: "别人的",
		},
		patientrecordv1.AccessService_StatePurpose_FullMethodName: &patientrecordv1.StatePurposeRequest{
			PatientId: patient, Purpose: patientrecordv1.Purpose_TREATMENT, RequestId: id.New(),
		},
		patientrecordv1.RecognitionService_ListRecognisable_FullMethodName: &patientrecordv1.ListRecognisableRequest{PatientId: patient},
		patientrecordv1.RecognitionService_RecordOrder_FullMethodName: &patientrecordv1.RecordOrderRequest{
			PatientId: patient, RequestId: id.New(), Lines: []*patientrecordv1.OrderLine{{ItemCode: "CT", Decision: "ORDERED"}},
		},
		patientrecordv1.RecognitionService_ListOrders_FullMethodName: &patientrecordv1.ListOrdersRequest{PatientId: patient},
	}
}

// otherwise are methods that need a relation but are not asked with a patient's id; other tests hold them to it.
func otherwise() map[string]string {
	return map[string]string{
		patientrecordv1.PatientRecordService_GetPackage_FullMethodName:        "by a referral: handover_test.go",
		patientrecordv1.PatientRecordService_GetClinicalValues_FullMethodName: "by a service: handover_test.go",
		patientrecordv1.PatientIndexService_DecideMatch_FullMethodName:        "by a match: internal/app/link_test.go",
		patientrecordv1.PatientIndexService_UnmergePatients_FullMethodName:    "by a merge: internal/app/link_test.go",
	}
}

// try makes one call, streamed or not; what is answered is told by the error alone.
func (f *fixture) try(conn *grpc.ClientConn, organization, method string, in proto.Message) error {
	f.t.Helper()
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", "."))
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		f.t.Fatal(err)
	}
	m, ok := d.(protoreflect.MethodDescriptor)
	if !ok {
		f.t.Fatalf("%s is no method", method)
	}
	out, ctx := dynamicpb.NewMessage(m.Output()), f.as(organization, "TOWNSHIP_DOCTOR")
	if !m.IsStreamingClient() && !m.IsStreamingServer() {
		return conn.Invoke(ctx, method, in, out)
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: m.IsStreamingClient(), ServerStreams: m.IsStreamingServer()}, method)
	if err != nil {
		return err
	}
	if err := errors.Join(notEnd(stream.SendMsg(in)), notEnd(stream.CloseSend())); err != nil {
		return err
	}
	return notEnd(stream.RecvMsg(out))
}

func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Every method that the policy says needs a relation to the patient, by organisations with none, one that reaches to the package, and the whole one.
func TestEveryMethodAnswersByTheRelationThatItsRuleNeeds(t *testing.T) {
	eachWritten(t, func(t *testing.T, f written) {
		conn := f.Dial("gateway", "patientrecord")
		entry := f.put(draft(allergyTo("青霉素", "")))[0].GetId()
		document, err := f.upload(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.AttachmentHeader{
			RequestId: id.New(), PatientId: f.patient, Kind: patientrecordv1.AttachmentKind_LAB_REPORT, Title: "化验单",
		}, noisy(t, 10))
		if err != nil {
			t.Fatal(err)
		}
		// The referral service says once that this organisation was sent the patient; that counts for a while.
		f.peer.mu.Lock()
		f.peer.relation = &referralv1.GetRelationResponse{Level: "PACKAGE", ReferralId: id.New()}
		f.peer.mu.Unlock()
		if _, err := f.client.GetPatient(f.as("receiver", "TOWNSHIP_DOCTOR"), &patientrecordv1.GetPatientRequest{Id: f.patient}); err != nil {
			t.Fatal(err)
		}
		f.peer.mu.Lock()
		f.peer.relation = nil
		f.peer.mu.Unlock()

		known, unknown := aboutPatient(f.patient, entry, document.GetId()), aboutPatient(id.New(), entry, document.GetId())
		for method, rule := range patientrecord.Policy() {
			if rule.Need != authz.Package && rule.Need != authz.Full {
				if known[method] != nil {
					t.Errorf("%s is asked with a patient, and its rule needs %q", method, rule.Need)
				}
				continue
			}
			in, there := known[method]
			if !there {
				if otherwise()[method] == "" {
					t.Errorf("%s needs %s and is tried by nobody", method, rule.Need)
				}
				continue
			}
			nobody, stranger := f.try(conn, "stranger", method, unknown[method]), f.try(conn, "stranger", method, in)
			if errs.KindOf(stranger) != errs.KindNotFound || stranger == nil || stranger.Error() != nobody.Error() || !same(stranger, nobody) {
				t.Errorf("%s without a relation: %v; for nobody: %v", method, stranger, nobody)
			}
			receiver := f.try(conn, "receiver", method, in)
			switch reason := errs.ReasonOf(receiver); {
			case rule.Need == authz.Full && (reason != errs.ReasonBreakGlassRequired || errs.KindOf(receiver) != errs.KindDenied):
				t.Errorf("%s with the package: %v, want %s", method, receiver, errs.ReasonBreakGlassRequired)
			case rule.Need == authz.Package && reason == errs.ReasonBreakGlassRequired:
				t.Errorf("%s with the package: %v", method, receiver)
			}
		}
		for method, in := range known {
			err := f.try(conn, "township", method, in)
			switch reason := errs.ReasonOf(err); reason {
			case errs.ReasonRole, errs.ReasonBreakGlassRequired, errs.ReasonNotFound:
				t.Errorf("%s with the whole relation: %v", method, err)
			}
		}
	})
}

// same tells whether two refusals cannot be told apart.
func same(a, b error) bool {
	x, ok := errs.As(a)
	y, also := errs.As(b)
	return ok && also && x.Kind == y.Kind && x.Reason == y.Reason && len(x.Meta) == len(y.Meta) && len(x.Fields) == len(y.Fields)
}

// What each level shows of a patient: nothing, the masked line, the masked line with a phone's ends, and all but numbers in a summary.
func TestWhatIsShownGrowsWithTheLevel(t *testing.T) {
	eachWritten(t, func(t *testing.T, f written) {
		whole := zeng()
		found, err := f.client.SearchPatients(f.as("stranger", "TOWNSHIP_DOCTOR"), &patientrecordv1.SearchPatientsRequest{IdentityNumber: whole.GetIdentityNumber()})
		if err != nil || len(found.GetPatients()) != 1 {
			t.Fatalf("by number: %v", err)
		}
		if p := found.GetPatients()[0]; p.GetName() != "曾＊＊" || p.GetPhone()+p.GetAddress()+p.GetHomeOrganizationId() != "" || p.GetIdentityNumber() == whole.GetIdentityNumber() {
			t.Errorf("without a relation a search shows %s with phone %t", p.GetAccess(), p.GetPhone() != "")
		}
		f.peer.mu.Lock()
		f.peer.relation = &referralv1.GetRelationResponse{Level: "PACKAGE", ReferralId: id.New()}
		f.peer.mu.Unlock()
		p, err := f.client.GetPatient(f.as("receiver", "TOWNSHIP_DOCTOR"), &patientrecordv1.GetPatientRequest{Id: f.patient})
		if err != nil || p.GetAccess() != patientrecordv1.Access_PACKAGE || p.GetName() != "曾＊＊" || p.GetPhone() == whole.GetPhone() || p.GetAddress() != "" {
			t.Errorf("with the package: %s, %v", p.GetAccess(), err)
		}
		doctor := f.as("township", "TOWNSHIP_DOCTOR")
		summary, err := f.client.GetSummary(doctor, &patientrecordv1.GetSummaryRequest{PatientId: f.patient})
		if p := summary.GetPatient(); err != nil || p.GetName() != whole.GetName() || p.GetPhone() == whole.GetPhone() || p.GetIdentityNumber() == whole.GetIdentityNumber() {
			t.Errorf("a summary shows numbers in full: %v", err)
		}
		index := patientrecordv1.NewPatientIndexServiceClient(f.Dial("gateway", "patientrecord"))
		p, err = index.RevealPatient(doctor, &patientrecordv1.RevealPatientRequest{Id: f.patient, Purpose: "CONTACT"})
		if err != nil || p.GetPhone() != whole.GetPhone() || p.GetIdentityNumber() != whole.GetIdentityNumber() {
			t.Errorf("on purpose they are shown: %v", err)
		}
	})
}

func TestASpanThatIsTooShortOrTooLongStopsTheStart(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]patientrecord.Config{
		"glass-open is 23h":     {GlassOpen: 23 * time.Hour},
		"visit-open is 169h":    {VisitOpen: 169 * time.Hour},
		"sensitive-open is 25h": {SensitiveOpen: 25 * time.Hour},
		"referral-kept is 1h":   {ReferralKept: time.Hour},
		"feed-kept is 24h":      {FeedKept: 24 * time.Hour},
	} {
		if _, err := patientrecord.New(t.Context(), cfg, patientrecord.Deps{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
