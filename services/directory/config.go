package directory

import (
	"fmt"
	"time"
	_ "time/tzdata" // the county's zone, also on machines without zone files

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
)

// Config is what can be set. The zero value runs.
type Config struct {
	SignInsPerLogin   int           `name:"sign-ins-per-login" default:"60" help:"Tries to sign in with one login within a minute."`
	SignInsPerAddress int           `name:"sign-ins-per-address" default:"600" help:"Tries to sign in from one address within a minute; a hospital may stand behind one address."`
	OneTimePassword   time.Duration `name:"one-time-password" default:"72h" help:"How long a one-time password signs in; 1h to 720h."`
	TimeZone          string        `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the county: the weeks of duty rosters are in it."`
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

func (c Config) limits() (app.Limits, error) {
	l := app.Limits{PerLogin: c.SignInsPerLogin, PerAddress: c.SignInsPerAddress, OneTime: c.OneTimePassword}
	if l.OneTime == 0 {
		l.OneTime = 72 * time.Hour
	}
	if l.OneTime < time.Hour || l.OneTime > 720*time.Hour {
		return app.Limits{}, fmt.Errorf("one-time-password is %s: it is 1h to 720h", l.OneTime)
	}
	if l.PerLogin == 0 {
		l.PerLogin = 60
	}
	if l.PerAddress == 0 {
		l.PerAddress = 600
	}
	return l, nil
}
