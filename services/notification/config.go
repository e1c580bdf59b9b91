package notification

import (
	"fmt"
	"io/fs"
	"os"
	"time"
	_ "time/tzdata" // the county's zone, also on machines without zone files

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/rules"
)

// Config is what can be set. The zero value runs.
type Config struct {
	ReadAccountsEvery time.Duration `name:"read-accounts-every" default:"10m" help:"Pause between two complete readings of the directory's accounts."`
	TimeZone          string        `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the county: duty rosters, quiet hours, reminders, and the days and hours in messages are in it."`
	RulesDir          string        `name:"rules-dir" help:"Folder with the county's own rules of who is told of what, over the shipped ones."`
	Delivery          Delivery      `embed:""`
}

const (
	defaultReading = 10 * time.Minute
	defaultZone    = "Asia/Shanghai"
)

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

// table is the shipped rules with those of the county's folder over them. One that cannot be read stops the start.
func (c Config) table() (domain.Table, error) {
	var own fs.FS
	if c.RulesDir != "" {
		own = os.DirFS(c.RulesDir)
	}
	table, err := rules.New(own)
	if err != nil {
		return domain.Table{}, fmt.Errorf("rules of who is told of what: %w", err)
	}
	return table, nil
}

func (c Config) withDefaults() Config {
	if c.ReadAccountsEvery <= 0 {
		c.ReadAccountsEvery = defaultReading
	}
	if c.TimeZone == "" {
		c.TimeZone = defaultZone
	}
	return c
}
