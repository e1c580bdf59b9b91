package directory

import "github.com/tongzhen/tongzhen/services/directory/internal/app"

// Config is what can be set. The zero value runs.
type Config struct {
	SignInsPerLogin   int `name:"sign-ins-per-login" default:"60" help:"Tries to sign in with one login within a minute."`
	SignInsPerAddress int `name:"sign-ins-per-address" default:"600" help:"Tries to sign in from one address within a minute; a hospital may stand behind one address."`
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
