package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	if strings.Contains(body, "<td>31</td>") || !strings.Contains(body, "<td>Very likely one person</td>") {
		t.Error("how likely it is stands there as a number of bits")
	}
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

func TestNumbersOfTwoRecordsAreShownInFullOnPurposeOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(matchMethod, sampleMatch())
	on(w, revealMethod, func(_ context.Context, in *patientrecordv1.RevealPatientRequest) (*patientrecordv1.Patient, error) {
		return &patientrecordv1.Patient{Id: in.GetId(), Name: "曾小明", IdentityNumber: markNumber, Phone: "13800138000"}, nil
	})
	b := w.browser("township")
	if body := b.get("/matches/" + matchID).Body.String(); strings.Contains(body, markNumber) || len(called[*patientrecordv1.RevealPatientRequest](w, revealMethod)) != 0 {
		t.Error("shown at once")
	}
	got := b.post("/matches/"+matchID+"/reveal", form())
	asked := called[*patientrecordv1.RevealPatientRequest](w, revealMethod)
	if !strings.Contains(got.Body.String(), markNumber) || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d: not shown, or kept in caches", got.Code)
	}
	if len(asked) != 2 || asked[0].GetId() != patientID || asked[1].GetId() != otherID || asked[0].GetPurpose() != "IDENTIFY" {
		t.Errorf("asked for %v", asked)
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

func TestWhatIsNoCompleteMergeIsNotTakenForTwoPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(matchMethod, sampleMatch())
	w.refuse(decideMethod, errs.Invalid(errs.Required("survivorId")))
	b := w.browser("township")
	sent := func(decision, survivor string) *httptest.ResponseRecorder {
		return b.post("/matches/"+matchID, form("requestId", "r", "version", "3", "decision", decision, "survivorId", survivor, "reason", "same card"))
	}
	for _, x := range [][2]string{{"MERGE", ""}, {"DIFFERENT", patientID}} {
		got := sent(x[0], x[1])
		if in := lastly[*patientrecordv1.DecideMatchRequest](t, w, decideMethod); in.GetDecision() != x[0] || in.GetSurvivorId() != x[1] || got.Code != http.StatusBadRequest {
			t.Errorf("%v became %v", x, in)
		}
	}
	// What is neither is refused by the contract and reaches nobody.
	for _, decision := range []string{"", "SOMETHING"} {
		if got := sent(decision, patientID); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `class="errors"`) {
			t.Errorf("%q: %d", decision, got.Code)
		}
	}
	if n := len(called[*patientrecordv1.DecideMatchRequest](w, decideMethod)); n != 2 {
		t.Errorf("%d decisions were sent on", n)
	}
}

func TestARefusedDecisionIsShownInItsOwnForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(matchMethod, sampleMatch())
	w.refuse(decideMethod, errs.Invalid(errs.Bad("reason", errs.ReasonFieldTooLong)))
	b := w.browser("township")
	for decision, other := range map[string]string{"MERGE": "DIFFERENT", "DIFFERENT": "MERGE"} {
		body := b.post("/matches/"+matchID, form("requestId", "r", "version", "3", "decision", decision, "survivorId", patientID, "reason", "twins next door")).Body.String()
		if !strings.Contains(body, `href="#f-reason-`+decision+`"`) || strings.Count(body, `value="twins next door"`) != 1 || strings.Count(body, `class="field wrong"`) != 1 {
			t.Errorf("%s: the error leads nowhere, or stands in both forms", decision)
		}
		if _, mine, _ := strings.Cut(body, `id="f-reason-`+decision+`"`); !strings.HasPrefix(mine, ` name="reason" maxlength="60" required value="twins next door"`) {
			t.Errorf("%s: the reason stands in the form of %s", decision, other)
		}
	}
}

func TestOnANarrowScreenEveryValueSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(matchMethod, sampleMatch())
	body := w.browser("township").get("/matches/" + matchID).Body.String()
	for _, words := range []string{`<small class="narrow">Record A</small> 曾小明`, `<small class="narrow">Record B</small> 曾晓明`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	w.recognising()
	if body := w.admin().get(itemsPage).Body.String(); !strings.Contains(body, `<small class="narrow">outpatient</small> 90`) && !strings.Contains(body, `<small class="narrow">Outpatient</small> 90`) {
		t.Error("the days of an item have no name")
	}
}

// identityForm is the form as the page draws it, with some fields changed.
func identityForm(pairs ...string) url.Values {
	p := samplePatient()
	shown := map[string]string{
		"name": p.GetName(), "sex": "FEMALE", "birthDate": p.GetBirthDate(), "documentType": "RESIDENT_IDENTITY_CARD", "noDocumentReason": "", "village": p.GetVillage(),
		"address": p.GetAddress(), "guardianName": p.GetGuardianName(),
	}
	values := form("requestId", "r1", "version", "1", "was.phone", "139****4321")
	for name, value := range shown {
		values.Set(name, value)
		values.Set("was."+name, value)
	}
	return with(values, pairs...)
}

func TestOnlyWhatWasChangedIsCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(updatePatientMethod, samplePatient())
	b := w.browser("township")
	at := "/patients/" + patientID + "/identity"
	page := b.get(at).Body.String()
	if strings.Contains(page, markPhone) || !strings.Contains(page, "On record: 139****4321") {
		t.Error("a number stands in full without a purpose, or is not told at all")
	}
	for name, values := range identityForm() {
		if strings.HasPrefix(name, "was.") && !strings.Contains(page, `name="`+name+`" value="`+values[0]+`"`) {
			t.Errorf("the form does not keep %s", name)
		}
	}
	b.post(at, identityForm("village", "新县村"))
	in := lastly[*patientrecordv1.UpdatePatientRequest](t, w, updatePatientMethod)
	if in.GetVillage() != "新县村" || in.Name != nil || in.Address != nil || in.Sex != nil || in.DocumentType != nil || in.BirthDate != nil || in.GuardianName != nil || in.Phone != nil {
		t.Errorf("%v", in)
	}
}

