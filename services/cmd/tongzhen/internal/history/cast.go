package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// cast is who is there.
type cast struct {
	hospital *directoryv1.Organization
	outside  []*directoryv1.Organization
	centres  []*centre
	desk     *directoryv1.Account
	admin    *directoryv1.Account
	// doctors of the hospital by department.
	doctors map[string][]*directoryv1.Account
	all     []*directoryv1.Account
}

// centre is a township health centre.
type centre struct {
	*directoryv1.Organization
	doctors []*directoryv1.Account
	village *directoryv1.Account // the doctor of its village clinic, or nil
	weight  int
	// silent: from then on nothing is sent; zero for most.
	silent time.Time
}

// What centres send by their size, in the order of their codes; those after the last send little.
func sizes() []int { return []int{9, 16, 6, 14, 8, 7, 5, 6, 4} }

const (
	restWeight = 3
	// falls silent: the place of the centre from which nothing comes any more.
	fallsSilent = 7
)

func (m *maker) findCast(ctx context.Context) (cast, error) {
	c := cast{doctors: map[string][]*directoryv1.Account{}}
	organizations, err := m.Directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 200})
	if err != nil {
		return c, err
	}
	list := organizations.GetOrganizations()
	slices.SortFunc(list, func(a, b *directoryv1.Organization) int { return cmp.Compare(a.GetCode(), b.GetCode()) })
	byID := map[string]*centre{}
	for _, o := range list {
		switch o.GetType() {
		case directoryv1.OrganizationType_COUNTY_HOSPITAL:
			c.hospital = o
		case directoryv1.OrganizationType_EXTERNAL:
			c.outside = append(c.outside, o)
		case directoryv1.OrganizationType_TOWNSHIP_CENTRE:
			place := &centre{Organization: o, weight: restWeight}
			if i := len(c.centres); i < len(sizes()) {
				place.weight = sizes()[i]
			}
			if len(c.centres) == fallsSilent {
				place.silent = m.begin.Add(m.options.Until.Sub(m.begin) * 3 / 5)
			}
			c.centres = append(c.centres, place)
			byID[o.GetId()] = place
		}
	}
	for _, o := range list {
		if o.GetType() == directoryv1.OrganizationType_VILLAGE_CLINIC {
			byID[o.GetId()] = byID[o.GetParentId()]
		}
	}
	if err := m.findPeople(ctx, &c, byID); err != nil {
		return c, err
	}
	if c.hospital == nil || c.desk == nil || c.admin == nil || len(c.centres) == 0 || len(c.outside) == 0 {
		return c, fmt.Errorf("county %s is not whole: seed it first", m.options.County)
	}
	for _, place := range c.centres {
		if len(place.doctors) == 0 {
			return c, fmt.Errorf("centre %s has no doctor", place.GetCode())
		}
	}
	return c, nil
}

func (m *maker) findPeople(ctx context.Context, c *cast, centres map[string]*centre) error {
	for token := ""; ; {
		page, err := m.Directory.ListAccounts(ctx, &directoryv1.ListAccountsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return err
		}
		c.all = append(c.all, page.GetAccounts()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	// The bare logins of the demo come first: township before baisha1.
	slices.SortFunc(c.all, func(a, b *directoryv1.Account) int { return cmp.Compare(a.GetPractitionerId(), b.GetPractitionerId()) })
	for _, a := range c.all {
		place := centres[a.GetOrganizationId()]
		switch {
		case has(a, commonv1.Role_INTAKE_DESK):
			c.desk = a
		case has(a, commonv1.Role_COUNTY_ADMIN):
			c.admin = a
		case has(a, commonv1.Role_SPECIALIST):
			c.doctors[a.GetDepartmentCode()] = append(c.doctors[a.GetDepartmentCode()], a)
		case place != nil && has(a, commonv1.Role_VILLAGE_DOCTOR):
			place.village = a
		case place != nil && has(a, commonv1.Role_TOWNSHIP_DOCTOR):
			place.doctors = append(place.doctors, a)
		}
	}
	return nil
}

func has(a *directoryv1.Account, role commonv1.Role_Code) bool {
	return slices.Contains(a.GetRoles(), role)
}

// centre draws one by size.
func (m *maker) centre() *centre {
	total := 0
	for _, c := range m.cast.centres {
		total += c.weight
	}
	n := m.random.IntN(total)
	for _, c := range m.cast.centres {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	return m.cast.centres[0]
}

// doctor draws one of the centre: the first does most.
func (m *maker) doctor(c *centre) *directoryv1.Account {
	if m.chance(60) {
		return c.doctors[0]
	}
	return pick(m, c.doctors...)
}

func (m *maker) specialist(department string) *directoryv1.Account {
	list := m.cast.doctors[department]
	if len(list) == 0 {
		return m.cast.desk
	}
	return pick(m, list...)
}

// by is what a person does: ctx is theirs.
func (m *maker) by(ctx context.Context, who *directoryv1.Account, do func(ctx context.Context) error) error {
	as, err := m.world.As(ctx, who)
	if err != nil {
		return err
	}
	return do(as)
}
