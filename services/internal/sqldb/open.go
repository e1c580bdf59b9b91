package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/XSAM/otelsql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// Engine names one of the two databases.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Config says where the database is.
type Config struct {
	// URL is "sqlite:/path/file.db" or "postgres://user:password@host/database".
	URL string
	// MaxOpen bounds the connections to PostgreSQL, or the readers of SQLite, which has one writer always.
	// 0 chooses by the number of cores.
	MaxOpen int
	// Schema is the search_path on PostgreSQL, created by Migrate; empty leaves the server's. SQLite has none.
	Schema string
}

// One writer connection: with several, SQLite's polling for its lock starves one of them for seconds. IMMEDIATE: a
// transaction that reads first and writes later would fail when somebody wrote in between. The time options make
// instants of any zone compare as instants.
const (
	sqliteTimes  = "_time_format=sqlite&_timezone=UTC&_texttotime=1"
	sqliteWriter = "_busy_timeout=10000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_txlock=immediate&" + sqliteTimes
	sqliteReader = "_busy_timeout=10000&_query_only=1&" + sqliteTimes
)

// Open connects and checks that the database answers. clk is where transactions take their time from.
func Open(ctx context.Context, cfg Config, clk clock.Clock) (*DB, error) {
	var db *DB
	var err error
	switch {
	case strings.HasPrefix(cfg.URL, "sqlite:"):
		db, err = openSQLite(ctx, cfg)
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		db, err = openPostgres(cfg)
	default:
		return nil, errors.New("open database: the URL must begin with sqlite: or postgres://")
	}
	if err != nil {
		return nil, err
	}
	db.clk = clk
	if err := db.register(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(public(fmt.Errorf("open database: %w", err)), db.Close())
	}
	return db, nil
}

func openSQLite(ctx context.Context, cfg Config) (*DB, error) {
	path := strings.TrimPrefix(cfg.URL, "sqlite:")
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, errors.New("open SQLite: a file is required")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	file := (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String()
	writer, err := otelsql.Open("sqlite", file+"?"+sqliteWriter, instrument(SQLite)...)
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	writer.SetMaxOpenConns(1)
	// The file and its write-ahead log must exist before the first reader opens it.
	if err := writer.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), writer.Close())
	}
	reader, err := otelsql.Open("sqlite", file+"?"+sqliteReader, instrument(SQLite)...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), writer.Close())
	}
	readers := cfg.MaxOpen
	if readers <= 0 {
		readers = max(2, runtime.GOMAXPROCS(0))
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return &DB{engine: SQLite, writer: writer, reader: reader}, nil
}

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func openPostgres(cfg Config) (*DB, error) {
	pc, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		// The error repeats the URL; pgx masks the password.
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	if cfg.Schema != "" {
		if !schemaName.MatchString(cfg.Schema) {
			return nil, errors.New("open PostgreSQL: schema must be lower case letters, digits and underscores")
		}
		pc.RuntimeParams["search_path"] = cfg.Schema
	}
	if _, set := pc.RuntimeParams["application_name"]; !set {
		pc.RuntimeParams["application_name"] = "tongzhen"
	}
	// A process that vanished without closing its connection must not hold row locks for long.
	pc.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	pool := otelsql.OpenDB(stdlib.GetConnector(*pc, stdlib.OptionAfterConnect(readUTC)), instrument(Postgres)...)
	open := cfg.MaxOpen
	if open <= 0 {
		open = max(4, 4*runtime.GOMAXPROCS(0))
	}
	// Migrate holds its lock on one connection and works on another.
	open = max(open, 2)
	pool.SetMaxOpenConns(open)
	pool.SetMaxIdleConns(open)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return &DB{engine: Postgres, schema: cfg.Schema, writer: pool, reader: pool}, nil
}

// readUTC makes instants come back in UTC, as they do from SQLite; the driver's default is the machine's zone.
func readUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// instrument gives spans with the statement's text, which has placeholders only, and without the driver's error text,
// which may quote a value. Statements outside any trace (polling), or in one that is not recorded, make no span.
func instrument(engine Engine) []otelsql.Option {
	return []otelsql.Option{
		otelsql.WithAttributes(attribute.String("db.system.name", string(engine))),
		otelsql.WithMeterProvider(noop.NewMeterProvider()), // a histogram of every call costs more than it tells
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			OmitConnResetSession: true, OmitConnPrepare: true, OmitRows: true, OmitConnectorConnect: true,
			RecordError: func(error) bool { return false },
			SpanFilter:  insideTrace,
		}),
		otelsql.WithSpanErrorAttributesGetter(func(err error) []attribute.KeyValue {
			return []attribute.KeyValue{attribute.String("error.type", errorClass(err))}
		}),
	}
}

func (db *DB) register() error {
	pools := map[string]*sql.DB{"writer": db.writer}
	if db.reader != db.writer {
		pools["reader"] = db.reader
	}
	for name, pool := range pools {
		reg, err := otelsql.RegisterDBStatsMetrics(pool,
			otelsql.WithAttributes(attribute.String("db.system.name", string(db.engine)), attribute.String("pool", name)))
		if err != nil {
			return fmt.Errorf("register database metrics: %w", err)
		}
		db.metrics = append(db.metrics, reg)
	}
	return nil
}
