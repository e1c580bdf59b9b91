// Package feeds shows what hospitals' own systems sent and could not be stored: the senders and what came of them, the quarantine, and one
// message with its content, to be taken again after the settings were mended or settled for a coded reason.
//
// A message is patient data. Who looks after the system sees sender, kind, place and reason; the content is for the intake desk and the heads
// of the organisation that sent it, and each look is audited by the record.
package feeds

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

const (
	pageSize = 50
	// quiet is after how long without a message a sender is marked: a hospital's system sends every day.
	quiet = 24 * time.Hour
)

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Messages patientrecordv1.FeedServiceClient
	// Feed reads a message again by today's settings.
	Feed *hl7.Feed
}

// Pages serves them.
type Pages struct {
	Deps
	list, message *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	list, err := deps.Shell.Parse(files, "list.html")
	if err != nil {
		return nil, err
	}
	message, err := deps.Shell.Parse(files, "message.html")
	return &Pages{Deps: deps, list: list, message: message}, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /feeds", p.Shell.Page(p.showList))
	mux.Handle("GET /feeds/{id}", p.Shell.Page(p.showMessage))
	mux.Handle("POST /feeds/{id}/replay", p.Shell.Page(p.replay))
	mux.Handle("POST /feeds/{id}/settle", p.Shell.Page(p.settle))
}

// states are the parts of the list.
func states() []string { return []string{"QUARANTINED", "STORED", "SETTLED"} }

// sender is one sender with what came of it.
type sender struct {
	*patientrecordv1.FeedSender
	Organization string
	// Quiet: nothing came for longer than usual.
	Quiet bool
}

// item is one message of the list.
type item struct {
	*patientrecordv1.FeedMessage
	Organization string
	// Opens: the visitor may see the content.
	Opens bool
}

type listData struct {
	States  []string
	State   string
	Senders []sender
	Items   []item
	Next    string
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	data := listData{States: states(), State: query.Get("state")}
	if !slices.Contains(data.States, data.State) {
		data.State = data.States[0]
	}
	senders, err := p.Messages.ListFeedSenders(r.Context(), &patientrecordv1.ListFeedSendersRequest{})
	if err != nil {
		return err
	}
	answer, err := p.Messages.ListFeedMessages(r.Context(), &patientrecordv1.ListFeedMessagesRequest{
		State:    patientrecordv1.FeedState_Code(patientrecordv1.FeedState_Code_value[data.State]),
		PageSize: pageSize, PageToken: query.Get("page"),
	})
	if err != nil {
		return err
	}
	for _, s := range senders.GetSenders() {
		data.Senders = append(data.Senders, sender{
			FeedSender: s, Organization: p.organization(r, s.GetOrganizationId()), Quiet: p.Shell.Now().Sub(s.GetLastTime().AsTime()) > quiet,
		})
	}
	for _, m := range answer.GetMessages() {
		data.Items = append(data.Items, item{
			FeedMessage: m, Organization: p.organization(r, m.GetOrganizationId()),
			Opens: m.GetState() == patientrecordv1.FeedState_QUARANTINED && opens(r, m.GetOrganizationId()),
		})
	}
	if token := answer.GetNextPageToken(); token != "" {
		data.Next = "/feeds?state=" + data.State + "&page=" + url.QueryEscape(token)
	}
	return p.Shell.Render(w, r, p.list, shell.Page{Title: "feeds.title", Nav: "feeds", Data: data})
}

// organization is a name, or nothing while directory is away.
func (p *Pages) organization(r *http.Request, organization string) string {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return ""
	}
	return county.OrganizationName(p.Shell.Language(r), organization)
}

// opens tells whether the visitor may see the content of messages of an organisation; the record decides.
func opens(r *http.Request, organization string) bool {
	visitor, ok := door.VisitorFrom(r.Context())
	return ok && visitor.Account.GetOrganizationId() == organization && slices.ContainsFunc(visitor.Account.GetRoles(), func(role commonv1.Role_Code) bool {
		return role == commonv1.Role_INTAKE_DESK || role == commonv1.Role_DEPARTMENT_HEAD || role == commonv1.Role_CENTRE_HEAD
	})
}

type messageData struct {
	*patientrecordv1.FeedMessage
	Organization string
	Lines        []string
	Reasons      []string
	Problem      string
}

// settleReasons are those of the contract, in the order shown.
func settleReasons() []string { return []string{"RESENT", "ENTERED_BY_HAND", "TEST", "NOT_OURS"} }

func (p *Pages) showMessage(w http.ResponseWriter, r *http.Request) error { return p.show(w, r, nil) }

// show draws a message as it is now; cause is why a form was refused.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, cause error) error {
	m, err := p.Messages.GetFeedMessage(r.Context(), &patientrecordv1.GetFeedMessageRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	data := messageData{FeedMessage: m, Organization: p.organization(r, m.GetOrganizationId()), Lines: hl7.Lines(m.GetRaw()), Reasons: settleReasons()}
	status := http.StatusOK
	if cause != nil {
		data.Problem, status = p.Shell.ErrorText(r, cause), errs.HTTPStatus(cause)
	}
	return p.Shell.Render(w, r, p.message, shell.Page{Title: "feeds.message", Nav: "feeds", Status: status, Data: data})
}

// refused shows the message with what was wrong.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, cause error) error {
	return p.Shell.Again(w, r, cause, func(shell.Refused) error { return p.show(w, r, cause) })
}

func version(r *http.Request) (int32, error) {
	n, err := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return 0, errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	return int32(n), nil
}

// replay reads the message again and hands on what it says today. The version makes a second click harmless.
func (p *Pages) replay(w http.ResponseWriter, r *http.Request) error {
	seen, err := version(r)
	if err != nil {
		return err
	}
	m, err := p.Messages.GetFeedMessage(r.Context(), &patientrecordv1.GetFeedMessageRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	in := &patientrecordv1.ReplayMessageRequest{Id: m.GetId(), Version: seen}
	organizations := make(map[string]string, len(county.Organizations))
	for _, o := range county.Organizations {
		organizations[o.GetCode()] = o.GetId()
	}
	record, problem := p.Feed.Reread(m, organizations)
	if in.Record = record; problem != nil {
		in.Problem = &patientrecordv1.FeedProblem{Reason: problem.Reason, Position: problem.Position}
	}
	answer, err := p.Messages.ReplayMessage(r.Context(), in)
	if err != nil {
		return p.refused(w, r, err)
	}
	if answer.GetState() == patientrecordv1.FeedState_QUARANTINED {
		p.Shell.Flash(w, "feeds.replayed.again")
		http.Redirect(w, r, "/feeds/"+url.PathEscape(m.GetId()), http.StatusSeeOther)
		return nil
	}
	p.Shell.Flash(w, "feeds.replayed")
	http.Redirect(w, r, "/feeds", http.StatusSeeOther)
	return nil
}

// settle ends the quarantine of a message that is not to be stored.
func (p *Pages) settle(w http.ResponseWriter, r *http.Request) error {
	seen, err := version(r)
	if err != nil {
		return err
	}
	_, err = p.Messages.SettleMessage(r.Context(), &patientrecordv1.SettleMessageRequest{
		Id: r.PathValue("id"), Version: seen, Reason: r.PostFormValue("reason"),
	})
	if err != nil {
		return p.refused(w, r, err)
	}
	p.Shell.Flash(w, "feeds.settled")
	http.Redirect(w, r, "/feeds", http.StatusSeeOther)
	return nil
}
