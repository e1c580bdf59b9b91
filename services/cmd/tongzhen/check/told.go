package check

import (
	"fmt"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// events are the transitions that somebody is told of, with the names of their facts. The table is written down here a
// second time on purpose: it is what the rules of the notification service are held against.
func events() (toDesk, toOriginator map[string]string) {
	return map[string]string{
			"submit": "submitted", "resubmit": "resubmitted", "cancel": "cancelled", "acknowledge": "acknowledged",
		}, map[string]string{
			"accept": "accepted", "rebook": "rebooked", "return": "returned", "decline": "declined", "arrive": "arrived",
			"admit": "admitted", "no_show": "no_show", "conclude": "concluded",
		}
}

// told: every transition has reached each person concerned, once.
func (w World) told() []string {
	type entry struct{ referral, event, account string }
	var bad []string
	got := map[entry]int{}
	seen := map[string]bool{}
	for _, e := range w.Entries {
		if key := e.GetFactId() + " " + e.GetAccountId(); seen[key] {
			bad = append(bad, fmt.Sprintf("fact %s was entered twice for account %s", e.GetFactId(), e.GetAccountId()))
		} else {
			seen[key] = true
		}
		got[entry{e.GetReferralId(), e.GetEvent(), e.GetAccountId()}]++
	}
	want := map[entry]int{}
	for _, r := range w.Referrals {
		if r.did("redirect") {
			continue // who was the receiver at the time of each row is not in the referral any more
		}
		for _, row := range r.transitions() {
			event, accounts := w.audience(r, row)
			for _, account := range accounts {
				want[entry{r.GetId(), event, account}]++
			}
		}
	}
	for e, n := range want {
		if got[e] != n {
			bad = append(bad, fmt.Sprintf("referral %s: account %s has %d entries %q, %d are due", e.referral, e.account, got[e], e.event, n))
		}
	}
	return append(bad, w.untold(func(e *notificationv1.Notification) bool {
		return want[entry{e.GetReferralId(), e.GetEvent(), e.GetAccountId()}] > 0
	})...)
}

// untold: nobody has an entry for what did not happen or did not concern them.
func (w World) untold(due func(*notificationv1.Notification) bool) []string {
	known := map[string]bool{}
	for _, r := range w.Referrals {
		known[r.GetId()] = !r.did("redirect")
	}
	var bad []string
	for _, e := range w.Entries {
		if judged, ok := known[e.GetReferralId()]; ok && judged && !due(e) {
			bad = append(bad, fmt.Sprintf("referral %s: account %s has an entry %q without a cause", e.GetReferralId(), e.GetAccountId(), e.GetEvent()))
		}
	}
	return bad
}

// audience is the event of a row and the accounts that it concerns.
func (w World) audience(r Referral, row *referralv1.HistoryRow) (event string, accounts []string) {
	toDesk, toOriginator := events()
	if event := toDesk[row.GetAction()]; event != "" {
		if row.GetAction() == "cancel" && row.GetFrom() == referralv1.State_DRAFT {
			return event, nil // nobody has seen it
		}
		accounts = w.staff(r.GetReceiver().GetOrganizationId(), "", commonv1.Role_INTAKE_DESK)
		if row.GetAction() == "submit" && r.GetUrgency() == commonv1.Urgency_EMERGENCY {
			accounts = append(accounts, w.staff(r.GetReceiver().GetOrganizationId(), r.GetReceiver().GetDepartmentCode(),
				commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD)...)
		}
		slices.Sort(accounts)
		return event, slices.Compact(accounts)
	}
	event = toOriginator[row.GetAction()]
	if event == "" {
		return "", nil
	}
	return event, w.writers(r)
}

// writers is who wrote the referral, or the doctors of the organisation when that account works there no more.
func (w World) writers(r Referral) []string {
	organization := r.GetOriginator().GetOrganizationId()
	if len(r.History) > 0 {
		author := r.History[0].GetActor().GetAccountId()
		for _, a := range w.Accounts {
			if a.GetId() == author && a.GetOrganizationId() == organization && !a.GetDisabled() {
				return []string{author}
			}
		}
	}
	return w.staff(organization, "", commonv1.Role_TOWNSHIP_DOCTOR)
}

func (w World) staff(organization, department string, roles ...commonv1.Role_Code) []string {
	var out []string
	for _, a := range w.Accounts {
		if a.GetOrganizationId() == organization && !a.GetDisabled() && (department == "" || a.GetDepartmentCode() == department) && holds(a, roles...) {
			out = append(out, a.GetId())
		}
	}
	return out
}
