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

// A patient agrees with the referral and to more, takes one of them back, and gets a copy of the record, which the command line imports again.
func TestAPatientAgreesTakesItBackAndGetsACopy(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	b := openBrowser(t, s)
	township, auditor := b.open(t, "township"), b.open(t, "auditor")
	township.signIn()
	patientID := findPatient(township)
	fillForm(township, patientID)
	sendTwice(township, people, patientID)

	consents := "/patients/" + patientID + "/consents"
	// The referral's consent comes with its facts.
	township.goTo(consents)
	township.until("the referral's consent", `document.readyState === "complete" && (document.querySelector("table.list tbody tr") || (window.again ??= (location.reload(), 1), false))`)
	if text := township.text("table.list tbody"); !strings.Contains(text, "转诊并移交病历") || !strings.Contains(text, "已同意") {
		t.Errorf("%s", text)
	}
	township.choose("details.card > summary")
	township.look("consents-new", "dark")
	township.fill("#f-receiverOrganizationId", people.hospital)
	township.fill(`[name="giving.name"]`, "莫德昌")
	township.choose(`[name="giving.method"][value="VERBAL_WITNESSED"]`)
	township.press(`button[name="do"][value="give"]`)
	if !township.has(`.field.wrong [name="giving.witness"]`) || !strings.Contains(township.text(".errors"), "见证人") {
		t.Error("nothing says that a witness is missing")
	}
	township.look("consents-refused")
	township.fill(`[name="giving.witness"]`, "周护士")
	township.press(`button[name="do"][value="give"]`)
	if rows := eval[float64](township, `document.querySelectorAll("table.list tbody tr").length`); rows != 2 {
		t.Errorf("%v consents", rows)
	}
	township.press("table.list tbody tr a") // the newest
	township.look("consent")
	township.fill(`[name="withdrawal.reason"]`, "不再同意")
	eval[bool](township, "(window.confirm = () => true, true)")
	township.press("button.danger")
	if text := township.text("table.list tbody tr"); !strings.Contains(text, "已撤回") {
		t.Errorf("%s", text)
	}
	township.look("consents")

	copies := "/patients/" + patientID + "/copy"
	township.goTo(copies)
	township.look("copy", "dark")
	eval[bool](township, fmt.Sprintf(`(async () => { const body = new URLSearchParams([...new FormData(document.querySelector("form.card")), ["form", "FHIR"]]);
		const answer = await fetch(%q, {method: "POST", body}); window.handed = [answer.headers.get("Content-Disposition"), await answer.text()] })() && true`, copies))
	township.until("the document", "window.handed")
	if name := eval[string](township, "window.handed[0]"); name != `attachment; filename="record.fhir.json"` {
		t.Errorf("the file is called %q", name)
	}
	file := filepath.Join(t.TempDir(), "copy.json")
	must(t, os.WriteFile(file, []byte(eval[string](township, "window.handed[1]")), 0o600))
	out, err := s.Command(t.Context(), "import", "fhir", "--organization", "450321101", file)
	if err != nil || !strings.Contains(out, "1 patients") || !strings.Contains(out, "Composition 1") {
		t.Errorf("the copy is not imported again: %v\n%s", err, out)
	}
	township.goTo(copies)
	township.press(`button[name="form"][value="PRINT"]`)
	if text := township.text(".sheet"); !strings.Contains(text, "患者病历复制件") || !strings.Contains(text, "莫德昌") || !strings.Contains(text, "已撤回") {
		t.Errorf("%.300s", text)
	}
	township.look("copy-printed")
	if strings.Contains(eval[string](township, "location.href"), "?") {
		t.Error("the address of a copy says something")
	}
	ctx := township.ctx
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	must(t, err)
	if pages := len(sheet.FindAll(pdf, -1)); pages == 0 {
		t.Error("it prints nothing")
	}
	if folder := os.Getenv("TONGZHEN_SCREENSHOTS"); folder != "" {
		must(t, os.WriteFile(filepath.Join(folder, "copy.pdf"), pdf, 0o600))
	}
	township.goTo(copies)
	if rows := eval[float64](township, `document.querySelectorAll("section table.list tbody tr").length`); rows != 2 {
		t.Errorf("%v rows of two copies", rows)
	}

	auditor.signIn()
	auditor.press(`nav.rail [data-nav="exports"]`)
	auditor.look("exports")
	if rows := eval[float64](auditor, `document.querySelectorAll("table.list tbody tr").length`); rows != 2 || strings.Contains(auditor.text("main"), "莫德昌") {
		t.Errorf("the auditor sees %v rows, or a name", rows)
	}
}