func TestACorrectionUponAnOlderVersionOverwritesNothingUnseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := samplePatient()
	now.Version, now.Address, now.Village, now.Phone = 2, "同事改的地址", "同事改的村", "13900001111"
	w.always(patientMethod, now)
	w.refuse(updatePatientMethod, errs.Stale(2, ""))
	b := w.browser("township")
	body := b.post("/patients/"+patientID+"/identity", identityForm("name", "张雨桐", "village", "新县村")).Body.String()
	for what, words := range map[string]string{
		"what was typed": `name="name" type="text" value="张雨桐"`, "what was typed over another's": `name="village" type="text" value="新县村"`,
		"what stands now and was not touched": `name="address" type="text" value="同事改的地址"`, "the present version": `name="version" value="2"`,
		"what somebody else changed": "changed this to: 同事改的村", "a number that somebody else changed": "changed this to: 139****1111",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if strings.Count(body, `class="changed"`) != 3 {
		t.Error("what nobody changed is marked, or what somebody did is not")
	}
}

func TestAWrongNumberIsTakenAwayByItsTick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(updatePatientMethod, samplePatient())
	b := w.browser("township")
	at := "/patients/" + patientID + "/identity"
	if body := b.get(at).Body.String(); !strings.Contains(body, `name="remove" value="phone"`) || strings.Contains(body, `name="remove" value="guardianPhone"`) {
		t.Error("a number that is there cannot be removed, or one that is not can")
	}
	b.post(at, identityForm("remove", "phone"))
	if in := lastly[*patientrecordv1.UpdatePatientRequest](t, w, updatePatientMethod); in.Phone == nil || in.GetPhone() != "" || in.InsuranceNumber != nil || in.GuardianPhone != nil {
		t.Errorf("%v", in)
	}
	before := len(called[*patientrecordv1.UpdatePatientRequest](w, updatePatientMethod))
	got := b.post(at, identityForm("remove", "phone", "phone", "13800138000"))
	if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "both a new number and the tick") || !strings.Contains(got.Body.String(), `value="phone" checked`) {
		t.Errorf("a number and its removal: %d", got.Code)
	}
	if len(called[*patientrecordv1.UpdatePatientRequest](w, updatePatientMethod)) != before {
		t.Error("it was sent")
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

func TestANewbornIsRegisteredWithTheMother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	if body := b.get("/patients/new?as=newborn").Body.String(); !strings.Contains(body, `name="motherIdentityNumber"`) {
		t.Error("nobody asks for the mother")
	}
	if body := b.get("/patients/" + patientID).Body.String(); !strings.Contains(body, `<a href="/patients/`+otherID+`">秦＊</a>`) || !strings.Contains(body, `/patients/new?as=newborn&amp;mother=`+patientID) {
		t.Error("the mother's page names no child, or begins none")
	}
	body := b.get("/patients/new?as=newborn&mother=" + otherID).Body.String()
	if !strings.Contains(body, `name="motherPatientId" value="`+otherID+`"`) || strings.Contains(body, `name="motherIdentityNumber"`) {
		t.Error("the mother is asked for again")
	}
	linked := form("requestId", "r", "name", "秦小芳之女", "newborn", "1", "documentType", "NONE", "noDocumentReason", "NEWBORN", "motherPatientId", otherID, "confirmed", "1")
	w.refuse(registerMethod, errs.Invalid(errs.Bad("motherPatientId", errs.ReasonFieldUnknown, "cause", "MOTHER")))
	if body := b.post("/patients/new", linked).Body.String(); !strings.Contains(body, `<input type="checkbox" name="motherPatientId" value="`+otherID+`" checked>`) {
		t.Error("a mother who is refused cannot be left out")
	}
	typed := form("requestId", "r", "name", "秦小芳之女", "newborn", "1", "documentType", "NONE", "noDocumentReason", "NEWBORN", "motherIdentityNumber", "450321199602110022", "confirmed", "1")
	w.refuse(registerMethod, errs.Invalid(errs.Bad("motherIdentityNumber", errs.ReasonFieldUnknown, "cause", "MOTHER")))
	if body := b.post("/patients/new", typed).Body.String(); !strings.Contains(body, "has no record in this county") || !strings.Contains(body, `value="450321199602110022"`) {
		t.Error("a refusal loses the number, or says nothing")
	}
	b.post("/patients/new", typed)
	sent := called[*patientrecordv1.RegisterPatientRequest](w, registerMethod)
	if last := sent[len(sent)-1]; last.GetMotherIdentityNumber() != "450321199602110022" {
		t.Errorf("sent %v", last.GetMotherIdentityNumber())
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
	body := b.post(at+"/identity", form("requestId", "r", "version", "2", "identityNumber", "990122195603120016", "address", "白沙街一号")).Body.String()
	if !strings.Contains(body, `href="/matches/`+matchID+`"`) || !strings.Contains(body, `value="990122195603120016"`) || !strings.Contains(body, `value="白沙街一号"`) {
		t.Error("a number of another record does not lead to the match, or loses the other corrections")
	}
	if got := b.post(at+"/merges/"+mergeID, form("requestId", "r", "reason", "two people")); got.Code != http.StatusSeeOther {
		t.Errorf("undone: %d", got.Code)
	}
}
