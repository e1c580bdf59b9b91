// Package inbox holds the page of a person's messages, which stay until they are acknowledged.
package inbox

import (
	"embed"
	"encoding/json"
	"net/http"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

const pageSize = 50

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell        *shell.Shell
	Notification notificationv1.NotificationServiceClient
	Referral     referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	set *shell.Set
}

// New parses the page.
func New(deps Deps) (*Pages, error) {
	set, err := deps.Shell.Parse(files, "inbox.html")
	if err != nil {
		return nil, err
	}
	return &Pages{Deps: deps, set: set}, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /inbox", p.Shell.Page(p.inbox))
	mux.Handle("GET /inbox/count", p.Shell.Page(p.count))
	mux.Handle("POST /inbox/{id}/acknowledge", p.Shell.Page(p.acknowledge))
}

type item struct {
	*notificationv1.Notification
	// Referral is nil when the visitor may not read it (any more) or the service is away.
	Referral     *shell.Row
	Organization string
}

type data struct {
	Items []item
	All   bool
	Next  string
	Path  string
}

func (p *Pages) inbox(w http.ResponseWriter, r *http.Request) error {
	d := data{All: r.URL.Query().Get("show") == "all", Path: r.URL.RequestURI()}
	state := "OPEN"
	if d.All {
		state = "ALL"
	}
	list, err := p.Notification.ListNotifications(r.Context(), &notificationv1.ListNotificationsRequest{State: state, PageSize: pageSize, PageToken: r.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	d.Next = list.GetNextPageToken()
	d.Items = p.items(r, list.GetNotifications())
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.set, "rows", d)
	}
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "inbox.title", Nav: "inbox", Data: d})
}

// items adds what the notices are about; notices hold ids only.
func (p *Pages) items(r *http.Request, notices []*notificationv1.Notification) []item {
	seen := map[string]bool{}
	var ids []string
	for _, n := range notices {
		if n.GetReferralId() != "" && !seen[n.GetReferralId()] {
			seen[n.GetReferralId()] = true
			ids = append(ids, n.GetReferralId())
		}
	}
	rows := map[string]shell.Row{}
	if len(ids) > 0 {
		if found, err := p.Referral.BatchGetReferrals(r.Context(), &referralv1.BatchGetReferralsRequest{Ids: ids}); err == nil {
			for _, row := range p.Shell.Rows(r, found.GetReferrals()) {
				rows[row.GetId()] = row
			}
		}
	}
	county, err := p.Shell.Names().County(r.Context())
	items := make([]item, 0, len(notices))
	for _, n := range notices {
		one := item{Notification: n}
		if row, ok := rows[n.GetReferralId()]; ok {
			one.Referral = &row
		}
		if err == nil {
			one.Organization = county.OrganizationName(p.Shell.Language(r), n.GetFromOrganizationId())
		}
		items = append(items, one)
	}
	return items
}

// count answers the numbers in the rail that live updates fetch again, by the name of its entry.
func (p *Pages) count(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Notification.ListNotifications(r.Context(), &notificationv1.ListNotificationsRequest{PageSize: 1})
	if err != nil {
		return err
	}
	ringing, err := p.Shell.Ringing(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]int32{"inbox": list.GetOpenCount(), "calls": ringing.OpenCalls})
}

func (p *Pages) acknowledge(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Notification.Acknowledge(r.Context(), &notificationv1.AcknowledgeRequest{Id: r.PathValue("id")}); err != nil {
		return err
	}
	http.Redirect(w, r, "/inbox", http.StatusSeeOther)
	return nil
}
