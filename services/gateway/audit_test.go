package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const auditEntryID = "0192f0c1-0000-7000-8000-0000000000e1"

// audited is a world with an auditor and one entry in every service.
func audited(t *testing.T) (*world, *browser) {
	t.Helper()
	w := newWorld(t)
	w.sessions["auditor"] = &directoryv1.Account{
		Id: "0192f0c1-0000-7000-8000-0000000000a3", Login: "auditor", Name: "秦审计", OrganizationId: hospitalID, OrganizationName: "阳朔县人民医院",
		County: "450321", Roles: []commonv1.Role_Code{commonv1.Role_AUDITOR},
	}
	on(w, directoryv1.DirectoryService_ListAccounts_FullMethodName, func(context.Context, *directoryv1.ListAccountsRequest) (*directoryv1.ListAccountsResponse, error) {
		return &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{doctor(), clerk()}}, nil
	})
	on(w, commonv1.AuditService_SearchAudit_FullMethodName, func(context.Context, *commonv1.SearchAuditRequest) (*commonv1.SearchAuditResponse, error) {
		return &commonv1.SearchAuditResponse{Entries: []*commonv1.AuditEntry{{
			Id: auditEntryID, Time: timestamppb.New(now), AccountId: doctor().GetId(), OrganizationId: townshipID, Action: "patient.read",
			ObjectType: "patient", ObjectId: patientID, PatientId: patientID, Detail: "TREATMENT", Seq: 7,
		}}}, nil
	})
	on(w, commonv1.AuditService_VerifyAudit_FullMethodName, func(_ context.Context, in *commonv1.VerifyAuditRequest) (*commonv1.VerifyAuditResponse, error) {
		return &commonv1.VerifyAuditResponse{Sealed: 12, Signed: 10, SignTime: timestamppb.New(now), Checked: 12, Done: in.GetLimit() > 0}, nil
	})
	return w, w.browser("auditor")
}

