package directory

import (
	"fmt"
	"time"
	_ "time/tzdata" // the county's zone, also on machines without zone files

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
)

// Config is what can be set. The zero value runs.
type Config struct {
	SignInsPerLogin   int    `name:"sign-ins-per-login" default:"60" help:"Tries to sign in with one login within a minute."`
	SignInsPerAddress int    `name:"sign-ins-per-address" default:"600" help:"Tries to sign in from one address within a minute; a hospital may stand behind one address."`
	TimeZone          string `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the county: the weeks of duty rosters are in it."`
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

func (c Config) limits() app.Limits {
	l := app.Limits{PerLogin: c.SignInsPerLogin, PerAddress: c.SignInsPerAddress}
	if l.PerLogin == 0 {
		l.PerLogin = 60
	}
	if l.PerAddress == 0 {
		l.PerAddress = 600
	}
	return l
}
