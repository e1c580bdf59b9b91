package shell

import (
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// Row is a referral in a list, with its names.
type Row struct {
	*referralv1.Referral
	From, To, Department string
	// Diagnosis is the main one, with the number of others.
	Diagnosis string
	Others    int
}

// Rows adds names to referrals. Without directory the rows stand without them.
func (s *Shell) Rows(r *http.Request, referrals []*referralv1.Referral) []Row {
	county, err := s.deps.Names.County(r.Context())
	language := s.Language(r)
	rows := make([]Row, 0, len(referrals))
	for _, one := range referrals {
		row := Row{Referral: one, Others: len(one.GetDiagnoses()) - 1}
		if len(one.GetDiagnoses()) > 0 {
			row.Diagnosis = one.GetDiagnoses()[0].GetDisplay()
		}
		if err == nil {
			row.From = county.OrganizationName(language, one.GetOriginator().GetOrganizationId())
			row.To = county.OrganizationName(language, one.GetReceiver().GetOrganizationId())
			row.Department = county.DepartmentName(language, one.GetReceiver().GetOrganizationId(), one.GetReceiver().GetDepartmentCode())
		}
		rows = append(rows, row)
	}
	return rows
}

// DeclinedLately are those of the visitor's organisation's referrals that still wait for their sender after they were declined.
func (*Shell) DeclinedLately(r *http.Request, referrals referralv1.ReferralServiceClient) ([]*referralv1.Referral, error) {
	answer, err := referrals.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{View: "outbox", DeclinedLately: true, PageSize: batch})
	return answer.GetReferrals(), err
}

// wholePages bounds [Shell.Whole]: 2,000 referrals are several days of a county.
const wholePages = 10

// Whole reads a list to its end, page by page, for pages that must show everybody; more tells that even then some are left out.
func (*Shell) Whole(r *http.Request, referrals referralv1.ReferralServiceClient, ask *referralv1.ListReferralsRequest) (list []*referralv1.Referral, more bool, err error) {
	ask.PageSize = batch
	for range wholePages {
		answer, err := referrals.ListReferrals(r.Context(), ask)
		if err != nil {
			return nil, false, err
		}
		list = append(list, answer.GetReferrals()...)
		if ask.PageToken = answer.GetNextPageToken(); ask.GetPageToken() == "" {
			return list, false, nil
		}
	}
	return list, true, nil
}

// batch is how many referrals the referral service answers at once.
const batch = 200

// RowsOf are the referrals of the ids by id, as far as the visitor may read them; without the referral service the ones that came. Empty ids and repeats
// are left out.
func (s *Shell) RowsOf(r *http.Request, referrals referralv1.ReferralServiceClient, ids []string) map[string]Row {
	out := map[string]Row{}
	ids = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id string) bool { return id == "" })
	for part := range slices.Chunk(ids, batch) {
		list, err := referrals.BatchGetReferrals(r.Context(), &referralv1.BatchGetReferralsRequest{Ids: part})
		if err != nil {
			return out
		}
		for _, row := range s.Rows(r, list.GetReferrals()) {
			out[row.GetId()] = row
		}
	}
	return out
}
