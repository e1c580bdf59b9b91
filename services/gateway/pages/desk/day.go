package desk

import (
	"net/http"
	"slices"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// sitting is a session of today with those who have a place in it.
type sitting struct {
	*schedulingv1.DaySession
	Department string
	Patients   []expected
	// Come is how many have come.
	Come int
}

// expected is somebody with a place in a session.
type expected struct {
	*schedulingv1.DayPatient
	// Row is the referral, nil when it cannot be read.
	Row       *shell.Row
	From      string
	RequestID string
	// Late: the time has passed and nobody has come.
	Late bool
}

// state is the referral's, as it is now or as scheduling heard last.
func (e expected) state() string {
	if e.Row != nil {
		return e.Row.GetState().String()
	}
	return e.GetReferralState()
}

// Come tells that the patient has come.
func (e expected) Come() bool {
	return slices.Contains([]string{"ARRIVED", "ADMITTED", "CONCLUDED", "CLOSED"}, e.state())
}

// Admitted tells that the patient was taken to a bed, from the clinic where there was a slot.
func (e expected) Admitted() bool {
	return e.state() == "ADMITTED" || e.Come() && e.GetState() == schedulingv1.HoldState_RELEASED && e.state() != "ARRIVED"
}

// Awaited tells that the patient can be checked in.
func (e expected) Awaited() bool {
	return e.Row != nil && (e.state() == "ACCEPTED" || e.state() == "NO_SHOW")
}

// Held tells that the referral waits for its answer: the place is kept, nobody is expected yet.
func (e expected) Held() bool { return e.GetState() != schedulingv1.HoldState_BOOKED }

// Returned tells that the referral waits for its sender to supplement it: the place is kept meanwhile.
func (e expected) Returned() bool { return e.state() == "RETURNED" }

// day is today by session. Without scheduling there is the list of those who are expected today.
func (p *Pages) day(r *http.Request) []sitting {
	visitor, _ := door.VisitorFrom(r.Context())
	answer, err := p.Queue.Allocation.ListDay(r.Context(), &schedulingv1.ListDayRequest{
		OrganizationId: visitor.Account.GetOrganizationId(), Date: p.Shell.Now().Format(time.DateOnly),
	})
	if err != nil {
		return nil
	}
	var ids []string
	for _, s := range answer.GetSessions() {
		for _, one := range s.GetPatients() {
			ids = append(ids, one.GetReferralId())
		}
	}
	rows := p.Shell.RowsOf(r, p.Referral, ids)
	county, cerr := p.Shell.Names().County(r.Context())
	language := p.Shell.Language(r)
	var out []sitting
	for _, s := range answer.GetSessions() {
		one := sitting{DaySession: s, Department: s.GetDepartmentCode()}
		if cerr == nil {
			one.Department = county.DepartmentName(language, visitor.Account.GetOrganizationId(), s.GetDepartmentCode())
		}
		for _, patient := range s.GetPatients() {
			e := expected{DayPatient: patient, RequestID: id.New()}
			if row, ok := rows[patient.GetReferralId()]; ok {
				e.Row, e.From = &row, row.From
			} else if cerr == nil {
				e.From = county.OrganizationName(language, patient.GetSenderOrganizationId())
			}
			e.Late = e.Awaited() && p.Shell.Now().After(patient.GetEnd().AsTime())
			if e.Come() {
				one.Come++
			}
			one.Patients = append(one.Patients, e)
		}
		out = append(out, one)
	}
	return out
}

// apart are the rows of those who stand in no session.
func apart(rows []*referralv1.Referral, day []sitting) []*referralv1.Referral {
	return slices.DeleteFunc(rows, func(one *referralv1.Referral) bool {
		return slices.ContainsFunc(day, func(s sitting) bool {
			return slices.ContainsFunc(s.Patients, func(e expected) bool { return e.GetReferralId() == one.GetId() })
		})
	})
}
