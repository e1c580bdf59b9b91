package shell

import (
	"net/http"

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
