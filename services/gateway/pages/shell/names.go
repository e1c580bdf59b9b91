package shell

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// namesTTL is how long names of organisations are kept at most: a fact that was missed is made good for a minute later.
const namesTTL = time.Minute

// Names keeps each county's organisations and departments for a short while.
type Names struct {
	directory directoryv1.DirectoryServiceClient
	clock     clock.Clock

	mu       sync.Mutex
	counties map[string]*County
}

// NewNames makes an empty keeper.
func NewNames(directory directoryv1.DirectoryServiceClient, clk clock.Clock) *Names {
	return &Names{directory: directory, clock: clk, counties: map[string]*County{}}
}

// County is a county's organisations as read at one moment.
type County struct {
	// Name is what people call the county; "" where the directory has none.
	Name string
	// Organizations in the order of their codes.
	Organizations []*directoryv1.Organization
	byID          map[string]*directoryv1.Organization
	departments   map[string][]*directoryv1.Department // closed ones too
	until         time.Time
}

// County answers the visitor's county, from memory if it is fresh. When directory is away an old answer is better than
// none.
func (n *Names) County(ctx context.Context) (*County, error) {
	county := ""
	if v, ok := door.VisitorFrom(ctx); ok {
		county = v.Account.GetCounty()
	}
	n.mu.Lock()
	known := n.counties[county]
	n.mu.Unlock()
	if known != nil && n.clock.Now().Before(known.until) {
		return known, nil
	}
	fresh, err := n.read(ctx)
	if err != nil {
		if known != nil {
			return known, nil
		}
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.counties[county] = fresh
	return fresh, nil
}

// Forget makes the next look at a county ask again.
func (n *Names) Forget(county string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.counties, county)
}

// Follow forgets a county whose organisations changed, whoever changed them, until ctx ends.
func (n *Names) Follow(ctx context.Context, b bus.Bus) error {
	for {
		from := uint64(0)
		if last, err := b.LastSequence(ctx); err == nil {
			from = last + 1
		}
		err := b.Tail(ctx, from, []string{"directory.v1.*.organisation_changed"}, func(m bus.Msg) {
			if parts := strings.Split(m.Subject, "."); len(parts) == 4 {
				n.Forget(parts[2])
			}
		})
		if !errors.Is(err, bus.ErrTooOld) || ctx.Err() != nil {
			return err
		}
	}
}

func (n *Names) read(ctx context.Context) (*County, error) {
	c := &County{byID: map[string]*directoryv1.Organization{}, departments: map[string][]*directoryv1.Department{}, until: n.clock.Now().Add(namesTTL)}
	for token := ""; ; {
		page, err := n.directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return nil, err
		}
		c.Organizations = append(c.Organizations, page.GetOrganizations()...)
		if token == "" {
			c.Name = page.GetCountyName()
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for _, o := range c.Organizations {
		c.byID[o.GetId()] = o
	}
	all, err := n.directory.ListDepartments(ctx, &directoryv1.ListDepartmentsRequest{})
	if err != nil {
		return nil, err
	}
	for _, d := range all.GetDepartments() {
		c.departments[d.GetOrganizationId()] = append(c.departments[d.GetOrganizationId()], d)
	}
	return c, nil
}

// Organization by id, nil if unknown.
func (c *County) Organization(id string) *directoryv1.Organization { return c.byID[id] }

// Departments of an organisation that are open.
func (c *County) Departments(organizationID string) (out []*directoryv1.Department) {
	for _, d := range c.departments[organizationID] {
		if !d.GetDisabled() {
			out = append(out, d)
		}
	}
	return out
}

// Department of an organisation by national code, open or closed, nil if unknown.
func (c *County) Department(organizationID, code string) *directoryv1.Department {
	for _, d := range c.departments[organizationID] {
		if d.GetCode() == code {
			return d
		}
	}
	return nil
}

// OrganizationName in a language.
func (c *County) OrganizationName(language, id string) string {
	o := c.byID[id]
	if language == "en" && o.GetNameEn() != "" {
		return o.GetNameEn()
	}
	return o.GetName()
}

// DepartmentName in a language; the code itself if unknown.
func (c *County) DepartmentName(language, organizationID, code string) string {
	d := c.Department(organizationID, code)
	switch {
	case d == nil:
		return code
	case language == "en" && d.GetNameEn() != "":
		return d.GetNameEn()
	default:
		return d.GetName()
	}
}
