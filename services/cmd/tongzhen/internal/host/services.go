package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/directory"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification"
	"github.com/tongzhen/tongzhen/services/patientrecord"
	"github.com/tongzhen/tongzhen/services/referral"
	"github.com/tongzhen/tongzhen/services/scheduling"
)

// migrations are every service's, by name.
func migrations(name string) []sqldb.MigrationSet {
	switch name {
	case Directory:
		return directory.Migrations()
	case PatientRecord:
		return patientrecord.Migrations()
	case Scheduling:
		return scheduling.Migrations()
	case Referral:
		return referral.Migrations()
	case Notification:
		return notification.Migrations()
	default:
		return nil
	}
}

// openService builds one backend with what it stands on.
func (h *Host) openService(ctx context.Context, name string) error {
	db, err := h.database(ctx, name, migrations(name))
	if err != nil {
		return err
	}
	peer := func(target string) (*grpc.ClientConn, error) { return h.dial(ctx, name, target) }
	h.services[name], err = map[string]func() (service, error){
		Directory:     func() (service, error) { return h.openDirectory(ctx, db) },
		PatientRecord: func() (service, error) { return h.openPatientRecord(ctx, db, peer) },
		Scheduling:    func() (service, error) { return h.openScheduling(ctx, db, peer) },
		Referral:      func() (service, error) { return h.openReferral(ctx, db, peer) },
		Notification:  func() (service, error) { return h.openNotification(ctx, db, peer) },
	}[name]()
	return err
}

// auditHeads is where a service's signed heads are kept beside its database.
func (h *Host) auditHeads(name string) audit.HeadFile {
	return audit.HeadFile{Path: h.settings.AuditHeadFile, Service: name}
}

type dialer func(target string) (*grpc.ClientConn, error)

func (h *Host) openScheduling(ctx context.Context, db *sqldb.DB, peer dialer) (service, error) {
	toReferral, err := peer(Referral)
	if err != nil {
		return nil, err
	}
	config := scheduling.Config{}
	if h.options.Clock != nil {
		// Months go by in a minute: sessions are made two months ahead in any case, and it is enough to look once a week for those of the week to come.
		config.PlanEvery, config.AllocateAll = 7*24*time.Hour, 6*time.Hour
	}
	return scheduling.New(ctx, config, scheduling.Deps{
		DB: db, Bus: h.bus, Peers: scheduling.Peers{Referral: toReferral}, Signer: h.keys.signer, AuditHeads: h.auditHeads(Scheduling), Clock: h.clock, Telemetry: h.telemetry,
	})
}

func (h *Host) openNotification(ctx context.Context, db *sqldb.DB, peer dialer) (service, error) {
	var conns [4]*grpc.ClientConn
	for i, target := range []string{Directory, PatientRecord, Referral, Scheduling} {
		conn, err := peer(target)
		if err != nil {
			return nil, err
		}
		conns[i] = conn
	}
	return notification.New(ctx, notification.Config{RulesDir: h.settings.RulesDir, Delivery: h.settings.Delivery}, notification.Deps{
		DB: db, Bus: h.bus, Cache: h.cache, Ring: h.keys.ring,
		Peers: notification.Peers{Directory: conns[0], PatientRecord: conns[1], Referral: conns[2], Scheduling: conns[3]}, Signer: h.keys.signer, AuditHeads: h.auditHeads(Notification), Clock: h.clock, Telemetry: h.telemetry,
	})
}

func (h *Host) openDirectory(ctx context.Context, db *sqldb.DB) (service, error) {
	return directory.New(ctx, directory.Config{OneTimePassword: h.settings.OneTimePassword}, directory.Deps{
		DB: db, Bus: h.bus, Cache: h.cache, Signer: h.keys.signer, AuditHeads: h.auditHeads(Directory), Clock: h.clock, Telemetry: h.telemetry,
	})
}

