package app

import (
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

// Hanging counts what hangs on an organisation: accounts that are not disabled, open organisations below it, medicines on its list.
type Hanging struct{ Accounts, Below, Medicines int }

// Place is an organisation with what hangs on it and what it can do.
type Place struct {
	Organization domain.Organization
	Capabilities domain.Capabilities
	Hanging      Hanging
}

// MedicineQuery asks for one page. Text is as in FormularyQuery; Stock "" is either. Removed are those that left the list, instead of those on it.
// After.Key is an id.
type MedicineQuery struct {
	County, OrganizationID string
	Text                   string
	Stock                  domain.Stock
	Removed                bool
	After                  Position
	Limit                  int
}

// MedicineLine is a medicine with who changed it last, and since when its stock is as it is; the zero time and "" where that is not known.
type MedicineLine struct {
	Item        domain.FormularyItem
	UpdateTime  time.Time
	AccountName string
	StockTime   time.Time
}

// Subject is of what versions are kept; the words are those of the contract.
type Subject string

// The subjects: an organisation with its departments, what it can do, a line of a list of medicines.
const (
	SubjectPlace     Subject = "PLACE"
	SubjectAbilities Subject = "ABILITIES"
	SubjectMedicine  Subject = "MEDICINE"
)

// PlaceVersion is what a subject said in a version; one of the three, by subject. AccountName is "" where that is not known.
type PlaceVersion struct {
	Version      int32
	At           time.Time
	AccountName  string
	Organization domain.Organization
	Capabilities domain.Capabilities
	Medicine     domain.FormularyItem
}
