package patientrecord

import (
	"fmt"
	"os"
	"time"
	_ "time/tzdata" // the county's zone, also on machines without zone files

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/sensitive"
)

// Config is what can be set. The zero value runs.
type Config struct {
	TimeZone string `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the county's days: a birth date may not be later than today there."`
	// SensitiveClasses is a file in the shape of the shipped one that takes its place.
	SensitiveClasses string `name:"sensitive-classes" help:"File with the county's own sensitive classes, in place of the shipped ones."`
	// AttachmentScan: see scan.New.
	AttachmentScan string        `name:"attachment-scan" help:"Virus scanner of uploaded files: none, unix:PATH or tcp:HOST:PORT of a clamd. While it does not answer nothing is taken."`
	SensitiveOpen  time.Duration `name:"sensitive-open" default:"4h" help:"How long sensitive content stays open after a purpose was stated."`
	GlassOpen      time.Duration `name:"glass-open" default:"24h" help:"How long a record stays open after the glass was broken."`
	VisitOpen      time.Duration `name:"visit-open" default:"72h" help:"How long a record is open to an organisation where the patient came without a referral; 24h to 168h."`
}

func (c Config) classes() (domain.Classifier, error) {
	if c.SensitiveClasses == "" {
		return sensitive.Shipped()
	}
	text, err := os.ReadFile(c.SensitiveClasses)
	if err != nil {
		return domain.Classifier{}, fmt.Errorf("sensitive classes of the county: %w", err)
	}
	return sensitive.Read(text)
}

func (c Config) spans() app.Spans {
	return app.Spans{Sensitive: c.SensitiveOpen, Glass: c.GlassOpen, Visit: c.VisitOpen}
}

const defaultZone = "Asia/Shanghai"

func (c Config) zone() (*time.Location, error) {
	name := c.TimeZone
	if name == "" {
		name = defaultZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone of the county: %w", err)
	}
	return zone, nil
}
