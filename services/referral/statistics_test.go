package referral_test

import (
	"testing"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// year is asked for around the machine's clock.
func (f *fixture) year() (from, to string) {
	return f.begin.AddDate(0, -6, 0).Format(time.DateOnly), f.begin.AddDate(0, 6, 0).Format(time.DateOnly)
}

func TestFiguresAreAnsweredWithTheirDefinitionsAndCases(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		c := referralv1.NewStatisticsServiceClient(f.Dial("gateway", "referral"))
		r := f.must(f.client.CreateReferral(f.as("TOWNSHIP_DOCTOR"), f.creation()))
		f.must(f.client.Decline(f.as("INTAKE_DESK"), &referralv1.ReasonRequest{Id: r.GetId(), Version: r.GetVersion(), ReasonCode: "NO_BED"}))

		definitions, err := c.ListDefinitions(f.as("VILLAGE_DOCTOR"), &referralv1.ListDefinitionsRequest{})
		if err != nil {
			f.t.Fatal(err)
		}
		known := map[string]*referralv1.Measure{}
		for _, m := range definitions.GetMeasures() {
			known[m.GetCode()] = m
		}
		if m := known["IND-DN-B"]; len(m.GetDenominators()) != 2 || m.GetNumeratorEn() == "" || m.GetUnit() != "PERCENT" || m.GetCertainty() != "SUGGESTED" || len(m.GetGroupBy()) == 0 {
			f.t.Errorf("IND-DN-B: %v", m)
		}
		if m := known["IND-COUNTY"]; m.GetNote() == "" || m.GetNoteEn() == "" || m.GetNumerator() != "" {
			f.t.Errorf("IND-COUNTY: %v", m)
		}

		from, to := f.year()
		for _, role := range []string{"COUNTY_ADMIN", "DEPARTMENT_HEAD", "CENTRE_HEAD", "SPECIALIST", "TOWNSHIP_DOCTOR", "VILLAGE_DOCTOR", "INTAKE_DESK"} {
			got, err := c.QueryStatistics(f.as(role), &referralv1.QueryStatisticsRequest{
				Measure: []string{"IND-REJ", "TIME-ANSWER"}, From: from, To: to, GroupBy: []string{"hospital", "centre"},
			})
			if err != nil || len(got.GetFigures()) != 2 {
				f.t.Fatalf("%s: %v, %v", role, got, err)
			}
			rejected, answer := got.GetFigures()[0], got.GetFigures()[1]
			if rejected.GetValue() != 100 || !rejected.GetHasValue() || rejected.GetNumerator() != 1 || !rejected.GetFilling() ||
				rejected.GetKey()[0] != f.hospital || rejected.GetKey()[1] != f.township || rejected.GetPeriod() != "" {
				f.t.Errorf("%s: %v", role, rejected)
			}
			if answer.GetNumerator() != 1 || answer.GetMedian() > answer.GetPercentile_90() {
				f.t.Errorf("%s: %v", role, answer)
			}
		}
		cases, err := c.ListStatisticCases(f.as("COUNTY_ADMIN"), &referralv1.ListStatisticCasesRequest{Measure: "DECLINED-N", From: from, To: to})
		if err != nil || len(cases.GetCases()) != 1 || cases.GetCases()[0].GetReferralId() != r.GetId() || cases.GetCases()[0].GetReasonCode() != "NO_BED" ||
			cases.GetCases()[0].GetCount() != 1 || cases.GetCases()[0].GetNumber() == "" || cases.GetNextPageToken() != "" {
			f.t.Errorf("%v, %v", cases, err)
		}
		_, err = c.QueryStatistics(f.as("BED_MANAGER"), &referralv1.QueryStatisticsRequest{From: from, To: to})
		f.expectReason(err, errs.ReasonRole)
	})
}

func TestTheOperatorHoldsFiguresAgainstHistories(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		f.must(f.client.CreateReferral(f.as("TOWNSHIP_DOCTOR"), f.creation()))
		operator := referralv1.NewStatisticsServiceClient(f.Dial("cli", "referral"))
		ctx := rpc.WithCounty(t.Context(), county)
		for _, call := range []func() (*referralv1.CheckStatisticsResponse, error){
			func() (*referralv1.CheckStatisticsResponse, error) {
				return operator.CheckStatistics(ctx, &referralv1.CheckStatisticsRequest{County: county})
			},
			func() (*referralv1.CheckStatisticsResponse, error) {
				return operator.RebuildStatistics(ctx, &referralv1.RebuildStatisticsRequest{County: county})
			},
		} {
			var got *referralv1.CheckStatisticsResponse
			var err error
			f.until("the service's own rebuild of a new county ends", func() bool {
				got, err = call()
				return errs.KindOf(err) != errs.KindConflict
			})
			if err != nil || got.GetReferrals() != 1 || got.GetCells() == 0 || len(got.GetDifferences()) > 0 {
				f.t.Errorf("%v, %v", got, err)
			}
		}
		person := referralv1.NewStatisticsServiceClient(f.Dial("gateway", "referral"))
		_, err := person.CheckStatistics(f.as("COUNTY_ADMIN"), &referralv1.CheckStatisticsRequest{County: county})
		f.expectReason(err, errs.ReasonRole)
	})
}
