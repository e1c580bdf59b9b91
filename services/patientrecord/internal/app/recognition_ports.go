package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// RecognitionStore keeps what counties set of recognition, the orders, and the figures of both. Safe for concurrent use.
type RecognitionStore interface {
	// RecognitionSet is what a county set: items by code with their versions (those that are as shipped again are left out, but their version
	// is in Versions), and the directions; ok is false when it set none.
	RecognitionSet(ctx context.Context, county string) (RecognitionSet, error)
	// RecognitionChanges of a setting, newest first.
	RecognitionChanges(ctx context.Context, county, name string) ([]RecognitionChange, error)
	// PutRecognition writes the next version of a setting with its audit entry and the request's answer. STALE_VERSION when version is not the
	// present one (0 before the first); a repeated request changes nothing; REQUEST_ID_REUSED.
	PutRecognition(ctx context.Context, cmd Command, change RecognitionPut) error

	// Tiers are the organisations' that are known.
	Tiers(ctx context.Context, county string) (map[string]domain.Tier, error)
	// PutOrganization keeps an organisation unless a newer version is known; with a fact, once.
	PutOrganization(ctx context.Context, factID string, o Organization) error

	// Examinations of a patient.
	Examinations(ctx context.Context, county, patient string) (Examinations, error)
	// Noted are the results of the patient that the organisation has recognised.
	Noted(ctx context.Context, county, organization, patient string) (map[domain.EntryRef]bool, error)
	// Orders of a patient, newest first, at most limit.
	Orders(ctx context.Context, county, patient string, limit int) ([]domain.Order, error)

	// RecognitionFigures computes measures as of one moment, in the order asked.
	RecognitionFigures(ctx context.Context, asked []FigureRead) ([][]stats.Figure, error)
	// RecognitionCases is a page of the lines behind a part of a measure, oldest first.
	RecognitionCases(ctx context.Context, q CaseScan) ([]RecognitionCase, *Cursor, error)
	// CheckRecognition recomputes a county's figures from its orders.
	CheckRecognition(ctx context.Context, county string) (RecognitionCheck, error)
	// RebuildRecognition mends what CheckRecognition would tell and answers it. Errors: Conflict while another is at it.
	RebuildRecognition(ctx context.Context, county string) (RecognitionCheck, error)
}

// OrderUnit is what of a change concerns orders.
type OrderUnit interface {
	// Examinations as in RecognitionStore.
	Examinations(ctx context.Context, patient string) (Examinations, error)
	// Noted as in RecognitionStore: of one patient two orders at once see it one after the other, once the patient is locked.
	Noted(ctx context.Context, organization, patient string) (map[domain.EntryRef]bool, error)
	// PutOrder writes an order with its recognitions, figures and facts.
	PutOrder(o domain.Order)
}

// Examinations are the current observations and reports of a patient, newest first.
type Examinations struct {
	Entries []domain.Entry
	// Writers are the organisations that wrote or sent them, by entry: they made what does not say otherwise.
	Writers map[string]string
}

// Contents reads what decides about recognition out of the opaque content of entries: the contract's messages are known outside only.
type Contents interface {
	// Finding of an observation or a report.
	Finding(e domain.Entry) (domain.Finding, error)
}

// DirectoryPeer asks the directory service.
type DirectoryPeer interface {
	// Organizations of all counties.
	Organizations(ctx context.Context) ([]Organization, error)
}

// Organization is what is kept of one.
type Organization struct {
	County, ID string
	Version    int32
	// Type is the directory's: COUNTY_HOSPITAL, …
	Type string
	// Parent is the organisation above: of a village clinic its centre. Empty for none.
	Parent string
	Name   string
}

// RecognitionSet is what one county set.
type RecognitionSet struct {
	Items      map[string]domain.Item
	Versions   map[string]int32
	Directions domain.Directions
	HasOwn     bool
}

// Names of settings: an item's is its code behind the prefix.
const (
	DirectionsSetting = "directions"
	ItemSetting       = "item:"
)

// RecognitionPut is one change of a setting. Item or Directions is set; neither: as shipped again.
type RecognitionPut struct {
	Name       string
	Version    int32
	Item       *domain.Item
	Directions *domain.Directions
}

// RecognitionChange is a version of a setting.
type RecognitionChange struct {
	Version               int32
	Account, Organization string
	Time                  time.Time
	Item                  *domain.Item
	Directions            *domain.Directions
}

// FigureRead asks for one measure.
type FigureRead struct {
	Measure stats.Measure
	Query   stats.Query
}

// CaseScan asks for at most Limit cases that contribute to a part of a measure.
type CaseScan struct {
	Query stats.Query
	Part  stats.Part
	After Cursor
	Limit int
}

// RecognitionCase is a line behind a figure. Order has no patient.
type RecognitionCase struct {
	Order  domain.Order
	Number int
	Line   domain.OrderLine
}

// Told is a decision of an order, for the stream: the line of that number.
type Told struct {
	FactID, County string
	Order          domain.Order
	Number         int
}

// RecognitionCheck is what was recomputed and what differed.
type RecognitionCheck struct {
	Orders, Cells int64
	Differences   []stats.Difference
}
