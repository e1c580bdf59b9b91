package domain

import (
	"strings"
	"time"
)

// A comparison of two records is a sum over features, after Fellegi and Sunter (1969): agreement on a feature counts
// log2(m/u), disagreement log2((1-m)/(1-u)), where m is how often the feature agrees between two records of one person and u how often
// between records of two. The sum is in bits, rounded per feature.
//
// The m and u below are estimates, written down so that they can be argued with: no linked data of a Chinese county was at hand to count
// them. They stand on sizes that are known to order of magnitude: a county of 10^5 to 10^6 residents, some 300 villages, birth dates over
// some 70 years, a full name shared by one in a thousand (张伟, 王芳). Two records picked at random are of one person about once in 2^20,
// so that a sum of 20 is an even chance, and each bit above doubles the odds.
//
//	feature               m     u        agrees  differs
//	name, equal           0.92  0.001    +10     −8 (see below)
//	name, same sound      —     —        +6      a character typed wrong, a variant form; rarer than equality, and weaker
//	birth date, equal     0.97  0.00004  +14     −5
//	birth date, could be  —     —        +4      only year or month known, or day and month exchanged
//	sex                   0.99  0.5      +1      −6
//	phone                 0.60  0.0005   +9      −1  (changes often; a family shares one)
//	phone of a guardian   —     —        +4      one's own telephone is the other's guardian's
//	guardian              0.85  0.005    +7      −2
//	village               0.90  0.01     +5      −2  (rounded down: a village shares surnames)
//	health-record number  0.95  0.00001  +16     −4
//	insurance number      0.97  0.00001  +16     −4
//	identity number       —     —        +30     −14 (two right numbers with two check characters are two people)
//
// Features depend on each other, which the sum does not know: twins and a household agree on village, telephone, guardian and birth date.
// Therefore names that neither are equal nor sound alike are no match at all unless a number is the same; a newborn's name for the time being
// (张三之女) says nothing either way against the name given later.
const (
	bitsName, bitsNameDiffers         = 10, -8
	bitsSound                         = 6
	bitsBirth, bitsBirthDiffers       = 14, -5
	bitsBirthMaybe                    = 4
	bitsSex, bitsSexDiffers           = 1, -6
	bitsPhone, bitsPhoneDiffers       = 9, -1
	bitsGuardianPhone                 = 4
	bitsGuardian, bitsGuardianDiffers = 7, -2
	bitsVillage, bitsVillageDiffers   = 5, -2
	bitsRegister, bitsRegisterDiffers = 16, -4
	bitsNumber, bitsNumberDiffers     = 30, -14
)

// Bounds of a comparison's score.
const (
	// PossibleScore is from where two records are shown to a person.
	PossibleScore = 20
	// LikelyScore is from where they are told before a registration writes a second record: odds of some 30 to 1.
	LikelyScore = 25
)

// Feature is what two records were compared by; the names are stored and told.
type Feature string

// Features.
const (
	FeatureName          Feature = "name"
	FeatureSound         Feature = "sound"
	FeatureBirth         Feature = "birthDate"
	FeatureSex           Feature = "sex"
	FeaturePhone         Feature = "phone"
	FeatureGuardian      Feature = "guardianName"
	FeatureGuardianPhone Feature = "guardianPhone"
	FeatureVillage       Feature = "village"
	FeatureHealthRecord  Feature = "healthRecordNumber"
	FeatureInsurance     Feature = "insuranceNumber"
	FeatureNumber        Feature = "identityNumber"
	// FeatureMerged: a hospital's own index says that the two are one.
	FeatureMerged Feature = "merged"
)

// Comparison is how alike two records are.
type Comparison struct {
	Score  int
	Agrees []Feature
	// Differs are the features that both have and that contradict each other.
	Differs []Feature
}

// Likely reports that a second record should not be written without asking.
func (c Comparison) Likely() bool { return c.Score >= LikelyScore }

// Possible reports that a person should look.
func (c Comparison) Possible() bool { return c.Score >= PossibleScore }

// Compare two records; the order does not matter. sameSound tells that the names may be read alike.
func Compare(a, b Details, sameSound bool) Comparison {
	var c Comparison
	named := c.name(a, b, sameSound)
	c.birth(a.BirthDate, b.BirthDate)
	if known(a.Sex) && known(b.Sex) {
		c.judge(FeatureSex, a.Sex == b.Sex, bitsSex, bitsSexDiffers)
	}
	c.phones(a, b)
	c.text(FeatureGuardian, a.GuardianName, b.GuardianName, bitsGuardian, bitsGuardianDiffers)
	c.text(FeatureVillage, a.Village, b.Village, bitsVillage, bitsVillageDiffers)
	numbered := c.numbers(a, b)
	if !named && !numbered {
		// A twin, a brother, a neighbour.
		c.Score = min(c.Score, 0)
	}
	return c
}

// NumberTaken is the comparison when somebody brought, for the one, the number of the other.
func (c Comparison) NumberTaken() Comparison {
	c.Score = max(c.Score, 0) + bitsNumber
	c.Agrees = append(c.Agrees, FeatureNumber)
	return c
}

// MergedElsewhere is the comparison of two records that a hospital's own index has made one: likely, and for a person to decide.
func (c Comparison) MergedElsewhere() Comparison {
	c.Score = max(c.Score, 0) + bitsNumber
	c.Agrees = append(c.Agrees, FeatureMerged)
	return c
}

func known(s Sex) bool { return s == Male || s == Female }

func (c *Comparison) judge(f Feature, same bool, agrees, differs int) bool {
	if same {
		c.Score, c.Agrees = c.Score+agrees, append(c.Agrees, f)
	} else {
		c.Score, c.Differs = c.Score+differs, append(c.Differs, f)
	}
	return same
}

