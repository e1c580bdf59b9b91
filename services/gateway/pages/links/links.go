// Package links is the page behind the link in a message that left the house: it says which urgency and which number, and whoever has the link says that
// it was seen. No sign-in, nothing medical, no patient. Decides nothing: what a link is good for is notification's.
package links

import (
	"context"
	"embed"
	"encoding/hex"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

//go:embed *.html
var files embed.FS

// Deps is what the page needs; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Delivery notificationv1.DeliveryServiceClient
	// Limiter counts tries by address and by token, of which Ring makes a keyed hash.
	Limiter cache.Limiter
	Ring    *crypt.Ring
}

// Pages serves it.
type Pages struct {
	Deps
	set *shell.Set
}

// New parses the page.
func New(deps Deps) (*Pages, error) {
	set, err := deps.Shell.Parse(files, "link.html")
	if err != nil {
		return nil, err
	}
	return &Pages{Deps: deps, set: set}, nil
}

// Routes adds the page to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /k/{token}", p.Shell.Open(p.show))
	mux.Handle("POST /k/{token}", p.Shell.Open(p.acknowledge))
}

// data is what link.html sees. Known is false for a link that is unknown or over.
type data struct {
	*notificationv1.TokenState
	Known bool
	Token string
}

// Rings tells that the message was a ring of an emergency: whoever acknowledges it takes the patient on.
func (d data) Rings() bool { return d.GetEvent() == "alarm_rang" }

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	return p.answer(w, r, p.Delivery.GetByToken)
}

func (p *Pages) acknowledge(w http.ResponseWriter, r *http.Request) error {
	return p.answer(w, r, p.Delivery.AcknowledgeByToken)
}

type call = func(ctx context.Context, in *notificationv1.TokenRequest, opts ...grpc.CallOption) (*notificationv1.TokenState, error)

// Limits of a minute. A whole county may come from one address: what is known is counted by itself, and only guesses are few.
const (
	guesses  = 10  // links that there are not, from one address
	looks    = 30  // of one link, from anywhere
	tries    = 600 // from one address, whatever comes of them
	minToken = 16
	maxToken = 64
)

func (p *Pages) answer(w http.ResponseWriter, r *http.Request, ask call) error {
	address := door.Address(r)
	if err := p.count(r.Context(), w, "try", address, tries); err != nil {
		return err
	}
	d := data{TokenState: &notificationv1.TokenState{}}
	token := strings.ToValidUTF8(r.PathValue("token"), "")
	if n := len([]rune(token)); n >= minToken && n <= maxToken {
		if err := p.count(r.Context(), w, "look", token, looks); err != nil {
			return err
		}
		state, err := ask(rpc.AsService(r.Context()), &notificationv1.TokenRequest{Token: token})
		switch {
		case err == nil:
			d = data{state, true, token}
		case errs.KindOf(errs.FromStatus(err)) != errs.KindNotFound:
			return err
		}
	}
	status := http.StatusOK
	if !d.Known {
		if err := p.count(r.Context(), w, "guess", address, guesses); err != nil {
			return err
		}
		status = http.StatusNotFound
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "link.title", Bare: true, Status: status, Data: d})
}

// count lets something of a kind happen so often a minute. While the cache is away nothing is counted: the token stands for itself.
func (p *Pages) count(ctx context.Context, w http.ResponseWriter, kind, of string, most int) error {
	key := "link:" + kind + ":" + hex.EncodeToString(p.Ring.Token("link "+kind, of))
	if ok, after, err := p.Limiter.Allow(ctx, key, most, time.Minute); err == nil && !ok {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(after.Seconds())))))
		return errs.New(errs.KindLimited, errs.ReasonRateLimited, "too many tries", nil)
	}
	return nil
}
