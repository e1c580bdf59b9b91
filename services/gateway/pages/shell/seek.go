package shell

import (
	"net/http"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// patientsSought is how many patients of a name a list is searched for.
const patientsSought = 50

// Sought is what became of words that name patients.
type Sought struct {
	// Nobody tells that no patient has the name, so that there is nothing to list; More that more have it than are sought.
	Nobody, More bool
}

// Seek narrows a list of referrals by what somebody typed: digits are those of a slip's number, whole or in part, anything else is looked for as a patient.
func (s *Shell) Seek(r *http.Request, record patientrecordv1.PatientRecordServiceClient, words string, list *referralv1.ListReferralsRequest) (Sought, error) {
	if list.Number = SlipDigits(words); list.GetNumber() != "" {
		return Sought{}, nil
	}
	return s.SeekPatients(r, record, words, list)
}

// SeekPatients narrows it to the patients of a name, its initials, or the end of a number of theirs.
func (s *Shell) SeekPatients(r *http.Request, record patientrecordv1.PatientRecordServiceClient, words string, list *referralv1.ListReferralsRequest) (Sought, error) {
	found, err := record.SearchPatients(r.Context(), &patientrecordv1.SearchPatientsRequest{Query: words, PageSize: patientsSought})
	if err != nil && errs.KindOf(err) != errs.KindInvalid {
		return Sought{}, err
	}
	for _, patient := range found.GetPatients() {
		list.PatientIds = append(list.PatientIds, patient.GetId())
	}
	return Sought{Nobody: len(list.GetPatientIds()) == 0, More: found.GetNextPageToken() != ""}, nil
}

// longestNumber is more digits than a slip's number has.
const longestNumber = 20

// SlipDigits are those of a slip's number, whole or in part; "" of words that are none.
func SlipDigits(words string) string {
	var out strings.Builder
	for _, c := range words {
		switch {
		case c >= '0' && c <= '9':
			out.WriteRune(c)
		case c >= '０' && c <= '９':
			out.WriteRune(c - '０' + '0')
		case strings.ContainsRune("-－—– 　", c):
		default:
			return ""
		}
	}
	if out.Len() > longestNumber {
		return ""
	}
	return out.String()
}
