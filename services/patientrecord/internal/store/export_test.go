package store

import (
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// SealDemographics is the column of a patient who is written in bulk.
func (s *Store) SealDemographics(county, id string, d domain.Demographics) ([]byte, error) {
	return scope{ring: s.ring, county: county}.seal("patient", "demographics", id, toDemographics(d))
}

// SenderQueries are those that the list of senders is made of, with how many arguments they take.
func SenderQueries() map[string]int {
	return map[string]int{nextSender: 3, lastReceived: 3, storedSince: 4, inQuarantine: 3}
}
