package referrals

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// accept books what the desk chose: the hold that came with the referral, another slot, a bed, or a walk-in window.
func (p *Pages) accept(book call[*referralv1.AcceptRequest]) doer {
	return func(ctx context.Context, c command) (string, error) {
		request := &referralv1.AcceptRequest{Id: c.id, Version: c.version, RequestId: c.requestID, Note: c.get("note")}
		choice, slot, _ := strings.Cut(c.get("choice"), ":")
		switch choice {
		case "hold":
			request.HoldId = slot
		case "slot", "bed":
			hold, err := p.take(ctx, c, choice, slot)
			if err != nil {
				return "", err
			}
			request.HoldId = hold
			c.form.Set("choice", "hold:"+hold) // a form that is shown again books what it holds
		case "walkin", "days":
			window, err := p.window(c, choice == "days")
			if err != nil {
				return "", err
			}
			request.WalkIn = window
		default:
			return "", errs.Invalid(errs.Required("holdId"))
		}
		_, err := book(ctx, request)
		return "", err
	}
}

// take holds another slot, the bed or the ward that was picked, or any suited bed of the receiving department when none was.
func (p *Pages) take(ctx context.Context, c command, choice, slot string) (string, error) {
	referral, err := p.Referral.GetReferral(ctx, &referralv1.GetReferralRequest{Id: c.id})
	if err != nil {
		return "", err
	}
	request, picked := &schedulingv1.CreateHoldRequest{PatientId: referral.GetPatientId(), ReferralId: c.id}, slot
	if choice == "bed" {
		picked = c.get("bedId")
		request.Bed = &schedulingv1.BedRequest{
			OrganizationId: referral.GetReceiver().GetOrganizationId(), DepartmentCode: referral.GetReceiver().GetDepartmentCode(),
			Sex: shell.BedSex(referral.GetPatient().GetSex()),
		}
		if ward, isWard := strings.CutPrefix(picked, "ward:"); isWard {
			request.Bed.WardId = ward
		} else {
			request.Bed.BedId = picked
		}
	} else {
		request.SlotId = slot
	}
	hold, err := p.Shell.Hold(ctx, p.Scheduling, request, "answer", c.id, strconv.Itoa(int(c.version)), picked)
	return hold.GetId(), err
}

// window reads a walk-in window: the hours of a day, or whole days from one to another.
func (p *Pages) window(c command, days bool) (*referralv1.WalkIn, error) {
	from, to := c.get("date")+" "+c.get("from"), c.get("date")+" "+c.get("to")
	if days {
		// A centre sees patients by day.
		from, to = c.get("date")+" 08:00", c.get("until")+" 18:00"
	}
	start, err := time.ParseInLocation("2006-01-02 15:04", from, p.Shell.Zone())
	if err != nil {
		return nil, errs.Invalid(errs.Bad("walkIn.from", errs.ReasonFieldInvalid))
	}
	end, err := time.ParseInLocation("2006-01-02 15:04", to, p.Shell.Zone())
	if err != nil {
		return nil, errs.Invalid(errs.Bad("walkIn.to", errs.ReasonFieldInvalid))
	}
	return &referralv1.WalkIn{From: timestamppb.New(start), To: timestamppb.New(end)}, nil
}

// times are what an acceptance can book on another day, or on the device that was picked.
func (p *Pages) times(w http.ResponseWriter, r *http.Request) error {
	referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	data := map[string]any{"B": p.Queue.Capacity(r, referral, 0), "Sent": r.FormValue("choice")}
	return p.Shell.Fragment(w, r, p.pageSet, "bookable", data)
}

// look shows the page with what was typed and the times of the day that was picked, for browsers without scripts.
func (p *Pages) look(w http.ResponseWriter, r *http.Request, c command) error {
	data, err := p.load(r, "")
	if err != nil {
		return err
	}
	data.Actions.Failed, data.Actions.Form, data.Actions.RequestID = c.action, shell.Form{Values: c.form}, c.requestID
	return p.show(w, r, http.StatusOK, data)
}
