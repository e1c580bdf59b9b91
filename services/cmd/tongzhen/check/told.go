package check

import (
	"fmt"
	"slices"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// duty is what a row of the timeline obliges to: a fact of this name reaches these people.
type duty struct {
	event string
	to    []group
}

// duties are the transitions and marks that somebody is told of. The table is written down here a second time on purpose: it is what the
// rules of the notification service are held against.
func duties() map[string]duty {
	return map[string]duty{
		"submit": {"submitted", []group{takers, alarmed}}, "resubmit": {"resubmitted", []group{takers}},
		"redirect": {"redirected", []group{takers, author}}, "cancel": {"cancelled", []group{takersOfSent}},
		"accept": {"accepted", []group{author}}, "rebook": {"rebooked", []group{author}}, "return": {"returned", []group{author}},
		"decline": {"declined", []group{author}}, "answer": {"answered", []group{author}},
		"arrive": {"arrived", []group{author}}, "record_arrival": {"arrived", []group{author}},
		"admit": {"admitted", []group{author}}, "no_show": {"no_show", []group{author}}, "conclude": {"concluded", []group{author}},
		"acknowledge":     {"acknowledged", []group{takers}},
		"begin_follow_up": {"follow_up_begun", []group{author}}, "escalate": {"escalated", []group{author}}, "complete": {"completed", []group{author}},

		"depart": {"departed", []group{takers}}, "message": {"message_posted", []group{otherSide}}, "correct": {"corrected", []group{otherSide}},
		"assess": {"assessed", []group{author}}, "record_consent": {"consent_recorded", []group{takers}},
		"bounce_back":   {"bounce_back_found", []group{author, headOfReceiver}},
		"person_merged": {"person_merged", []group{takers, author}},
		"moved":         {"booking_moved", []group{takers, author}}, "substituted": {"booking_moved", []group{takers, author}},
		"displaced": {"session_cancelled", []group{takers, author}},
	}
}

// entry is what one account was told of one referral.
type entry struct{ referral, event, account string }

// told: every row of a timeline has reached each person concerned, once, and nobody was told what did not happen or did not concern them.
func (w World) told() []string {
	var bad []string
	got, seen, known := map[entry]int{}, map[string]bool{}, map[string]bool{}
	for _, r := range w.Referrals {
		known[r.GetId()] = true
	}
	for _, e := range w.Entries {
		if key := e.GetFactId() + " " + e.GetAccountId(); seen[key] {
			bad = append(bad, fmt.Sprintf("fact %s was entered twice for account %s", e.GetFactId(), e.GetAccountId()))
		} else {
			seen[key] = true
		}
		if known[e.GetReferralId()] {
			got[entry{e.GetReferralId(), e.GetEvent(), e.GetAccountId()}]++
		}
	}
	must, may := w.due()
	for e, n := range got {
		if least, most := must[e], must[e]+may[e]; most == 0 {
			bad = append(bad, fmt.Sprintf("referral %s: account %s has an entry %q without a cause", e.referral, e.account, e.event))
		} else if n < least || n > most {
			bad = append(bad, e.wrong(n, least, most))
		}
	}
	for e, n := range must {
		if got[e] == 0 && n > 0 {
			bad = append(bad, e.wrong(0, n, n+may[e]))
		}
	}
	return bad
}

func (e entry) wrong(n, least, most int) string {
	due := fmt.Sprint(least)
	if least < most {
		due = fmt.Sprintf("%d to %d", least, most)
	}
	return fmt.Sprintf("referral %s: account %s has %d entries %q, %s are due", e.referral, e.account, n, e.event, due)
}

// rings adds whom an action's wait may reach in which an emergency rings. It does so until somebody acknowledges: whom it reached by then is not in the
// timeline. Who sent the patient may be rung beside the news that they had, and is told when somebody has to telephone.
func (c concern) rings(d duty, told []string, may map[entry]int) {
	if action := c.row.GetAction(); action != "submit" && action != "resubmit" && action != "redirect" {
		return
	}
	for _, account := range c.people(rung) {
		if !slices.Contains(told, account) {
			may[entry{c.referral.GetId(), d.event, account}]++
		}
	}
	for _, account := range c.people(emergencyAuthor) {
		may[entry{c.referral.GetId(), "alarm_rang", account}]++
		may[entry{c.referral.GetId(), "call_due", account}]++
	}
}

// moves tells whether the action follows a booking. One that a later move overtook is told, too, and is not in the timeline.
func moves(action string) bool {
	return action == "moved" || action == "substituted" || action == "displaced"
}

// due is what each account must have been told, and may have been told besides: of a limit that passed but was kept before the news came,
// of an emergency that nobody took on, and of a candidate, which the referral's own timeline does not show.
func (w World) due() (must, may map[entry]int) {
	must, may = map[entry]int{}, map[entry]int{}
	for _, r := range w.Referrals {
		for _, row := range r.History {
			c := w.concern(r, row)
			if d, ok := duties()[row.GetAction()]; ok {
				told := c.people(d.to...)
				for _, account := range told {
					must[entry{r.GetId(), d.event, account}]++
					if moves(row.GetAction()) {
						may[entry{r.GetId(), d.event, account}]++
					}
				}
				c.rings(d, told, may)
			}
			if row.GetAction() == "deadline_passed" {
				for _, account := range c.people(ladder(row.GetDetail()["step"], row.GetDetail()["level"])) {
					may[entry{r.GetId(), "deadline_passed", account}]++
				}
			}
		}
	}
	w.found(must, may)
	return must, may
}

// found adds what the departments were told of candidates: when one was found, and again whenever the down-referral that it was sent with
// was taken back or declined. Of candidates that were not read, or that another source found first, it bounds how often.
func (w World) found(must, may map[entry]int) {
	candidates := map[string]*referralv1.Candidate{}
	for _, c := range w.Candidates {
		candidates[c.GetReferralId()] = c
	}
	for _, r := range w.Referrals {
		c, where := candidates[r.GetId()], r.GetReceiver()
		exact := c.GetOrigin() == "CONCLUDED"
		if c != nil {
			where = &commonv1.Party{OrganizationId: c.GetOrganizationId(), DepartmentCode: c.GetDepartmentCode()}
		}
		if c == nil && len(w.Candidates) > 0 || !r.did("conclude") && !r.did("admit") {
			continue
		}
		for _, account := range w.department(where, specialist, departmentHead) {
			e := entry{r.GetId(), "candidate_found", account}
			if exact {
				must[e] = w.opened(c)
			} else {
				may[e] = 1 + len(w.decisions(r.GetPatientId(), where.GetOrganizationId()))
			}
		}
	}
}

// opened counts how often a candidate came on its list: it leaves it with the first down-referral that the hospital sends the patient home
// with, and is back when that one comes to nothing.
func (w World) opened(c *referralv1.Candidate) int {
	n, sent, listed := 0, "", false
	list := func() {
		if !listed && sent == "" {
			n++
		}
		listed = true
	}
	for _, d := range w.decisions(c.GetPatientId(), c.GetOrganizationId()) {
		if d.time.Before(c.GetStayStart().AsTime()) {
			continue
		}
		if d.time.After(c.GetFoundTime().AsTime()) {
			list()
		}
		switch {
		case d.home && (sent == "" || !listed):
			sent = d.down
		case !d.home && sent == d.down:
			sent = ""
			if listed {
				n++
			}
		}
	}
	list()
	return n
}

// decision is that a hospital sent a patient home, or that this came to nothing.
type decision struct {
	time time.Time
	down string
	home bool
}

// decisions of a hospital about a patient, oldest first.
func (w World) decisions(patient, hospital string) []decision {
	var out []decision
	for _, r := range w.Referrals {
		if r.GetDirection() != commonv1.Direction_DOWN || r.GetPatientId() != patient || r.GetOriginator().GetOrganizationId() != hospital {
			continue
		}
		for _, row := range r.transitions() {
			home, not := row.GetAction() == "submit", row.GetAction() == "cancel" || row.GetAction() == "decline"
			if home || not && row.GetFrom() != referralv1.State_DRAFT {
				out = append(out, decision{row.GetTime().AsTime(), r.GetId(), home})
			}
		}
	}
	slices.SortFunc(out, func(a, b decision) int { return a.time.Compare(b.time) })
	return out
}
