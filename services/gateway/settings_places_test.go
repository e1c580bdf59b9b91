package gateway_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	placesMethod        = directoryv1.PlaceService_ListPlaces_FullMethodName
	placeMethod         = directoryv1.PlaceService_GetPlace_FullMethodName
	savePlaceMethod     = directoryv1.PlaceService_SavePlace_FullMethodName
	departmentMethod    = directoryv1.PlaceService_SaveDepartment_FullMethodName
	abilityMethod       = directoryv1.PlaceService_SetCapabilities_FullMethodName
	stockListMethod     = directoryv1.PlaceService_ListMedicines_FullMethodName
	medicineMethod      = directoryv1.PlaceService_SaveMedicine_FullMethodName
	placeVersionsMethod = directoryv1.PlaceService_ListPlaceVersions_FullMethodName
	againMethod         = directoryv1.PlaceService_RestorePlaceVersion_FullMethodName
	tableMethod         = directoryv1.PlaceService_ImportTable_FullMethodName
	setStockMethod      = directoryv1.DirectoryService_SetStock_FullMethodName

	openMethod   = referralv1.StatisticsService_CountOpen_FullMethodName
	comingMethod = schedulingv1.CalendarService_CountComing_FullMethodName

	medicineID = "0192f0c1-0000-7000-8000-0000000000d1"
	placePath  = "/settings/organizations/" + townshipID
)

func samplePlace() *directoryv1.Place {
	return &directoryv1.Place{
		Organization: &directoryv1.Organization{
			Id: townshipID, Version: 7, County: "450321", Code: "450321101", Name: "白沙镇卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE, Phone: "0773-8880001", Address: "白沙镇",
		},
		Departments: []*directoryv1.Department{
			{OrganizationId: townshipID, Code: "02", Name: "全科医疗科", HasBeds: true}, {OrganizationId: townshipID, Code: "50", Name: "中医科", Disabled: true},
		},
		Capabilities: &directoryv1.OrganizationCapabilities{OrganizationId: townshipID, Version: 2, Capabilities: []*directoryv1.Capability{{Code: "TCM", Note: "每日"}}},
		Accounts:     5, Below: 3, OpenDepartments: 1, Medicines: 44,
	}
}

func sampleMedicine() *directoryv1.FormularyItem {
	return &directoryv1.FormularyItem{
		Id: medicineID, Version: 4, OrganizationId: townshipID, Name: "替格瑞洛片", Specification: "90mg", Atc: "B01AC24", Stock: directoryv1.StockState_OUT_OF_STOCK, Orderable: true,
	}
}

// placing answers what the pages of places and medicines ask.
func placing() map[string]proto.Message {
	closed := &directoryv1.Organization{Id: externalID, Code: "450321101201", Name: "古板村卫生室", Type: directoryv1.OrganizationType_VILLAGE_CLINIC, ParentId: townshipID, Disabled: true}
	older, newer := samplePlace(), samplePlace()
	older.Organization.Phone, older.Departments = "0773-1", older.GetDepartments()[:1]
	return map[string]proto.Message{
		openMethod: &referralv1.OpenWork{Sent: 2, Received: 12, Candidates: 3, FollowedUp: 5},
		comingMethod: &schedulingv1.CountComingResponse{Sessions: 9, Taken: 4, Parts: []*schedulingv1.ComingPart{
			{OrganizationId: hospitalID, DepartmentCode: "0304", Kind: "CLINIC", TemplateId: templateID, PractitionerName: "陈<b>医生", Sessions: 8, Taken: 4, FirstDay: "2026-03-04", LastDay: "2026-03-30"},
			{OrganizationId: townshipID, DepartmentCode: "02", Kind: "EXPERT", PractitionerName: "陈<b>医生", Sessions: 1, FirstDay: "2026-03-05", LastDay: "2026-03-05"},
		}},
		placesMethod: &directoryv1.ListPlacesResponse{Places: []*directoryv1.Place{samplePlace(), {Organization: closed}}},
		placeMethod:  samplePlace(), savePlaceMethod: samplePlace().GetOrganization(), departmentMethod: samplePlace(), abilityMethod: samplePlace().GetCapabilities(),
		stockListMethod: &directoryv1.ListMedicinesResponse{NextPageToken: "next", Medicines: []*directoryv1.Medicine{
			{Item: sampleMedicine(), UpdateTime: in(-time.Hour), AccountName: "莫医生", StockTime: in(-48 * time.Hour)},
			{Item: &directoryv1.FormularyItem{Id: noticeID, Version: 1, OrganizationId: townshipID, Name: "曲马多", Stock: directoryv1.StockState_IN_STOCK, RestrictedClass: "PSYCHOTROPIC"}, UpdateTime: in(-time.Hour)},
		}},
		medicineMethod: sampleMedicine(), setStockMethod: sampleMedicine(), againMethod: &directoryv1.RestorePlaceVersionResponse{Version: 8},
		placeVersionsMethod: &directoryv1.ListPlaceVersionsResponse{Versions: []*directoryv1.PlaceVersion{
			{Version: 7, ChangeTime: in(-time.Hour), AccountName: "管理员", Organization: newer.GetOrganization(), Departments: newer.GetDepartments()},
			{Version: 6, ChangeTime: in(-48 * time.Hour), Organization: older.GetOrganization(), Departments: older.GetDepartments()},
		}},
		tableMethod: &directoryv1.ImportTableResponse{Created: 3, Updated: 2, Unchanged: 1, Problems: []*directoryv1.TableProblem{
			{Line: 4, Field: "parent_code", Reason: "FIELD_UNKNOWN"}, {Line: 9, Field: "code", Reason: "DUPLICATE", First: 2}, {Line: 12, Reason: "CUT_OFF"},
		}},
	}
}

