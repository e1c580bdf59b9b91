//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// offers tells whether the form of a new referral offers an organisation.
func offers(w *tab, patientID, name string) bool {
	w.Helper()
	w.goTo("/refer/" + patientID)
	return eval[bool](w, fmt.Sprintf(`[...document.getElementById("f-receiver.organizationId").options].some(o => o.text === %q)`, name))
}

// TestAHospitalIsAddedReceivesAndIsClosed: what the administrator says of the county's organisations is what a doctor can choose.
func TestAHospitalIsAddedReceivesAndIsClosed(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	patientID := people.patient(t, "莫新院")
	b := openBrowser(t, s)
	admin, doctor := b.open(t, "admin"), b.open(t, "township")
	admin.signIn()
	doctor.signIn()
	const name = "阳朔县中医医院"
	if offers(doctor, patientID, name) {
		t.Fatal("it is there already")
	}
	admin.goTo("/settings/organizations")
	admin.look("places", "dark")
	admin.press(`a[href="/settings/organizations/new"]`)
	admin.press("main form button.primary")
	admin.look("place-refused")
	admin.fill(`[name="organization.name"]`, name)
	admin.fill(`[name="organization.code"]`, "450321H02")
	admin.fill(`[name="organization.type"]`, "COUNTY_HOSPITAL")
	admin.press("main form button.primary")
	place := eval[string](admin, "location.pathname")
	admin.look("place-empty")
	admin.press(`a[href="` + place + `/department"]`)
	admin.fill(`[name="department.code"]`, "5013 针灸科")
	admin.press("main form button.primary")
	admin.choose(`[name="can"][value="TCM"]`)
	admin.press(`#capabilities button.primary`)
	admin.look("place", "dark")
	if !offers(doctor, patientID, name) {
		t.Fatal("a hospital that was just added is not offered")
	}
	doctor.fill(`[name="organization"]`, strings.TrimPrefix(place, "/settings/organizations/"))
	doctor.until("the new department is offered", `[...document.getElementById("f-receiver.departmentCode").options].some(o => o.text.startsWith("针灸科"))`)

	admin.goTo(place + "/close")
	admin.look("place-close")
	admin.press("main form button.danger")
	if offers(doctor, patientID, name) {
		t.Error("a closed hospital is offered")
	}
	admin.goTo("/settings/versions/PLACE/" + strings.TrimPrefix(place, "/settings/organizations/"))
	admin.look("place-versions")
	admin.press(`a[href*="restore=2#"]`)
	admin.press(`button[name="restore"][value="2"]`)
	if !offers(doctor, patientID, name) {
		t.Error("a hospital that was made again what it was is not offered")
	}
	keepsMedicines(t, admin, doctor)
}

// keepsMedicines: a doctor says what is there, the administrator what is on the list; a table is looked at before it goes in.
func keepsMedicines(t *testing.T, admin, doctor *tab) {
	t.Helper()
	doctor.goTo("/settings/formulary")
	doctor.press(`main table button[name="stock"][value="OUT_OF_STOCK"]`)
	if !doctor.has(".flash") {
		t.Error("the stock is not changed")
	}
	doctor.look("medicines-doctor")
	admin.goTo("/settings/formulary")
	admin.look("medicines", "dark")
	admin.press(`main p.actions a.primary`)
	admin.look("medicine")
	admin.goTo("/settings/tables/formulary")
	file := filepath.Join(t.TempDir(), "药品.csv")
	must(t, os.WriteFile(file, []byte("机构编码,药名,规格,库存\n450321101,复方测试片,1mg,有货\n450321999,复方测试片,1mg,有货\n450321101,,1mg,很多\n"), 0o600))
	admin.do(chromedp.SetUploadFiles("#f-file", []string{file}))
	admin.press("main form button.primary")
	admin.look("table-tried")
	admin.press(`button[name="do"][value="import"]`)
	if !strings.Contains(admin.text(".flash"), "新增 1 条") {
		t.Errorf("the table is not imported: %s", admin.text("main"))
	}
}
