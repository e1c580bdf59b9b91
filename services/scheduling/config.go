package scheduling

import (
	"fmt"
	"time"
	_ "time/tzdata" // the county's zone, also on machines without zone files
)

// Config is what can be set. The zero value runs.
type Config struct {
	SweepEvery  time.Duration `name:"sweep-every" default:"5s" help:"Pause between two looks for holds whose time is over and bookings that nobody named yet."`
	PlanEvery   time.Duration `name:"plan-every" default:"5s" help:"Pause between two looks for schedule templates whose sessions are to be made."`
	AllocateAll time.Duration `name:"allocate-all" default:"1m" help:"Pause between two looks for places that time alone opened or ended; a change is looked at within seconds."`
	HorizonDays int           `name:"horizon-days" default:"60" help:"How many days ahead the sessions of schedule templates are made."`
	TimeZone    string        `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the county's days."`
}

const (
	defaultSweep = 5 * time.Second
	defaultZone  = "Asia/Shanghai"
	// A reserved slot opens 28 days before its own at most by default; townships plan a month and more ahead.
	defaultHorizon = 60
	longestHorizon = 400
)

func (c Config) withDefaults() (Config, *time.Location, error) {
	if c.SweepEvery <= 0 {
		c.SweepEvery = defaultSweep
	}
	if c.PlanEvery <= 0 {
		c.PlanEvery = c.SweepEvery
	}
	if c.AllocateAll <= 0 {
		c.AllocateAll = allocateAll
	}
	if c.HorizonDays <= 0 {
		c.HorizonDays = defaultHorizon
	}
	if c.HorizonDays > longestHorizon {
		return c, nil, fmt.Errorf("horizon-days is %d, at most %d", c.HorizonDays, longestHorizon)
	}
	if c.TimeZone == "" {
		c.TimeZone = defaultZone
	}
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return c, nil, fmt.Errorf("time zone of the county: %w", err)
	}
	return c, zone, nil
}