func (w *world) visitSettingsOfPlaces(language string, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	admin := w.admin()
	admin.language = language
	head := w.as("head-of-centre", commonv1.Role_CENTRE_HEAD)
	head.language = language
	for _, path := range []string{
		"/settings/organizations", "/settings/organizations/new", placePath, placePath + "/edit", placePath + "/close", placePath + "/department", placePath + "/department?code=50",
		"/settings/formulary?organization=" + townshipID, "/settings/formulary/medicine", "/settings/formulary/medicine?id=" + medicineID, "/settings/tables/organizations",
		"/settings/tables/formulary", "/settings/versions/PLACE/" + townshipID,
	} {
		see(admin, path)
	}
	see(head, "/settings/formulary")
	look("try", admin, admin.post("/settings/tables/departments", form("content", base64.StdEncoding.EncodeToString([]byte("code")), "name", "d.csv")))
	look("done", admin, admin.post("/settings/tables/departments", form("content", base64.StdEncoding.EncodeToString([]byte("code")), "name", "d.csv", "do", "import")))
	look("no file", admin, admin.post("/settings/tables/departments", form()))
	w.refuse(savePlaceMethod, errs.Invalid(errs.Bad("organization.code", errs.ReasonFieldCombination), errs.Bad("organization.type", errs.ReasonFieldRequired)))
	look("place", admin, admin.post("/settings/organizations", typedPlace()))
	w.refuse(departmentMethod, errs.Invalid(errs.Bad("department.code", errs.ReasonFieldInvalid)))
	look("department", admin, admin.post(placePath+"/department", form("department.code", "x", "version", "7")))
	w.refuse(abilityMethod, errs.Stale(3, ""))
	look("abilities", admin, admin.post(placePath+"/capabilities", form("can", "ECG", "note.ECG", "工作日", "version", "2")))
	w.refuse(medicineMethod, errs.Invalid(errs.Bad("item.name", errs.ReasonFieldCombination), errs.Bad("item.stock", errs.ReasonFieldRequired)))
	look("medicine", admin, admin.post("/settings/formulary", form("item.name", "替格瑞洛片")))
	w.refuse(setStockMethod, errs.Stale(5, ""))
	look("stock", admin, admin.post("/settings/formulary/stock", form("id", medicineID, "version", "4", "stock", "IN_STOCK")))
	w.refuse(againMethod, errs.Stale(8, ""))
	look("restore", admin, admin.post("/settings/versions/PLACE/"+townshipID, form("restore", "6", "version", "7")))
	w.always(placesMethod, &directoryv1.ListPlacesResponse{})
	see(admin, "/settings/organizations")
	w.always(stockListMethod, &directoryv1.ListMedicinesResponse{})
	see(admin, "/settings/formulary")
	see(admin, "/settings/formulary?query=x")
}

