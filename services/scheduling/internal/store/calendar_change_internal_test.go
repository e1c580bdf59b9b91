package store

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// What is kept of changes is read for years: a field that is renamed in the domain is not to lose what was written under its old name.
func TestTheNamesUnderWhichChangesAreKeptStay(t *testing.T) {
	day := time.Date(2026, time.March, 18, 0, 0, 0, 0, time.UTC)
	for want, c := range map[string]app.CalendarChange{
		`{"ID":"t","Version":2,"OrganizationID":"o","DepartmentCode":"0304","Kind":"CLINIC","Grade":"EXPERT","PractitionerID":"p","PractitionerName":"甲",` +
			`"EquipmentID":"e","Location":"2F","Pattern":{"Code":"WEEKLY","Weekdays":[1],"Every":2,"Anchor":"2026-03-18T00:00:00Z","Digits":[3]},` +
			`"FirstDay":"2026-03-18T00:00:00Z","LastDay":"2026-03-18T00:00:00Z","Starts":480,"Ends":720,"SlotMinutes":15,"OnHolidays":true}`: {
			Subject: app.SubjectTemplate, Template: domain.Template{ID: "t", Version: 2, OrganizationID: "o", DepartmentCode: "0304", Kind: "CLINIC", Grade: "EXPERT",
				PractitionerID: "p", PractitionerName: "甲", EquipmentID: "e", Location: "2F", Pattern: domain.Pattern{Code: domain.Weekly, Weekdays: []int{1}, Every: 2,
					Anchor: day, Digits: []int{3}}, FirstDay: day, LastDay: day, Starts: 480, Ends: 720, SlotMinutes: 15, OnHolidays: true}},
		`{"ID":"e","Version":1,"OrganizationID":"o","DepartmentCode":"0304","TemplateID":"t","PractitionerID":"p","FirstDay":"2026-03-18T00:00:00Z",` +
			`"LastDay":"2026-03-18T00:00:00Z","Effect":"WORKDAY","Weekday":5,"SubstituteID":"q","SubstituteName":"乙","SubstitutePlace":"5F","ReasonCode":"LEAVE","Note":"n"}`: {
			Subject: app.SubjectException, Exception: domain.Exception{ID: "e", Version: 1, OrganizationID: "o", DepartmentCode: "0304", TemplateID: "t", PractitionerID: "p",
				FirstDay: day, LastDay: day, Effect: domain.Workday, Weekday: 5, SubstituteID: "q", SubstituteName: "乙", SubstitutePlace: "5F", ReasonCode: "LEAVE", Note: "n"}},
		`{"ID":"s","OrganizationID":"o","DepartmentCode":"0304","Kind":"CLINIC","PractitionerID":"p","PractitionerName":"甲","Location":"2F",` +
			`"Start":"2026-03-18T00:00:00Z","End":"2026-03-18T00:00:00Z","SlotMinutes":10,"Grade":"GENERAL","EquipmentID":"e","TemplateID":"t","Day":"2026-03-18",` +
			`"ByHand":true,"Cancelled":true,"ReasonCode":"LEAVE","Note":"n","Slots":[{"ID":"l","Start":"2026-03-18T00:00:00Z","Reason":"BREAK"}]}`: {
			Subject: app.SubjectSession, Session: app.SessionThen{Session: domain.Session{ID: "s", OrganizationID: "o", DepartmentCode: "0304", Kind: "CLINIC",
				PractitionerID: "p", PractitionerName: "甲", Location: "2F", Start: day, End: day, SlotMinutes: 10, Grade: "GENERAL", EquipmentID: "e", TemplateID: "t",
				Day: "2026-03-18"}, ByHand: true, Cancelled: true, ReasonCode: "LEAVE", Note: "n", Slots: []app.ClosedSlot{{ID: "l", Start: day, Reason: "BREAK"}}}},
		`{"ID":"d","Version":1,"OrganizationID":"o","DepartmentCode":"32","Modality":"CT","Name":"CT","Location":"1F","Preparation":"空腹","PreparationEnglish":"f","InService":true}`: {
			Subject: app.SubjectEquipment, Equipment: domain.Equipment{ID: "d", Version: 1, OrganizationID: "o", DepartmentCode: "32", Modality: "CT", Name: "CT",
				Location: "1F", Preparation: "空腹", PreparationEnglish: "f", InService: true}},
		`{"ID":"w","OrganizationID":"o","DepartmentCode":"0304","Name":"三病区","Class":"ICU","Sex":"MALE","CleaningMinutes":45,"Version":2,"Beds":18}`: {
			Subject: app.SubjectWard, Ward: domain.WardData{ID: "w", OrganizationID: "o", DepartmentCode: "0304", Name: "三病区", Class: "ICU", Sex: "MALE",
				CleaningMinutes: 45, Version: 2, Beds: 18}},
		`{"ReservePercent":30,"ExpertPercent":50,"CommonDays":14,"ReserveLeadDays":7,"FallbackHours":24,"OrganizationID":"o","Version":3,"Inherited":true}`: {
			Subject: app.SubjectPolicy, Policy: app.BookingPolicy{Policy: domain.Policy{ReservePercent: 30, ExpertPercent: 50, CommonDays: 14, ReserveLeadDays: 7,
				FallbackHours: 24}, OrganizationID: "o", Version: 3, Inherited: true}},
	} {
		got, err := json.Marshal(bodyOf(&c))
		if err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}
