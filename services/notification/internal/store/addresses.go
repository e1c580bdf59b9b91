package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rekey"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Sealed are the columns of this service that hold what the key ring sealed.
func Sealed() []rekey.Column {
	row := func(key []string) string { return key[0] + "/" + key[1] }
	return []rekey.Column{
		{Table: "address", Name: "value", Key: []string{"county_code", "id"}, Row: row},
		{Table: "address", Name: "secret", Key: []string{"county_code", "id"}, Row: row},
		{Table: "account", Name: "phone", Key: []string{"county_code", "id"}, Row: row},
		{Table: "account", Name: "email", Key: []string{"county_code", "id"}, Row: row},
	}
}

// Book implements app.Addresses and app.Links: what a Store needs the key ring for, and what goes with it.
type Book struct {
	db   *sqldb.DB
	ring *crypt.Ring
}

var (
	_ app.Addresses = (*Book)(nil)
	_ app.Links     = (*Book)(nil)
)

// NewBook keeps to db and seals with ring.
func NewBook(db *sqldb.DB, ring *crypt.Ring) *Book { return &Book{db: db, ring: ring} }

func addressID(o app.Owner, channel string) string {
	return id.FromFact("address", o.County, o.AccountID, o.OrganizationID, o.DepartmentCode, channel)
}

// Address implements app.Addresses.
func (b *Book) Address(ctx context.Context, o app.Owner, channel string) (a app.Address, known bool, err error) {
	key := addressID(o, channel)
	var value, secret []byte
	err = b.db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT value, secret, masked FROM address WHERE county_code = $1 AND id = $2", o.County, key).Scan(&value, &secret, &a.Masked)
	})
	if sqldb.NoRows(err) {
		return b.fromDirectory(ctx, o, channel)
	}
	if err != nil {
		return a, false, fmt.Errorf("load address %s: %w", key, err)
	}
	a.Owner, a.Channel = o, channel
	plain, err := b.ring.Open("address", "value", o.County+"/"+key, value)
	if err != nil {
		return a, false, fmt.Errorf("open address %s: %w", key, err)
	}
	a.Value = string(plain)
	if len(secret) > 0 {
		if plain, err = b.ring.Open("address", "secret", o.County+"/"+key, secret); err != nil {
			return a, false, fmt.Errorf("open address %s: %w", key, err)
		}
		a.Secret = string(plain)
	}
	return a, true, nil
}

// directoryColumn is where the directory's address of a channel is kept, in account; empty for a channel on which it says nothing.
func directoryColumn(channel string) string {
	return map[string]string{domain.SMS: "phone", domain.Email: "email"}[channel]
}

// fromDirectory is what the directory says of a person who said nothing.
func (b *Book) fromDirectory(ctx context.Context, o app.Owner, channel string) (a app.Address, known bool, err error) {
	column := directoryColumn(channel)
	if o.AccountID == "" || column == "" {
		return a, false, nil
	}
	var value []byte
	err = b.db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT "+column+", "+column+"_masked FROM account WHERE county_code = $1 AND id = $2", o.County, o.AccountID).Scan(&value, &a.Masked)
	})
	if sqldb.NoRows(err) || err == nil && a.Masked == "" {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("load %s of account %s: %w", column, o.AccountID, err)
	}
	plain, err := b.ring.Open("account", column, o.County+"/"+o.AccountID, value)
	if err != nil {
		return a, false, fmt.Errorf("open %s of account %s: %w", column, o.AccountID, err)
	}
	a.Owner, a.Channel, a.Value, a.FromDirectory = o, channel, string(plain), true
	return a, true, nil
}

