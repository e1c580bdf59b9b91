package referrals

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/followups"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/queue"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// actionsData is what actions.html sees.
type actionsData struct {
	Names     []string
	Referral  *referralv1.Referral
	Reasons   map[string][]*referralv1.Reason
	RequestID string
	// Version is the one that the forms stand on.
	Version int32
	// InQueue: the answer leads on to the next one of the queue.
	InQueue bool
	// List is the work list of follow-ups that the page was opened from, "" if it was not from one.
	List    string
	Booking queue.Capacity
	// Suggested is what one click books, nil for nothing; Short ends the text key that says why.
	Suggested *queue.Suggestion
	Short     string
	Redirects []place
	// Beds are those that the patient can be admitted to.
	Beds bedsData
	// Plan is the editor of begin_follow_up or revise_plan, Visit the form of record_visit.
	Plan  planData
	Visit visitData
	// Proposed are forms as they are first shown, by action; the others start empty.
	Proposed map[string]url.Values
	// Correctable are the parts of the sealed content with their present text.
	Correctable []correctable
	// Failed is the action whose form was refused, with what was typed.
	Failed  string
	Form    shell.Form
	Problem string
	// Since is what has happened since the refused form was shown.
	Since []historyRow
	// Typed is what was typed into a form that is not offered any more.
	Typed []string
}

// Chosen are the diagnoses that the correction starts from, or those that were sent.
func (a actionsData) Chosen() []parts.Diagnosis {
	form := a.FormOf("correct").Values
	if form == nil {
		form = url.Values{}
		parts.SetDiagnoses(form, a.Referral.GetDiagnoses())
	}
	return parts.Chosen(form)
}

// Has tells whether an action is offered.
func (a actionsData) Has(name string) bool { return slices.Contains(a.Names, name) }

// Seen names what is offered on which version: who has it before them need not be told again.
func (a actionsData) Seen() string {
	return strconv.Itoa(int(a.Referral.GetVersion())) + " " + strings.Join(a.Names, " ")
}

// unchanged tells that the visitor's page offers the same, with a reply that was read from the record: reading it again would be one more entry in
// the trail for each message.
func (a actionsData) unchanged(r *http.Request) bool {
	return a.Has("conclude") && r.Header.Get("X-Fragment") == "actions" && r.Header.Get("X-Seen") == a.Seen()
}

// firsts are what a page is for, in the order in which they are offered; on a telephone the rest is behind 更多操作.
func firsts() []string {
	return strings.Fields("submit resubmit answer accept arrive rebook begin_follow_up record_visit admit conclude acknowledge record_consent")
}

// First tells that nothing else is what the page is for, so that a mark is.
func (a actionsData) First() bool {
	return !slices.ContainsFunc(firsts(), a.Has)
}

// rest is what else is offered here; messages and corrections have places of their own.
func (a actionsData) rest() []string {
	shown := strings.Fields("escalate revise_plan complete convert depart assess return redirect no_show decline cancel undo_admit undo_arrive")
	return slices.DeleteFunc(shown, func(name string) bool {
		return !a.Has(name) || name == "depart" && (a.First() || a.Has("record_consent")) || name == "escalate" && len(a.Visit.Worse) > 0
	})
}

// Unfolded tells that something was refused in the rest, or is open there from the start.
func (a actionsData) Unfolded() bool {
	return slices.Contains(a.rest(), a.Failed) || a.Has("revise_plan") && (a.Visit.Extends() || a.Plan.Picked) || a.Has("complete") && a.Visit.Finished
}

// Waits tells that the other side is to act: what is offered, if anything, takes something back or is a mark.
func (a actionsData) Waits() bool {
	return !slices.ContainsFunc(a.Names, func(name string) bool {
		return name != "cancel" && !strings.HasPrefix(name, "undo_") && !isMark(name)
	})
}

// Paper tells that the patient is yet to go up, with the slip in hand.
func (a actionsData) Paper() bool {
	state := a.Referral.GetState()
	return !a.Down() && a.Referral.GetKind().String() != "ADVICE" && (state == referralv1.State_SUBMITTED || state == referralv1.State_ACCEPTED)
}

// FormOf is the refused form of an action, or the one that it starts from.
func (a actionsData) FormOf(name string) shell.Form {
	if a.Failed == name {
		return a.Form
	}
	return shell.Form{Values: a.Proposed[name]}
}

// Problems are all errors of the refused form, each once; an item and its list say the same. nil when no field is to blame.
func (a actionsData) Problems() (out []shell.FieldError) {
	for _, e := range a.Form.Errors {
		if !slices.ContainsFunc(out, func(said shell.FieldError) bool { return said.Text == e.Text }) {
			out = append(out, e)
		}
	}
	return out
}

// Reasoned tells that the form of the refused action asks for a reason and is still there: what is wrong is said in it.
func (a actionsData) Reasoned() bool {
	return a.Has(a.Failed) && slices.Contains(strings.Fields("return redirect decline cancel undo_arrive undo_admit"), a.Failed)
}

