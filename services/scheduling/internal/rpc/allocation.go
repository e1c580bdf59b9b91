package rpc

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// allocation implements AllocationService.
type allocation struct {
	schedulingv1.UnimplementedAllocationServiceServer
	app *app.App
	clk clock.Clock
}

// FindSlots implements the contract.
func (s *allocation) FindSlots(ctx context.Context, r *schedulingv1.FindSlotsRequest) (*schedulingv1.FindSlotsResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	f := app.Find{
		FindQuery: app.FindQuery{
			OrganizationIDs: distinct(r.GetOrganizationIds()), Departments: distinct(r.GetDepartments()), Kind: r.GetKind(), Modality: r.GetModality(),
			PractitionerID: r.GetPractitionerId(), Grade: r.GetGrade(), Limit: int(r.GetLimit()),
		},
		FromDay: r.GetFrom(), ToDay: r.GetTo(), Half: r.GetHalf(),
	}
	for _, w := range r.GetWeekdays() {
		f.Weekdays = append(f.Weekdays, int(w))
	}
	slots, err := s.app.FindSlots(ctx, app.Asker{Caller: c, ReferralID: r.GetReferralId()}, f, s.clk.Now())
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.FindSlotsResponse{}
	for _, slot := range slots {
		out.Slots = append(out.Slots, slotProto(slot))
	}
	return out, nil
}

// distinct are the texts without empty ones and repeats.
func distinct(texts []string) []string {
	out := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" })
	slices.Sort(out)
	return slices.Compact(out)
}

// ListWaitingTimes implements the contract.
func (s *allocation) ListWaitingTimes(ctx context.Context, r *schedulingv1.ListWaitingTimesRequest) (*schedulingv1.ListWaitingTimesResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	times, err := s.app.ListWaitingTimes(ctx, app.Department{County: c.County, OrganizationID: r.GetOrganizationId(), Code: r.GetDepartment()})
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ListWaitingTimesResponse{}
	for _, w := range times {
		out.WaitingTimes = append(out.WaitingTimes, waitingProto(w, s.app.Days(w, s.clk.Now())))
	}
	return out, nil
}

// ListDay implements the contract.
func (s *allocation) ListDay(ctx context.Context, r *schedulingv1.ListDayRequest) (*schedulingv1.ListDayResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	sessions, err := s.app.ListDay(ctx, c, app.Department{County: c.County, OrganizationID: r.GetOrganizationId(), Code: r.GetDepartment()},
		r.GetDate(), s.clk.Now())
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ListDayResponse{}
	for _, session := range sessions {
		out.Sessions = append(out.Sessions, dayProto(session))
	}
	return out, nil
}

// JoinWaitlist implements the contract.
func (s *allocation) JoinWaitlist(ctx context.Context, r *schedulingv1.JoinWaitlistRequest) (*schedulingv1.WaitlistEntry, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	return entryAnswer(s.app.JoinWaitlist(ctx, c, app.Join{RequestID: r.GetRequestId(), ReferralID: r.GetReferralId(), Wish: domain.Wish{
		Kind: r.GetKind(), Modality: r.GetModality(), PractitionerID: r.GetPractitionerId(), FirstDay: r.GetFirstDay(), LastDay: r.GetLastDay(),
		Sex: r.GetSex(), Class: r.GetWardClass(),
	}}, s.clk.Now()))
}

// LeaveWaitlist implements the contract.
func (s *allocation) LeaveWaitlist(ctx context.Context, r *schedulingv1.LeaveWaitlistRequest) (*schedulingv1.WaitlistEntry, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	return entryAnswer(s.app.LeaveWaitlist(ctx, c, r.GetId(), r.GetRequestId()))
}

// ListWaitlist implements the contract.
func (s *allocation) ListWaitlist(ctx context.Context, r *schedulingv1.ListWaitlistRequest) (*schedulingv1.ListWaitlistResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	q := app.EntryQuery{ReferralID: r.GetReferralId(), Department: r.GetDepartment(), Ended: r.GetEnded(), Limit: size + 1}
	if q.After, err = readEntryToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	entries, err := s.app.ListWaitlist(ctx, c, q)
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ListWaitlistResponse{}
	if len(entries) > size {
		entries = entries[:size]
		out.NextPageToken = entryToken(entries[size-1])
	}
	for _, e := range entries {
		out.Entries = append(out.Entries, entryProto(e))
	}
	return out, nil
}

