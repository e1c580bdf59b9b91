package followups

import (
	"context"
	"net/url"
	"slices"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// Next is whom a doctor who has just followed somebody up goes on to.
type Next struct {
	// List is the address of the list that the doctor works through.
	List string
	// Patient is the first on it who is still to be seen; nil when nobody is, or when Away.
	Patient *referralv1.FollowUp
	// Away tells that the list could not be read.
	Away bool
}

// Record is where the follow-up of the patient is recorded.
func (n Next) Record() string {
	if n.Patient.GetSource() == "NORM" {
		return n.List + "#" + n.Patient.GetId()
	}
	return "/referrals/" + url.PathEscape(n.Patient.GetReferralId()) + "?list=" + url.QueryEscape(n.List) + "#visit"
}

// Late tells for how many days the patient has been waited for.
func (n Next) Late() int32 { return n.Patient.GetOverdueDays() }

// List is the address of the list that a page was opened from, "" if it was not from one.
func List(from string) string {
	path, query, _ := strings.Cut(from, "?")
	values, err := url.ParseQuery(query)
	if path != "/follow-ups" || err != nil {
		return ""
	}
	return placeOf(values).Here()
}

// After is who comes after a referral on the list at an address; without one, on that of today.
func After(ctx context.Context, client referralv1.FollowUpServiceClient, list, referralID string) Next {
	_, query, _ := strings.Cut(list, "?")
	values, _ := url.ParseQuery(query) // of no list it is that of today
	at := placeOf(values)
	if at.Tab == "done" {
		at.Tab = tabs()[0]
	}
	out := Next{List: at.Here()}
	answer, err := client.ListFollowUps(ctx, at.request())
	if err != nil {
		out.Away = true
		return out
	}
	others := answer.GetFollowUps()
	i := slices.IndexFunc(others, func(f *referralv1.FollowUp) bool {
		return f.GetState() == "OPEN" && !f.GetTheirs() && f.GetReferralId() != referralID
	})
	if i >= 0 {
		out.Patient = others[i]
	}
	return out
}
