package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Reconcile implements [app.Statistics].
func (s *Store) Reconcile(ctx context.Context, q app.ReconcileScan) (ended []domain.ReportedDischarge, sent []domain.SentDown, err error) {
	from, to := midnight(q.From, s.Zone), midnight(q.To, s.Zone)
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		ended, err = discharges(ctx, tx, q.County, `end_time >= $2 AND end_time < $3 AND ($4 = '' OR organization_id = $4)
			AND ($5 = '' OR centre_id = $5)`, from, to, q.Hospital, q.Centre)
		if err == nil {
			sent, err = sentDown(ctx, tx, q, from, to)
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reconcile discharges with down-referrals: %w", err)
	}
	return ended, sent, nil
}

// sentDown are the down-referrals that stand, with the discharges that may belong to them.
func sentDown(ctx context.Context, tx *sqldb.Tx, q app.ReconcileScan, from, to time.Time) ([]domain.SentDown, error) {
	columns := "d." + strings.Join(strings.Fields(dischargeColumns), " d.")
	rows, err := tx.Query(ctx, `SELECT r.id, r.number, r.state, r.kind, r.urgency, r.patient_id, r.originator_org, r.originator_department, r.receiver_org,
		r.condition, r.submit_time, `+columns+` FROM referral r LEFT JOIN discharge d ON d.county_code = r.county_code
			AND (d.down_referral = r.id OR d.patient_id = r.patient_id AND d.organization_id = r.originator_org)
		WHERE r.county_code = $1 AND r.direction = 'DOWN' AND r.number <> '' AND r.state NOT IN ('DECLINED', 'CANCELLED')
		AND r.submit_time >= $2 AND r.submit_time < $3 AND ($4 = '' OR r.originator_org = $4) AND ($5 = '' OR r.receiver_org = $5)
		ORDER BY r.submit_time, r.id`, q.County, from, to, q.Hospital, q.Centre)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []domain.SentDown
	for rows.Next() {
		r := domain.Snapshot{County: q.County, Direction: domain.Down}
		var condition string
		var texts [8]sql.NullString
		var way sql.NullString
		var start, end sql.NullTime
		dest := []any{
			&r.ID, &r.Number, &r.State, &r.Kind, &r.Urgency, &r.PatientID, &r.Originator.OrganizationID, &r.Originator.DepartmentCode,
			&r.Receiver.OrganizationID, &condition, &r.SubmitTime,
		}
		for i := range texts {
			dest = append(dest, &texts[i])
		}
		if err := rows.Scan(append(dest, &start, &end, &way)...); err != nil {
			return nil, err
		}
		r.SubmitTime, r.Diagnoses = r.SubmitTime.UTC(), []domain.Diagnosis{{Code: condition}}
		if len(out) == 0 || out[len(out)-1].Referral.ID != r.ID {
			out = append(out, domain.SentDown{Referral: r})
		}
		if !end.Valid {
			continue
		}
		last := &out[len(out)-1]
		last.Discharges = append(last.Discharges, domain.ReportedDischarge{
			County: q.County, EncounterID: texts[0].String, PatientID: texts[1].String, OrganizationID: texts[2].String, DepartmentCode: texts[3].String,
			CentreID: texts[4].String, Condition: texts[5].String, ReferralID: texts[6].String, DownReferral: texts[7].String,
			Start: start.Time.UTC(), End: end.Time.UTC(), Way: way.String,
		})
	}
	return out, rows.Err()
}
