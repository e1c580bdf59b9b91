package store

import (
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// SealDemographics is the column of a patient who is written in bulk.
func (s *Store) SealDemographics(county, id string, d domain.Demographics) ([]byte, error) {
	return scope{ring: s.ring, county: county}.seal("patient", "demographics", id, toDemographics(d))
}