func typedPlace() url.Values {
	return form("requestId", "0192f0c1-0000-7000-8000-0000000000d2", "organization.code", "450321102", "organization.name", "葡萄镇卫生院", "organization.type", "TOWNSHIP_CENTRE",
		"organization.parentId", hospitalID, "organization.phone", "0773-8880002", "organization.address", "葡萄镇", "organization.nameEn", "Putao")
}

func TestTheOrganisationsOfACountyAreListedByKindWithWhatHangsOnThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := sound(t, "list", w.admin().get("/settings/organizations"))
	centre, clinic := strings.Index(body, "白沙镇卫生院"), strings.Index(body, "古板村卫生室")
	if centre < 0 || clinic < centre || !strings.Contains(body, "1 open") || !strings.Contains(body, "1 closed") || !strings.Contains(body, "</span>44</td>") {
		t.Error("the list misses an organisation, its place, or the counts")
	}
	if body := w.admin().get("/settings/all").Body.String(); !strings.Contains(body, `href="/settings/organizations"`) || !strings.Contains(body, `href="/settings/formulary"`) {
		t.Error("nothing leads there")
	}
	w.refuse(placesMethod, errs.Denied(errs.ReasonRole))
	if got := w.browser("township").get("/settings/organizations"); got.Code != http.StatusForbidden {
		t.Error(got.Code)
	}
}

func TestAnOrganisationIsAddedAndItsNameIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	b.get("/settings/organizations/new")
	before := len(called[*directoryv1.ListOrganizationsRequest](w, directoryv1.DirectoryService_ListOrganizations_FullMethodName))
	for range 2 { // a double click
		if got := b.post("/settings/organizations", typedPlace()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != placePath {
			t.Fatal(got.Code, got.Body)
		}
	}
	sent := called[*directoryv1.SavePlaceRequest](w, savePlaceMethod)
	want := &directoryv1.Organization{
		Code: "450321102", Name: "葡萄镇卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE, ParentId: hospitalID, Phone: "0773-8880002", Address: "葡萄镇", NameEn: "Putao",
	}
	if len(sent) != 2 || !proto.Equal(sent[0], sent[1]) || !proto.Equal(sent[0].GetOrganization(), want) || sent[0].GetRequestId() == "" {
		t.Errorf("%v", sent)
	}
	b.get("/settings/organizations/new")
	if after := len(called[*directoryv1.ListOrganizationsRequest](w, directoryv1.DirectoryService_ListOrganizations_FullMethodName)); after == before {
		t.Error("names are not read again")
	}
	w.refuse(savePlaceMethod, errs.Invalid(errs.Bad("organization.code", errs.ReasonFieldCombination)))
	got := b.post("/settings/organizations", typedPlace())
	body := sound(t, "refused", got)
	if got.Code != http.StatusBadRequest || !strings.Contains(body, "Another organisation has this code") || !strings.Contains(body, `href="#f-organization.code"`) {
		t.Error(got.Code)
	}
	keeps(t, body, typedPlace(), "requestId", "organization.type", "organization.parentId")
	if !strings.Contains(body, `value="TOWNSHIP_CENTRE" selected`) || !strings.Contains(body, `value="`+hospitalID+`" selected`) {
		t.Error("what was chosen is lost")
	}
}

func TestAStaleOrganisationSaysWhatChangedAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	page := b.get(placePath + "/edit").Body.String()
	typed := form("id", townshipID, "version", hidden(t, page, "version"), "organization.code", "450321101", "organization.name", "白沙中心卫生院", "organization.type", "TOWNSHIP_CENTRE",
		"organization.phone", "0773-8880001", "was.organization.name", "白沙镇卫生院", "was.organization.phone", "0773-8880001", "was.organization.type", "TOWNSHIP_CENTRE",
		"was.organization.address", "白沙镇", "organization.address", "白沙镇", "was.organization.nameEn", "", "was.organization.parentId", "", "was.organization.code", "450321101")
	now := samplePlace()
	now.Organization.Version, now.Organization.Phone, now.Organization.ParentId = 8, "0773-9", hospitalID
	w.always(placeMethod, now)
	w.refuse(savePlaceMethod, errs.Stale(8, ""))
	got := b.post("/settings/organizations", typed)
	body := sound(t, "stale", got)
	if got.Code != http.StatusConflict || hidden(t, body, "version") != "8" || !strings.Contains(body, `value="白沙中心卫生院"`) || !strings.Contains(body, `value="0773-9"`) ||
		strings.Count(body, `class="changed"`) != 2 || strings.Contains(body, ">"+hospitalID+"<") {
		t.Errorf("%d %s", got.Code, body)
	}
}

func TestClosingSaysWhatHangsOnAnOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "ask", b.get(placePath+"/close"))
	for _, words := range []string{"5 accounts", "1 open departments", "3 open organisations", "as ever", "12 referrals to it", "2 referrals from it", "3 candidates", "4 places of coming sessions are booked", "beds are not free"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not said", words)
		}
	}
	closes := func(name string) *httptest.ResponseRecorder {
		return b.post(placePath+"/close", form("version", hidden(t, body, "version"), "requestId", hidden(t, body, "requestId"), "do", "close", "confirm", name))
	}
	refused := closes("白沙镇")
	if again := sound(t, "refused", refused); refused.Code != http.StatusBadRequest || !strings.Contains(again, `value="白沙镇"`) || len(called[*directoryv1.SavePlaceRequest](w, savePlaceMethod)) > 0 {
		t.Errorf("closed without its name: %d", refused.Code)
	}
	if got := closes("白沙镇卫生院"); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	sent := called[*directoryv1.SavePlaceRequest](w, savePlaceMethod)
	if len(sent) != 1 || !sent[0].GetOrganization().GetDisabled() || sent[0].GetOrganization().GetVersion() != 7 || sent[0].GetOrganization().GetName() != "白沙镇卫生院" {
		t.Errorf("%v", sent)
	}
}

func TestTheOwnOrganisationIsNotOfferedForClosing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := samplePlace()
	own.Organization.Id = hospitalID
	w.always(placeMethod, own)
	b := w.admin()
	if strings.Contains(b.get(placePath).Body.String(), "/close") {
		t.Error("it is offered")
	}
	if got := b.get("/settings/organizations/" + own.GetOrganization().GetId() + "/close"); got.Code != http.StatusBadRequest {
		t.Errorf("it is asked for: %d", got.Code)
	}
}

func TestADepartmentWithOpenWorkIsClosedByItsNameOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "form", b.get(placePath+"/department?code=02"))
	if !strings.Contains(body, "12 referrals to it") || !strings.Contains(body, `name="confirm"`) {
		t.Error("what is open is not said")
	}
	closes := func(name string) *httptest.ResponseRecorder {
		return b.post(placePath+"/department", form("version", "7", "code", "02", "department.name", "全科医疗科", "department.disabled", "1", "confirm", name))
	}
	if got := closes(""); got.Code != http.StatusBadRequest || len(called[*directoryv1.SaveDepartmentRequest](w, departmentMethod)) > 0 {
		t.Errorf("closed without its name: %d", got.Code)
	}
	if got := closes("全科医疗科"); got.Code != http.StatusSeeOther {
		t.Errorf("by its name: %d", got.Code)
	}
}

func TestADepartmentIsPickedFromTheNationalCatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	if body := sound(t, "form", b.get(placePath+"/department")); !strings.Contains(body, `<option value="0304 心血管内科">心血管内科专业、心内科</option>`) {
		t.Error("the catalogue is not offered")
	}
	for typed, want := range map[string]string{
		"0304 心血管内科": "心血管内科", "03.04": "心血管内科", "心血管内科专业": "心血管内科", "心内科": "心血管内科", "心血管内": "心血管内科", "0304 心血管内科专业": "心血管内科",
	} {
		if got := b.post(placePath+"/department", form("version", "7", "department.code", typed, "department.hasBeds", "1")); got.Code != http.StatusSeeOther {
			t.Fatal(got.Code)
		}
		sent := called[*directoryv1.SaveDepartmentRequest](w, departmentMethod)
		if last := sent[len(sent)-1]; last.GetDepartment().GetCode() != "0304" || last.GetDepartment().GetName() != want || !last.GetAdds() || !last.GetDepartment().GetHasBeds() || last.GetVersion() != 7 {
			t.Errorf("%s: %v", typed, last)
		}
	}
	b.post(placePath+"/department", form("version", "7", "code", "50", "department.name", "中医科", "department.disabled", "1"))
	sent := called[*directoryv1.SaveDepartmentRequest](w, departmentMethod)
	if last := sent[len(sent)-1]; last.GetAdds() || last.GetDepartment().GetCode() != "50" || !last.GetDepartment().GetDisabled() {
		t.Errorf("%v", last)
	}
}

