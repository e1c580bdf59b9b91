package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Notes implements [app.Reader].
func (s *Store) Notes(ctx context.Context, county, id string, mark domain.Action) (out []app.HistoryRow, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out, err = s.notes(ctx, tx, county, id, mark)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the notes of referral %s: %w", id, err)
	}
	return out, nil
}

// notes reads the notes of a name, oldest first; of every name if it is empty.
func (s *Store) notes(ctx context.Context, tx *sqldb.Tx, county, id string, mark domain.Action) ([]app.HistoryRow, error) {
	rows, err := tx.Query(ctx, `SELECT id, name, account_id, account_name, organization_id, occur_time, reason_code, remark FROM note
		WHERE county_code = $1 AND referral_id = $2 AND (name = $3 OR $3 = '') ORDER BY occur_time, id`, county, id, string(mark))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []app.HistoryRow
	for rows.Next() {
		h := app.HistoryRow{Mark: true}
		var sealed []byte
		if err := rows.Scan(&h.ID, &h.Action, &h.By.AccountID, &h.By.Name, &h.By.OrganizationID, &h.At, &h.Reason, &sealed); err != nil {
			return nil, err
		}
		h.At = h.At.UTC()
		if err := s.openRemark(&h, "note", h.ID, sealed); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// openRemark puts the sealed note and detail of a row of a table into a line of the timeline.
func (s *Store) openRemark(h *app.HistoryRow, table, key string, sealed []byte) error {
	if sealed == nil {
		return nil
	}
	plain, err := s.Ring.Open(table, "remark", key, sealed)
	if err != nil {
		return err
	}
	var r remark
	if err := decode(plain, &r); err != nil {
		return err
	}
	h.Note, h.Detail = r.Note, r.Detail
	return nil
}

// Followers implements [app.Reader].
func (s *Store) Followers(ctx context.Context, county, id string) (out []app.View, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out, err = s.views(ctx, tx, selectView+"r.reply_to = $3 AND r.reply_to <> '' ORDER BY r.create_time, r.id", county, "", id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what follows referral %s: %w", id, err)
	}
	return out, nil
}

// Answering implements [app.Unit]. Those who change one of them hold the up-referral first, so that nothing moves meanwhile.
func (u *unit) Answering(ctx context.Context, upID, besides string) (out app.Answering, err error) {
	var arrived sql.Null[time.Time]
	err = u.tx.QueryRow(ctx, `SELECT id, arrive_time FROM referral WHERE county_code = $1 AND reply_to = $2 AND reply_to <> '' AND link_kind = 'ANSWERS'
		AND id <> $3 AND number <> '' AND state NOT IN ('DECLINED', 'CANCELLED')
		ORDER BY arrive_time IS NULL, arrive_time, submit_time DESC, id DESC LIMIT 1`, u.cmd.Caller.County, upID, besides).Scan(&out.DownID, &arrived)
	if err != nil && !sqldb.NoRows(err) {
		return app.Answering{}, fmt.Errorf("look for what answers referral %s: %w", upID, err)
	}
	out.Arrived = instant(arrived)
	return out, nil
}

// LatestDown implements [app.Reader].
func (s *Store) LatestDown(ctx context.Context, up domain.Snapshot, sent domain.Window) (found string, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		found = ""
		err := tx.QueryRow(ctx, `SELECT id FROM referral WHERE county_code = $1 AND `+person(tx.Engine(), "patient_id", "$2")+` AND direction = 'DOWN' AND number <> ''
			AND condition = $3 AND submit_time >= $4 AND submit_time <= $5 AND reply_to <> $6 AND state NOT IN ('DECLINED', 'CANCELLED') AND bounced_by = ''
			ORDER BY submit_time DESC, id DESC LIMIT 1`, up.County, up.PatientID, up.Condition(), sent.From, sent.To, up.ID).Scan(&found)
		if sqldb.NoRows(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look for a down-referral before referral %s: %w", up.ID, err)
	}
	return found, nil
}
