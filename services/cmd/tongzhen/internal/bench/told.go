package bench

import (
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// told is the event of a transition and the accounts that must have an entry of it: notification's rules for the
// transitions that a run makes, written down a second time so that a mistake there is seen here.
func (r *runner) told(referral *referralv1.Referral, row *referralv1.HistoryRow) (event string, accounts []string) {
	switch row.GetAction() {
	case "submit":
		accounts = ids(r.place.desks())
		if referral.GetUrgency() == commonv1.Urgency_EMERGENCY {
			accounts = append(accounts, r.place.specialists()...)
			slices.Sort(accounts)
			accounts = slices.Compact(accounts)
		}
		return "submitted", accounts
	case "acknowledge":
		return "acknowledged", ids(r.place.desks())
	case "accept", "arrive", "admit", "conclude":
		event := map[string]string{"accept": "accepted", "arrive": "arrived", "admit": "admitted", "conclude": "concluded"}[row.GetAction()]
		return event, []string{r.senders[referral.GetId()]}
	default:
		return "", nil
	}
}

// specialists of the receiving department, and its head.
func (p place) specialists() []string {
	list := slices.Concat(p.holding(commonv1.Role_SPECIALIST), p.holding(commonv1.Role_DEPARTMENT_HEAD))
	return ids(slices.DeleteFunc(list, func(a *directoryv1.Account) bool {
		return a.GetOrganizationId() != p.hospital.GetId() || a.GetDepartmentCode() != p.department.GetCode()
	}))
}

func ids(accounts []*directoryv1.Account) []string {
	out := make([]string, len(accounts))
	for i, a := range accounts {
		out[i] = a.GetId()
	}
	return out
}
