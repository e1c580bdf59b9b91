package shell

import (
	"cmp"
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// reasonActions names the action whose reason a referral carries in a state.
var reasonActions = map[referralv1.State_Code]string{
	referralv1.State_RETURNED: "return", referralv1.State_DECLINED: "decline", referralv1.State_CANCELLED: "cancel",
}

// Reason words an action's reason code in the visitor's language; reasons are data of the referral service. The code
// itself when it cannot be asked.
func (s *Shell) Reason(r *http.Request, action, code string) string {
	if action == "" || code == "" {
		return code
	}
	return s.Reasons(r, action)(code)
}

// Reasons asks once for all reasons of an action and words their codes as [Shell.Reason] does.
func (s *Shell) Reasons(r *http.Request, action string) func(code string) string {
	words := map[string]string{}
	if list, err := s.deps.Referral.ListReasons(r.Context(), &referralv1.ListReasonsRequest{Action: action}); err == nil {
		for _, reason := range list.GetReasons() {
			words[reason.GetCode()] = reason.GetText()
			if s.Language(r) == "en" {
				words[reason.GetCode()] = reason.GetTextEn()
			}
		}
	}
	return func(code string) string { return cmp.Or(words[code], code) }
}

// ReasonOf words the reason for the state a referral is in; "" when the state has none.
func (s *Shell) ReasonOf(r *http.Request, referral *referralv1.Referral) string {
	action, ok := reasonActions[referral.GetState()]
	if !ok {
		return ""
	}
	return s.Reason(r, action, referral.GetReasonCode())
}

// Offered leaves out the reasons that the county does not offer any more.
func Offered(reasons []*referralv1.Reason) []*referralv1.Reason {
	return slices.DeleteFunc(slices.Clone(reasons), func(r *referralv1.Reason) bool { return r.GetHidden() })
}
