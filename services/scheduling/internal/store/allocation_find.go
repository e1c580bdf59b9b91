package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const (
	// findFirst and findMost are how many slots one query of FindSlots reads at first and at most: sessions are told apart here.
	findFirst = 16
	findMost  = 1024
	// branchesAtOnce is how many organisations one query looks at.
	branchesAtOnce = 50
)

// branch is one organisation of a search: a walk along an index in order of time, of its one department or of all.
type branch struct {
	organization string
	before       app.Bounds
}

// FindSlots implements app.AllocationStore. Each query walks along the index of each organisation and stops after a page; the pages grow until there are
// slots of as many sessions as wanted.
func (s *Store) FindSlots(ctx context.Context, q app.FindQuery) ([]app.SlotView, error) {
	organizations := q.OrganizationIDs
	if len(organizations) == 0 {
		var err error
		if organizations, err = s.organizations(ctx, q.County); err != nil {
			return nil, err
		}
	}
	branches := branchesOf(q, organizations)
	var out []app.SlotView
	seen := map[string]bool{}
	var after app.SlotView
	for size := max(findFirst, 2*q.Limit); ; size = min(2*size, findMost) {
		page, err := s.findPage(ctx, q, branches, after, size)
		if err != nil {
			return nil, fmt.Errorf("find slots: %w", err)
		}
		for _, slot := range page {
			if seen[slot.Session.ID] || q.Fits != nil && !q.Fits(slot.Start) {
				continue
			}
			seen[slot.Session.ID] = true
			if out = append(out, slot); len(out) == q.Limit {
				return out, nil
			}
		}
		if len(page) < size {
			return out, nil
		}
		after = page[len(page)-1]
	}
}

func branchesOf(q app.FindQuery, organizations []string) []branch {
	out := make([]branch, len(organizations))
	for i, o := range organizations {
		out[i] = branch{organization: o, before: q.Before(o)}
	}
	return out
}

// findPage is the next free slots of all branches together.
func (s *Store) findPage(ctx context.Context, q app.FindQuery, branches []branch, after app.SlotView, size int) ([]app.SlotView, error) {
	var page []app.SlotView
	for chunk := range slices.Chunk(branches, branchesAtOnce) {
		var found []app.SlotView
		err := s.db.Read(ctx, func(tx *sqldb.Tx) error {
			t := terms{args: []any{q.County, tx.Now()}}
			rows, err := tx.Query(ctx, findQuery(q, chunk, after, &t, size), t.args...)
			if err != nil {
				return err
			}
			found, err = collect(rows, scanSlot)
			return err
		})
		if err != nil {
			return nil, err
		}
		page = append(page, found...)
	}
	if len(branches) > branchesAtOnce {
		slices.SortFunc(page, func(a, b app.SlotView) int {
			if c := a.Start.Compare(b.Start); c != 0 {
				return c
			}
			return strings.Compare(a.ID, b.ID)
		})
	}
	return page[:min(len(page), size)], nil
}

// findQuery selects slots of one branch directly, of several by the ids that each of them has first.
func findQuery(q app.FindQuery, branches []branch, after app.SlotView, t *terms, size int) string {
	limit := t.arg(size)
	if len(branches) == 1 {
		return "SELECT " + slotColumns + slotTables + branchWhere(q, branches[0], after, t) + " ORDER BY sl.start_time, sl.id LIMIT " + limit
	}
	parts := make([]string, len(branches))
	for i, b := range branches {
		parts[i] = "SELECT id FROM (SELECT sl.id" + slotTables + branchWhere(q, b, after, t) + " ORDER BY sl.start_time, sl.id LIMIT " + limit + ") b" + strconv.Itoa(i)
	}
	return "SELECT " + slotColumns + " FROM (" + strings.Join(parts, " UNION ALL ") + ") found CROSS JOIN " + slotJoins +
		" WHERE sl.county_code = $1 AND sl.id = found.id AND s.county_code = sl.county_code AND s.id = sl.session_id ORDER BY sl.start_time, sl.id LIMIT " + limit
}

func branchWhere(q app.FindQuery, b branch, after app.SlotView, t *terms) string {
	own := ofSlots(t.args...)
	own.add("sl.organization_id = %s", b.organization)
	own.in("sl.department_code", q.Departments)
	// One pair of bounds of the index: from where the page before ended to where nothing is open any more.
	to := b.before.Last()
	if q.To.Before(to) {
		to = q.To
	}
	own.where = append(own.where, "sl.start_time > $2")
	own.add("sl.start_time < %s", to.UTC())
	if after.ID == "" {
		own.add("sl.start_time >= %s", q.From.UTC())
	} else {
		own.add("(sl.start_time, sl.id) > (%s, %s)", after.Start, after.ID)
	}
	own.may(b.before)
	own.ofSession("kind", q.Kind)
	own.ofSession("practitioner_id", q.PractitionerID)
	own.ofSession("grade", q.Grade)
	if q.Modality != "" {
		own.add("e.modality = %s", q.Modality)
	}
	t.args = own.args
	return own.String()
}

// organizations are those that have sessions, found by steps along an index.
func (s *Store) organizations(ctx context.Context, county string) (out []string, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM (WITH RECURSIVE o(id) AS (SELECT min(organization_id) FROM session WHERE county_code = $1
			UNION ALL SELECT (SELECT min(organization_id) FROM session WHERE county_code = $1 AND organization_id > o.id) FROM o WHERE o.id IS NOT NULL)
			SELECT id FROM o WHERE id IS NOT NULL) found`, county)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(r scanner) (o string, err error) {
			err = r.Scan(&o)
			return o, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list organisations with sessions: %w", err)
	}
	return out, nil
}

const policyQuery = `SELECT organization_id, reserve_percent, expert_percent, common_days, reserve_lead_days, fallback_hours FROM booking_policy WHERE county_code = $1`

func policies(ctx context.Context, tx *sqldb.Tx, county string) (domain.Policies, error) {
	out := domain.Policies{}
	rows, err := tx.Query(ctx, policyQuery, county)
	if err == nil {
		_, err = collect(rows, func(r scanner) (p domain.Policy, err error) {
			var organization string
			err = r.Scan(&organization, &p.ReservePercent, &p.ExpertPercent, &p.CommonDays, &p.ReserveLeadDays, &p.FallbackHours)
			out[organization] = p
			return p, err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read booking policies: %w", err)
	}
	return out, nil
}

// Policies implements app.AllocationStore.
func (s *Store) Policies(ctx context.Context, county string) (p domain.Policies, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		p, err = policies(ctx, tx, county)
		return err
	})
	return p, err
}

func (u *unit) Policies(ctx context.Context) (domain.Policies, error) {
	return policies(ctx, u.tx, u.county())
}
