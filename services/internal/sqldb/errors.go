package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// ErrNotFound is what a query for one row answers when there is none; NoRows tells it.
var ErrNotFound = sql.ErrNoRows

// NoRows tells whether err is that there was no such row.
func NoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// IsUnique tells whether err is a uniqueness violation, and of which constraint. The name is the same on both
// engines: that of the unique index; for a constraint inside CREATE TABLE the one that PostgreSQL gives by itself,
// "<table>_pkey" or "<table>_<column>_<column>_key". SQLite reports columns only, so the name is looked up there:
// a constraint named in CREATE TABLE is not found (make it a CREATE UNIQUE INDEX), and where several unique indexes
// lie over the same columns, ViolatesUnique is true for each of them.
func IsUnique(err error) (name string, ok bool) {
	names, ok := uniqueNames(err)
	if !ok {
		return "", false
	}
	return names[0], true
}

// ViolatesUnique tells whether err is a violation of the constraint or index with this name; see IsUnique.
func ViolatesUnique(err error, name string) bool {
	names, ok := uniqueNames(err)
	return ok && slices.Contains(names, name)
}

func uniqueNames(err error) ([]string, bool) {
	var f *fault
	if errors.As(err, &f) && len(f.unique) > 0 {
		return f.unique, true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return []string{pg.ConstraintName}, true
	}
	if columns, ok := sqliteUnique(err); ok {
		return []string{columns}, true
	}
	return nil, false
}

// sqliteUnique is the "table.column, table.column" or "index 'name'" of SQLite's message.
func sqliteUnique(err error) (string, bool) {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return "", false
	}
	switch lite.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
	default:
		return "", false
	}
	_, what, ok := strings.Cut(lite.Error(), "constraint failed: UNIQUE constraint failed: ")
	if !ok {
		return "", false
	}
	// The message ends in the code, " (2067)".
	if i := strings.LastIndex(what, " ("); i > 0 {
		what = what[:i]
	}
	return what, true
}

// describe is clean, with the name of a violated constraint found on SQLite while the transaction still stands.
func (tx *Tx) describe(ctx context.Context, err error) error {
	cleaned := clean(err)
	what, ok := sqliteUnique(err)
	if !ok {
		return cleaned
	}
	var f *fault
	if errors.As(cleaned, &f) {
		if name, isIndex := strings.CutPrefix(what, "index '"); isIndex {
			f.unique = []string{strings.TrimSuffix(name, "'")}
		} else if names := tx.indexesOver(ctx, what); len(names) > 0 {
			f.unique = names
		} else {
			f.unique = []string{what}
		}
	}
	return cleaned
}

// indexesOver names the unique constraints of SQLite that lie over the columns of its message.
func (tx *Tx) indexesOver(ctx context.Context, message string) []string {
	var table string
	var columns []string
	for _, part := range strings.Split(message, ", ") {
		t, c, ok := strings.Cut(part, ".")
		if !ok {
			return nil
		}
		table, columns = t, append(columns, c)
	}
	// A primary key that is the row id has no index.
	const query = `SELECT l.name, l.origin FROM pragma_index_list($1) AS l WHERE l."unique" = 1 AND
		(SELECT group_concat(name, ',') FROM (SELECT i.name FROM pragma_index_info(l.name) AS i ORDER BY i.seqno)) = $2`
	rows, err := tx.tx.QueryContext(ctx, query, table, strings.Join(columns, ","))
	if err != nil {
		return nil
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name, origin string
		if rows.Scan(&name, &origin) != nil {
			return nil
		}
		switch origin {
		case "pk":
			name = table + "_pkey"
		case "u":
			name = table + "_" + strings.Join(columns, "_") + "_key"
		}
		names = append(names, name)
	}
	if rows.Err() != nil {
		return nil
	}
	if len(names) == 0 && len(columns) == 1 {
		return []string{table + "_pkey"}
	}
	return names
}

// fault is an error of a driver with a text that quotes no value. Unwrap gives the driver's own error.
type fault struct {
	text   string
	unique []string
	cause  error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.cause }

// clean gives a driver's error a text that may be logged. PostgreSQL quotes values in its data exceptions (class 22),
// pgx in "unable to encode"; the rest names tables, columns and constraints only.
func clean(err error) error {
	if err == nil {
		return nil
	}
	var f *fault
	if errors.As(err, &f) {
		return err
	}
	text := err.Error()
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		text = "PostgreSQL " + pg.Code + ": " + pg.Message
		if strings.HasPrefix(pg.Code, "22") {
			text = "PostgreSQL " + pg.Code + ": a value does not fit its type"
		}
	} else if before, _, found := strings.Cut(text, "unable to encode"); found {
		text = before + "value does not fit the parameter's type"
	}
	return &fault{text: text, cause: err}
}

// errorClass is a word for spans: the SQLSTATE, the SQLite code, or the kind of failure.
func errorClass(err error) string {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &pg):
		return pg.Code
	case errors.As(err, &lite):
		return strconv.Itoa(lite.Code())
	case errors.Is(err, ErrConditionFailed):
		return "condition_failed"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline_exceeded"
	case away(err):
		return "unavailable"
	default:
		return "other"
	}
}

func refusedForConcurrency(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// public makes an error of the connection Unavailable, so that callers tell "the database is away" from a fault of
// ours. An error that has a kind already keeps it.
func public(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errs.As(err); ok || !away(err) {
		return err
	}
	return errs.Unavailable("database", err)
}

func away(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// Connection, resources, operator intervention.
		return slices.Contains([]string{"08", "53", "57"}, pg.Code[:2]) && pg.Code != "57014"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
			return true
		}
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
