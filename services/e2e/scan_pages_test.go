//go:build e2e

package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// The camera is the browser's own test picture. What reads codes in a picture is the browser's where it has something, as on phones; a desktop has nothing, so
// that the test brings it: it sees a code on the fifth picture of a camera that runs.
func TestASlipIsScannedByTheCamera(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	r := post[referralv1.Referral](t, people.township, "/referrals", people.upward(people.patient(t, "莫扫码"), neurology))
	slip := get[referralv1.Slip](t, people.township, "/referrals/"+r.GetId()+"/slip")
	b := openBrowser(t, s)
	with := func(script string) *tab {
		w := b.open(t, "desk")
		_, err := chromedp.Call(w.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		must(t, err)
		w.signIn()
		w.goTo("/desk/arrivals")
		return w
	}
	scan := func(w *tab) { w.choose("[data-scan]") }
	const typing = `document.activeElement.id === "f-number"`

	w := with(fmt.Sprintf(`{ let seen = 0; window.BarcodeDetector = class { async detect(video) {
		if (video.readyState < 2 || !video.videoWidth || video.hidden) throw new Error("no picture");
		window.camera = video.srcObject.getTracks()[0]; return ++seen < 5 ? [] : [{ rawValue: %q }]; } } }`,
		"https://tongzhen.example/verify/"+slip.GetNumber()+"?k="+slip.GetVerificationKey()))
	w.leave(`document.querySelector("[data-scan]").click()`)
	if !strings.Contains(w.text(".found"), "莫扫码") {
		t.Errorf("the camera finds %q", w.text("main"))
	}

	// A second click turns the camera off.
	w = with(`window.BarcodeDetector = class { async detect(video) { window.camera = video.srcObject?.getTracks()[0] ?? window.camera; return []; } }`)
	scan(w)
	w.until("the camera", `window.camera?.readyState === "live" && !document.querySelector("video").hidden`)
	w.look("arrivals-camera")
	scan(w)
	w.until("the camera off", `window.camera.readyState === "ended" && document.querySelector("video").hidden`)

	// Without a camera, and without something that reads codes, it is said, and a scanner or a hand types.
	for script, said := range map[string]string{
		`delete window.BarcodeDetector`: "这个浏览器不能用摄像头识别二维码",
		`window.BarcodeDetector = class {}; navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"))`: "摄像头打不开",
	} {
		w := with(script)
		scan(w)
		w.until("what to do instead", `document.querySelector("[data-scan-note]").textContent.includes("`+said+`") && `+typing)
	}
}
