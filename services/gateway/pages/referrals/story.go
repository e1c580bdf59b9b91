package referrals

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
)

// historyRow is a transition or mark with its words.
type historyRow struct {
	*referralv1.HistoryRow
	Organization string
	Reason       string
	// Due is the limit that the transition set; a redirect sets another one, and both stay in the history.
	Due *timestamppb.Timestamp
	// Rung is whom a passed limit calls, as a text key below "ladder", and Level how often it has passed.
	Rung  string
	Level int
	// FormerPlace and Place are where a redirect took the referral from and to; "" for every other row.
	FormerPlace, Place string
	// Call is one about an emergency; nil for every other row.
	Call *notificationv1.CallRecord
}

// story words the timeline, and reads who was told of what. Without the notifications the timeline stands alone.
func (p *Pages) story(r *http.Request, data *pageData, history []*referralv1.HistoryRow) {
	county, cerr := p.Shell.Names().County(r.Context())
	language := p.Shell.Language(r)
	words := map[string]func(string) string{} // by action, each asked for once
	for _, row := range slices.Backward(history) {
		one := historyRow{HistoryRow: row, Reason: row.GetReasonCode()}
		if action := row.GetAction(); one.Reason != "" && action != "" {
			if words[action] == nil {
				words[action] = p.Shell.Reasons(r, action)
			}
			one.Reason = words[action](one.Reason)
		}
		if cerr == nil {
			one.Organization = county.OrganizationName(language, row.GetActor().GetOrganizationId())
			if row.GetAction() == "redirect" {
				at := func(which string) string {
					organization := row.GetDetail()[which+"OrganizationId"]
					return strings.TrimSpace(county.OrganizationName(language, organization) + " " + county.DepartmentName(language, organization, row.GetDetail()[which+"DepartmentCode"]))
				}
				one.FormerPlace, one.Place = at("from"), at("to")
			}
		}
		if due, terr := time.Parse(time.RFC3339, row.GetDetail()["dueTime"]); terr == nil {
			one.Due = timestamppb.New(due)
		}
		if row.GetAction() == "deadline_passed" {
			one.Level, _ = strconv.Atoi(row.GetDetail()["level"])
			one.Rung = ladderRung(row.GetDetail()["step"], data.Down(), one.Level)
		}
		data.History = append(data.History, one)
	}
	data.History = append(data.History, data.Rung.rows(data.To, data.From)...)
	newestFirst(data.History)
	data.Told = p.told(r, data)
}

// ladderRung is whom a limit that passed for the nth time calls: the ladder of each waiting step. "" beyond it.
func ladderRung(step string, down bool, level int) string {
	up := map[string][]string{
		"ANSWER": {"desk", "head", "admin"}, "MISSING_INFORMATION": {"doctor", "centre-head"},
		"REPLY": {"specialist", "head", "admin"}, "CONSENT": {"doctor", "centre-head"}, "DOWN_DECISION": {"head", "admin"},
	}
	sentDown := map[string][]string{
		"ANSWER": {"centre", "centre-head", "admin"}, "MISSING_INFORMATION": {"specialist", "head"},
		"FIRST_CONTACT": {"centre", "centre-head"}, "VISIT": {"doctor", "centre-head", "admin"},
	}
	ladder := up[step]
	if down {
		ladder = sentDown[step]
	}
	if level < 1 || level > len(ladder) {
		return ""
	}
	return ladder[level-1]
}

// told is one person who was told.
type told struct {
	*notificationv1.Notification
	Rung string
}

// toldPages bounds how many are read: more than anybody reads of one referral.
const toldPages = 5

func (p *Pages) told(r *http.Request, data *pageData) (out []told) {
	ask := &notificationv1.ListToldRequest{ReferralId: data.GetId()}
	for range toldPages {
		list, err := p.Notification.ListTold(r.Context(), ask)
		if err != nil {
			return nil
		}
		for _, n := range list.GetNotifications() {
			out = append(out, told{Notification: n, Rung: ladderRung(n.GetStep(), data.Down(), int(n.GetLevel()))})
		}
		if ask.PageToken = list.GetNextPageToken(); ask.GetPageToken() == "" {
			break
		}
	}
	return out
}

// message is one of the thread.
type message struct {
	*referralv1.Message
	Organization string
	Mine         bool
}

// thread reads the messages. Without them the page says so rather than failing.
func (p *Pages) thread(r *http.Request, data *pageData) {
	list, err := p.Referral.ListMessages(r.Context(), &referralv1.ListMessagesRequest{Id: data.GetId()})
	if err != nil {
		data.Silent = true
		return
	}
	visitor, _ := door.VisitorFrom(r.Context())
	county, err := p.Shell.Names().County(r.Context())
	for _, m := range list.GetMessages() {
		one := message{Message: m, Mine: m.GetAuthor().GetAccountId() == visitor.Account.GetId()}
		if err == nil {
			one.Organization = county.OrganizationName(p.Shell.Language(r), m.GetAuthor().GetOrganizationId())
		}
		data.Messages = append(data.Messages, one)
	}
}

// earlier is what a corrected field said before.
type earlier struct {
	Before, By, Reason, Note string
	Time                     *timestamppb.Timestamp
}

// content reads what the form is shown with: the corrections of its fields and the referrals it hangs together with. Without
// them it shows the present text alone.
func (p *Pages) content(r *http.Request, data *pageData) {
	if list, err := p.Referral.ListLinks(r.Context(), &referralv1.ListLinksRequest{Id: data.GetId()}); err == nil {
		data.Links = list.GetLinks()
	}
	data.Matched, data.Found = parts.MatchedOf(p.Shell, r, data.Row.Referral)
	p.medicines(r, data)
	if data.GetCorrections() == 0 {
		return
	}
	list, err := p.Referral.ListCorrections(r.Context(), &referralv1.ListCorrectionsRequest{Id: data.GetId()})
	if err != nil {
		return
	}
	data.earlier = map[string][]earlier{}
	for _, c := range list.GetCorrections() {
		reason := p.Shell.Reason(r, "correct", c.GetReasonCode())
		for _, f := range c.GetFields() {
			data.earlier[f.GetPath()] = append(data.earlier[f.GetPath()], earlier{
				Before: f.GetBefore(), By: c.GetAuthor().GetName(), Reason: reason, Note: c.GetNote(), Time: c.GetTime(),
			})
		}
	}
}
