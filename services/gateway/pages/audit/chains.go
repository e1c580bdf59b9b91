package audit

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/trail"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	// partSize and verifyTime bound one press of the button; a long chain goes on with the next.
	partSize   = 5000
	verifyTime = 8 * time.Second
)

// chain is one service's chain as the page shows it.
type chain struct {
	*commonv1.VerifyAuditResponse
	Service string
	// Away: the service did not answer. Verified: this press of the button, or those before, checked it.
	Away, Verified bool
}

// Mark is the place to go on from.
func (c chain) Mark() string { return hex.EncodeToString(c.GetHash()) }

// chainData is what chains.html sees.
type chainData struct{ Chains []chain }

func (p *Pages) chains(w http.ResponseWriter, r *http.Request) error {
	return p.showChains(w, r, func(ctx context.Context, s trail.Source) (chain, error) {
		answer, err := s.Client.VerifyAudit(ctx, &commonv1.VerifyAuditRequest{})
		return chain{VerifyAuditResponse: answer, Service: s.Name}, err
	})
}

// verify checks one service's chain, part by part, as far as the time of a page goes. The first problem ends it.
func (p *Pages) verify(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	ask := &commonv1.VerifyAuditRequest{Limit: partSize}
	if text := r.PostFormValue("checked"); text != "" {
		var hashErr, numErr error
		ask.Checked, numErr = strconv.ParseInt(text, 10, 64)
		ask.Hash, hashErr = hex.DecodeString(r.PostFormValue("mark"))
		if numErr != nil || hashErr != nil {
			return errs.Invalid(errs.Bad("checked", errs.ReasonFieldInvalid))
		}
	}
	until := p.Shell.Now().Add(verifyTime)
	return p.showChains(w, r, func(ctx context.Context, s trail.Source) (chain, error) {
		if s.Name != r.PostFormValue("service") {
			answer, err := s.Client.VerifyAudit(ctx, &commonv1.VerifyAuditRequest{})
			return chain{VerifyAuditResponse: answer, Service: s.Name}, err
		}
		for {
			answer, err := s.Client.VerifyAudit(ctx, ask)
			if err != nil || answer.GetDone() || len(answer.GetProblems()) > 0 || p.Shell.Now().After(until) {
				return chain{VerifyAuditResponse: answer, Service: s.Name, Verified: true}, err
			}
			ask.Checked, ask.Hash = answer.GetChecked(), answer.GetHash()
		}
	})
}

func (p *Pages) showChains(w http.ResponseWriter, r *http.Request, look func(context.Context, trail.Source) (chain, error)) error {
	var data chainData
	for _, source := range p.Trail.Sources() {
		one, err := look(r.Context(), source)
		if errs.KindOf(err) == errs.KindUnavailable && err != nil {
			one, err = chain{Service: source.Name, Away: true}, nil
		}
		if err != nil {
			return err
		}
		data.Chains = append(data.Chains, one)
	}
	return p.Shell.Render(w, r, p.chainSet, shell.Page{Title: "audit.chains", Nav: "audit", Data: data})
}