// text compares two texts if both records have one.
func (c *Comparison) text(f Feature, a, b string, agrees, differs int) bool {
	if a == "" || b == "" {
		return false
	}
	return c.judge(f, a == b, agrees, differs)
}

// name reports whether the names could be of one person.
func (c *Comparison) name(a, b Details, sameSound bool) bool {
	switch {
	case a.Name == b.Name:
		return c.judge(FeatureName, true, bitsName, 0)
	case ForTheTimeBeing(a.Name) != ForTheTimeBeing(b.Name):
		return true
	case sameSound:
		return c.judge(FeatureSound, true, bitsSound, 0)
	}
	return c.judge(FeatureName, false, 0, bitsNameDiffers)
}

// ForTheTimeBeing tells the name of a newborn who has none yet: 张三之女, 李四之子.
func ForTheTimeBeing(name string) bool {
	for _, end := range []string{"之女", "之子", "之婴", "之大女", "之小女", "之大子", "之小子"} {
		if strings.HasSuffix(name, end) && name != end {
			return true
		}
	}
	return false
}

func (c *Comparison) birth(a, b Date) {
	switch {
	case a.IsZero() || b.IsZero():
	case a == b && a.Whole():
		c.judge(FeatureBirth, true, bitsBirth, 0)
	case a.Agrees(b), a.Year == b.Year && a.Month == b.Day && a.Day == b.Month:
		c.judge(FeatureBirth, true, bitsBirthMaybe, 0)
	default:
		c.judge(FeatureBirth, false, 0, bitsBirthDiffers)
	}
}

func (c *Comparison) phones(a, b Details) {
	own := a.Phone != "" && a.Phone == b.Phone
	switch {
	case own:
		c.judge(FeaturePhone, true, bitsPhone, 0)
	case a.GuardianPhone != "" && (a.GuardianPhone == b.GuardianPhone || a.GuardianPhone == b.Phone),
		b.GuardianPhone != "" && b.GuardianPhone == a.Phone:
		c.judge(FeatureGuardianPhone, true, bitsGuardianPhone, 0)
	case a.Phone != "" && b.Phone != "":
		c.judge(FeaturePhone, false, 0, bitsPhoneDiffers)
	}
}

// numbers reports whether a number that one person has alone is the same.
func (c *Comparison) numbers(a, b Details) bool {
	same := c.text(FeatureHealthRecord, a.HealthRecordNumber, b.HealthRecordNumber, bitsRegister, bitsRegisterDiffers)
	cross := func(x, y Details) bool { return x.InsuranceNumber != "" && x.InsuranceNumber == y.IdentityNumber }
	if cross(a, b) || cross(b, a) {
		same = c.judge(FeatureInsurance, true, bitsRegister, 0)
	} else if c.text(FeatureInsurance, a.InsuranceNumber, b.InsuranceNumber, bitsRegister, bitsRegisterDiffers) {
		same = true
	}
	if a.IdentityNumber == "" || b.IdentityNumber == "" {
		return same
	}
	if a.IdentityNumber == b.IdentityNumber {
		return c.judge(FeatureNumber, true, bitsNumber, 0)
	}
	if a.DocumentType == b.DocumentType {
		c.judge(FeatureNumber, false, 0, bitsNumberDiffers)
	}
	return same
}

// MatchState is where two records that may be of one person stand.
type MatchState string

// States of a match. DIFFERENT and MERGED are a person's word: the two are never asked about again, unless a merge is undone, which is DIFFERENT.
const (
	MatchOpen      MatchState = "OPEN"
	MatchMerged    MatchState = "MERGED"
	MatchDifferent MatchState = "DIFFERENT"
	// MatchLapsed: a correction made the two unlike. They are asked about again when they become alike.
	MatchLapsed MatchState = "LAPSED"
)

// Match is two records that may be of one person. First is the smaller id.
type Match struct {
	ID            string
	First, Second string
	Version       int32
	State         MatchState
	Comparison    Comparison
	Decision      Decision
}

// Decision is who decided what about a match or a merge; the zero Decision is none.
type Decision struct {
	Account, Organization string
	At                    time.Time
	Reason                string
}

// NewMatch pairs two records.
func NewMatch(id, a, b string, c Comparison) Match {
	if b < a {
		a, b = b, a
	}
	return Match{ID: id, First: a, Second: b, Version: 1, State: MatchOpen, Comparison: c}
}

// Other is the record of the pair that is not the given one.
func (m Match) Other(patient string) string {
	if patient == m.First {
		return m.Second
	}
	return m.First
}

// Merge is one merge of two records, perhaps undone since.
type Merge struct {
	ID               string
	Merged, Survivor string
	// Root is where the merged record leads now: the survivor, or the record into which that was merged in turn.
	Root         string
	MatchID      string
	Done, Undone Decision
}

// Open reports that the merge holds.
func (m Merge) Open() bool { return m.Undone.At.IsZero() }

// Roots answers where every merged record leads, given the merges that hold: merges may follow one another, and undoing one in the middle
// leaves what hangs on it together.
func Roots(open []Merge) map[string]string {
	next := make(map[string]string, len(open))
	for _, m := range open {
		next[m.Merged] = m.Survivor
	}
	out := make(map[string]string, len(open))
	for _, m := range open {
		at := m.Survivor
		// At most as many steps as there are merges: a circle cannot be written, and would end here.
		for range open {
			further, ok := next[at]
			if !ok {
				break
			}
			at = further
		}
		out[m.Merged] = at
	}
	return out
}
