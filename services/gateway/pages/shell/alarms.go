package shell

import (
	"context"
	"net/http"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
)

// Alarm is an emergency that rings at the visitor, with the name of the organisation that sent it.
type Alarm struct {
	*notificationv1.Alarm
	From string
}

// Alarms that ring at the visitor; none without an answer in time: the page is needed, too, and the next ring asks again.
func (s *Shell) Alarms(r *http.Request) []Alarm {
	ctx, cancel := context.WithTimeout(r.Context(), countPatience)
	defer cancel()
	out, err := s.Ringing(r.WithContext(ctx))
	if err != nil {
		return nil
	}
	return out
}

// Ringing are the alarms that ring at the visitor, or why they cannot be read: then what a page shows of them stays.
func (s *Shell) Ringing(r *http.Request) ([]Alarm, error) {
	list, err := s.deps.Alarm.ListAlarms(r.Context(), &notificationv1.ListAlarmsRequest{})
	if err != nil || len(list.GetAlarms()) == 0 {
		return nil, err
	}
	county, err := s.deps.Names.County(r.Context())
	out := make([]Alarm, len(list.GetAlarms()))
	for i, a := range list.GetAlarms() {
		out[i] = Alarm{Alarm: a}
		if err == nil {
			out[i].From = county.OrganizationName(s.Language(r), a.GetFromOrganizationId())
		}
	}
	return out, nil
}

// MakesCalls tells who picks up the telephone when nobody acknowledges.
func MakesCalls(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_INTAKE_DESK, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_CENTRE_HEAD, commonv1.Role_COUNTY_ADMIN)
}
