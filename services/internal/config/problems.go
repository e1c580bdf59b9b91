package config

import "errors"

// Problems collects everything that is wrong with a configuration, so that the operator mends it in one go.
// The zero value is empty.
type Problems struct{ list []error }

// Add notes that a setting, by the name the operator knows it by, is wrong. The text must not quote a secret.
func (p *Problems) Add(setting, problem string) {
	p.list = append(p.list, errors.New(setting+": "+problem))
}

// Wrap notes err, if it is one, under the setting.
func (p *Problems) Wrap(setting string, err error) {
	if err != nil {
		p.Add(setting, err.Error())
	}
}

// Err is all of them, one a line; nil when there are none.
func (p *Problems) Err() error { return errors.Join(p.list...) }
