package store

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// Coming implements app.CalendarStore.
func (s *Store) Coming(ctx context.Context, q app.ComingQuery) ([]app.ComingPart, error) {
	return list(ctx, s, "what is to come", scanComing, func(tx *sqldb.Tx) (string, []any) {
		args := []any{q.County, tx.Now(), q.OrganizationID, q.Department}
		who := ""
		if len(q.IDs) > 0 {
			among, ids := tx.List("s.practitioner_id", 5, q.IDs)
			args = append(args, ids, q.Name)
			who = " AND (" + among + " OR $6 <> '' AND s.practitioner_name = $6)"
		}
		return `SELECT s.organization_id, s.department_code, s.kind, s.template_id, s.practitioner_id, s.practitioner_name,
			count(DISTINCT CASE WHEN s.state <> 'CANCELLED' THEN s.id END), sum(CASE WHEN ` + live + ` THEN 1 ELSE 0 END), min(s.local_date), max(s.local_date)
			FROM session s LEFT JOIN slot sl ON sl.county_code = s.county_code AND sl.session_id = s.id
			LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
			WHERE s.county_code = $1 AND s.end_time > $2 AND ($3 = '' OR s.organization_id = $3) AND ($4 = '' OR s.department_code = $4)` + who + `
			GROUP BY s.organization_id, s.department_code, s.kind, s.template_id, s.practitioner_id, s.practitioner_name
			HAVING count(CASE WHEN s.state <> 'CANCELLED' OR ` + live + ` THEN 1 END) > 0 ORDER BY 1, 2, 9, 4`, args
	})
}

func scanComing(row scanner) (c app.ComingPart, err error) {
	var first, last string
	err = row.Scan(&c.OrganizationID, &c.DepartmentCode, &c.Kind, &c.TemplateID, &c.PractitionerID, &c.PractitionerName, &c.Sessions, &c.Taken, &first, &last)
	c.FirstDay, c.LastDay = day(first), day(last)
	return c, err
}

// day is the local date that SQLite's driver makes a time of, because min and max have no type that was declared.
func day(text string) string { return text[:min(len(text), len(time.DateOnly))] }
