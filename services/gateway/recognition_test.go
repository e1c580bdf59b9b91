package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	ordersPage    = "/patients/" + patientID + "/orders"
	orderMethod   = patientrecordv1.RecognitionService_RecordOrder_FullMethodName
	itemMethod    = patientrecordv1.RecognitionService_UpdateRecognitionItem_FullMethodName
	itemsPage     = "/settings/recognition"
	figuresPage   = "/statistics/recognition"
	settingMethod = patientrecordv1.RecognitionService_UpdateRecognitionSettings_FullMethodName
)

// recognising gives the patient a valid HbA1c, and a chest X-ray that is too old.
func (w *world) recognising() {
	hba1c := &patientrecordv1.Recognisable{
		ItemCode: "HBA1C", ItemName: "糖化血红蛋白", ItemNameEn: "HbA1c", OrganizationId: hospitalID, Mark: "桂HR", Direction: "UPPER",
		Time: timestamppb.New(now.AddDate(0, 0, -3)), ValidUntil: timestamppb.New(now.AddDate(0, 0, 87)),
		Results: []*patientrecordv1.RecognisedResult{{EntryId: noticeID, EntryVersion: 1, Value: "7.1 %", ReferenceRange: "4–6"}},
	}
	item := func(code, name, nameEn string, price int64) *patientrecordv1.RecognitionItem {
		return &patientrecordv1.RecognitionItem{
			Code: code, Version: 2, Name: name, NameEn: nameEn, Kind: "LAB", Range: "CITY", Mark: "HR", Codes: []string{"loinc|4548-4"}, OutpatientDays: 90,
			InpatientDays: -1, Price: price, Changed: true, Shipped: true, Source: "somewhere", Certainty: "SUGGESTED", Initials: "thxhdb",
		}
	}
	w.always(patientrecordv1.RecognitionService_ListRecognisable_FullMethodName, &patientrecordv1.ListRecognisableResponse{
		Recognisable: []*patientrecordv1.Recognisable{hba1c}, Withheld: 1,
		Others: []*patientrecordv1.Recognisable{{ItemCode: "CXR", ItemName: "胸部X线", ItemNameEn: "Chest X-ray", Refusal: "EXPIRED", Time: timestamppb.New(now.AddDate(0, -3, 0))}},
	})
	w.always(patientrecordv1.RecognitionService_ListRecognitionItems_FullMethodName, &patientrecordv1.ListRecognitionItemsResponse{
		Items: []*patientrecordv1.RecognitionItem{item("HBA1C", "糖化血红蛋白", "HbA1c", 4550), item("CBC", "血常规", "Full blood count", 0)},
	})
	w.always(patientrecordv1.RecognitionService_ListOrders_FullMethodName, &patientrecordv1.ListOrdersResponse{Orders: []*patientrecordv1.ExamOrder{{
		Id: bookingID, Setting: "INPATIENT", OrganizationId: hospitalID, CreateTime: timestamppb.New(now.AddDate(0, 0, -1)),
		Lines: []*patientrecordv1.OrderLine{{ItemCode: "HBA1C", ItemName: "糖化血红蛋白", ItemNameEn: "HbA1c", Decision: "REPEAT", ReasonCode: "RT6", ReasonText: "家属要求", Explained: true, Recognised: hba1c}},
	}}})
	w.always(orderMethod, &patientrecordv1.ExamOrder{Id: bookingID})
	w.always(itemMethod, item("HBA1C", "糖化血红蛋白", "HbA1c", 0))
	w.always(settingMethod, &patientrecordv1.RecognitionSettings{Version: 2})
	w.always(patientrecordv1.RecognitionService_GetRecognitionSettings_FullMethodName, &patientrecordv1.RecognitionSettings{Version: 1, Upper: true})
	w.always(patientrecordv1.RecognitionService_ListRecognitionChanges_FullMethodName, &patientrecordv1.ListRecognitionChangesResponse{
		Changes: []*patientrecordv1.RecognitionChange{{Version: 2, OrganizationId: hospitalID, AccountId: "a", Time: timestamppb.New(now), Values: []string{"outpatientDays=90"}}, {Version: 1, Reset_: true}},
	})
	measure := &patientrecordv1.RecognitionMeasure{
		Code: "IND-MR", Name: "检查检验结果互认率", NameEn: "Mutual recognition rate", Numerator: "其中予以互认的", NumeratorEn: "of these, recognised",
		Denominator: "已作出决定", DenominatorEn: "decided", Unit: "PERCENT", Source: "somewhere", Certainty: "SUGGESTED", CountedOn: "当日", CountedOnEn: "the day",
	}
	w.always(patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName, &patientrecordv1.GetRecognitionStatisticsResponse{
		Definitions: []*patientrecordv1.RecognitionMeasure{measure}, HasSaving: true, Saving: 9100, Unpriced: 3,
		Figures: []*patientrecordv1.RecognitionFigure{{Measure: "IND-MR", Key: []string{hospitalID}, Numerator: 3, Denominator: 4, Value: 75, HasValue: true}},
	})
	w.always(patientrecordv1.RecognitionService_ListRecognitionCases_FullMethodName, &patientrecordv1.ListRecognitionCasesResponse{
		NextPageToken: "next", Cases: []*patientrecordv1.RecognitionCase{{
			OrderId: bookingID, ItemCode: "HBA1C", Decision: "REPEAT", ReasonCode: "RT1", OrganizationId: hospitalID, PerformerId: townshipID, Direction: "LOWER",
			Setting: "OUTPATIENT", Time: timestamppb.New(now),
		}},
	})
}

