package schedules

import (
	"net/http"
	"strconv"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// mostAtOnce is how many sessions are given to somebody else at once: more than a template has within the horizon.
const mostAtOnce = 200

// substituteAll puts one practitioner into sessions that a change of the plan left with another one because they are booked. Each is a change of its
// own: what somebody else changed meanwhile stays as it is and is told.
func (p *Pages) substituteAll(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	f, left := r.PostForm, 0
	sessions := f["session"]
	if len(sessions) == 0 || len(sessions) > mostAtOnce || f.Get("practitionerName") == "" {
		return errs.Invalid(errs.Bad("session", errs.ReasonFieldInvalid))
	}
	for _, one := range sessions {
		session, text, _ := strings.Cut(one, " ")
		version, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return errs.Invalid(errs.Bad("session", errs.ReasonFieldInvalid))
		}
		_, err = p.Calendar.SubstituteSession(r.Context(), &schedulingv1.SubstituteSessionRequest{
			Id: session, Version: int32(version), PractitionerId: f.Get("practitionerId"), PractitionerName: f.Get("practitionerName"), Location: f.Get("location"),
			RequestId: id.FromFact("substitute", f.Get("requestId"), session),
		})
		switch errs.KindOf(err) {
		case errs.KindStale, errs.KindWrongState, errs.KindNotFound:
			left++
		default:
			if err != nil {
				return err
			}
		}
	}
	flash := "schedules.substituted"
	if left > 0 {
		flash = "schedules.substituted.some"
	}
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, place.At("/sessions"), http.StatusSeeOther)
	return nil
}