// Addresses implements app.Addresses.
func (b *Book) Addresses(ctx context.Context, o app.Owner) (found []app.Address, err error) {
	err = b.db.View(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT department_code, channel, masked, secret IS NOT NULL, update_time, test_time FROM address
			WHERE county_code = $1 AND account_id = $2 AND organization_id = $3 ORDER BY department_code, channel`, o.County, o.AccountID, o.OrganizationID)
		if err != nil {
			return err
		}
		found, err = collect(rows, func(row scanner) (a app.Address, err error) {
			var secret bool
			var tested sql.NullTime
			a.Owner = o
			err = row.Scan(&a.DepartmentCode, &a.Channel, &a.Masked, &secret, &a.UpdateTime, &tested)
			if a.TestTime = tested.Time; secret {
				a.Secret = "*"
			}
			return a, err
		})
		if err != nil || o.AccountID == "" {
			return err
		}
		masked := map[string]*string{domain.SMS: new(string), domain.Email: new(string)}
		err = tx.QueryRow(ctx, "SELECT phone_masked, email_masked FROM account WHERE county_code = $1 AND id = $2", o.County, o.AccountID).
			Scan(masked[domain.SMS], masked[domain.Email])
		if sqldb.NoRows(err) {
			return nil
		}
		for _, channel := range domain.ForPersons() {
			own := slices.ContainsFunc(found, func(a app.Address) bool { return a.Channel == channel })
			if shown := masked[channel]; shown != nil && *shown != "" && !own {
				found = append(found, app.Address{Owner: o, Channel: channel, Masked: *shown, FromDirectory: true})
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	return found, nil
}

// SetAddress implements app.Addresses.
func (b *Book) SetAddress(ctx context.Context, caller app.Caller, a app.Address) (app.Address, error) {
	key := addressID(a.Owner, a.Channel)
	place := a.County + "/" + key
	value, err := b.ring.Seal("address", "value", place, []byte(a.Value))
	if err != nil {
		return a, fmt.Errorf("seal address: %w", err)
	}
	var secret []byte
	if a.Secret != "" {
		if secret, err = b.ring.Seal("address", "secret", place, []byte(a.Secret)); err != nil {
			return a, fmt.Errorf("seal address: %w", err)
		}
	}
	err = b.db.Update(ctx, func(tx *sqldb.Tx) error {
		a.UpdateTime = tx.Now()
		if a.Value == "" {
			return tx.Last(ctx, sqldb.Stmt{SQL: "DELETE FROM address WHERE county_code = $1 AND id = $2", Args: []any{a.County, key}, Want: -1},
				audited(tx, caller, "address.remove", "address", key))
		}
		return tx.Last(ctx, sqldb.Stmt{
			SQL: `INSERT INTO address (county_code, id, account_id, organization_id, department_code, channel, value, secret, masked, update_time)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
				ON CONFLICT (county_code, id) DO UPDATE SET value = excluded.value, secret = excluded.secret, masked = excluded.masked,
				update_time = excluded.update_time, test_time = NULL`,
			Args: []any{a.County, key, a.AccountID, a.OrganizationID, a.DepartmentCode, a.Channel, value, secret, a.Masked, tx.Now()}, Want: -1,
		}, audited(tx, caller, "address.set", "address", key))
	})
	if err != nil {
		return a, fmt.Errorf("set address %s: %w", key, err)
	}
	return a, nil
}

// Tested implements app.Addresses.
func (b *Book) Tested(ctx context.Context, o app.Owner, channel string, at time.Time) error {
	err := b.db.Update(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE address SET test_time = $3 WHERE county_code = $1 AND id = $2", o.County, addressID(o, channel), at)
		return err
	})
	if err != nil {
		return fmt.Errorf("note test of address: %w", err)
	}
	return nil
}

func insertLink(tx *sqldb.Tx, county string, l app.Link) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO acknowledge_link (county_code, token_hash, delivery_id, entry_id, alarm_id, account_id, create_time, expire_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		Args: []any{county, l.Hash, l.DeliveryID, l.EntryID, l.AlarmID, l.AccountID, tx.Now(), l.Until}, Want: 1,
	}
}

// Link implements app.Links.
func (b *Book) Link(ctx context.Context, hash []byte, now time.Time) (county string, l app.Link, err error) {
	err = b.db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT county_code, delivery_id, entry_id, alarm_id, account_id, expire_time FROM acknowledge_link l
			WHERE token_hash = $1 AND expire_time > $2
			AND NOT EXISTS (SELECT 1 FROM account a WHERE a.county_code = l.county_code AND a.id = l.account_id AND a.disabled)`, hash, now).Scan(&county, &l.DeliveryID, &l.EntryID, &l.AlarmID, &l.AccountID, &l.Until)
	})
	if sqldb.NoRows(err) {
		return "", l, errs.NotFound("link")
	}
	if err != nil {
		return "", l, fmt.Errorf("look up link: %w", err)
	}
	l.Hash = hash
	return county, l, nil
}

// EntryOf implements app.Links.
func (b *Book) EntryOf(ctx context.Context, county, entryID string) (d domain.EntryData, err error) {
	err = b.db.Read(ctx, func(tx *sqldb.Tx) error {
		d, err = scanEntry(tx.QueryRow(ctx, "SELECT "+entryColumns+" FROM entry WHERE county_code = $1 AND id = $2", county, entryID))
		return err
	})
	if sqldb.NoRows(err) {
		return d, errs.NotFound("notification")
	}
	if err != nil {
		return d, fmt.Errorf("load notification: %w", err)
	}
	return d, nil
}

// ForgetLinks implements app.Links.
func (b *Book) ForgetLinks(ctx context.Context, now time.Time, limit int) error {
	err := b.db.Update(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM acknowledge_link WHERE token_hash IN (SELECT token_hash FROM acknowledge_link
			WHERE expire_time < $1 ORDER BY expire_time LIMIT $2)`, now, limit)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget links: %w", err)
	}
	return nil
}
