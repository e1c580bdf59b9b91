package statistics

import (
	"net/http"
	"slices"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// silence is who did nothing in the period: centres that sent nobody up, and departments that sent nobody down although patients wait there who
// could go.
type silence struct {
	// Known are those of which the figures could be had.
	CentresKnown, DepartmentsKnown bool
	Centres                        []silentCentre
	Departments                    []waitRow
}

// silentCentre is a centre that sent nobody up.
type silentCentre struct {
	Name string
	// At is its own first page; LastDay the day on which it last sent, "" when that is not known.
	At, LastDay string
}

// waitsAt names a department with candidates; with several hospitals by both names.
func (d *picture) waitsAt(names func(dimension, value string) string, hospital, department string) string {
	several := slices.ContainsFunc(d.Waiting, func(f *referralv1.Figure) bool { return len(f.GetKey()) == 2 && f.GetKey()[0] != hospital })
	if !several {
		return names("department", department)
	}
	return names("organization", hospital) + " " + names("department", department)
}

// silent looks for the places without a case. Centres are those of the whole county, for who sees it.
func (p *Pages) silent(r *http.Request, d *picture) silence {
	names := p.namer(r, "")
	out := silence{
		CentresKnown:     d.County && d.Within.organization == "" && !d.Failed("flows"),
		DepartmentsKnown: !d.Failed("flows") && !d.Failed("candidates"),
	}
	county, err := p.Shell.Names().County(r.Context())
	if out.CentresKnown = out.CentresKnown && err == nil; out.CentresKnown {
		for _, o := range county.Organizations {
			sent := slices.ContainsFunc(d.Flows, func(f flowRow) bool { return f.Centre == o.GetId() && f.Up > 0 })
			if o.GetType() != directoryv1.OrganizationType_TOWNSHIP_CENTRE || o.GetDisabled() || sent {
				continue
			}
			place := d.address()
			place.Set("organization", o.GetId())
			one := silentCentre{Name: names("organization", o.GetId()), At: here("/overview", place)}
			for _, q := range d.Quiet.GetCentres() {
				if q.GetOrganizationId() == o.GetId() {
					one.LastDay = q.GetLastDay()
				}
			}
			out.Centres = append(out.Centres, one)
		}
	}
	if !out.DepartmentsKnown {
		return out
	}
	for _, f := range d.Waiting {
		if len(f.GetKey()) != 2 {
			continue
		}
		hospital, department := f.GetKey()[0], f.GetKey()[1]
		if slices.ContainsFunc(d.Flows, func(f flowRow) bool { return f.Hospital == hospital && f.Department == department && f.Down > 0 }) {
			continue
		}
		within := d.waitingSince(p.Shell.Now()).of("hospital", hospital).of("department", department)
		out.Departments = append(out.Departments, waitRow{
			Place: d.waitsAt(names, hospital, department), N: f.GetNumerator(), Cases: within.cases("CAND-OPEN", "NUMERATOR"),
		})
	}
	return out
}
