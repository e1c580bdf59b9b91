package gateway_test

import (
	"strings"
	"testing"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// firstVersions are the first change of each subject, with what is shipped.
func firstVersions() *referralv1.ListSettingVersionsResponse {
	shipped, set := sampleSettings(), sampleSettings()
	shipped.Version, shipped.Opens, shipped.BounceBackDays = 0, "08:00", 14
	set.Version, set.Opens, set.BounceBackDays = 1, "07:30", 14
	return &referralv1.ListSettingVersionsResponse{
		Versions: []*referralv1.SettingVersion{{Version: 1, AccountName: "黄管理", ChangeTime: in(0), Settings: set, Targets: sampleTargets(), Reasons: &referralv1.ReasonSettings{
			Reasons: []*referralv1.ReasonSetting{{Action: "decline", Code: "NO_BED", Hidden: true}, {Action: "decline", Code: "NO_BED.1", Text: "没有隔离床", CountsAs: "NO_BED"}},
		}}},
		Shipped: &referralv1.SettingVersion{Settings: shipped, Targets: &referralv1.Targets{}, Reasons: &referralv1.ReasonSettings{
			Reasons: []*referralv1.ReasonSetting{{Action: "decline", Code: "NO_BED", Text: "无床", TextEn: "No bed"}, {Action: "decline", Code: "OTHER", Text: "其他"}},
		}},
	}
}

func TestTheFirstChangeSaysWhatWasBeforeItAndGoingBackToItIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	only := firstVersions()
	only.Versions[0].Targets, only.Versions[0].Reasons, only.Shipped.Reasons = nil, nil, nil
	w.always(versionsMethod, only)
	b := w.admin()
	closes := sampleSettings().GetCloses()
	hours := "<del>08:00–" + closes + "</del> → <ins>07:30–" + closes + "</ins>"
	body := sound(t, "settings", b.get("/settings/history/SETTINGS"))
	shows(t, body, hours, `href="/settings/history/SETTINGS?restore=0#restore"`)
	if strings.Count(body, "<ins>") != 1 || strings.Contains(body, `name="restore"`) {
		t.Error("more than what changed is told, or it goes back at once")
	}
	shows(t, sound(t, "asked", b.get("/settings/history/SETTINGS?restore=0")), "What going back to the very first changes",
		"<del>07:30–"+closes+"</del> → <ins>08:00–"+closes+"</ins>", `name="restore" value="0"`, "so that you can go back again")
	w.always(versionsMethod, firstVersions())
	body = b.get("/settings/history/REASONS").Body.String()
	shows(t, body, "<del>无床 · No bed</del> → <ins>", "没有隔离床")
	if strings.Contains(body, "其他") {
		t.Error("a reason that is as shipped is told")
	}
	// Where the oldest is not the first, what was before it is not known.
	old := firstVersions()
	old.Versions[0].Version = 7
	w.always(versionsMethod, old)
	shows(t, b.get("/settings/history/SETTINGS").Body.String(), "earlier changes are not listed any more")
}

func TestAPlaceIsMadeAgainWhatItWasAfterAQuestionAndTheRefusalSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	page := "/settings/versions/PLACE/" + townshipID
	body := sound(t, "versions", b.get(page))
	shows(t, body, `href="`+page+`?restore=6#restore"`)
	if strings.Contains(body, `name="restore"`) {
		t.Error("it goes back at once")
	}
	shows(t, sound(t, "asked", b.get(page+"?restore=6")), "What going back to version 6 changes", "<ins>0773-1</ins>", `name="restore" value="6"`)
	w.refuse(againMethod, errs.Invalid(errs.Bad("organization.disabled", errs.ReasonFieldCombination)))
	shows(t, b.post(page, form("version", "7", "requestId", "r1", "restore", "6")).Body.String(), "This is your own organisation; you cannot close it")
	asked := lastly[*directoryv1.RestorePlaceVersionRequest](t, w, againMethod)
	if asked.GetRestore() != 6 || asked.GetVersion() != 7 {
		t.Errorf("%v", asked)
	}
}
