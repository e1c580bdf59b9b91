package parts

import (
	"net/http"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Completeness is what completeness.html sees: how complete a hand-over is (转诊信息交接), and what is missing. It advises and never blocks.
type Completeness struct {
	// Away tells that nobody answered; Judged that there is a score.
	Away, Judged     bool
	Score, Threshold int32
	Missing          []MissingItem
	// Sent tells that it is about what was handed over, and not about a form.
	Sent bool
	// Unknown tells that the record could not be read, so that some items do not count.
	Unknown bool
}

// MissingItem is one that is not there; Anchor is the field where it is mended, on a form. Begun tells that something stands in that field, which
// does not count yet.
type MissingItem struct {
	code, Name, How, Anchor string
	Begun                   bool
}

// presentIllness is the item whose text counts only from some length on.
const presentIllness = "PRESENT_ILLNESS"

// Complete judges a form as typed. Whatever goes wrong makes a part that says so.
func Complete(sh *shell.Shell, r *http.Request, client referralv1.HandoverServiceClient, typed *referralv1.CreateReferralRequest) Completeness {
	typed.RequestId, typed.Values = id.New(), nil
	answer, err := client.EvaluateCompleteness(r.Context(), &referralv1.EvaluateCompletenessRequest{Referral: typed})
	if err != nil {
		return Completeness{Away: true}
	}
	c := Completed(sh, r, answer, true)
	for i, one := range c.Missing {
		if one.code != presentIllness {
			continue
		}
		c.Missing[i].Begun = strings.TrimSpace(typed.GetForm().GetPresentIllness()) != ""
		if typed.GetKind() == commonv1.Kind_ADVICE {
			c.Missing[i].Name = sh.T(r, "refer.question") // as the form calls it there
		}
	}
	return c
}

// Completed words an answer; with fields the names lead to the fields of the form.
func Completed(sh *shell.Shell, r *http.Request, answer *referralv1.Completeness, fields bool) Completeness {
	c := Completeness{Judged: answer.GetJudged(), Score: answer.GetScore(), Threshold: answer.GetThreshold(), Sent: !fields}
	w := words{english: sh.Language(r) == "en"}
	for _, item := range answer.GetItems() {
		switch item.GetStatus() {
		case "UNKNOWN":
			c.Unknown = true
		case "MISSING":
			one := MissingItem{code: item.GetCode(), Name: w.of(item.GetName(), item.GetNameEn()), How: w.of(item.GetJudged(), item.GetJudgedEn())}
			if fields {
				one.Anchor = item.GetField()
			}
			c.Missing = append(c.Missing, one)
		}
	}
	return c
}
