// Package deliveries shows what went out of the house: how each channel is, what was sent to whom with what answer, and what was given up, to be
// sent again; and the addresses to which messages go, each with a test.
//
// Addresses are masked by the notification service, which decides who sees and changes what. Safe for concurrent use.
package deliveries

import (
	"embed"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

const pageSize = 50

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Delivery notificationv1.DeliveryServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	list, one, addresses *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	list, err := deps.Shell.Parse(files, "list.html", "parts.html")
	if err != nil {
		return nil, err
	}
	one, err := deps.Shell.Parse(files, "one.html", "parts.html")
	if err != nil {
		return nil, err
	}
	addresses, err := deps.Shell.Parse(files, "addresses.html", "parts.html")
	return &Pages{Deps: deps, list: list, one: one, addresses: addresses}, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /deliveries", p.Shell.Page(p.showList))
	mux.Handle("GET /deliveries/{id}", p.Shell.Page(p.showOne))
	mux.Handle("POST /deliveries/{id}/replay", p.Shell.Page(p.replayOne))
	mux.Handle("POST /deliveries/replay", p.Shell.Page(p.replayAll))
	mux.Handle("GET /addresses", p.Shell.Page(p.showAddresses))
	mux.Handle("POST /addresses", p.Shell.Page(p.setAddress))
	mux.Handle("POST /addresses/test", p.Shell.Page(p.test))
}

// item is one message with the name of whom it is for.
type item struct {
	*notificationv1.Delivery
	Organization string
	// At is where the visitor reads of the referral; "" for who may not.
	At string
}

// To says for whom: person, group or patient.
func (i item) To() string {
	switch {
	case i.GetPatientId() != "":
		return "patient"
	case i.GetAccountId() != "":
		return "person"
	default:
		return "group"
	}
}

// why is a reason in parts: a word, and the provider's code.
type why struct{ Word, Code string }

func reason(text string) why {
	word, code, _ := strings.Cut(text, " ")
	return why{word, code}
}

// Why tells why it did not go, or what became of its last attempt.
func (i item) Why() why { return reason(i.GetReason()) }

// channelItem is how a channel is, with the groups whose address is not taken.
type channelItem struct {
	*notificationv1.ChannelStatus
	Why    why
	Groups []groupFault
}

type groupFault struct {
	Name       string
	Why        why
	RestsUntil *timestamppb.Timestamp
}

// Dead tells that it was given up.
func (i item) Dead() bool { return i.GetState() == notificationv1.DeliveryState_DEAD }

// colleague is somebody on duty whom nothing reaches outside.
type colleague struct{ Name, Organization string }

type listData struct {
	// OnDuty is how many are on duty now, Unreached whom of them.
	OnDuty    int32
	Unreached []colleague
	Channels  []channelItem
	// ChannelsAway: how they are cannot be read.
	ChannelsAway   bool
	State, Channel string
	Items          []item
	Dead           int32
	Next           string
	// Replays: the visitor may send again.
	Replays bool
	Problem string
	Form    shell.Form
	// Done: some were sent again, so many.
	Done     bool
	Replayed int32
}

// States and Names are the filters.
func (listData) States() []string {
	return []string{"", "DEAD", "PENDING", "SENDING", "SENT", "SKIPPED", "CANCELLED"}
}
func (listData) Names() []string { return channelNames() }

// channelNames in the order of the contract.
func channelNames() []string {
	numbers := slices.Sorted(maps.Keys(notificationv1.Channel_Code_name))
	var out []string
	for _, n := range numbers {
		if n != 0 {
			out = append(out, notificationv1.Channel_Code_name[n])
		}
	}
	return out
}

func has(r *http.Request, roles ...commonv1.Role_Code) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return slices.ContainsFunc(visitor.Account.GetRoles(), func(role commonv1.Role_Code) bool { return slices.Contains(roles, role) })
}

// replays tells whether the visitor may send again; the service decides.
func replays(r *http.Request) bool {
	return has(r, commonv1.Role_COUNTY_ADMIN, commonv1.Role_SYSTEM_ADMIN)
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r)
	if err != nil {
		return err
	}
	return p.drawList(w, r, http.StatusOK, data)
}

func (p *Pages) drawList(w http.ResponseWriter, r *http.Request, status int, data listData) error {
	return p.Shell.Render(w, r, p.list, shell.Page{Title: "deliveries.title", Nav: "deliveries", Status: status, Data: data})
}

