package notification

import "time"

// Config is what can be set. The zero value runs.
type Config struct {
	ReadAccountsEvery time.Duration `name:"read-accounts-every" default:"10m" help:"Pause between two complete readings of the directory's accounts."`
	TimeZone          string        `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the days and hours in messages."`
	Delivery          Delivery      `embed:""`
}

const (
	defaultReading = 10 * time.Minute
	defaultZone    = "Asia/Shanghai"
)

func (c Config) withDefaults() Config {
	if c.ReadAccountsEvery <= 0 {
		c.ReadAccountsEvery = defaultReading
	}
	if c.TimeZone == "" {
		c.TimeZone = defaultZone
	}
	return c
}
