package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// personConsumer is the name under which facts about merged patients are noted in the inbox.
const personConsumer = "referral-person"

// person is the condition that the column names a patient who is the same person as the argument. The county is argument 1.
func person(engine sqldb.Engine, column, arg string) string {
	patients := `WITH RECURSIVE person(id) AS (SELECT CAST(` + arg + ` AS text) UNION
		SELECT CASE WHEN l.merged_id = person.id THEN l.survivor_id ELSE l.merged_id END FROM person JOIN patient_link l
		ON l.county_code = $1 AND l.holds AND (l.merged_id = person.id OR l.survivor_id = person.id)) SELECT id FROM person`
	if engine == sqldb.Postgres {
		return column + " = ANY (ARRAY(" + patients + "))"
	}
	return column + " IN (" + patients + ")"
}

// LinkPatients implements [app.People].
func (s *Store) LinkPatients(ctx context.Context, l app.PatientLink) error {
	return s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		already, err := outbox.Seen(ctx, tx, personConsumer, l.FactID)
		if err != nil || already {
			return err
		}
		newer, err := tx.Exec(ctx, `INSERT INTO patient_link (county_code, merged_id, survivor_id, version, holds) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (county_code, merged_id) DO UPDATE SET survivor_id = excluded.survivor_id, version = excluded.version, holds = excluded.holds
			WHERE patient_link.version < excluded.version`, l.County, l.Merged, l.Survivor, l.Version, l.Holds)
		if err != nil || newer == 0 {
			return err
		}
		return moveGuards(ctx, tx, l)
	})
}

// moveGuards lets the open referrals of a merged patient stand in the way of the survivor's, or not any more. Of two that would stand in
// each other's way the merged patient's gives way: it keeps a guard of its own, and both go on.
func moveGuards(ctx context.Context, tx *sqldb.Tx, l app.PatientLink) error {
	from, to := l.Survivor, l.Merged
	if l.Holds {
		from, to = to, from
	}
	_, err := tx.Exec(ctx, `UPDATE referral SET guard = $3 || substr(guard, length($4) + 1) WHERE county_code = $1 AND patient_id = $2
		AND substr(guard, 1, length($4) + 1) = $4 || '|' AND NOT EXISTS (SELECT 1 FROM referral o WHERE o.county_code = $1
			AND o.guard = $3 || substr(referral.guard, length($4) + 1))`, l.County, l.Merged, to, from)
	if err != nil {
		return fmt.Errorf("move the guards of patient %s: %w", l.Merged, err)
	}
	return nil
}

// OpenOf implements [app.People].
func (s *Store) OpenOf(ctx context.Context, county, patient string) (open []string, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		open = nil
		among, states := tx.List("r.state", 3, openStates())
		rows, err := tx.Query(ctx, "SELECT r.id FROM referral r WHERE r.county_code = $1 AND "+person(tx.Engine(), "r.patient_id", "$2")+
			" AND "+among+" ORDER BY r.id", county, patient, states)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var one string
			if err := rows.Scan(&one); err != nil {
				return err
			}
			open = append(open, one)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list the open referrals of patient %s: %w", patient, err)
	}
	return open, nil
}

// openStates are those of a referral that somebody has to do with at present.
func openStates() (out []string) {
	for _, s := range []domain.State{
		domain.StateSubmitted, domain.StateReturned, domain.StateAccepted, domain.StateNoShow, domain.StateArrived, domain.StateAdmitted, domain.StateFollowUp,
	} {
		out = append(out, string(s))
	}
	return out
}
