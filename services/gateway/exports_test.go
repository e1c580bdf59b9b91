package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

const (
	readCopyMethod     = patientrecordv1.ExportService_ReadCopy_FullMethodName
	recordExportMethod = patientrecordv1.ExportService_RecordExport_FullMethodName
	listExportsMethod  = patientrecordv1.ExportService_ListExports_FullMethodName
	exportID           = "0192f0c1-0000-7000-8000-0000000000d1"
	copyPage           = "/patients/" + patientID + "/copy"
)

func sampleExport() *patientrecordv1.Export {
	return &patientrecordv1.Export{
		Id: exportID, Time: in(-time.Hour), Kind: "OWN_COPY", Form: "FHIR", PatientId: patientID, AccountId: "somebody", AccountName: "李医生", OrganizationId: townshipID,
		Statement: &patientrecordv1.CopyStatement{AskedBy: "GUARDIAN", Name: "王某", Relation: "5", IdentityCheck: "KINSHIP_PROOF", Purpose: "OTHER", Note: "入学", IncludeSensitive: true, Form: "FHIR"},
		Entries:   12, Sha256: strings.Repeat("ab", 32),
	}
}

func sampleCopy() *patientrecordv1.RecordCopy {
	out := &patientrecordv1.RecordCopy{
		Patient: samplePatient(), Time: in(0), Consents: []*patientrecordv1.ConsentRecord{sampleConsent(patientrecordv1.ConsentState_WITHDRAWN, patientrecordv1.ConsentScope_REFERRAL)},
		Attachments: []*patientrecordv1.Attachment{{Id: attachmentID, Title: "胸片", MediaType: "application/pdf", CreateTime: in(-time.Hour)}},
	}
	for kind := range contents() {
		e := sampleEntry(kind, "active", "RECORDED", 1)
		e.Id = id.FromFact("copied", kind)
		out.Entries = append(out.Entries, e)
	}
	return out
}

// leaving answers the methods of what leaves.
func leaving() map[string]proto.Message {
	return map[string]proto.Message{
		readCopyMethod: sampleCopy(), recordExportMethod: sampleExport(),
		listExportsMethod: &patientrecordv1.ListExportsResponse{Exports: []*patientrecordv1.Export{
			sampleExport(), {Id: exportID, Kind: "AUDIT", Form: "CSV", Time: in(0), AccountId: "a", OrganizationId: hospitalID},
		}, NextPageToken: "next"},
	}
}

func typedStatement() url.Values {
	return form("statement.askedBy", "GUARDIAN", "statement.name", "王某", "statement.relation", "5", "statement.identityCheck", "KINSHIP_PROOF", "statement.purpose", "SELF",
		"statement.includeSensitive", "1", "form", "FHIR")
}

func TestACopyIsHandedOutAfterItIsInTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := sound(t, "form", b.get(copyPage))
	if !strings.Contains(body, "What left of this patient") || !strings.Contains(body, strings.Repeat("ab", 32)) || !strings.Contains(body, `href="`+copyPage+`?page=next"`) {
		t.Error("the home centre does not see what left")
	}
	got := b.post(copyPage, typedStatement())
	h := got.Header()
	if got.Code != http.StatusOK || h.Get("Content-Type") != "application/fhir+json; charset=utf-8" || h.Get("Content-Disposition") != `attachment; filename="record.fhir.json"` || h.Get("Cache-Control") != "no-store" {
		t.Fatal(got.Code, h)
	}
	row := lastly[*patientrecordv1.RecordExportRequest](t, w, recordExportMethod)
	digest := sha256.Sum256(got.Body.Bytes())
	if hex.EncodeToString(row.GetDigest()) != hex.EncodeToString(digest[:]) || row.GetKind() != "OWN_COPY" || row.GetForm() != "FHIR" || row.GetPatientId() != patientID ||
		int(row.GetEntries()) != len(sampleCopy().GetEntries())+2 || row.GetStatement().GetName() != "王某" || !row.GetStatement().GetIncludeSensitive() {
		t.Errorf("%v", row)
	}
	back, err := fhir.ParseBundle(got.Body, fhir.Options{})
	if err != nil || back.Records[0].GetPatient().GetName() != markName {
		t.Errorf("the document is not read again: %v", err)
	}
	asked := lastly[*patientrecordv1.ReadCopyRequest](t, w, readCopyMethod)
	if !proto.Equal(asked.GetStatement(), row.GetStatement()) {
		t.Error("something else was stated to read it")
	}
	b.post(copyPage, with(typedStatement(), "statement.askedBy", "PATIENT", "statement.from", "2026-01-01", "statement.to", "2026-03-01"))
	st := lastly[*patientrecordv1.ReadCopyRequest](t, w, readCopyMethod).GetStatement()
	if st.GetName() != "" || st.GetRelation() != "" || !st.GetTo().AsTime().Equal(time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("%v", st)
	}
	for _, mark := range marks() {
		if strings.Contains(b.overt.String(), url.QueryEscape(mark)) || strings.Contains(b.overt.String(), mark) {
			t.Errorf("an address tells %q", mark)
		}
	}
}

func TestNothingIsHandedOutWithoutTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(recordExportMethod, errs.Unavailable("patientrecord", nil))
	w.always(directoryv1.DirectoryService_ListAccounts_FullMethodName, &directoryv1.ListAccountsResponse{})
	w.always(commonv1.AuditService_SearchAudit_FullMethodName, &commonv1.SearchAuditResponse{})
	for _, how := range []string{"FHIR", "PRINT"} {
		got := w.browser("township").post(copyPage, with(typedStatement(), "form", how))
		if got.Code != http.StatusServiceUnavailable || strings.Contains(got.Body.String(), `"resourceType"`) || strings.Contains(got.Body.String(), "患者病历复制件") {
			t.Errorf("%s: %d", how, got.Code)
		}
	}
	if got := w.api(http.MethodPost, "/patients/"+patientID+"/copies", "township", "{}"); got.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", got.Code)
	}
	for _, format := range []string{"csv", "jsonl"} {
		if got := w.auditor().get("/audit/export?format=" + format); got.Code != http.StatusServiceUnavailable {
			t.Errorf("the audit record left: %d", got.Code)
		}
	}
}

func TestAPrintedCopySaysWhoseItIsAndWhatItHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.browser("township").post(copyPage, with(typedStatement(), "form", "PRINT"))
	body := sound(t, "print", got)
	for _, want := range []string{
		"患者病历复制件", markName, "诊断与健康问题", "知情同意", "胸片", "已撤回", "白沙镇卫生院（盖章处）", strings.Repeat("ab", 32), "包含敏感类别的内容", `class="sheet copy" lang="zh-CN"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on paper", want)
		}
	}
	w.always(readCopyMethod, &patientrecordv1.RecordCopy{Patient: &patientrecordv1.Patient{Id: patientID, Name: "无名"}, Time: in(0)})
	w.always(recordExportMethod, &patientrecordv1.Export{Id: exportID, Time: in(0), Statement: &patientrecordv1.CopyStatement{}})
	if body := sound(t, "empty", w.browser("township").post(copyPage, with(typedStatement(), "form", "PRINT"))); strings.Count(body, "无记录") != 10 || !strings.Contains(body, "不表示病历中有或没有") {
		t.Error("an empty record is not said to be one")
	}
}

func TestACopyThatIsRefusedKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.refuse(listExportsMethod, errs.Denied(errs.ReasonRole))
	w.refuse(readCopyMethod, errs.Invalid(errs.Bad("statement.askedBy", errs.ReasonFieldInvalid, "cause", "CHILD"), errs.Required("statement.note")))
	got := b.post(copyPage, with(typedStatement(), "statement.purpose", "OTHER"))
	body := sound(t, "refused", got)
	if got.Code != http.StatusBadRequest || !strings.Contains(body, "under 14") || !strings.Contains(body, `value="王某"`) || !strings.Contains(body, `name="statement.includeSensitive" value="1" checked`) {
		t.Errorf("%d", got.Code)
	}
	if strings.Contains(body, "What left of this patient") {
		t.Error("another centre is shown the ledger")
	}
	w.refuse(readCopyMethod, errs.NotFound("patient"))
	if got := b.post(copyPage, typedStatement()); got.Code != http.StatusNotFound {
		t.Errorf("%d", got.Code)
	}
}

func TestTheAPIHandsOutACopyWithItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.api(http.MethodPost, "/patients/"+patientID+"/copies", "township", `{"askedBy":"PATIENT","identityCheck":"IDENTITY_CARD","purpose":"SELF"}`)
	if got.Code != http.StatusOK || got.Header().Get("X-Export-Id") != exportID || got.Header().Get("X-Export-Digest") == "" || !strings.Contains(got.Body.String(), `"type":"document"`) {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	if st := lastly[*patientrecordv1.ReadCopyRequest](t, w, readCopyMethod).GetStatement(); st.GetForm() != "FHIR" || st.GetAskedBy() != "PATIENT" {
		t.Errorf("%v", st)
	}
	if got := w.api(http.MethodPost, "/patients/"+patientID+"/copies", "township", `{"askedBy":5}`); got.Code != http.StatusBadRequest {
		t.Errorf("%d", got.Code)
	}
	if got := w.api(http.MethodPost, "/patients/"+patientID+"/copies", "", `{}`); got.Code != http.StatusUnauthorized {
		t.Errorf("%d", got.Code)
	}
	for _, path := range []string{"/exports", "/patients/" + patientID + "/consents", "/deferred-consents", "/deferred-consents:count"} {
		if got := w.api(http.MethodGet, path, "township", ""); got.Code != http.StatusOK {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

func TestAuditorsSeeWhatLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on(w, directoryv1.DirectoryService_ListAccounts_FullMethodName, func(context.Context, *directoryv1.ListAccountsRequest) (*directoryv1.ListAccountsResponse, error) {
		return &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{doctor()}}, nil
	})
	b := w.auditor()
	body := sound(t, "ledger", b.get("/exports?organization="+townshipID+"&kind=OWN_COPY&from=2026-03-01&until=2026-03-02&person=township"))
	for _, want := range []string{"Patient&#39;s copy", "12 entries", "with sensitive content", `data-nav="exports"`, `<a href="/exports?patient=` + patientID, "page=next", "kind=OWN_COPY&amp;"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	asked := lastly[*patientrecordv1.ListExportsRequest](t, w, listExportsMethod)
	if asked.GetAccountId() != doctor().GetId() || asked.GetOrganizationId() != townshipID || asked.GetKind() != "OWN_COPY" || !asked.GetTo().AsTime().Equal(time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("%v", asked)
	}
	if got := b.get("/exports?person=nobody&from=2026-03-02&until=2026-03-01"); got.Code != http.StatusBadRequest || strings.Count(sound(t, "wrong", got), `class="field wrong"`) != 2 {
		t.Errorf("%d", got.Code)
	}
}
