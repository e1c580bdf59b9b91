package slips

import (
	"context"
	"encoding/hex"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// tries is how often an address may verify in a minute: eight characters are not to be guessed.
const tries = 10

// verify is the page that the QR code leads to. It needs no sign-in, and shows nothing medical.
func (p *Pages) verify(w http.ResponseWriter, r *http.Request) error {
	v, err := p.verified(w, r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.Shell.Render(w, r, p.verifySet, shell.Page{Title: "verify.title", Bare: true, Status: status(v), Data: v})
}

// status: what is not genuine is not there; a wrong key and an unknown number alike.
func status(v *referralv1.Verification) int {
	if !v.GetGenuine() {
		return http.StatusNotFound
	}
	return http.StatusOK
}

// Verify answers the same as JSON, without a token, for other systems.
func (p *Pages) Verify(w http.ResponseWriter, r *http.Request) {
	v, err := p.verified(w, r)
	code, body := errs.HTTPStatus(err), []byte(`{}`)
	if err == nil {
		code = status(v)
		body, err = protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(v)
	}
	if err != nil {
		body = []byte(`{"message":"` + errs.KindOf(err).String() + `"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// verified counts the try and asks, as the gateway itself: there is no person.
func (p *Pages) verified(w http.ResponseWriter, r *http.Request) (*referralv1.Verification, error) {
	if err := p.count(r.Context(), w, door.Address(r)); err != nil {
		return nil, err
	}
	v, err := p.Handover.VerifySlip(rpc.AsService(r.Context()), &referralv1.VerifySlipRequest{
		Number: cut(r.PathValue("number")), Key: cut(r.URL.Query().Get("k")),
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// cut keeps what is no number or key from being refused for its length, which would answer differently.
func cut(s string) string {
	const most = 40
	s = strings.ToValidUTF8(s, "\uFFFD")
	if letters := []rune(s); len(letters) > most {
		return string(letters[:most])
	}
	return s
}

// count lets an address try so often. While the cache is away nothing is counted: the key stands for itself.
func (p *Pages) count(ctx context.Context, w http.ResponseWriter, address string) error {
	if ok, after, err := p.Limiter.Allow(ctx, "verify:"+hex.EncodeToString(p.Ring.Token("verify address", address)), tries, time.Minute); err == nil && !ok {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(after.Seconds())))))
		return errs.New(errs.KindLimited, errs.ReasonRateLimited, "too many verifications from one address", nil)
	}
	return nil
}
