package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	likelyMethod        = patientrecordv1.PatientIndexService_FindLikelyPatients_FullMethodName
	matchMethod         = patientrecordv1.PatientIndexService_GetMatch_FullMethodName
	matchesMethod       = patientrecordv1.PatientIndexService_ListMatches_FullMethodName
	decideMethod        = patientrecordv1.PatientIndexService_DecideMatch_FullMethodName
	updatePatientMethod = patientrecordv1.PatientIndexService_UpdatePatient_FullMethodName
	revealMethod        = patientrecordv1.PatientIndexService_RevealPatient_FullMethodName
	mergesMethod        = patientrecordv1.PatientIndexService_ListMerges_FullMethodName
	unmergeMethod       = patientrecordv1.PatientIndexService_UnmergePatients_FullMethodName

	matchID = "0192f0c1-0000-7000-8000-0000000000a1"
	otherID = "0192f0c1-0000-7000-8000-0000000000a2"
	mergeID = "0192f0c1-0000-7000-8000-0000000000a3"
)

func sampleMatch() *patientrecordv1.Match {
	return &patientrecordv1.Match{
		Id: matchID, Version: 3, State: "OPEN", Score: 31, Agrees: []string{"birthDate", "phone"}, Differs: []string{"name"}, MayDecide: true,
		First:      &patientrecordv1.Patient{Id: patientID, Name: "曾小明", BirthDate: "1956-03-12", IdentityNumber: "990***********0016", Phone: "138****8000"},
		Second:     &patientrecordv1.Patient{Id: otherID, Name: "曾晓明", BirthDate: "1956-03-12", NoDocumentReason: "LOST", Phone: "138****8000"},
		SurvivorId: patientID, SurvivorFixed: true,
	}
}

func TestPossibleDoublesAreListedWithWhatSpeaksForThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(matchesMethod, &patientrecordv1.ListMatchesResponse{Matches: []*patientrecordv1.Match{sampleMatch()}, NextPageToken: "31.x"})
	body := w.browser("township").get("/patients/matches").Body.String()
	for _, words := range []string{"曾小明", "曾晓明", "birth date", "telephone", `href="/matches/` + matchID + `"`, `href="/patients/matches?page=31.x"`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
}

func TestTwoRecordsAreComparedAndTheConsequenceIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(matchMethod, sampleMatch())
	body := w.browser("township").get("/matches/" + matchID).Body.String()
	for what, words := range map[string]string{
		"the difference": "≠ differs", "the consequence": `data-confirm="Merge? Records and referrals of both`, "who must stay": "The record with a document number must stay",
		"who cannot": `value="` + otherID + `" disabled`, "the version": `name="version" value="3"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	village := sampleMatch()
	village.MayDecide = false
	w.always(matchMethod, village)
	if body := w.browser("township").get("/matches/" + matchID).Body.String(); strings.Contains(body, "<button class=\"danger\">") {
		t.Error("who does not see both records whole is offered the decision")
	}
}

func TestADecisionIsSentWithItsVersionAndReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	merged := sampleMatch()
	merged.State = "MERGED"
	w.always(matchMethod, sampleMatch())
	w.always(decideMethod, merged)
	got := w.browser("township").post("/matches/"+matchID, form("requestId", "r", "version", "3", "decision", "MERGE", "survivorId", patientID, "reason", "same card"))
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/patients/"+patientID+"/identity" {
		t.Fatal(got.Code, got.Header())
	}
	if sent := lastly[*patientrecordv1.DecideMatchRequest](t, w, decideMethod); sent.GetVersion() != 3 || sent.GetDecision() != "MERGE" || sent.GetReason() != "same card" {
		t.Errorf("%v", sent)
	}
	w.refuse(decideMethod, errs.Invalid(errs.Required("reason")))
	got = w.browser("township").post("/matches/"+matchID, form("requestId", "r", "version", "3", "decision", "DIFFERENT"))
	if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "Grounds") {
		t.Errorf("without a reason: %d", got.Code)
	}
}

func TestLikelyDoublesAreShownBeforeARegistrationWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(likelyMethod, &patientrecordv1.FindLikelyPatientsResponse{Patients: []*patientrecordv1.LikelyPatient{{
		Patient: sampleMatch().GetFirst(), Score: 31, Agrees: []string{"birthDate"},
	}}})
	b := w.browser("township")
	typed := form("requestId", "r", "name", "曾晓明", "documentType", "NONE", "noDocumentReason", "LOST", "birthDate", "1956-03-12")
	body := b.post("/patients/new", typed).Body.String()
	for _, words := range []string{"Perhaps registered already", `name="sameAs" value="` + patientID + `"`, `name="confirmed" value="1"`, `value="曾晓明"`, "None of them, register"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	typed.Set("confirmed", "1")
	if got := b.post("/patients/new", typed); got.Code != http.StatusSeeOther {
		t.Errorf("going on: %d", got.Code)
	}
}

func TestTheSamePersonWithADocumentLeadsToTheGlass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(registerMethod, errs.Denied(errs.ReasonBreakGlassRequired).With("patientId", otherID))
	got := w.browser("township").post("/patients/new", form("requestId", "r", "name", "曾晓明", "sameAs", otherID))
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/access/"+otherID+"/glass" {
		t.Errorf("%d %q", got.Code, got.Header().Get("Location"))
	}
}

func TestIdentityIsCorrectedShownInFullAndUnmerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(mergesMethod, &patientrecordv1.ListMergesResponse{Merges: []*patientrecordv1.Merge{{Id: mergeID, Done: &patientrecordv1.Linking{Reason: "same card"}}}})
	w.always(revealMethod, &patientrecordv1.Patient{Id: patientID, IdentityNumber: "990122195603120016"})
	w.always(unmergeMethod, &patientrecordv1.Merge{Id: mergeID})
	b := w.browser("township")
	at := "/patients/" + patientID
	if body := b.get(at + "/identity").Body.String(); strings.Contains(body, "990122195603120016") || !strings.Contains(body, "Undo this merge") || !strings.Contains(body, `aria-current="page"`) {
		t.Error("the page shows a full number unasked, or no way to undo a merge")
	}
	got := b.post(at+"/reveal", form("purpose", "CONTACT"))
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "990122195603120016") || !strings.Contains(got.Header().Get("Cache-Control"), "no-store") {
		t.Errorf("revealed: %d", got.Code)
	}
	w.always(updatePatientMethod, &patientrecordv1.Patient{Id: patientID})
	if got := b.post(at+"/identity", form("requestId", "r", "version", "2", "name", "张雨桐")); got.Code != http.StatusSeeOther {
		t.Errorf("corrected: %d", got.Code)
	}
	if sent := lastly[*patientrecordv1.UpdatePatientRequest](t, w, updatePatientMethod); sent.GetVersion() != 2 || sent.GetName() != "张雨桐" || sent.Phone != nil {
		t.Errorf("%v", sent)
	}
	w.refuse(updatePatientMethod, errs.Conflict(errs.ReasonAlreadyRegistered, "x").With("patientId", otherID).With("matchId", matchID))
	if got := b.post(at+"/identity", form("requestId", "r", "version", "2")); got.Header().Get("Location") != "/matches/"+matchID {
		t.Errorf("a number of another record leads to %q", got.Header().Get("Location"))
	}
	if got := b.post(at+"/merges/"+mergeID, form("requestId", "r", "reason", "two people")); got.Code != http.StatusSeeOther {
		t.Errorf("undone: %d", got.Code)
	}
}
