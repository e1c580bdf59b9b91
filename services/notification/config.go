package notification

import "time"

// Config is what can be set. The zero value runs.
type Config struct {
	ReadAccountsEvery time.Duration `name:"read-accounts-every" default:"10m" help:"Pause between two complete readings of the directory's accounts."`
}

const defaultReading = 10 * time.Minute

func (c Config) withDefaults() Config {
	if c.ReadAccountsEvery <= 0 {
		c.ReadAccountsEvery = defaultReading
	}
	return c
}