func TestWhatIsValidIsShownAndRecognisedWithOneButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recognising()
	b := w.browser("township")
	got := b.get(ordersPage + "?setting=INPATIENT")
	body := got.Body.String()
	if strings.Contains(body, "Other need：") || !strings.Contains(body, "Other need: 家属要求") {
		t.Error("an English page has a Chinese colon")
	}
	for _, want := range []string{"HbA1c", "7.1 %", "桂HR", "upper organisation", "Too old", "Other need", "家属要求", `name="recognise" value="HBA1C"`, `aria-current="page"`, "Sensitive content"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if asked := called[*patientrecordv1.ListRecognisableRequest](w, patientrecordv1.RecognitionService_ListRecognisable_FullMethodName); asked[0].GetSetting() != "INPATIENT" {
		t.Errorf("asked for %s", asked[0].GetSetting())
	}
	if got := b.post(ordersPage, form("recognise", "HBA1C", "setting", "INPATIENT", "referral", referralID, "requestId", "r1")); got.Code != http.StatusSeeOther ||
		!strings.HasPrefix(got.Header().Get("Location"), ordersPage+"?") {
		t.Fatal(got.Code, got.Body)
	}
	made := called[*patientrecordv1.RecordOrderRequest](w, orderMethod)
	if len(made) != 1 || made[0].GetLines()[0].GetDecision() != "RECOGNISE" || made[0].GetReferralId() != referralID || made[0].GetRequestId() != "r1" {
		t.Errorf("%v", made)
	}
}

func TestAnOrderOfWhatIsThereComesBackWithTheQuestionAndEverythingTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recognising()
	w.refuse(orderMethod, errs.Invalid(errs.Bad("lines[1].decision", errs.ReasonFieldRecognisable)))
	b := w.browser("township")
	typed := form("setting", "OUTPATIENT", "requestId", "r1", "reasonText.HBA1C", "家属要求")
	typed["item"] = []string{"CBC", "HBA1C"}
	got := b.post(ordersPage, typed)
	body := got.Body.String()
	if got.Code != http.StatusBadRequest || !strings.Contains(body, `href="#f-decision.HBA1C"`) || !strings.Contains(body, "A valid result is there") {
		t.Errorf("%d: the question is not asked", got.Code)
	}
	if !strings.Contains(body, `value="CBC" checked`) || !strings.Contains(body, `value="HBA1C" checked`) || !strings.Contains(body, `value="家属要求"`) {
		t.Error("what was typed is lost")
	}
	w.always(orderMethod, &patientrecordv1.ExamOrder{Id: bookingID})
	again := with(typed, "decision.HBA1C", "REPEAT", "reasonCode.HBA1C", "RT1", "explained.HBA1C", "1")
	if got := b.post(ordersPage, again); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	made := called[*patientrecordv1.RecordOrderRequest](w, orderMethod)
	last := made[len(made)-1].GetLines()
	if last[0].GetDecision() != "ORDER" || last[1].GetDecision() != "REPEAT" || last[1].GetReasonCode() != "RT1" || !last[1].GetExplained() {
		t.Errorf("%v", last)
	}
}

func TestAnAdministratorSetsTheCatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recognising()
	admin := w.admin()
	if body := admin.get(itemsPage).Body.String(); !strings.Contains(body, `href="/settings/recognition/HBA1C"`) || !strings.Contains(body, "45.50") || !strings.Contains(body, "No limit") {
		t.Error("the catalogue is not listed")
	}
	body := admin.get(itemsPage + "/HBA1C").Body.String()
	if !strings.Contains(body, `value="45.50"`) || !strings.Contains(body, "outpatientDays=90") || !strings.Contains(body, `name="reset"`) {
		t.Error("the form lacks the price, the history or the undo")
	}
	typed := form("version", "2", "requestId", "r1", "name", "糖化", "kind", "LAB", "range", "CITY", "mark", "桂HR", "codes", "loinc|4548-4\nlocal|GHB",
		"outpatientDays", "60", "inpatientDays", "-1", "emergencyDays", "0", "price", "12.3")
	if got := admin.post(itemsPage+"/HBA1C", with(typed, "outpatientDays", "many")); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `value="many"`) ||
		!strings.Contains(got.Body.String(), `href="#f-outpatientDays"`) {
		t.Errorf("%d: what is no number is taken, or lost", got.Code)
	}
	if got := admin.post(itemsPage+"/HBA1C", typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	if body := admin.get(itemsPage + "/HBA1C").Body.String(); !strings.Contains(body, "Yangshuo County") || strings.Contains(body, "> 阳朔县人民医院<") {
		t.Error("an English page names organisations in Chinese")
	}
	made := called[*patientrecordv1.UpdateRecognitionItemRequest](w, itemMethod)
	if len(made) != 1 || made[0].GetItem().GetPrice() != 1230 || made[0].GetItem().GetOutpatientDays() != 60 || len(made[0].GetItem().GetCodes()) != 2 || made[0].GetItem().GetVersion() != 2 {
		t.Errorf("%v", made)
	}
	if got := admin.post(itemsPage, form("version", "1", "requestId", "r2", "upper", "1", "lower", "1")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	if set := called[*patientrecordv1.UpdateRecognitionSettingsRequest](w, settingMethod); len(set) != 1 || !set[0].GetSettings().GetLower() || set[0].GetSettings().GetPeers() {
		t.Errorf("%v", set)
	}
	if body := w.browser("township").get(itemsPage).Body.String(); strings.Contains(body, `class="primary"`) {
		t.Error("a doctor is offered to change the settings")
	}
}

func TestRecognitionFiguresHaveTheirDefinitionAndOpenIntoCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recognising()
	admin := w.admin()
	body := admin.get(figuresPage + "?from=2026-02-01&to=2026-02-28&by=organization").Body.String()
	for _, want := range []string{"75 %", "of these, recognised", "91.00", "3 more have no price", "part=DENOMINATOR", "organization=" + hospitalID} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	asked := called[*patientrecordv1.GetRecognitionStatisticsRequest](w, patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName)
	if asked[0].GetFrom() != "2026-02-01" || asked[0].GetTo() != "2026-03-01" {
		t.Errorf("asked for %s to %s", asked[0].GetFrom(), asked[0].GetTo())
	}
	if body := admin.get(figuresPage + "/cases?measure=IND-MR&from=2026-02-01&to=2026-02-28&organization=" + hospitalID).Body.String(); !strings.Contains(body, "HbA1c") ||
		!strings.Contains(body, "page=next") || strings.Contains(body, patientID) {
		t.Error("the cases are not shown, or name a patient")
	}
	w.always(patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName, &patientrecordv1.GetRecognitionStatisticsResponse{})
	if body := admin.get(figuresPage).Body.String(); strings.Contains(body, "¥") {
		t.Error("money is spoken of although the county entered no price")
	}
}

func TestRecognitionPagesAreSound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recognising()
	for _, language := range []string{"zh-CN", "en"} {
		for path, b := range map[string]*browser{
			ordersPage: w.browser("township"), itemsPage: w.admin(), itemsPage + "/HBA1C": w.admin(), itemsPage + "/new": w.admin(), figuresPage: w.admin(),
			figuresPage + "/cases?measure=IND-MR": w.admin(),
		} {
			b.language = language
			got := b.get(path)
			if got.Code != http.StatusOK {
				t.Errorf("%s: %d", path, got.Code)
				continue
			}
			for _, problem := range htmlcheck.Page(got.Body.String()) {
				t.Errorf("%s in %s: %s", path, language, problem)
			}
		}
	}
	if body := w.browser("desk").get("/referrals/" + referralID).Body.String(); !strings.Contains(body, "1 results can be recognised") || !strings.Contains(body, ordersPage+"?setting=") {
		t.Error("the receiver is not told what need not be examined again")
	}
}

func TestTheHistoryOfTheDirectionsIsShownToWhoSetsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recognising()
	if body := w.admin().get(itemsPage).Body.String(); !strings.Contains(body, "outpatientDays=90") {
		t.Error("the history of the directions is not shown")
	}
	if asked := lastly[*patientrecordv1.ListRecognitionChangesRequest](t, w, patientrecordv1.RecognitionService_ListRecognitionChanges_FullMethodName); asked.GetItemCode() != "" {
		t.Errorf("asked for %q", asked.GetItemCode())
	}
}
