package seed

import (
	"context"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// rosters of the desk, of three departments and of two centres: by day and by night, with a second line where there are two people.
func (p place) rosters(accounts []*directoryv1.AccountEntry) []*directoryv1.SetRosterRequest {
	ids := map[string]string{}
	for _, a := range accounts {
		ids[a.GetAccount().GetLogin()] = a.GetAccount().GetId()
	}
	hospital := p.code + "H01"
	one, two := p.nth(1), p.nth(3)
	var out []*directoryv1.SetRosterRequest
	for _, post := range []struct{ organization, department, logins string }{
		{hospital, "DESK", "desk"},
		{hospital, "0304", "specialist head"},
		{hospital, "0303", "dr0303-1 dr0303-2"},
		{hospital, "20", "dr20-1 dr20-2"},
		{one.code, "", "township " + one.login() + "2"},
		{two.code, "", "township2 " + two.login() + "2"},
	} {
		var people []string
		for login := range strings.FieldsSeq(post.logins) {
			if id := ids[p.login(login)]; id != "" {
				people = append(people, id)
			}
		}
		if len(people) > 0 {
			out = append(out, &directoryv1.SetRosterRequest{
				County: p.code, OrganizationId: p.organizationID(post.organization), DepartmentCode: post.department, Shifts: week(people),
			})
		}
	}
	return out
}

// week takes turns: by day one, by night the next, who is free behind as the second line.
func week(people []string) (out []*directoryv1.Shift) {
	const morning, evening = "08:00", "18:00"
	for day := range int32(7) {
		first, second := people[int(day)%len(people)], people[int(day+1)%len(people)]
		out = append(out,
			&directoryv1.Shift{Weekday: day + 1, From: morning, To: evening, AccountId: first},
			&directoryv1.Shift{Weekday: day + 1, From: evening, To: morning, AccountId: second})
		if first != second {
			out = append(out,
				&directoryv1.Shift{Weekday: day + 1, From: morning, To: evening, AccountId: second, Line: 1},
				&directoryv1.Shift{Weekday: day + 1, From: evening, To: morning, AccountId: first, Line: 1})
		}
	}
	return out
}

// rosterSteps plan posts that have no roster yet: one that somebody changed stays.
func (p place) rosterSteps(client directoryv1.RosterServiceClient, accounts []*directoryv1.AccountEntry) []step {
	var out []step
	for _, request := range p.rosters(accounts) {
		out = append(out, step{"rosters", func(ctx context.Context, report *Report) error {
			have, err := client.GetRoster(ctx, &directoryv1.GetRosterRequest{OrganizationId: request.GetOrganizationId(), DepartmentCode: request.GetDepartmentCode()})
			if err != nil || have.GetVersion() > 0 {
				return err
			}
			if _, err = client.SetRoster(ctx, request); err == nil {
				report.Rosters++
			}
			return err
		}})
	}
	return out
}
