package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// StayTold implements app.Unit. The upsert locks the row; of the first asking there must be one to lock, too.
func (u *unit) StayTold(ctx context.Context, encounterID string) (told domain.StayTold, err error) {
	var end sql.NullTime
	_, err = u.tx.Exec(ctx, `INSERT INTO stay_told (county_code, encounter_id, version, event) VALUES ($1, $2, 0, '')
		ON CONFLICT (county_code, encounter_id) DO UPDATE SET version = stay_told.version`, u.county, encounterID)
	if err == nil {
		err = u.tx.QueryRow(ctx, "SELECT version, event, end_time FROM stay_told WHERE county_code = $1 AND encounter_id = $2", u.county, encounterID).
			Scan(&told.Version, &told.Event, &end)
	}
	if err != nil {
		return domain.StayTold{}, fmt.Errorf("look up what was told of encounter %s: %w", encounterID, err)
	}
	told.End = end.Time
	return told, nil
}

// SaveStayTold implements app.Unit.
func (u *unit) SaveStayTold(ctx context.Context, encounterID string, told domain.StayTold) error {
	_, err := u.tx.Exec(ctx, "UPDATE stay_told SET version = $3, event = $4, end_time = $5 WHERE county_code = $1 AND encounter_id = $2",
		u.county, encounterID, told.Version, told.Event, sql.NullTime{Time: told.End, Valid: !told.End.IsZero()})
	if err != nil {
		return fmt.Errorf("note what was told of encounter %s: %w", encounterID, err)
	}
	return nil
}
