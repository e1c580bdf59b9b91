package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var _ app.Blanks = (*Store)(nil)

const blankColumns = `number, batch_id, form, organization_id, printed_by, printed_by_name, printed_by_org, print_time, valid_until, referral_id,
		void_reason, void_note, void_time`

// AllotBlanks implements [app.Blanks].
func (s *Store) AllotBlanks(ctx context.Context, cmd app.Command, batch []domain.Blank) ([]domain.Blank, error) {
	county, made := cmd.Caller.County, batch[0]
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if _, found, err := tx.FindRequest(ctx, s.request(cmd)); found || err != nil {
			return err
		}
		var stmts []sqldb.Stmt
		for _, b := range batch {
			stmts = append(stmts, sqldb.Stmt{
				SQL: `INSERT INTO blank_form (county_code, number, batch_id, form, organization_id, printed_by, printed_by_name, printed_by_org, print_time,
					valid_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				Args: []any{
					county, string(b.Number), b.BatchID, b.Form, b.OrganizationID, b.PrintedBy.AccountID, b.PrintedBy.Name, b.PrintedBy.OrganizationID,
					b.PrintTime, b.ValidUntil,
				}, Want: 1,
			})
		}
		said := fmt.Sprintf("%d %s from %s for %s", len(batch), made.Form, made.Number.Printed(), made.OrganizationID)
		stmts = append(stmts, audit.Stmt(audit.Entry{
			County: county, AccountID: cmd.Caller.Subject, OrganizationID: cmd.Caller.Organization, Action: "referral.allot_blank_forms",
			ObjectType: "blank_form", ObjectID: made.BatchID, Detail: said,
		}, id.New(), tx.Now()), sqldb.RequestStmt(s.request(cmd), []byte{}, tx.Now()))
		return tx.Last(ctx, stmts...)
	})
	if err != nil {
		return nil, fmt.Errorf("allot blank forms: %w", err)
	}
	return s.Blanks(ctx, county, app.BlankQuery{BatchID: made.BatchID, Limit: domain.BlankMost})
}

// Blank implements [app.Blanks].
func (s *Store) Blank(ctx context.Context, county string, n domain.Number) (b domain.Blank, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		b, err = scanBlank(tx.QueryRow(ctx, "SELECT "+blankColumns+" FROM blank_form WHERE county_code = $1 AND number = $2", county, string(n)))
		return err
	})
	if sqldb.NoRows(err) {
		return domain.Blank{}, nil
	}
	if err != nil {
		return domain.Blank{}, fmt.Errorf("read blank form %s: %w", n.Printed(), err)
	}
	return b, nil
}

// Blanks implements [app.Blanks].
func (s *Store) Blanks(ctx context.Context, county string, q app.BlankQuery) (list []domain.Blank, err error) {
	where, args := []string{"county_code = $1"}, []any{county}
	for column, value := range map[string]string{"organization_id": q.OrganizationID, "batch_id": q.BatchID} {
		if value != "" {
			args = append(args, value)
			where = append(where, fmt.Sprintf("%s = $%d", column, len(args)))
		}
	}
	if condition := map[string]string{
		"OUTSTANDING": "referral_id = '' AND void_time IS NULL", "USED": "referral_id <> ''", "VOID": "void_time IS NOT NULL",
	}[q.State]; condition != "" {
		where = append(where, condition)
	}
	if q.After.Number != "" {
		args = append(args, q.After.PrintTime, string(q.After.Number))
		where = append(where, fmt.Sprintf("(print_time < $%d OR print_time = $%d AND number > $%d)", len(args)-1, len(args)-1, len(args)))
	}
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, fmt.Sprintf("SELECT %s FROM blank_form WHERE %s ORDER BY print_time DESC, number LIMIT %d",
			blankColumns, strings.Join(where, " AND "), q.Limit), args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			b, err := scanBlank(rows)
			if err != nil {
				return err
			}
			list = append(list, b)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list blank forms: %w", err)
	}
	return list, nil
}

func scanBlank(row scanner) (domain.Blank, error) {
	var b domain.Blank
	var void sql.Null[time.Time]
	err := row.Scan(&b.Number, &b.BatchID, &b.Form, &b.OrganizationID, &b.PrintedBy.AccountID, &b.PrintedBy.Name, &b.PrintedBy.OrganizationID,
		&b.PrintTime, &b.ValidUntil, &b.ReferralID, &b.VoidReason, &b.VoidNote, &void)
	b.PrintTime, b.ValidUntil, b.VoidTime = b.PrintTime.UTC(), b.ValidUntil.UTC(), instant(void)
	return b, err
}

// VoidBlank implements [app.Blanks].
func (s *Store) VoidBlank(ctx context.Context, cmd app.Command, b domain.Blank) (domain.Blank, error) {
	county := cmd.Caller.County
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if cmd.RequestID != "" {
			if _, found, err := tx.FindRequest(ctx, s.request(cmd)); found || err != nil {
				return err
			}
		}
		stmts := []sqldb.Stmt{{
			SQL: `UPDATE blank_form SET void_reason = $3, void_note = $4, void_by = $5, void_time = $6
				WHERE county_code = $1 AND number = $2 AND referral_id = '' AND void_time IS NULL`,
			Args: []any{county, string(b.Number), b.VoidReason, b.VoidNote, cmd.Caller.Subject, tx.Now()}, Want: 1,
		}, audit.Stmt(audit.Entry{
			County: county, AccountID: cmd.Caller.Subject, OrganizationID: cmd.Caller.Organization, Action: "referral.void_blank_form",
			ObjectType: "blank_form", ObjectID: b.Number.Printed(), Detail: b.VoidReason,
		}, id.New(), tx.Now())}
		if cmd.RequestID != "" {
			stmts = append(stmts, sqldb.RequestStmt(s.request(cmd), []byte{}, tx.Now()))
		}
		return tx.Last(ctx, stmts...)
	})
	if errors.Is(err, sqldb.ErrConditionFailed) {
		return domain.Blank{}, errs.WrongState("void", "")
	}
	if err != nil {
		return domain.Blank{}, fmt.Errorf("take back blank form %s: %w", b.Number.Printed(), err)
	}
	return s.Blank(ctx, county, b.Number)
}

// UseBlank implements [app.Unit].
func (u *unit) UseBlank(n domain.Number, organizationID, referralID string) {
	u.plan(1, `UPDATE blank_form SET referral_id = $4 WHERE county_code = $1 AND number = $2 AND organization_id = $3 AND referral_id = ''
		AND void_time IS NULL`, u.cmd.Caller.County, string(n), organizationID, referralID).lost = func(context.Context) error {
		return errs.Invalid(errs.Bad("blankNumber", errs.ReasonFieldCombination))
	}
}
