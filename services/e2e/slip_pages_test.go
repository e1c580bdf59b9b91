//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// sheet is one page of a PDF file.
var sheet = regexp.MustCompile(`/Type\s*/Page[^s]`)

func TestASlipPrintsAsOneSheetAndIsVerifiedByItsCode(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	b := openBrowser(t, s)
	township, stranger := b.open(t, "township"), b.open(t, "stranger")
	township.signIn()
	patientID := findPatient(township)
	fillForm(township, patientID)
	if !township.has("#f-complete [role=status]") {
		t.Error("the form does not say how complete the hand-over is")
	}
	referralID := sendTwice(township, people, patientID)

	township.goTo("/referrals/" + referralID)
	township.press(`#package a[href$="/slip"]`)
	township.look("slip")
	number := strings.TrimPrefix(strings.TrimSpace(township.text(".slip .number")), "编号 ")
	if pages := township.prints("slip"); pages != 1 {
		t.Errorf("the slip has %d pages", pages)
	}
	township.goTo("/referrals/" + referralID + "/slip/stub")
	if pages := township.prints("stub"); pages != 1 {
		t.Errorf("the stub has %d pages", pages)
	}
	// What comes back: the reply to an up-referral, and a down-referral, as 回转单.
	up := people.treated(t, "覃秀兰")
	for name, page := range map[string]string{"reply": up.GetId() + "/slip/reply", "back": people.homeward(t, up).GetId() + "/slip"} {
		township.goTo("/referrals/" + page)
		township.look("slip-" + name)
		if pages := township.prints(name); pages != 1 {
			t.Errorf("%s has %d pages", name, pages)
		}
	}
	stranger.goTo("/verify/" + number + "?k=WRONGKEY")
	if !stranger.has(".verification .alarm") {
		t.Error("a wrong key is genuine")
	}
	stranger.look("verify-not")
}

// A pile of blank forms: each is one sheet, with a line to write on where something is to be written.
func TestABlankFormPrintsAsOneSheet(t *testing.T) {
	s := harness.Together(t, binary, true)
	w := openBrowser(t, s).open(t, "desk")
	w.signIn()
	w.goTo("/downtime")
	if offered := w.text("#f-organizationId"); strings.Contains(offered, "卫健局") || strings.Contains(offered, "卫生健康局") || strings.Contains(offered, "桂林") {
		t.Errorf("forms are printed for %q", offered)
	}
	for _, form := range []string{"OUT", "EMERGENCY", "BACK"} {
		w.goTo("/downtime")
		if form != "BACK" { // a hospital seldom writes it
			w.choose("#f-form summary")
		}
		w.choose(`[name="form"][value="` + form + `"]`)
		w.fill(`[name="count"]`, "2")
		w.press(`form[method="post"][action="/downtime"] button`)
		if pages := w.prints("blank-" + form); pages != 2 {
			t.Errorf("two forms %s take %d sheets", form, pages)
		}
	}
}

// prints the page and answers how many sheets it takes; the words of the form must be on the first.
func (w *tab) prints(name string) int {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, workTime)
	defer cancel()
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	must(w.T, err)
	file := filepath.Join(w.TempDir(), name+".pdf")
	must(w.T, os.WriteFile(file, pdf, 0o600))
	if tool, err := exec.LookPath("pdftotext"); err == nil {
		text, err := exec.CommandContext(ctx, tool, "-layout", file, "-").Output()
		must(w.T, err)
		if !bytes.Contains(text, []byte("转诊医生（签字）")) {
			w.Errorf("%s prints as\n%s", name, text)
		}
	}
	return len(sheet.FindAll(pdf, -1))
}
