// Package host puts the services together: it opens keys, databases, the bus and the cache, connects the services with
// one another and runs them, all in one process or some of them.
//
// Owns wiring only; every decision is a service's. What runs in one process and what runs in several goes through the
// same code: services talk gRPC either way, over an in-memory listener or over addresses.
package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/notification"
)

// Names of the services, in the order in which they start.
const (
	Directory     = "directory"
	PatientRecord = "patientrecord"
	Scheduling    = "scheduling"
	Referral      = "referral"
	Notification  = "notification"
	Gateway       = "gateway"
)

// Backends are the five services with a database.
func Backends() []string {
	return []string{Directory, PatientRecord, Scheduling, Referral, Notification}
}

// Settings are all settings of the process. The zero value with defaults applied runs everything on embedded parts.
type Settings struct {
	DataDir     string `env:"TONGZHEN_DATA_DIR" default:".data" help:"Folder of the embedded databases, events and keys." type:"path"`
	HTTPAddr    string `env:"TONGZHEN_HTTP_ADDR" default:"127.0.0.1:8080" help:"Where the gateway listens."`
	AdminAddr   string `env:"TONGZHEN_ADMIN_ADDR" default:"127.0.0.1:9090" help:"Where /healthz, /readyz, /metrics and pprof are served; empty = off."`
	GRPCAddr    string `env:"TONGZHEN_GRPC_ADDR" help:"Where a separately run service listens for gRPC."`
	ControlAddr string `env:"TONGZHEN_CONTROL_ADDR" help:"Unix socket where seed, import and bench find the running system, unix:PATH; default: control.sock in the data folder."`

	DatabaseURL             string `env:"TONGZHEN_DATABASE_URL" help:"PostgreSQL for all services, one schema each; empty = embedded SQLite."`
	DirectoryDatabaseURL    string `env:"TONGZHEN_DIRECTORY_DATABASE_URL" help:"PostgreSQL of directory."`
	PatientRecordDatabase   string `name:"patientrecord-database-url" env:"TONGZHEN_PATIENTRECORD_DATABASE_URL" help:"PostgreSQL of patientrecord."`
	SchedulingDatabaseURL   string `env:"TONGZHEN_SCHEDULING_DATABASE_URL" help:"PostgreSQL of scheduling."`
	ReferralDatabaseURL     string `env:"TONGZHEN_REFERRAL_DATABASE_URL" help:"PostgreSQL of referral."`
	NotificationDatabaseURL string `env:"TONGZHEN_NOTIFICATION_DATABASE_URL" help:"PostgreSQL of notification."`
	NATSURL                 string `name:"nats-url" env:"TONGZHEN_NATS_URL" help:"NATS with JetStream; empty = embedded."`
	RedisURL                string `env:"TONGZHEN_REDIS_URL" help:"Redis for cache and limits; empty = in memory."`

	DirectoryAddr     string `env:"TONGZHEN_DIRECTORY_ADDR" help:"Where directory is found when it runs elsewhere."`
	PatientRecordAddr string `name:"patientrecord-addr" env:"TONGZHEN_PATIENTRECORD_ADDR" help:"Where patientrecord is found when it runs elsewhere."`
	SchedulingAddr    string `env:"TONGZHEN_SCHEDULING_ADDR" help:"Where scheduling is found when it runs elsewhere."`
	ReferralAddr      string `env:"TONGZHEN_REFERRAL_ADDR" help:"Where referral is found when it runs elsewhere."`
	NotificationAddr  string `env:"TONGZHEN_NOTIFICATION_ADDR" help:"Where notification is found when it runs elsewhere."`

	TLSCertFile    string `env:"TONGZHEN_TLS_CERT_FILE" help:"Certificate, PEM; the DNS name is the service's."`
	TLSKeyFile     string `env:"TONGZHEN_TLS_KEY_FILE" help:"Its private key."`
	TLSCAFile      string `name:"tls-ca-file" env:"TONGZHEN_TLS_CA_FILE" help:"Authority that signs the services' certificates."`
	KeyringFile    string `env:"TONGZHEN_KEYRING_FILE" help:"Keys that encrypt patient data; made at first start in embedded mode."`
	SigningKeyFile string `env:"TONGZHEN_SIGNING_KEY_FILE" help:"Ed25519 key that signs call tokens; made at first start in embedded mode."`

	FormerSigningKeysFile string `env:"TONGZHEN_FORMER_SIGNING_KEYS_FILE" help:"Public halves of signing keys of before (PEM), by which the audit record of their time is checked; written by admin keys signing." type:"path"`

	AuditHeadFile string        `env:"TONGZHEN_AUDIT_HEAD_FILE" help:"Append-only file that gets a copy of every signed head of the audit record; put it on another disk or machine than the databases." type:"path"`
	AuditKeep     time.Duration `env:"TONGZHEN_AUDIT_KEEP" default:"26304h" help:"How long audit entries are kept at least; 180 days (4320h) or more by law, three years (26304h) unless set. What is older leaves the databases only into a signed archive, by admin audit archive."`

	OTLPEndpoint string `name:"otlp-endpoint" env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"OpenTelemetry collector (gRPC); empty = no traces are exported."`
	CriteriaDir  string `env:"TONGZHEN_CRITERIA_DIR" help:"Folder with the county's own criteria of referral, over the shipped ones." type:"path"`
	// AttachmentScan is patientrecord's; the syntax is checked when it starts.
	AttachmentScan string `env:"TONGZHEN_ATTACHMENT_SCAN" help:"Virus scanner of uploaded files: none, or unix:PATH or tcp:HOST:PORT of a clamd; while it does not answer no file is taken."`
	// OneTimePassword is directory's, which checks it when it starts.
	OneTimePassword time.Duration `env:"TONGZHEN_ONE_TIME_PASSWORD" default:"72h" help:"How long a one-time password signs in before it has to be given anew; 1h to 720h."`
	// The next five are patientrecord's, which checks them when it starts; the last one is referral's too.
	SensitiveOpen time.Duration `env:"TONGZHEN_SENSITIVE_OPEN" default:"4h" help:"How long sensitive content of a patient stays open to who stated a purpose; 15m to 24h."`
	GlassOpen     time.Duration `env:"TONGZHEN_GLASS_OPEN" default:"24h" help:"How long a record stays open to who broke the glass; 24h to 168h."`
	VisitOpen     time.Duration `env:"TONGZHEN_VISIT_OPEN" default:"72h" help:"How long a record is open to an organisation where the patient came without a referral; 24h to 168h."`
	FeedKept      time.Duration `env:"TONGZHEN_FEED_KEPT" default:"2160h" help:"How long a stored or settled message of a hospital's system is known, so that a repeat is told from a new one; 720h to 26304h. Quarantine is kept until somebody has looked."`
	ReferralKept  time.Duration `env:"TONGZHEN_REFERRAL_KEPT" default:"720h" help:"How long the sides of a closed referral still see the patient; 24h to 8784h."`
	RulesDir      string        `env:"TONGZHEN_RULES_DIR" help:"Folder with the county's own rules of who is told of what, over the shipped ones." type:"path"`
	// Delivery is notification's, which checks it when it starts.
	Delivery     notification.Delivery `embed:""`
	LogLevel     string                `env:"TONGZHEN_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`
	SecureCookie bool                  `env:"TONGZHEN_SECURE_COOKIE" help:"Set when a proxy in front of the gateway speaks TLS."`

	TrustedProxies []netip.Prefix `env:"TONGZHEN_TRUSTED_PROXIES" help:"Networks of the proxies in front of the gateway, e.g. 10.0.0.8/32: they tell by X-Forwarded-For whose tries at signing in and verifying are counted, and by X-Forwarded-Proto that TLS was spoken with them; empty = none is believed."`

	MLLPAddr        string `env:"TONGZHEN_MLLP_ADDR" help:"Where the gateway takes HL7 v2 messages (MLLP); empty = off."`
	MLLPSendersFile string `env:"TONGZHEN_MLLP_SENDERS_FILE" help:"Systems that may send HL7 v2 messages (YAML)."`
	MLLPCertFile    string `env:"TONGZHEN_MLLP_CERT_FILE" help:"TLS for HL7 v2 messages; empty = plain, for a network that is trusted."`
	MLLPKeyFile     string `env:"TONGZHEN_MLLP_KEY_FILE"`
}

