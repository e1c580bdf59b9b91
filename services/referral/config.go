package referral

import (
	"fmt"
	"time"
	_ "time/tzdata" // the county's zone, also on machines without zone files
)

// Config is what can be set. The zero value runs.
type Config struct {
	TimeZone string `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the county's days and working hours."`
}

func (c Config) zone() (*time.Location, error) {
	name := c.TimeZone
	if name == "" {
		name = "Asia/Shanghai"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone of the county: %w", err)
	}
	return zone, nil
}