// Field is the id of a field of a form that asks for a reason, or of the form of a visit, where the refused one is still there; "" for another.
func (a actionsData) Field(name string) string {
	switch {
	case a.Reasoned() && name == "reasonCode":
		return "f-" + a.Failed + "-reason"
	case a.Reasoned() && name == "note":
		return "f-" + a.Failed + "-note"
	case a.Failed != "record_visit" || !a.Has(a.Failed):
		return ""
	case name == "plan.visits":
		return "f-nextDue"
	case name == "visit", strings.HasPrefix(name, "findings.") && name != "findings.values", strings.HasPrefix(name, "value."):
		return "f-" + name
	}
	return ""
}

// Down tells that a township answers.
func (a actionsData) Down() bool { return a.Referral.GetDirection().String() == "DOWN" }

// Word is the name of an action, or of a state, in the texts: some are called otherwise where a patient comes down.
func (a actionsData) Word(name any) string { return word(a.Referral, name) }

func word(r *referralv1.Referral, name any) string {
	plain := ""
	switch n := name.(type) {
	case string:
		plain = n
	case referralv1.State_Code:
		plain = n.String()
	}
	if r.GetDirection().String() == "DOWN" && slices.Contains(strings.Fields("accept decline redirect arrive SUBMITTED RETURNED ACCEPTED NO_SHOW ARRIVED"), plain) {
		return plain + ".DOWN"
	}
	return plain
}

func (p *Pages) actions(r *http.Request, referral *referralv1.Referral) (actionsData, error) {
	ctx := r.Context()
	list, err := p.Referral.ListActions(ctx, &referralv1.ListActionsRequest{Id: referral.GetId()})
	if err != nil {
		return actionsData{}, err
	}
	data := actionsData{Referral: referral, Reasons: map[string][]*referralv1.Reason{}, Proposed: map[string]url.Values{}, RequestID: id.New(), Version: referral.GetVersion(), List: followups.List(r.FormValue("list"))}
	for _, action := range slices.Concat(list.GetActions(), list.GetMarks()) {
		data.Names = append(data.Names, action.GetName())
		if slices.Contains(action.GetCarries(), "reason_code") {
			reasons, rerr := p.Referral.ListReasons(ctx, &referralv1.ListReasonsRequest{Action: action.GetName(), Direction: referral.GetDirection()})
			if rerr != nil {
				return actionsData{}, rerr
			}
			data.Reasons[action.GetName()] = reasons.GetReasons()
		}
	}
	if data.Has("accept") || data.Has("rebook") {
		data.Booking = p.Queue.Capacity(r, referral, 0)
		data.Suggested, data.Short = p.Queue.SuggestFor(r, referral, data.Booking)
	}
	if data.Has("redirect") {
		data.Redirects = p.redirects(r, referral)
	}
	if data.Has("begin_follow_up") || data.Has("revise_plan") {
		data.Plan = p.plan(r, referral)
	}
	if data.Has("record_visit") {
		data.Visit = p.visit(r, referral, data.List)
	}
	if data.Has("record_consent") {
		data.Proposed["record_consent"] = p.consenter(r, referral)
	}
	if data.Has("conclude") && !data.unchanged(r) {
		data.Proposed["conclude"] = p.replyOf(r, referral)
	}
	if data.Has("admit") {
		data.Beds = p.beds(r, referral)
		data.Proposed["admit"] = data.Beds.proposed()
	}
	if data.Has("correct") {
		data.Correctable = correctableOf(referral)
	}
	return data, nil
}

// redirects are where a referral can go instead: another department of a county hospital, or another township centre when
// the patient comes down.
func (p *Pages) redirects(r *http.Request, referral *referralv1.Referral) []place {
	wanted := directoryv1.OrganizationType_COUNTY_HOSPITAL
	if referral.GetDirection().String() == "DOWN" {
		wanted = directoryv1.OrganizationType_TOWNSHIP_CENTRE
	}
	here := placeOf(referral.GetReceiver())
	return slices.DeleteFunc(p.places(r, wanted), func(to place) bool { return to.Value == here })
}

// place is an organisation with a department, as a form sends it: "organisation|department".
type place struct{ Value, Name string }

func placeOf(party *commonv1.Party) string {
	return party.GetOrganizationId() + "|" + party.GetDepartmentCode()
}

// partyOf reads a place that a form sent.
func partyOf(value string) *commonv1.Party {
	organization, department, _ := strings.Cut(value, "|")
	return &commonv1.Party{OrganizationId: organization, DepartmentCode: department}
}

// places are the departments of all organisations of a type; none without directory.
func (p *Pages) places(r *http.Request, wanted directoryv1.OrganizationType_Code) []place {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return nil
	}
	language := p.Shell.Language(r)
	var out []place
	for _, o := range county.Organizations {
		if o.GetType() != wanted || o.GetDisabled() {
			continue
		}
		for _, d := range departmentsOf(county, o) {
			name := strings.TrimSpace(county.OrganizationName(language, o.GetId()) + " " + county.DepartmentName(language, o.GetId(), d.GetCode()))
			out = append(out, place{placeOf(&commonv1.Party{OrganizationId: o.GetId(), DepartmentCode: d.GetCode()}), name})
		}
	}
	return out
}

// departmentsOf an organisation; a centre without departments takes patients as a whole.
func departmentsOf(county *shell.County, o *directoryv1.Organization) []*directoryv1.Department {
	if all := county.Departments(o.GetId()); len(all) > 0 || o.GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL {
		return all
	}
	return []*directoryv1.Department{{}}
}