func (p *Pages) load(r *http.Request) (listData, error) {
	query := r.URL.Query()
	data := listData{State: query.Get("state"), Channel: query.Get("channel"), Replays: replays(r)}
	channels, err := p.Delivery.ListChannels(r.Context(), &notificationv1.ListChannelsRequest{})
	data.ChannelsAway = err != nil
	for _, c := range channels.GetChannels() {
		data.Channels = append(data.Channels, p.channel(r, c))
	}
	data.OnDuty, data.Unreached = channels.GetOnDuty().GetCount(), p.unreached(r, channels.GetOnDuty().GetUnreached())
	answer, err := p.Delivery.ListDeliveries(r.Context(), &notificationv1.ListDeliveriesRequest{
		State: notificationv1.DeliveryState_Code(notificationv1.DeliveryState_Code_value[data.State]), Channel: notificationv1.Channel_Code(notificationv1.Channel_Code_value[data.Channel]),
		ReferralId: query.Get("referral"), PageSize: pageSize, PageToken: query.Get("page"),
	})
	if err != nil {
		return data, err
	}
	data.Dead = answer.GetDeadCount()
	for _, d := range answer.GetDeliveries() {
		data.Items = append(data.Items, p.item(r, d))
	}
	if token := answer.GetNextPageToken(); token != "" {
		next := url.Values{"page": {token}}
		for name, value := range map[string]string{"state": data.State, "channel": data.Channel, "referral": query.Get("referral")} {
			if value != "" {
				next.Set(name, value)
			}
		}
		data.Next = "/deliveries?" + next.Encode()
	}
	return data, nil
}

// unreached are people with the names of their organisations.
func (p *Pages) unreached(r *http.Request, list []*notificationv1.Unreached) (out []colleague) {
	county, err := p.Shell.Names().County(r.Context())
	for _, u := range list {
		one := colleague{Name: u.GetName()}
		if err == nil {
			one.Organization = county.OrganizationName(p.Shell.Language(r), u.GetOrganizationId())
		}
		out = append(out, one)
	}
	return out
}

func (p *Pages) channel(r *http.Request, c *notificationv1.ChannelStatus) channelItem {
	one := channelItem{ChannelStatus: c, Why: reason(c.GetFault())}
	county, err := p.Shell.Names().County(r.Context())
	for _, f := range c.GetFaults() {
		name := f.GetOrganizationId()
		if err == nil {
			language := p.Shell.Language(r)
			name = county.OrganizationName(language, f.GetOrganizationId()) + " " + county.DepartmentName(language, f.GetOrganizationId(), f.GetDepartmentCode())
		}
		one.Groups = append(one.Groups, groupFault{Name: strings.TrimSpace(name), Why: reason(f.GetReason()), RestsUntil: f.GetRestsUntil()})
	}
	return one
}

func (p *Pages) item(r *http.Request, d *notificationv1.Delivery) item {
	visitor, _ := door.VisitorFrom(r.Context())
	one := item{Delivery: d, At: shell.ReferralAt(visitor.Account, d.GetReferralId())}
	if county, err := p.Shell.Names().County(r.Context()); err == nil {
		one.Organization = county.OrganizationName(p.Shell.Language(r), d.GetOrganizationId())
	}
	return one
}

type oneData struct {
	item
	Replays bool
	Problem string
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request) error { return p.drawOne(w, r, nil) }

func (p *Pages) drawOne(w http.ResponseWriter, r *http.Request, cause error) error {
	d, err := p.Delivery.GetDelivery(r.Context(), &notificationv1.GetDeliveryRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	data, status := oneData{item: p.item(r, d), Replays: replays(r)}, http.StatusOK
	if cause != nil {
		data.Problem, status = p.Shell.ErrorText(r, cause), errs.HTTPStatus(cause)
	}
	return p.Shell.Render(w, r, p.one, shell.Page{Title: "deliveries.one", Nav: "deliveries", Status: status, Data: data})
}

func (p *Pages) replayOne(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Delivery.ReplayDelivery(r.Context(), &notificationv1.ReplayDeliveryRequest{Id: r.PathValue("id")})
	if err != nil {
		return p.Shell.Again(w, r, err, func(shell.Refused) error { return p.drawOne(w, r, err) })
	}
	p.Shell.Flash(w, "deliveries.replayed")
	http.Redirect(w, r, "/deliveries/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
	return nil
}

// replayAll sends again what died since a day, of one channel or of all.
func (p *Pages) replayAll(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	since, err := time.ParseInLocation(time.DateOnly, r.PostFormValue("since"), p.Shell.Zone())
	if err != nil {
		err = errs.Invalid(errs.Required("since"))
	}
	var answer *notificationv1.ReplayDeliveriesResponse
	if err == nil {
		answer, err = p.Delivery.ReplayDeliveries(r.Context(), &notificationv1.ReplayDeliveriesRequest{
			Channel: notificationv1.Channel_Code(notificationv1.Channel_Code_value[r.PostFormValue("channel")]), Since: timestamppb.New(since),
		})
	}
	show := func(status int, form shell.Form, problem string) error {
		data, lerr := p.load(r)
		if lerr != nil {
			return lerr
		}
		data.Form, data.Problem = form, problem
		data.Done, data.Replayed = answer != nil, answer.GetReplayed()
		return p.drawList(w, r, status, data)
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return show(again.Status, again.Form, again.Problem) })
	}
	return show(http.StatusOK, shell.Form{}, "")
}
