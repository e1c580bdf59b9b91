package patientrecord

import (
	"errors"
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
	SensitiveOpen  time.Duration `name:"sensitive-open" default:"4h" help:"How long sensitive content stays open after a purpose was stated; 15m to 24h."`
	GlassOpen      time.Duration `name:"glass-open" default:"24h" help:"How long a record stays open after the glass was broken; 24h to 168h."`
	VisitOpen      time.Duration `name:"visit-open" default:"72h" help:"How long a record is open to an organisation where the patient came without a referral; 24h to 168h."`
	FeedKept       time.Duration `name:"feed-kept" default:"2160h" help:"How long a stored or settled message of a hospital's system is known, so that a repeat is told from a new one; 720h to 26304h. Quarantine is kept until somebody has looked."`
	ReferralKept   time.Duration `name:"referral-kept" default:"720h" help:"How long the sides of a closed referral still see the patient; 24h to 8784h."`
}

// check tells what is wrong with the spans: who breaks the glass for a minute reads nothing, and one that stays open for months is a relation.
func (c Config) check() error {
	const day, week = 24 * time.Hour, 7 * 24 * time.Hour
	var problems []error
	for _, s := range []struct {
		name             string
		value, low, high time.Duration
	}{
		{"sensitive-open", c.SensitiveOpen, 15 * time.Minute, day}, {"glass-open", c.GlassOpen, day, week}, {"visit-open", c.VisitOpen, day, week},
		{"referral-kept", c.ReferralKept, day, 366 * day}, {"feed-kept", c.FeedKept, 30 * day, 3 * 366 * day},
	} {
		if s.value != 0 && (s.value < s.low || s.value > s.high) {
			problems = append(problems, fmt.Errorf("%s is %s; it may be %s to %s", s.name, s.value, s.low, s.high))
		}
	}
	return errors.Join(problems...)
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
	return app.Spans{Sensitive: c.SensitiveOpen, Glass: c.GlassOpen, Visit: c.VisitOpen, Closed: c.ReferralKept, Feed: c.FeedKept}
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
