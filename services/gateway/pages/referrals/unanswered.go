package referrals

import (
	"net/http"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// unanswered is what who sent an emergency does while nobody answers.
type unanswered struct {
	// Lines are the receiver's, to be telephoned.
	Lines []shell.Line
	// Minutes until the telephone is everybody's task; 0 while that is not known.
	Minutes int32
	// Taken tells that somebody has taken it on, so that nothing rings any more, though nobody has answered yet.
	Taken bool
	// Depart tells that the patient may set out before anybody answers.
	Depart bool
}

// unanswered says it on the page of an emergency that waits, to who sent it.
func (p *Pages) unanswered(r *http.Request, data *pageData) {
	if !data.Sending || data.Receiving || data.GetState() != referralv1.State_SUBMITTED || data.GetUrgency() != commonv1.Urgency_EMERGENCY {
		return
	}
	to := data.GetReceiver()
	data.Unanswered = &unanswered{
		Lines:   p.Shell.EmergencyLines(r, to.GetOrganizationId(), to.GetDepartmentCode()),
		Minutes: p.Shell.CountyRules(r).GetCallMinutes(), Taken: data.Rung != nil && !data.Rung.Ringing(), Depart: data.GetKind() == commonv1.Kind_EMERGENCY,
	}
}
