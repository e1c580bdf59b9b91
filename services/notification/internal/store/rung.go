package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Rung implements app.AlarmStore. An alarm that has ended is found by its entries: only those that ring have an index by referral.
func (s *Store) Rung(ctx context.Context, county, referralID string) (out app.RungView, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = app.RungView{}
		rows, err := tx.Query(ctx, "SELECT "+alarmColumns+` FROM alarm WHERE county_code = $1 AND id IN (SELECT alarm_id FROM entry
			WHERE county_code = $1 AND referral_id = $2 AND alarm_id <> '') ORDER BY create_time DESC, id DESC LIMIT 1`, county, referralID)
		if err != nil {
			return err
		}
		found, err := collect(rows, scanAlarm)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errs.NotFound("alarm")
		}
		out.AlarmData = found[0]
		if out.People, err = rungPeople(ctx, tx, found[0]); err != nil {
			return err
		}
		return rungWays(ctx, tx, found[0], out.People)
	})
	if err != nil && errs.KindOf(err) != errs.KindNotFound {
		err = fmt.Errorf("read at whom an alarm rang: %w", err)
	}
	return out, err
}

// rungPeople are each once: who has two entries was told with the first, and has answered when one of them was.
func rungPeople(ctx context.Context, tx *sqldb.Tx, alarm domain.AlarmData) ([]app.RungPerson, error) {
	rows, err := tx.Query(ctx, `SELECT a.id, a.name, a.roles, e.create_time, e.acknowledge_time FROM entry e
		JOIN account a ON a.county_code = e.county_code AND a.id = e.account_id
		WHERE e.county_code = $1 AND e.alarm_id = $2 AND a.organization_id = $3 ORDER BY e.create_time, a.id`, alarm.County, alarm.ID, alarm.About.ReceiverOrganizationID)
	if err != nil {
		return nil, err
	}
	all, err := collect(rows, func(row scanner) (p app.RungPerson, err error) {
		var roles string
		var acknowledged sql.NullTime
		err = row.Scan(&p.AccountID, &p.Name, &roles, &p.Told, &acknowledged)
		p.Roles, p.Acknowledged = strings.FieldsFunc(roles, func(r rune) bool { return r == '|' }), acknowledged.Time
		return p, err
	})
	var out []app.RungPerson
	for _, p := range all {
		i := slices.IndexFunc(out, func(known app.RungPerson) bool { return known.AccountID == p.AccountID })
		if i < 0 {
			out = append(out, p)
		} else if out[i].Acknowledged.IsZero() {
			out[i].Acknowledged = p.Acknowledged
		}
	}
	return out, err
}

// rungWays adds the best state of each channel.
func rungWays(ctx context.Context, tx *sqldb.Tx, alarm domain.AlarmData, people []app.RungPerson) error {
	rows, err := tx.Query(ctx, "SELECT account_id, channel, state FROM delivery WHERE county_code = $1 AND alarm_id = $2 AND account_id <> '' ORDER BY channel, id", alarm.County, alarm.ID)
	if err != nil {
		return err
	}
	sent, err := collect(rows, func(row scanner) (d [3]string, err error) { return d, row.Scan(&d[0], &d[1], &d[2]) })
	best := []string{domain.StateSent, domain.StateSending, domain.StatePending, domain.StateDead, domain.StateSkipped, domain.StateCancelled}
	for _, d := range sent {
		i := slices.IndexFunc(people, func(p app.RungPerson) bool { return p.AccountID == d[0] })
		if i < 0 {
			continue
		}
		ways := &people[i].Ways
		at := slices.IndexFunc(*ways, func(w app.RungWay) bool { return w.Channel == d[1] })
		switch {
		case at < 0:
			*ways = append(*ways, app.RungWay{Channel: d[1], State: d[2]})
		case slices.Index(best, d[2]) < slices.Index(best, (*ways)[at].State):
			(*ways)[at].State = d[2]
		}
	}
	return err
}
