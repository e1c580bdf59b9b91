package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// mergedElsewhere takes the news that the sender made two patients one. One whom we do not know by the merged identity is the same patient
// from now on; two records of ours are for a person to merge, who is not asked again what was decided before.
func mergedElsewhere(ctx context.Context, u Unit, patient domain.Patient, r FeedRecord) error {
	other, known, err := u.PatientBySource(ctx, r.SourceSystem, r.Merged)
	if err != nil {
		return err
	}
	if !known {
		u.PutSource(patient.ID(), r.SourceSystem, r.Merged)
		return nil
	}
	if other.ID() == patient.ID() {
		return nil
	}
	m, there, err := u.MatchOf(ctx, patient.ID(), other.ID())
	switch {
	case err != nil:
		return err
	case there && (m.State != domain.MatchOpen || slices.Contains(m.Comparison.Agrees, domain.FeatureMerged)):
		return nil
	case there:
		m.Version++
		m.Comparison = m.Comparison.MergedElsewhere()
	default:
		c := compare(patient.Demographics().Details(), other.Demographics().Details())
		m = domain.NewMatch(id.New(), patient.ID(), other.ID(), c.MergedElsewhere())
	}
	u.PutMatch(m)
	return nil
}
