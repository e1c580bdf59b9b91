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

// TestSomebodyComesAndLeaves is the life of an account: added, the slip, the first sign-in with a password of one's own, at work, disabled while at
// work, and out.
func TestSomebodyComesAndLeaves(t *testing.T) {
	s := harness.Together(t, binary, true)
	b := openBrowser(t, s)
	admin := b.open(t, "admin")
	admin.signIn()
	admin.goTo("/settings/all")
	admin.press(`a[href="/settings/accounts"]`)
	admin.look("accounts", "dark")
	admin.press(`a[href="/settings/accounts/new"]`)
	admin.fill("#f-name", "覃新来")
	admin.fill("#f-login", "tester")
	admin.choose(`input[name="roles"][value="TOWNSHIP_DOCTOR"]`)
	admin.press("form.card button.primary")
	if !admin.has(`.errors a[href="#f-place"]`) || admin.value("#f-name") != "覃新来" || !admin.has(`input[value="TOWNSHIP_DOCTOR"]:checked`) {
		admin.fail(fmt.Errorf("the form without a place is not refused, or what was typed is lost"))
	}
	admin.look("account-refused")
	centre := eval[string](admin, `[...document.querySelectorAll("#f-place option")].find(o => o.textContent.includes("白沙")).value`)
	admin.fill("#f-place", centre)
	admin.press("form.card button.primary")
	password := admin.text(".secret")
	if len(password) != 14 || admin.text(".ticket code") != "tester" {
		admin.fail(fmt.Errorf("no slip"))
	}
	admin.look("account-slip", "dark")
	if banner, _ := chromedp.Run(admin.ctx, chromedp.Evaluate[string](`matchMedia("print").media`)); banner != "print" {
		t.Error("a slip cannot be printed")
	}

	doctor := b.open(t, "tester")
	doctor.goTo("/sign-in?back=/patients")
	doctor.fill("#f-account", "tester")
	doctor.fill("#f-password", password)
	doctor.press("main form button.primary")
	doctor.goTo("/home")
	if at := eval[string](doctor, "location.pathname"); at != "/account/password" || doctor.has("nav.rail") {
		doctor.fail(fmt.Errorf("who has a one-time password is at %s", at))
	}
	doctor.look("password-first", "dark")
	doctor.fill("#f-newPassword", password)
	doctor.fill("#f-again", password)
	doctor.press("form button.primary")
	if !doctor.has(`.errors a[href="#f-newPassword"]`) || strings.Contains(eval[string](doctor, "document.documentElement.outerHTML"), password) {
		doctor.fail(fmt.Errorf("the one-time password is kept, or shown"))
	}
	doctor.fill("#f-newPassword", "自己的口令8个字")
	doctor.fill("#f-again", "自己的口令8个字")
	doctor.press("form button.primary")
	if at := eval[string](doctor, "location.pathname"); at != "/home" || !strings.Contains(doctor.text(".flash"), "密码已修改") {
		doctor.fail(fmt.Errorf("after the change at %s", at))
	}

	admin.press(".actions a.button[href^='/settings/accounts/0']:not(.primary)")
	admin.look("account-one")
	admin.press("a.button.danger")
	admin.look("account-disable", "dark")
	admin.press("button.danger")
	if !strings.Contains(admin.text("h1"), "已停用") || !strings.Contains(admin.text("table.changes"), "本人修改密码") {
		admin.fail(fmt.Errorf("not disabled, or the history is not whole"))
	}
	// At once, although the gateway keeps a token of the session for minutes.
	doctor.until("the sign-in page", `(() => { const x = new XMLHttpRequest(); x.open("GET", "/home", false); x.send(); return x.responseURL.includes("/sign-in") })()`)
	doctor.goTo("/sign-in")
	doctor.fill("#f-account", "tester")
	doctor.fill("#f-password", "自己的口令8个字")
	doctor.press("main form button.primary")
	if !strings.Contains(doctor.text(".errors"), "账号或密码不对") {
		doctor.fail(fmt.Errorf("a disabled account signs in"))
	}
	importsTheSample(t, admin)
	axe := axeScript(t)
	for _, path := range []string{"/settings/accounts", "/settings/accounts/new", "/settings/accounts/file", "/account/password"} {
		admin.goTo(path)
		admin.examine(path, axe)
	}
}

// importsTheSample takes the file that the page offers, and one with mistakes.
func importsTheSample(t *testing.T, admin *tab) {
	t.Helper()
	admin.goTo("/settings/accounts/file")
	admin.look("accounts-file")
	sample := eval[string](admin, `(() => { const x = new XMLHttpRequest(); x.open("GET", "/settings/accounts/file/sample", false); x.send(); return x.responseText })()`)
	file := filepath.Join(t.TempDir(), "账号.csv")
	must(t, os.WriteFile(file, []byte(sample+"auditor,,,,,,,停用\nexample3,无科室,450321101,99,校长,,,\n"), 0o600))
	admin.do(chromedp.SetUploadFiles("#f-file", []string{file}))
	admin.press(`button[value="try"]`)
	if told := admin.text("main"); !strings.Contains(told, "新增 2 个") || !strings.Contains(told, "不由您管理") || !strings.Contains(told, "系统里没有") {
		admin.fail(fmt.Errorf("the file is not explained"))
	}
	admin.look("accounts-file-tried", "dark")
	admin.press(`button[value="import"]`)
	if n := eval[float64](admin, `document.querySelectorAll(".ticket .secret").length`); n != 2 {
		admin.fail(fmt.Errorf("%.0f slips", n))
	}
	admin.look("accounts-file-done")
	admin.goTo("/settings/accounts?state=NEW")
	if n := eval[float64](admin, `document.querySelectorAll("table.list tbody tr").length`); n != 2 {
		admin.Errorf("%.0f accounts are new", n)
	}
}