func TestATypedDepartmentThatIsNotClearIsRefusedWithTheEntriesAndNoName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	for typed, words := range map[string]string{"心血管内": "", "呼吸": "choose one: 0301 呼吸内科、", "没有的科": "has 2, 4 or 6 digits"} {
		got := b.post(placePath+"/department", form("version", "7", "department.code", typed))
		if words == "" {
			if got.Code != http.StatusSeeOther {
				t.Errorf("%s: %d", typed, got.Code)
			}
			continue
		}
		if body := got.Body.String(); got.Code != http.StatusBadRequest || !strings.Contains(body, words) || strings.Contains(body, `href="#f-department.name"`) || !strings.Contains(body, `value="`+typed+`"`) {
			t.Errorf("%s: %d", typed, got.Code)
		}
	}
	if n := len(called[*directoryv1.SaveDepartmentRequest](w, departmentMethod)); n != 1 {
		t.Errorf("%d departments were saved", n)
	}
}

func TestClosedDepartmentsAreNotOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	offered := func() bool {
		return strings.Contains(b.get("/refer/"+patientID).Body.String(), "<option value=\"0304\"")
	}
	if !offered() {
		t.Fatal("the department is not offered while it is open")
	}
	w.always(directoryv1.DirectoryService_ListDepartments_FullMethodName, &directoryv1.ListDepartmentsResponse{Departments: []*directoryv1.Department{
		{OrganizationId: hospitalID, Code: "0304", Name: "心血管内科", NameEn: "Cardiology", Disabled: true}, {OrganizationId: hospitalID, Code: "20", Name: "急诊科", NameEn: "Emergency"},
	}})
	w.clk.Advance(2 * time.Minute)
	if offered() {
		t.Error("a closed department is offered")
	}
	if body := b.get("/referrals/" + referralID).Body.String(); !strings.Contains(body, "Cardiology") {
		t.Error("an old referral no longer says where it went")
	}
}

func TestTheDepartmentsOfAnotherHospitalAreOfferedWhenItIsChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	if body := b.get("/refer/" + patientID).Body.String(); !strings.Contains(body, `data-load="/refer/departments" data-load-from="organization"`) {
		t.Error("the departments stay those of the first hospital")
	}
	body := b.get("/refer/departments?kind=OUTPATIENT&organization="+hospitalID+"&department=20", "X-Fragment", "1").Body.String()
	if !strings.Contains(body, `<option value="0304">Cardiology`) || !strings.Contains(body, `<option value="20" selected>Emergency`) {
		t.Errorf("%s", body)
	}
	if body := b.get("/refer/departments?organization="+townshipID, "X-Fragment", "1").Body.String(); strings.Count(body, "<option") != 1 {
		t.Errorf("of no receiver: %s", body)
	}
}

func TestCapabilitiesAreTickedWithTheirNotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	if body := sound(t, "one", b.get(placePath)); !strings.Contains(body, `value="TCM" checked`) || !strings.Contains(body, `value="每日"`) {
		t.Error("what it can do is not shown")
	}
	typed := form("version", "2", "note.TCM", " 每日 ", "note.ECG", "工作日", "note.XRAY", "不勾不算")
	typed["can"] = []string{"TCM", "ECG"}
	if got := b.post(placePath+"/capabilities", typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	sent := called[*directoryv1.SetCapabilitiesRequest](w, abilityMethod)
	if len(sent) != 1 || sent[0].GetVersion() != 2 || len(sent[0].GetCapabilities()) != 2 || sent[0].GetCapabilities()[0].GetNote() != "每日" || sent[0].GetCapabilities()[1].GetCode() != "ECG" {
		t.Errorf("%v", sent)
	}
	w.refuse(abilityMethod, errs.Stale(3, ""))
	got := b.post(placePath+"/capabilities", typed)
	if body := sound(t, "stale", got); got.Code != http.StatusConflict || !strings.Contains(body, `value="ECG" checked`) || !strings.Contains(body, `value="工作日"`) {
		t.Errorf("%d", got.Code)
	}
}
