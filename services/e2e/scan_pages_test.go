//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"rsc.io/qr"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// arrivals is the page of arrivals in which a script ran first.
func (b *browser) arrivals(t *testing.T, script string) *tab {
	t.Helper()
	w := b.open(t, "desk")
	_, err := chromedp.Call(w.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	must(t, err)
	w.signIn()
	w.goTo("/desk/arrivals")
	return w
}

// note waits until the page says something of the camera.
func (w *tab) note(said string) {
	w.Helper()
	w.until(said, fmt.Sprintf(`document.querySelector("[data-scan-note]").textContent.includes(%q)`, said))
}

// film is what a camera films that a slip's code is held before, askew and not near: a second of the desk, then the slip.
func film(t *testing.T, text string) string {
	t.Helper()
	code, err := qr.Encode(text, qr.M)
	must(t, err)
	const (
		width, height = 1280, 720
		module        = 5.0
		light, dark   = 235, 16
	)
	sin, cos := math.Sincos(0.1)
	frame := func(slip bool) []byte {
		out := append([]byte("FRAME\n"), bytes.Repeat([]byte{128}, width*height*3/2)...)
		for y := range height {
			for x := range width {
				dx, dy := float64(x-width/2)/module, float64(y-height/2)/module
				column, row := int(math.Floor(dx*cos+dy*sin))+code.Size/2, int(math.Floor(dy*cos-dx*sin))+code.Size/2
				shade := byte(90 + x/20)
				switch {
				case !slip || column < -8 || row < -6 || column >= code.Size+8 || row >= code.Size+20:
				case code.Black(column, row):
					shade = dark
				default:
					shade = light
				}
				out[len("FRAME\n")+y*width+x] = shade
			}
		}
		return out
	}
	empty, held := frame(false), frame(true)
	out := fmt.Appendf(nil, "YUV4MPEG2 W%d H%d F5:1 Ip A1:1 C420\n", width, height)
	for n := range 15 {
		if n < 5 {
			out = append(out, empty...)
		} else {
			out = append(out, held...)
		}
	}
	name := filepath.Join(t.TempDir(), "camera.y4m")
	must(t, os.WriteFile(name, out, 0o600))
	return name
}

// A desktop's browser has nothing of its own that reads codes: the pictures of its camera are read by the gateway. Nothing is faked but what the lens sees.
func TestASlipHeldBeforeTheCameraIsFound(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	r := post[referralv1.Referral](t, people.township, "/referrals", people.upward(people.patient(t, "莫扫码"), neurology))
	slip := get[referralv1.Slip](t, people.township, "/referrals/"+r.GetId()+"/slip")
	address := s.URL + "/verify/" + slip.GetNumber() + "?k=" + slip.GetVerificationKey()
	b := openBrowser(t, s, chromedp.Flag("use-file-for-fake-video-capture", film(t, address)))
	w := b.arrivals(t, `delete window.BarcodeDetector; window.fetch = (original => async (where, how) => {
		const answer = await original(where, how);
		const { hidden, videoWidth } = document.querySelector("video") ?? {};
		if (where === "/desk/code") sessionStorage.pictures = (sessionStorage.pictures ?? "") + [answer.status, how.body.type, hidden ? "unseen" : "seen", videoWidth, how.body.size].join(":") + " ";
		return answer; })(fetch)`)
	w.choose("[data-scan]")
	// The code may be read, and the page left, before anybody looks at the picture.
	w.until("the picture", `document.querySelector(".found") || !document.querySelector("video").hidden && document.querySelector("video").videoWidth === 1280`)
	w.shoot("arrivals-filmed")
	w.until("the slip's patient", `document.querySelector(".found")?.innerText.includes("莫扫码")`)
	w.look("arrivals-found")
	sent := eval[string](w, "sessionStorage.pictures")
	t.Logf("answers and pictures: %s", sent)
	if !strings.Contains(sent, "200:image/jpeg:seen:1280:") {
		t.Errorf("no picture that was seen was read: %q", sent)
	}
}

// Where the browser reads codes, as on phones, it is asked, and no picture leaves it. It sees a code on the fifth picture of a camera that runs.
func TestASlipIsScannedByTheBrowserItself(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	r := post[referralv1.Referral](t, people.township, "/referrals", people.upward(people.patient(t, "莫扫码"), neurology))
	slip := get[referralv1.Slip](t, people.township, "/referrals/"+r.GetId()+"/slip")
	b := openBrowser(t, s)
	const detector = `window.fetch = (original => (where, how) => { if (where === "/desk/code") console.error("a picture left"); return original(where, how); })(fetch);
		window.BarcodeDetector = class { static async getSupportedFormats() { return ["qr_code"]; } async detect(video) { window.camera = video.srcObject?.getTracks()[0]; return seen(video); } }; `
	w := b.arrivals(t, detector+fmt.Sprintf(`let times = 0; window.seen = (video) => {
		if (video.readyState < 2 || !video.videoWidth || video.hidden) throw new Error("no picture");
		return ++times < 5 ? [] : [{ rawValue: %q }]; }`, "https://tongzhen.example/verify/"+slip.GetNumber()+"?k="+slip.GetVerificationKey()))
	w.leave(`document.querySelector("[data-scan]").click()`)
	if !strings.Contains(w.text(".found"), "莫扫码") {
		t.Errorf("the camera finds %q", w.text("main"))
	}

	// A second click turns the camera off. So does a minute without a code; after 20 seconds it is said how a slip is held.
	w = b.arrivals(t, detector+`window.seen = () => []; let ahead = 0; const now = Date.now; Date.now = () => now() + ahead; window.later = (seconds) => ahead += 1000 * seconds`)
	const off = `window.camera.readyState === "ended" && document.querySelector("video").hidden && document.querySelector("[data-scan]").ariaPressed === "false"`
	w.choose("[data-scan]")
	w.until("the camera", `window.camera?.readyState === "live" && !document.querySelector("video").hidden && document.querySelector("[data-scan]").ariaPressed === "true"`)
	w.note("让二维码正对画面中间")
	w.look("arrivals-camera")
	w.choose("[data-scan]")
	w.until("the camera off", off)
	w.choose("[data-scan]")
	w.note("让二维码正对画面中间")
	eval[float64](w, "later(21)")
	w.note("还没认出二维码")
	w.look("arrivals-nothing")
	eval[float64](w, "later(40)")
	w.until("the camera off after a minute", off)
	w.note("还没认出二维码")
}

// Without a camera it is said why, and a scanner or a hand types.
func TestACameraThatCannotBeUsedSaysWhy(t *testing.T) {
	s := harness.Together(t, binary, true)
	b := openBrowser(t, s)
	refused := func(name string) string {
		return fmt.Sprintf(`navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", %q))`, name)
	}
	w := b.arrivals(t, ``)
	for script, said := range map[string]string{
		refused("NotAllowedError"):      "没有允许使用摄像头",
		refused("NotFoundError"):        "没有摄像头",
		refused("NotReadableError"):     "被别的程序占用",
		refused("OverconstrainedError"): "摄像头打不开",
		`Object.defineProperty(window, "isSecureContext", { value: false })`:     "https",
		`Object.defineProperty(navigator, "mediaDevices", { value: undefined })`: "用不了摄像头",
	} {
		w.goTo("/desk/arrivals")
		eval[bool](w, `(() => { `+script+`; return true })()`)
		w.choose("[data-scan]")
		w.note(said)
		w.until("the field", `document.activeElement.id === "f-number" && document.querySelector("video").hidden`)
	}
	w.look("arrivals-no-camera")
}