func TestAnAuditorBeginsAtTheRecordAndReadsItInWords(t *testing.T) {
	t.Parallel()
	_, b := audited(t)
	if to := b.get("/").Header().Get("Location"); to != "/audit" {
		t.Errorf("begins at %q", to)
	}
	answer := b.get("/audit")
	body := answer.Body.String()
	if strings.Contains(body, ">阳朔县人民医院</option>") || !strings.Contains(body, "Export raw data (JSON)") {
		t.Error("organisations are named in Chinese, or the export in no words")
	}
	for what, words := range map[string]string{
		"who": "李医生 (township)", "did": "Saw a patient", "detail": "Treatment", "number": "No. 7", "all about the patient": "/audit?from=2026-02-24&amp;patient=" + patientID,
		"export": "/audit/export?", "the rail": `href="/audit" aria-current="page"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}

func TestTheRecordIsAskedForByWhatWasChosen(t *testing.T) {
	t.Parallel()
	w, b := audited(t)
	b.get("/audit?person=township&patient=" + patientID + "&organization=" + hospitalID + "&group=sign-in&from=2026-03-01&until=2026-03-01")
	ask := lastly[*commonv1.SearchAuditRequest](t, w, commonv1.AuditService_SearchAudit_FullMethodName)
	if ask.GetAccountId() != doctor().GetId() || ask.GetPatientId() != patientID || ask.GetOrganizationId() != hospitalID || len(ask.GetActions()) != 3 {
		t.Errorf("%v", ask)
	}
	if span := ask.GetTo().AsTime().Sub(ask.GetFrom().AsTime()).Hours(); span != 24 {
		t.Errorf("one day is asked for as %v hours", span)
	}
	if answer := b.get("/audit?person=nobody"); answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), `value="nobody"`) {
		t.Errorf("a person whom nobody knows: %d", answer.Code)
	}
}

func TestAPatientIsFoundInTheAuditWithoutBeingNamedByAnAddress(t *testing.T) {
	t.Parallel()
	w, b := audited(t)
	w.always(patientrecordv1.PatientIndexService_FindAuditedPatients_FullMethodName, &patientrecordv1.FindAuditedPatientsResponse{Patients: []*patientrecordv1.AuditedPatient{{
		Patient: &patientrecordv1.Patient{Id: patientID, Name: "曾＊＊", BirthDate: "1956-03-12", IdentityNumber: "990***********0016", HomeOrganizationId: townshipID}, MergedIds: []string{otherID},
	}}})
	if body := b.get("/audit").Body.String(); !strings.Contains(body, `action="/audit/patients"`) {
		t.Error("nothing to look for a patient with")
	}
	sent := b.post("/audit/patients", form("query", markName))
	to := sent.Header().Get("Location")
	if sent.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/audit/patients/") || strings.Contains(to, url.QueryEscape(markName)) {
		t.Fatalf("%d %q", sent.Code, to)
	}
	answer := b.get(to)
	for _, words := range []string{`<a href="/audit?patient=` + patientID + `">曾＊＊</a>`, `href="/audit?patient=` + otherID + `"`, "Baisha"} {
		if !strings.Contains(answer.Body.String(), words) {
			t.Errorf("%q is missing", words)
		}
	}
	for _, problem := range htmlcheck.Page(answer.Body.String()) {
		t.Error(problem)
	}
	if asked := lastly[*patientrecordv1.FindAuditedPatientsRequest](t, w, patientrecordv1.PatientIndexService_FindAuditedPatients_FullMethodName); asked.GetQuery() != markName {
		t.Error("another one is looked for")
	}
	// A search of the patients' page cannot be opened here, nor the reverse.
	if got := w.browser("township").get(strings.Replace(to, "/audit/patients/", "/patient-searches/", 1)); got.Header().Get("Location") != "/patients" {
		t.Error("the words of the auditor can be opened elsewhere")
	}
	w.refuse(patientrecordv1.PatientIndexService_FindAuditedPatients_FullMethodName, errs.New(errs.KindDenied, errs.ReasonRole, "no", nil))
	if got := b.get(to); got.Code != http.StatusForbidden {
		t.Errorf("refused, and answers %d", got.Code)
	}
}

func TestAnExportIsAFileAndSaysSoToTheServices(t *testing.T) {
	t.Parallel()
	w, b := audited(t)
	answer := b.get("/audit/export?format=csv")
	if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "李医生 (township)") || !strings.Contains(answer.Header().Get("Content-Disposition"), "audit.csv") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if row := lastly[*patientrecordv1.RecordExportRequest](t, w, recordExportMethod); row.GetKind() != "AUDIT" || row.GetForm() != "CSV" || len(row.GetDigest()) != 32 || row.GetEntries() == 0 {
		t.Errorf("the ledger says %v", row)
	}
	if !lastly[*commonv1.SearchAuditRequest](t, w, commonv1.AuditService_SearchAudit_FullMethodName).GetExport() {
		t.Error("the services take it for a search")
	}
}

func TestTheChainsAreShownAndVerified(t *testing.T) {
	t.Parallel()
	w, b := audited(t)
	if body := b.get("/audit/chains").Body.String(); strings.Count(body, `<small class="narrow">`) != 3*5 {
		t.Error("on a narrow screen the figures have no names")
	}
	if body := b.get("/audit/chains").Body.String(); strings.Count(body, "Verify now") != 5 || strings.Contains(body, "Whole") {
		t.Error("five chains, none verified yet")
	}
	answer := b.post("/audit/chains", form("service", "referral"))
	if body := answer.Body.String(); !strings.Contains(body, "Whole; checked up to no. 12") {
		t.Errorf("%d: not verified", answer.Code)
	}
	on(w, commonv1.AuditService_VerifyAudit_FullMethodName, func(context.Context, *commonv1.VerifyAuditRequest) (*commonv1.VerifyAuditResponse, error) {
		return &commonv1.VerifyAuditResponse{Sealed: 12, Problems: []*commonv1.AuditProblem{{Kind: "CHANGED", Seq: 4}}}, nil
	})
	if body := b.post("/audit/chains", form("service", "referral")).Body.String(); !strings.Contains(body, "No. 4: the content was changed") {
		t.Error("the number of the problem is not named")
	}
}

func TestWhoIsNoAuditorIsRefused(t *testing.T) {
	t.Parallel()
	w, _ := audited(t)
	w.refuse(commonv1.AuditService_SearchAudit_FullMethodName, errs.Denied(errs.ReasonRole))
	w.refuse(commonv1.AuditService_VerifyAudit_FullMethodName, errs.Denied(errs.ReasonRole))
	for _, path := range []string{"/audit", "/audit/chains", "/audit/export"} {
		if answer := w.browser("township").get(path); answer.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}

func TestLongListsSayWhatIsChosenAndShowIdsByTheirEnds(t *testing.T) {
	t.Parallel()
	w, b := audited(t)
	body := b.get("/audit?group=reading&organization=" + townshipID + "&from=2026-03-01&until=2026-03-02").Body.String()
	if !strings.Contains(body, "<small>2026-03-01 – 2026-03-02 · Baisha") || !strings.Contains(body, `<details class="fold">`) {
		t.Error("the form does not fold under what is chosen")
	}
	if !strings.Contains(body, `<code title="`+patientID+`">…`+patientID[len(patientID)-10:]+`</code>`) || strings.Contains(body, ">"+patientID+"<") {
		t.Error("the patient's id is not shown once, by its end")
	}
	on(w, commonv1.AuditService_SearchAudit_FullMethodName, func(context.Context, *commonv1.SearchAuditRequest) (*commonv1.SearchAuditResponse, error) {
		return &commonv1.SearchAuditResponse{Entries: []*commonv1.AuditEntry{{Id: auditEntryID, Time: timestamppb.New(now), AccountId: "service:referral", Action: "patient.snapshot"}}}, nil
	})
	if body := b.get("/audit").Body.String(); strings.Contains(body, "service:referral") || !strings.Contains(body, "System (Referrals)") {
		t.Error("a service is not called by words")
	}
}
