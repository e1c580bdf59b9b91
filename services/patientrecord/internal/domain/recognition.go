package domain

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Setting is where an examination is ordered.
type Setting string

// Settings.
const (
	Outpatient Setting = "OUTPATIENT"
	Inpatient  Setting = "INPATIENT"
	Emergency  Setting = "EMERGENCY"
)

// KnownSetting tells whether s is one.
func KnownSetting(s Setting) bool { return s == Outpatient || s == Inpatient || s == Emergency }

// Reach is how far a recognition mark (HR) reaches.
type Reach string

// Ranges; only those wider than the county reach organisations outside it.
const (
	RangeNational Reach = "NATIONAL"
	RangeProvince Reach = "PROVINCE"
	RangeCity     Reach = "CITY"
	RangeCounty   Reach = "COUNTY"
)

// Kinds of items: 检查 and 检验.
const (
	ExamImage = "EXAM"
	ExamLab   = "LAB"
)

// NoLimit is the validity of a result that never grows too old.
const NoLimit = -1

// partsApart is how far the values of one panel may lie apart: one blood sample, or one morning's.
const partsApart = 24 * time.Hour

// Item is something that can be ordered and recognised. It is data: shipped, and changed by the county.
type Item struct {
	Code string
	// Version of what the county set; 0: as shipped.
	Version      int32
	Name, NameEn string
	Kind         string
	// Codes of which any one alone is the item, "loinc|4548-4"; Parts are values that together are it, each with its alternatives.
	Codes []string
	Parts [][]string
	// Methods and Unit that count; empty: any.
	Methods []string
	Unit    string
	Range   Reach
	Mark    string
	// Days for which a result is valid, by setting; 0 never, NoLimit for ever.
	Days map[Setting]int
	// NeedsQuality: only results of Qualified organisations count, those with evidence of external quality assessment.
	NeedsQuality bool
	Qualified    []string
	// Price in fen as the county entered it; 0: none.
	Price     int64
	Note      string
	Source    string
	Certainty string
	Disabled  bool
	Shipped   bool
}

// Bounds of what a county may enter.
const (
	maxValidDays  = 3650
	maxItemText   = 100
	maxItemNote   = 300
	maxCodesOf    = 60
	maxPriceInFen = 100_000_000
	maxItemCode   = 20
	maxMark       = 20
)

// Check tells what is wrong with an item, by the fields of the contract.
func (i Item) Check() (ps Problems) {
	bad := func(field, reason string) { ps = append(ps, Problem{Field: field, Reason: reason}) }
	if !validItemCode(i.Code) {
		bad("code", ReasonInvalid)
	}
	if strings.TrimSpace(i.Name) == "" {
		bad("name", ReasonRequired)
	}
	for field, text := range map[string]string{"name": i.Name, "nameEn": i.NameEn} {
		if utf8.RuneCountInString(text) > maxItemText {
			bad(field, ReasonTooLong)
		}
	}
	if utf8.RuneCountInString(i.Note) > maxItemNote {
		bad("note", ReasonTooLong)
	}
	if i.Kind != ExamImage && i.Kind != ExamLab {
		bad("kind", ReasonUnknown)
	}
	ps = append(ps, i.checkCodes()...)
	switch i.Range {
	case RangeNational, RangeProvince, RangeCity, RangeCounty:
	default:
		bad("range", ReasonUnknown)
	}
	if strings.TrimSpace(i.Mark) == "" {
		bad("mark", ReasonRequired)
	} else if utf8.RuneCountInString(i.Mark) > maxMark {
		bad("mark", ReasonTooLong)
	}
	for _, s := range []Setting{Outpatient, Inpatient, Emergency} {
		if d := i.Days[s]; d < NoLimit || d > maxValidDays {
			bad(strings.ToLower(string(s))+"Days", ReasonOutOfRange)
		}
	}
	if i.Price < 0 || i.Price > maxPriceInFen {
		bad("price", ReasonOutOfRange)
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return strings.Compare(a.Field, b.Field) })
	return ps
}

// checkCodes: every code is "system|code", and without any no result could ever be the item.
func (i Item) checkCodes() (ps Problems) {
	wrong := func(code string) bool {
		system, value, ok := strings.Cut(code, "|")
		return !ok || system == "" || value == "" || len(code) > maxItemText || strings.ContainsAny(code, " \t\r\n")
	}
	if len(i.Codes) == 0 && len(i.Parts) == 0 {
		ps = append(ps, Problem{Field: "codes", Reason: ReasonRequired})
	}
	if len(i.Codes) > maxCodesOf || slices.ContainsFunc(i.Codes, wrong) {
		ps = append(ps, Problem{Field: "codes", Reason: ReasonInvalid})
	}
	if len(i.Parts) > maxCodesOf || slices.ContainsFunc(i.Parts, func(p []string) bool { return len(p) == 0 || slices.ContainsFunc(p, wrong) }) {
		ps = append(ps, Problem{Field: "parts", Reason: ReasonInvalid})
	}
	return ps
}

func validItemCode(code string) bool {
	odd := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' }
	return len(code) >= 2 && len(code) <= maxItemCode && code[0] >= 'A' && code[0] <= 'Z' && !strings.ContainsFunc(code, odd)
}

// Tier is how high an organisation stands.
type Tier uint8

// Tiers, lowest first. Hospitals outside the county stand above it.
const (
	TierUnknown Tier = iota
	TierVillage
	TierTownship
	TierCounty
	TierOutside
)

// TierOf is the tier of an organisation of the directory's type.
func TierOf(organizationType string) Tier {
	switch organizationType {
	case "VILLAGE_CLINIC":
		return TierVillage
	case "TOWNSHIP_CENTRE":
		return TierTownship
	case "COUNTY_HOSPITAL":
		return TierCounty
	case "EXTERNAL":
		return TierOutside
	}
	return TierUnknown
}

// Directions in which results are accepted. Those of the own organisation always are. The zero value accepts no other.
type Directions struct {
	// Version of what the county set; 0: as shipped.
	Version int32
	// Upper: the results of an upper organisation by a lower one; Lower: the reverse; Peers: of one tier.
	Upper, Lower, Peers bool
	// Unknown: also results of which it is not known who made them.
	Unknown bool
}

// ShippedDirections are the cautious ones: only the lower organisation accepts the upper one's results. That the upper accepts the lower's
// is tried here and there (domain.md §4), so a county has to switch it on.
func ShippedDirections() Directions { return Directions{Upper: true} }

// Direction of a result, seen from the organisation that would recognise it.
type Direction string

// Directions of one result.
const (
	FromOwn     Direction = "OWN"
	FromUpper   Direction = "UPPER"
	FromLower   Direction = "LOWER"
	FromPeer    Direction = "PEER"
	FromOutside Direction = "OUTSIDE"
	FromUnknown Direction = "UNKNOWN"
)

// accepts tells whether a result from there counts.
func (d Directions) accepts(from Direction) bool {
	switch from {
	case FromOwn:
		return true
	case FromUpper, FromOutside:
		return d.Upper
	case FromLower:
		return d.Lower
	case FromPeer:
		return d.Peers
	case FromUnknown:
		return d.Unknown
	}
	return false
}
