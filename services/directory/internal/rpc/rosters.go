package rpc

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
	"github.com/tongzhen/tongzhen/services/internal/authz"
)

// Rosters implements RosterService.
type Rosters struct {
	directoryv1.UnimplementedRosterServiceServer
	app *app.App
}

// rosterPolicy is who may call what of RosterService. Everybody of an organisation sees its rosters and gives the own duty away; who plans which
// post, the use case decides.
func rosterPolicy(table authz.Table) authz.Table {
	own := authz.Rule{AnyPerson: true, Services: []string{"gateway", "notification", "cli"}, Need: authz.Own}
	planners := []string{"COUNTY_ADMIN", "CENTRE_HEAD", "DEPARTMENT_HEAD", "INTAKE_DESK"}
	clinicians := []string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD", "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER", "COUNTY_ADMIN"}
	table[directoryv1.RosterService_GetRoster_FullMethodName] = own
	table[directoryv1.RosterService_ListRosters_FullMethodName] = own
	table[directoryv1.RosterService_ListRosterVersions_FullMethodName] = authz.Rule{AnyPerson: true, Need: authz.Own}
	table[directoryv1.RosterService_ListOnDuty_FullMethodName] = authz.Rule{AnyPerson: true, Services: []string{"gateway", "notification", "cli"}}
	table[directoryv1.RosterService_SetRoster_FullMethodName] = authz.Rule{Roles: append(slices.Clone(planners), "SYSTEM"), Services: []string{"cli"}, Need: authz.Own}
	table[directoryv1.RosterService_ReplaceOnRoster_FullMethodName] = authz.Rule{Roles: planners, Need: authz.Own}
	table[directoryv1.RosterService_HandOver_FullMethodName] = authz.Rule{Roles: clinicians, Need: authz.Own}
	table[directoryv1.RosterService_TakeBack_FullMethodName] = authz.Rule{Roles: clinicians, Need: authz.Own}
	return table
}

// GetRoster implements RosterService.
func (s *Rosters) GetRoster(ctx context.Context, r *directoryv1.GetRosterRequest) (*directoryv1.Roster, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return answer(s.app.GetRoster(ctx, caller, post(r), app.Span{From: instant(r.GetFrom()), To: instant(r.GetTo())}))
}

// ListRosters implements RosterService.
func (s *Rosters) ListRosters(ctx context.Context, r *directoryv1.ListRostersRequest) (*directoryv1.ListRostersResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.app.ListRosters(ctx, caller, r.GetOrganizationId())
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListRostersResponse{}
	for _, one := range list {
		out.Rosters = append(out.Rosters, events.Roster(one))
	}
	return out, nil
}

// ListRosterVersions implements RosterService.
func (s *Rosters) ListRosterVersions(ctx context.Context, r *directoryv1.ListRosterVersionsRequest) (*directoryv1.ListRosterVersionsResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, names, err := s.app.RosterHistory(ctx, caller, post(r))
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListRosterVersionsResponse{Names: names}
	for _, v := range list {
		whole := events.Roster(domain.RestoreRoster(domain.Post{}, v.Version, v.Shifts, []domain.HandOver{v.Action.HandOver}))
		one := &directoryv1.RosterVersion{Version: v.Version, Action: v.Action.Code, AccountId: v.AccountID, AccountName: v.AccountName, Shifts: whole.GetShifts()}
		if v.Action.Code != app.RosterBefore {
			one.ChangeTime = timestamppb.New(v.Time)
		}
		if v.Action.HandOver.ID != "" {
			one.HandOver = whole.GetHandOvers()[0]
		}
		out.Versions = append(out.Versions, one)
	}
	return out, nil
}

// SetRoster implements RosterService.
func (s *Rosters) SetRoster(ctx context.Context, r *directoryv1.SetRosterRequest) (*directoryv1.Roster, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	c := app.WeekChange{Post: post(r), Version: r.GetVersion(), RequestID: r.GetRequestId()}
	c.Post.County = r.GetCounty()
	for _, one := range r.GetShifts() {
		c.Shifts = append(c.Shifts, domain.Shift{
			Weekday: int(one.GetWeekday()), From: one.GetFrom(), To: one.GetTo(), AccountID: one.GetAccountId(), Line: int(one.GetLine()),
			FirstDay: one.GetFirstDay(), LastDay: one.GetLastDay(),
		})
	}
	return answer(s.app.SetRoster(ctx, caller, c))
}

// ReplaceOnRoster implements RosterService.
func (s *Rosters) ReplaceOnRoster(ctx context.Context, r *directoryv1.ReplaceOnRosterRequest) (*directoryv1.Roster, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return answer(s.app.ReplaceOnRoster(ctx, caller, app.Replacement{
		Post: post(r), Version: r.GetVersion(), From: r.GetFromAccountId(), To: r.GetToAccountId(), Day: r.GetFromDay(), Preview: r.GetPreview(),
		RequestID: r.GetRequestId(),
	}))
}

// HandOver implements RosterService.
func (s *Rosters) HandOver(ctx context.Context, r *directoryv1.HandOverRequest) (*directoryv1.Roster, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return answer(s.app.HandOver(ctx, caller, app.DutyChange{
		Post: post(r), From: r.GetFromAccountId(), To: r.GetToAccountId(), Start: instant(r.GetStart()), End: instant(r.GetEnd()),
		Note: r.GetNote(), RequestID: r.GetRequestId(),
	}))
}

// TakeBack implements RosterService.
func (s *Rosters) TakeBack(ctx context.Context, r *directoryv1.TakeBackRequest) (*directoryv1.Roster, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return answer(s.app.TakeBack(ctx, caller, r.GetId(), r.GetRequestId()))
}

// ListOnDuty implements RosterService.
func (s *Rosters) ListOnDuty(ctx context.Context, r *directoryv1.ListOnDutyRequest) (*directoryv1.ListOnDutyResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	posts, err := s.app.ListOnDuty(ctx, caller, r.GetOrganizationId(), instant(r.GetAt()))
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListOnDutyResponse{}
	for _, p := range posts {
		out.Posts = append(out.Posts, &directoryv1.PostDuty{DepartmentCode: p.Department, Duties: duties(p.Duties), LeftShifts: int32(p.Left)})
	}
	return out, nil
}

func post(r interface {
	GetOrganizationId() string
	GetDepartmentCode() string
},
) domain.Post {
	return domain.Post{OrganizationID: r.GetOrganizationId(), Department: r.GetDepartmentCode()}
}

// instant is the zero time for one that is not said.
func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}

func answer(v app.RosterView, err error) (*directoryv1.Roster, error) {
	if err != nil {
		return nil, err
	}
	out := events.Roster(v.Roster)
	out.Duties = duties(v.Duties)
	return out, nil
}

func duties(list []app.Duty) (out []*directoryv1.Duty) {
	for _, d := range list {
		out = append(out, &directoryv1.Duty{
			AccountId: d.AccountID, AccountName: d.Name, Phone: d.Phone, Line: int32(d.Line),
			Start: timestamppb.New(d.Start), End: timestamppb.New(d.End), InsteadOfAccountId: d.Instead,
		})
	}
	return out
}
