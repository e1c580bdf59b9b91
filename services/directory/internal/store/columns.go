package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// The columns of accountColumns.targets, then the organisation's name.
const (
	selectAccount = `SELECT a.county_code, a.id, a.version, a.login, a.name, a.organization_id, a.department_code, a.roles,
		a.phone, a.disabled, a.practitioner_id, a.email, o.name`
	fromAccount = `FROM account a JOIN organization o ON o.county_code = a.county_code AND o.id = a.organization_id`
)

type accountColumns struct {
	data             domain.AccountData
	version          int32
	roles            string
	organizationName string
}

func (c *accountColumns) targets() []any {
	d := &c.data
	return []any{&d.County, &d.ID, &c.version, &d.Login, &d.Name, &d.OrganizationID, &d.DepartmentCode, &c.roles,
		&d.Phone, &d.Disabled, &d.PractitionerID, &d.Email}
}

func (c *accountColumns) account() domain.Account {
	c.data.Roles = splitRoles(c.roles)
	return domain.RestoreAccount(c.data, c.version)
}

func (c *accountColumns) view() app.AccountView {
	return app.AccountView{Account: c.account(), OrganizationName: c.organizationName}
}

// readOrganizations reads whole aggregates: rest is everything from WHERE on.
func readOrganizations(ctx context.Context, tx *sqldb.Tx, rest string, args ...any) ([]domain.Organization, error) {
	type row struct {
		data    domain.OrganizationData
		version int32
	}
	var found []row
	counties, ids := map[string]bool{}, []string{}
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var r row
		var parent sql.NullString
		d := &r.data
		err := rows.Scan(&d.County, &d.ID, &r.version, &d.Code, &d.Name, &d.NameEn, &d.Type, &d.Address, &d.Phone,
			&d.Disabled, &parent)
		d.ParentID = parent.String
		found = append(found, r)
		counties[d.County] = true
		ids = append(ids, d.ID)
		return err
	}, `SELECT county_code, id, version, code, name, name_en, type, address, phone, disabled, parent_id FROM organization`+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("load organisations: %w", err)
	}
	departments := map[[2]string][]domain.Department{}
	for county := range counties {
		if err := readDepartments(ctx, tx, county, ids, departments); err != nil {
			return nil, err
		}
	}
	out := make([]domain.Organization, len(found))
	for i, r := range found {
		out[i] = domain.RestoreOrganization(r.data, departments[[2]string{r.data.County, r.data.ID}], r.version)
	}
	return out, nil
}

func readDepartments(ctx context.Context, tx *sqldb.Tx, county string, ids []string, into map[[2]string][]domain.Department) error {
	frag, arg := tx.List("organization_id", 2, ids)
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var organization string
		var d domain.Department
		err := rows.Scan(&organization, &d.Code, &d.Name, &d.NameEn, &d.Location, &d.Phone, &d.HasBeds, &d.Disabled)
		key := [2]string{county, organization}
		into[key] = append(into[key], d)
		return err
	}, `SELECT organization_id, code, name, name_en, location, phone, has_beds, disabled FROM department
		WHERE county_code = $1 AND `+frag+` ORDER BY organization_id, code`, county, arg)
	if err != nil {
		return fmt.Errorf("load departments: %w", err)
	}
	return nil
}

// each calls scan for every row.
func each(ctx context.Context, tx *sqldb.Tx, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
