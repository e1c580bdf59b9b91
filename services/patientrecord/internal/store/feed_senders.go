package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// What is counted of the senders: each is a range of an index, so that it costs what is counted and not what was ever sent.
const (
	// nextSender is the first one of a county behind another.
	nextSender = `SELECT organization_id, sender FROM feed_message WHERE county_code = $1 AND (organization_id, sender) > ($2, $3)
		ORDER BY organization_id, sender LIMIT 1`
	lastReceived = `SELECT receive_time FROM feed_message WHERE county_code = $1 AND organization_id = $2 AND sender = $3
		ORDER BY receive_time DESC LIMIT 1`
	storedSince = `SELECT count(*) FROM feed_message WHERE county_code = $1 AND organization_id = $2 AND sender = $3 AND state = 'STORED'
		AND receive_time >= $4`
	inQuarantine = `SELECT count(*) FROM feed_message WHERE county_code = $1 AND organization_id = $2 AND sender = $3 AND state = 'QUARANTINED'`
)

// FeedSenders implements app.Store.
func (s *Store) FeedSenders(ctx context.Context, county, organization string, since time.Time) (out []app.FeedSender, err error) {
	err = s.view(ctx, county, func(c scope) error {
		if out, err = c.feedSenders(ctx, organization); err != nil {
			return err
		}
		for i := range out {
			if err := c.countFeed(ctx, &out[i], since); err != nil {
				return fmt.Errorf("count messages: %w", err)
			}
		}
		return nil
	})
	return out, err
}

// feedSenders are those of an organisation (empty: of the county), by name.
func (c scope) feedSenders(ctx context.Context, organization string) (out []app.FeedSender, err error) {
	last := app.FeedSender{Organization: organization}
	for {
		err := c.tx.QueryRow(ctx, nextSender, c.county, last.Organization, last.Sender).Scan(&last.Organization, &last.Sender)
		switch {
		case sqldb.NoRows(err) || err == nil && organization != "" && last.Organization != organization:
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("list senders: %w", err)
		}
		out = append(out, last)
	}
}

func (c scope) countFeed(ctx context.Context, f *app.FeedSender, since time.Time) error {
	if err := c.tx.QueryRow(ctx, lastReceived, c.county, f.Organization, f.Sender).Scan(&f.Last); err != nil {
		return err
	}
	f.Last = f.Last.UTC()
	if err := c.tx.QueryRow(ctx, storedSince, c.county, f.Organization, f.Sender, since).Scan(&f.Stored); err != nil {
		return err
	}
	return c.tx.QueryRow(ctx, inQuarantine, c.county, f.Organization, f.Sender).Scan(&f.Quarantined)
}

// pruneAtOnce bounds what is deleted in one transaction: a message that comes waits for no longer.
const pruneAtOnce = 500

// PruneFeed implements app.FeedStore. The newest message of a sender stays: it tells since when the sender is silent.
func (s *Store) PruneFeed(ctx context.Context, before time.Time) (n int64, err error) {
	counties, err := s.feedCounties(ctx)
	if err != nil {
		return 0, err
	}
	for _, county := range counties {
		var senders []app.FeedSender
		if err := s.view(ctx, county, func(c scope) error {
			senders, err = c.feedSenders(ctx, "")
			return err
		}); err != nil {
			return n, err
		}
		for _, f := range senders {
			for more := true; more; {
				deleted, err := s.pruneSender(ctx, county, f, before)
				if err != nil {
					return n, fmt.Errorf("prune messages of county %s: %w", county, err)
				}
				n, more = n+deleted, deleted == pruneAtOnce
			}
		}
	}
	return n, nil
}

func (s *Store) pruneSender(ctx context.Context, county string, f app.FeedSender, before time.Time) (deleted int64, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		deleted, err = tx.Exec(ctx, `DELETE FROM feed_message WHERE county_code = $1 AND id IN (
			SELECT id FROM feed_message WHERE county_code = $1 AND organization_id = $2 AND sender = $3 AND receive_time < $4 AND state <> $5
			AND (settle_time IS NULL OR settle_time < $4) AND receive_time < (`+lastReceived+`) ORDER BY receive_time LIMIT $6)`,
			county, f.Organization, f.Sender, before, string(domain.FeedQuarantined), pruneAtOnce)
		return err
	})
	return deleted, err
}

// feedCounties are those with messages.
func (s *Store) feedCounties(ctx context.Context) (out []string, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = nil
		for last := ""; ; out = append(out, last) {
			err := tx.QueryRow(ctx, "SELECT county_code FROM feed_message WHERE county_code > $1 ORDER BY county_code LIMIT 1", last).Scan(&last)
			if sqldb.NoRows(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("list counties with messages: %w", err)
			}
		}
	})
	return out, err
}
