package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// closing closes an organisation, or a department if there is a code.
func closing(t *testing.T, w *world, organization, code string) {
	t.Helper()
	changed(t, w, directoryv1.DirectoryService_ListOrganizations_FullMethodName, func(m *directoryv1.ListOrganizationsResponse) {
		for _, o := range m.GetOrganizations() {
			o.Disabled = o.GetDisabled() || code == "" && o.GetId() == organization
		}
	})
	changed(t, w, directoryv1.DirectoryService_ListDepartments_FullMethodName, func(m *directoryv1.ListDepartmentsResponse) {
		for _, d := range m.GetDepartments() {
			d.Disabled = d.GetDisabled() || d.GetOrganizationId() == organization && d.GetCode() == code
		}
	})
}

func TestAnAccountOfAClosedPlaceStaysWhereItIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ organization, department, closedDepartment, says string }{
		"closed department":   {hospitalID, "0304", "0304", "Yangshuo County People&#39;s Hospital · Cardiology · Closed"},
		"closed organisation": {hospitalID, "0304", "", "Yangshuo County People&#39;s Hospital · Cardiology · Closed"},
		"outside":             {externalID, "", "-", "Guilin Medical University Hospital"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.organization != externalID {
				closing(t, w, c.organization, c.closedDepartment)
			}
			one := keptDetail()
			one.Account.OrganizationId, one.Account.DepartmentCode = c.organization, c.department
			w.always(getAccount, one)
			b := w.admin()
			body := sound(t, name, b.get(onePage))
			want := strings.TrimSuffix(c.organization+"/"+c.department, "/")
			shows(t, body, `<option value="`+want+`" selected>`+c.says+`</option>`)
			if got := b.post(onePage, formAt(t, body, "")); got.Code != http.StatusSeeOther {
				t.Fatal(got.Code)
			}
			if sent := lastly[*directoryv1.UpdateAccountRequest](t, w, updateAccount).GetAccount(); sent.GetOrganizationId() != c.organization || sent.GetDepartmentCode() != c.department {
				t.Errorf("the account moved: %v", sent)
			}
		})
	}
}

func TestATargetOfAClosedDepartmentStaysItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closing(t, w, hospitalID, "0304")
	changed(t, w, targetsMethod, func(m *referralv1.Targets) {
		m.Targets = append(m.Targets, &referralv1.Target{Measure: "GONE", Value: 3})
	})
	b := w.admin()
	body := sound(t, "targets", b.get("/settings/targets"))
	shows(t, body, "Cardiology · Closed")
	if got := b.post("/settings/targets", formAt(t, body, "/settings/targets")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	sent := lastly[*referralv1.UpdateTargetsRequest](t, w, setTargetsMethod).GetTargets().GetTargets()
	if len(sent) != 3 || sent[0].GetOrganizationId() != "" || sent[1].GetOrganizationId() != hospitalID || sent[1].GetDepartmentCode() != "0304" || sent[2].GetMeasure() != "GONE" {
		t.Errorf("%v", sent)
	}
}

func TestAnOrganisationBelowAClosedOneStaysThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closing(t, w, hospitalID, "")
	changed(t, w, placeMethod, func(m *directoryv1.Place) { m.Organization.ParentId = hospitalID })
	b := w.admin()
	body := sound(t, "edit", b.get(placePath+"/edit"))
	shows(t, body, `selected>Yangshuo County People&#39;s Hospital · Closed</option>`)
	b.post("/settings/organizations", formAt(t, body, "/settings/organizations"))
	if sent := lastly[*directoryv1.SavePlaceRequest](t, w, savePlaceMethod); sent.GetOrganization().GetParentId() != hospitalID {
		t.Errorf("%v", sent)
	}
}

func TestASessionPlanOfAClosedDepartmentNamesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closing(t, w, hospitalID, "0304")
	changed(t, w, listTemplatesMethod, func(m *schedulingv1.ListTemplatesResponse) { m.Templates[0].EquipmentId = noticeID })
	body := sound(t, "template", w.browser("desk").get("/schedules/templates/"+templateID))
	shows(t, body, `<option value="0304" selected>Cardiology</option>`, `<option value="`+noticeID+`" selected>`)
}

func TestWhoLeftStandsInTheWeekUntilSomebodyElseDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	changed(t, w, rosterMethod, func(m *directoryv1.Roster) { m.Shifts[0].AccountId = slotID })
	b := w.browser("desk")
	body := sound(t, "week", b.get(deskPost))
	shows(t, body, `<option value="`+slotID+`" selected>已离职 · somebody who left</option>`)
	b.post("/rosters/post", formAt(t, body, "/rosters/post"))
	if sent := lastly[*directoryv1.SetRosterRequest](t, w, planMethod); len(sent.GetShifts()) != 2 || sent.GetShifts()[0].GetAccountId() != slotID {
		t.Errorf("a duty was lost: %v", sent.GetShifts())
	}
	w.refuse(planMethod, errs.Invalid(errs.Bad("shifts[0].accountId", errs.ReasonFieldUnknown)))
	shows(t, sound(t, "refused", b.post("/rosters/post", formAt(t, body, "/rosters/post"))), `href="#f-shifts">“somebody who left” is not known`)
}

func TestTheRosterOfAClosedDepartmentIsFoundUntilItIsEmptied(t *testing.T) {
	t.Parallel()
	const listRosters = directoryv1.RosterService_ListRosters_FullMethodName
	w := newWorld(t)
	closing(t, w, hospitalID, "0304")
	w.always(listRosters, &directoryv1.ListRostersResponse{Rosters: []*directoryv1.Roster{{DepartmentCode: "0304", Shifts: sampleRoster().GetShifts()}}})
	b := w.browser("desk")
	shows(t, sound(t, "rosters", b.get("/rosters")), `Cardiology <span class="state CANCELLED">Closed</span>`, "department=0304")
	w.always(listRosters, &directoryv1.ListRostersResponse{Rosters: []*directoryv1.Roster{{DepartmentCode: "0304"}}})
	if strings.Contains(b.get("/rosters").Body.String(), "Cardiology") {
		t.Error("a closed department without duties is listed")
	}
}

func TestSampleTablesHoldNoFormula(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	changed(t, w, directoryv1.DirectoryService_ListOrganizations_FullMethodName, func(m *directoryv1.ListOrganizationsResponse) {
		for _, o := range m.GetOrganizations() {
			o.Code = "=1+1"
		}
	})
	b := w.admin()
	for _, path := range []string{accountsPage + "/file/sample", "/settings/tables/departments/sample.csv"} {
		if body := b.get(path).Body.String(); !strings.HasPrefix(body, "\ufeff") || !strings.Contains(body, "'=1+1,") {
			t.Errorf("%s: %q", path, body)
		}
	}
}

func TestASlipNamesTheAddressAsItIsReachedThroughAProxy(t *testing.T) {
	t.Parallel()
	b := newWorld(t).admin()
	shows(t, b.post(accountsPage+"/new", typedAccount(), "X-Forwarded-Proto", "https").Body.String(), "https://example.com")
	shows(t, b.post(accountsPage+"/new", typedAccount()).Body.String(), "http://example.com")
}
