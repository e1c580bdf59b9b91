package app

import (
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Shown is a patient as one caller may see it.
type Shown struct {
	ID      string
	Version int32
	Details domain.Details
	Home    string
	// Level is LevelNone for a patient found by exact identity number without a relation: break-glass.
	Level            domain.Level
	Created, Updated time.Time
	// VillageClinic is set of a snapshot only: see App.villageClinic.
	VillageClinic string
	// Relatives: see App.withRelatives.
	Relatives []ShownRelative
}

// ShownRelative is a relative as the index shows a patient.
type ShownRelative struct {
	Shown
	Kind domain.RelativeKind
}

// show is the one place that masks. List answers keep numbers masked at every level.
func show(p domain.Patient, level domain.Level, list bool) Shown {
	kept := p.Keep()
	d := p.Demographics().Details()
	out := Shown{ID: p.ID(), Version: p.Version(), Level: level}
	if level <= domain.LevelIndex {
		// What the caller knows already, having typed the number, and enough to see that it is the right person.
		out.Details = domain.Details{
			Name: domain.MaskName(d.Name), Sex: d.Sex, BirthDate: d.BirthDate,
			DocumentType: d.DocumentType, IdentityNumber: domain.MaskNumber(d.IdentityNumber),
		}
		return out
	}
	out.Home, out.Created, out.Updated = p.Home(), kept.Created, kept.Updated
	out.Details = d
	if level < domain.LevelFull {
		out.Details = domain.Details{
			Name: domain.MaskName(d.Name), Sex: d.Sex, BirthDate: d.BirthDate, DocumentType: d.DocumentType,
			IdentityNumber: d.IdentityNumber, NoDocumentReason: d.NoDocumentReason, Phone: domain.MaskNumber(d.Phone),
		}
	}
	if level < domain.LevelFull || list {
		out.Details.IdentityNumber = domain.MaskNumber(d.IdentityNumber)
	}
	if list {
		out.Details.Phone = domain.MaskNumber(d.Phone)
		out.Details.GuardianPhone = domain.MaskNumber(d.GuardianPhone)
		out.Details.InsuranceNumber = domain.MaskNumber(d.InsuranceNumber)
	}
	return out
}