func entryToken(d domain.EntryData) string {
	return idToken(strconv.Itoa(d.Rank()) + " " + d.CreateTime.Format(time.RFC3339Nano) + " " + d.ID)
}

func readEntryToken(token string) (app.EntryKey, error) {
	raw, err := readIDToken(token)
	if err != nil || raw == "" {
		return app.EntryKey{}, err
	}
	parts := strings.Split(raw, " ")
	if len(parts) == 3 {
		rank, err := strconv.Atoi(parts[0])
		at, bad := time.Parse(time.RFC3339Nano, parts[1])
		if err == nil && bad == nil {
			return app.EntryKey{Rank: rank, CreateTime: at, ID: parts[2]}, nil
		}
	}
	return app.EntryKey{}, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
}

func keeper(ctx context.Context) (app.Keeper, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return app.Keeper{}, err
	}
	who, _ := authn.FromContext(ctx)
	clinicians := append(townshipRoles(), "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER")
	return app.Keeper{Caller: c, Everywhere: who.Has("COUNTY_ADMIN"), Clinician: slices.ContainsFunc(clinicians, who.Has)}, nil
}

// ListBoard implements the contract.
func (s *allocation) ListBoard(ctx context.Context, r *schedulingv1.ListBoardRequest) (*schedulingv1.ListBoardResponse, error) {
	p, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	wards, err := s.app.ListBoard(ctx, p, app.Department{County: p.County, OrganizationID: r.GetOrganizationId(), Code: r.GetDepartment()})
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ListBoardResponse{}
	for _, w := range wards {
		out.Wards = append(out.Wards, wardProto(w, s.clk.Now()))
	}
	return out, nil
}

// SetWard implements the contract.
func (s *allocation) SetWard(ctx context.Context, r *schedulingv1.SetWardRequest) (*schedulingv1.BoardWard, error) {
	p, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.app.SetWard(ctx, p, app.WardChange{
		RequestID: r.GetRequestId(), ID: r.GetId(), Version: r.GetVersion(), Class: r.GetClass(), Sex: r.GetSex(), CleaningMinutes: int(r.GetCleaningMinutes()),
	})
	if err != nil {
		return nil, err
	}
	return wardProto(w, s.clk.Now()), nil
}

// AddBeds implements the contract.
func (s *allocation) AddBeds(ctx context.Context, r *schedulingv1.AddBedsRequest) (*schedulingv1.BoardWard, error) {
	p, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.app.AddBeds(ctx, p, app.MoreBeds{RequestID: r.GetRequestId(), ID: r.GetId(), Version: r.GetVersion(), Beds: int(r.GetBeds())})
	if err != nil {
		return nil, err
	}
	return wardProto(w, s.clk.Now()), nil
}

// CloseWard implements the contract.
func (s *allocation) CloseWard(ctx context.Context, r *schedulingv1.CloseWardRequest) (*schedulingv1.BoardWard, error) {
	p, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.app.CloseWard(ctx, p, app.Closing{RequestID: r.GetRequestId(), ID: r.GetId(), Version: r.GetVersion(), Open: r.GetOpen()})
	if err != nil {
		return nil, err
	}
	return wardProto(w, s.clk.Now()), nil
}

// SetBed implements the contract.
func (s *allocation) SetBed(ctx context.Context, r *schedulingv1.SetBedRequest) (*schedulingv1.BoardBed, error) {
	p, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	b, err := s.app.SetBed(ctx, p, app.BedChange{
		RequestID: r.GetRequestId(), ID: r.GetId(), Version: r.GetVersion(), InService: r.GetInService(), OutReason: r.GetOutReason(), Sex: r.GetSex(),
		Cleaned: r.GetCleaned(),
	})
	if err != nil {
		return nil, err
	}
	return bedProto(b, s.clk.Now()), nil
}