func (h *Host) openPatientRecord(ctx context.Context, db *sqldb.DB, peer dialer) (service, error) {
	toReferral, err := peer(Referral)
	if err != nil {
		return nil, err
	}
	toDirectory, err := peer(Directory)
	if err != nil {
		return nil, err
	}
	return patientrecord.New(ctx, patientrecord.Config{
		AttachmentScan: h.settings.AttachmentScan, SensitiveOpen: h.settings.SensitiveOpen, GlassOpen: h.settings.GlassOpen, FeedKept: h.settings.FeedKept,
		VisitOpen: h.settings.VisitOpen, ReferralKept: h.settings.ReferralKept,
	}, patientrecord.Deps{
		DB: db, Bus: h.bus, Cache: h.cache, Peers: patientrecord.Peers{Referral: toReferral, Directory: toDirectory}, Ring: h.keys.ring,
		Signer: h.keys.signer, AuditHeads: h.auditHeads(PatientRecord), Clock: h.clock, Telemetry: h.telemetry,
	})
}

func (h *Host) openReferral(ctx context.Context, db *sqldb.DB, peer dialer) (service, error) {
	var conns [3]*grpc.ClientConn
	for i, target := range []string{Directory, PatientRecord, Scheduling} {
		conn, err := peer(target)
		if err != nil {
			return nil, err
		}
		conns[i] = conn
	}
	return referral.New(ctx, referral.Config{CriteriaDir: h.settings.CriteriaDir, Kept: h.settings.ReferralKept}, referral.Deps{
		DB: db, Bus: h.bus, Peers: referral.Peers{Directory: conns[0], PatientRecord: conns[1], Scheduling: conns[2]},
		Ring: h.keys.ring, Signer: h.keys.signer, AuditHeads: h.auditHeads(Referral), Clock: h.clock, Telemetry: h.telemetry,
	})
}

// openDatabase opens a service's database where the settings say.
func openDatabase(ctx context.Context, s Settings, name string, clk clock.Clock) (*sqldb.DB, error) {
	url, schema := s.database(name)
	if url == "" {
		url = "sqlite:" + filepath.Join(s.DataDir, name+".db")
	}
	return sqldb.Open(ctx, sqldb.Config{URL: url, Schema: schema}, clk)
}

// current refuses a schema that is older than this build needs.
func current(ctx context.Context, db *sqldb.DB, name string, sets []sqldb.MigrationSet) error {
	status, err := sqldb.MigrationStatus(ctx, db, sets...)
	if err != nil {
		return fmt.Errorf("read schema version: %w (run `tongzhen migrate --service %s` first)", err, name)
	}
	for _, set := range status {
		if set.Current < set.Latest {
			return fmt.Errorf("schema %s is at version %d, this build needs %d: run `tongzhen migrate --service %s`", set.Set, set.Current, set.Latest, name)
		}
	}
	return nil
}

// Migrate brings the databases of the named services up to date, or reports their versions.
func Migrate(ctx context.Context, s Settings, names []string, report func(service string, status sqldb.SetStatus), apply bool) error {
	var problems []error
	for _, name := range names {
		sets := migrations(name)
		if sets == nil {
			return fmt.Errorf("unknown service %q; there are %s", name, strings.Join(Backends(), ", "))
		}
		problems = append(problems, migrateOne(ctx, s, name, sets, report, apply))
	}
	return errors.Join(problems...)
}

func migrateOne(ctx context.Context, s Settings, name string, sets []sqldb.MigrationSet, report func(string, sqldb.SetStatus), apply bool) (err error) {
	db, err := openDatabase(ctx, s, name, clock.System())
	if err != nil {
		return fmt.Errorf("open database of %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if apply {
		if err := sqldb.Migrate(ctx, db, sets...); err != nil {
			return fmt.Errorf("migrate %s: %w", name, err)
		}
	}
	status, err := sqldb.MigrationStatus(ctx, db, sets...)
	if err != nil {
		return fmt.Errorf("read schema version of %s: %w", name, err)
	}
	for _, set := range status {
		report(name, set)
	}
	return nil
}

func (h *Host) listenOutside(ctx context.Context) (net.Listener, error) {
	if h.keys.tls == nil {
		return rpc.ListenLoopback(ctx, h.settings.GRPCAddr)
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", h.settings.GRPCAddr)
}

func upper(name string) string { return strings.ToUpper(name) }
