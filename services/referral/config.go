package referral

import (
	"fmt"
	"io/fs"
	"os"
	"time"
	_ "time/tzdata" // the county's zone, also on machines without zone files

	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
)

// Config is what can be set. The zero value runs.
type Config struct {
	TimeZone    string `name:"time-zone" default:"Asia/Shanghai" help:"Zone of the county's days and working hours."`
	CriteriaDir string `name:"criteria-dir" help:"Folder with the county's own criteria of referral, over the shipped ones."`
	// Kept is as patientrecord's: the two tell the same.
	Kept time.Duration `name:"referral-kept" default:"720h" help:"How long the sides of a closed referral still see the patient."`
}

// criteria are the shipped ones with those of the county's folder over them. One that does not compile stops the start.
func (c Config) criteria() (*criteria.Book, error) {
	var own fs.FS
	if c.CriteriaDir != "" {
		own = os.DirFS(c.CriteriaDir)
	}
	book, err := criteria.New(own)
	if err != nil {
		return nil, fmt.Errorf("criteria of the county: %w", err)
	}
	return book, nil
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