// maxSocketPath is what every platform takes as the path of a unix socket; most take 3 to 7 bytes more.
const maxSocketPath = 100

// checkControl refuses what would let others in, or could not be opened. Whoever may open the control socket is
// everybody's equal, so it must be a file with permissions, not a port.
func (s Settings) checkControl() error {
	path, ok := strings.CutPrefix(s.Control(), "unix:")
	switch {
	case !ok || path == "":
		return fmt.Errorf("TONGZHEN_CONTROL_ADDR=%s: only a unix socket is served, since every user of the machine can reach a port; set it to unix:PATH or leave it empty", s.ControlAddr)
	case len(path) > maxSocketPath:
		return fmt.Errorf("the path of the control socket is %d bytes long, at most %d work: set TONGZHEN_CONTROL_ADDR to unix:PATH with a shorter path, in a folder of your own (%s)", len(path), maxSocketPath, path)
	}
	return nil
}

// minAuditKeep is what the law asks for.
const minAuditKeep = 180 * 24 * time.Hour

// check tells all problems of the settings at once.
func (s Settings) check(services []string) error {
	var problems []error
	for _, name := range services {
		if name != Gateway && !slices.Contains(Backends(), name) {
			problems = append(problems, fmt.Errorf("unknown service %q; there are %s and %s", name, strings.Join(Backends(), ", "), Gateway))
		}
	}
	if (s.TLSCertFile == "") != (s.TLSKeyFile == "") {
		problems = append(problems, errors.New("TONGZHEN_TLS_CERT_FILE and TONGZHEN_TLS_KEY_FILE belong together"))
	}
	if s.AuditKeep != 0 && s.AuditKeep < minAuditKeep {
		problems = append(problems, fmt.Errorf("TONGZHEN_AUDIT_KEEP=%s: records of who saw patient data must be kept for at least 6 months by law (网络安全法): 4320h or more", s.AuditKeep))
	}
	if s.TLSCAFile != "" && s.TLSCertFile == "" {
		problems = append(problems, errors.New("TONGZHEN_TLS_CA_FILE needs TONGZHEN_TLS_CERT_FILE and TONGZHEN_TLS_KEY_FILE"))
	}
	if s.GRPCAddr != "" && !loopback(s.GRPCAddr) && s.TLSCAFile == "" {
		problems = append(problems, fmt.Errorf("TONGZHEN_GRPC_ADDR=%s: calls between machines need TONGZHEN_TLS_CERT_FILE, _KEY_FILE and _CA_FILE; without them only loopback is served", s.GRPCAddr))
	}
	if s.HTTPAddr != "" && !loopback(s.HTTPAddr) && s.TLSCertFile == "" && !s.SecureCookie {
		problems = append(problems, fmt.Errorf("TONGZHEN_HTTP_ADDR=%s: without TONGZHEN_TLS_CERT_FILE only loopback is served; behind a proxy that speaks TLS set TONGZHEN_SECURE_COOKIE", s.HTTPAddr))
	}
	if (s.MLLPCertFile == "") != (s.MLLPKeyFile == "") {
		problems = append(problems, errors.New("TONGZHEN_MLLP_CERT_FILE and TONGZHEN_MLLP_KEY_FILE belong together"))
	}
	if s.MLLPAddr != "" && s.MLLPSendersFile == "" {
		problems = append(problems, errors.New("TONGZHEN_MLLP_ADDR needs TONGZHEN_MLLP_SENDERS_FILE: without it every sender is refused"))
	}
	return errors.Join(problems...)
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// OnLoopback tells whether only this machine can reach the gateway.
func (s Settings) OnLoopback() bool { return loopback(s.HTTPAddr) }

// Control is the address of the control socket.
func (s Settings) Control() string {
	if s.ControlAddr != "" {
		return s.ControlAddr
	}
	return "unix:" + filepath.Join(s.DataDir, "control.sock")
}

// database answers a service's URL and schema; the URL "" is embedded.
func (s Settings) database(service string) (url, schema string) {
	own := map[string]string{
		Directory: s.DirectoryDatabaseURL, PatientRecord: s.PatientRecordDatabase, Scheduling: s.SchedulingDatabaseURL,
		Referral: s.ReferralDatabaseURL, Notification: s.NotificationDatabaseURL,
	}[service]
	if own != "" {
		return own, ""
	}
	if s.DatabaseURL != "" {
		return s.DatabaseURL, service
	}
	return "", ""
}

// addr is where a service is found; "" = in this process.
func (s Settings) addr(service string) string {
	return map[string]string{
		Directory: s.DirectoryAddr, PatientRecord: s.PatientRecordAddr, Scheduling: s.SchedulingAddr,
		Referral: s.ReferralAddr, Notification: s.NotificationAddr,
	}[service]
}

// Embedded tells whether databases are files of this process.
func (s Settings) Embedded(service string) bool {
	url, _ := s.database(service)
	return url == ""
}
