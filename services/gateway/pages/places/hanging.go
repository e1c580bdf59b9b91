package places

import (
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// hanging is what is open at a place that somebody is about to close.
type hanging struct {
	Sent, Received, Candidates, Booked, InBed int
	// Unknown tells that some of it could not be read: then it is asked for as if there was something.
	Unknown bool
}

// Any tells that something is open, or may be.
func (h hanging) Any() bool {
	return h.Unknown || h.Sent+h.Received+h.Candidates+h.Booked+h.InBed > 0
}

// hangs asks every service what is open at an organisation, or at one of its departments.
func (p *Pages) hangs(r *http.Request, organization, department string) hanging {
	var out hanging
	var group errgroup.Group
	group.Go(func() error {
		open, err := p.Statistics.CountOpen(r.Context(), &referralv1.CountOpenRequest{OrganizationId: organization, Department: department})
		out.Sent, out.Received, out.Candidates = int(open.GetSent()), int(open.GetReceived()), int(open.GetCandidates())
		return err
	})
	group.Go(func() error {
		coming, err := p.Calendar.CountComing(r.Context(), &schedulingv1.CountComingRequest{OrganizationId: organization, Department: department})
		out.Booked = int(coming.GetTaken())
		return err
	})
	group.Go(func() error {
		board, err := p.Allocation.ListBoard(r.Context(), &schedulingv1.ListBoardRequest{OrganizationId: organization, Department: department})
		for _, ward := range board.GetWards() {
			out.InBed += int(ward.GetTotal() - ward.GetFree())
		}
		return err
	})
	out.Unknown = group.Wait() != nil
	return out
}

// confirmed refuses to close what something hangs on before its name was typed.
func confirmed(h hanging, name, typed string) error {
	if !h.Any() || strings.TrimSpace(typed) == name {
		return nil
	}
	return errs.Invalid(errs.Bad("confirm", errs.ReasonFieldInvalid))
}

// last tells that an organisation is the only open hospital of the county.
func (p *Pages) last(r *http.Request, o *directoryv1.Organization) bool {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil || o.GetType() != directoryv1.OrganizationType_COUNTY_HOSPITAL {
		return false
	}
	for _, other := range county.Organizations {
		if other.GetType() == o.GetType() && other.GetId() != o.GetId() && !other.GetDisabled() {
			return false
		}
	}
	return true
}
