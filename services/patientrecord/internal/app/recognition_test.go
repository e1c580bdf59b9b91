package app_test

import (
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/figures"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/recognition"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/rpc"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// ordering is a world in which examinations are ordered.
type ordering struct {
	*world
	*app.Recognition
	patient string
}

func eachOrdering(t *testing.T, fn func(t *testing.T, w *ordering)) {
	t.Helper()
	each(t, func(t *testing.T, w *world) {
		shipped, err := recognition.Shipped()
		if err != nil {
			t.Fatal(err)
		}
		published, err := figures.Load()
		if err != nil {
			t.Fatal(err)
		}
		o := &ordering{world: w, Recognition: app.NewRecognition(w.App, app.RecognitionDeps{
			Store: store.New(w.db, crypt.TestRing(), func() {}), Contents: rpc.Contents{}, Shipped: shipped, Published: published,
		})}
		for organization, kind := range map[string]string{"township": "TOWNSHIP_CENTRE", "county": "COUNTY_HOSPITAL", "elsewhere": "TOWNSHIP_CENTRE"} {
			if err := o.PutOrganization(t.Context(), "", app.Organization{County: county, ID: organization, Version: 1, Type: kind}); err != nil {
				t.Fatal(err)
			}
		}
		o.patient = w.register(township, zeng).ID
		visit := app.Arrive{Request: app.Request{Method: "DeclareVisit", ID: id.New()}, PatientID: o.patient, IdentityNumber: zeng.IdentityNumber}
		if _, err := w.Visit(t.Context(), desk, visit); err != nil {
			t.Fatal(err)
		}
		fn(t, o)
	})
}

// result is a value of some days ago, made by an organisation.
func (w *ordering) result(code string, daysAgo int, performer string) {
	w.t.Helper()
	m := &patientrecordv1.Observation{
		Codes: []*commonv1.Coding{{System: "http://loinc.org", Code: code}}, Text: code, Status: "final", PerformerId: performer,
		EffectiveTime: timestamppb.New(w.clk.Now().AddDate(0, 0, -daysAgo)), Quantity: &patientrecordv1.Quantity{Value: 7},
	}
	content, err := proto.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.Import(w.t.Context(), authn.Identity{Subject: "service:cli", Service: "cli"}, app.Import{
		County: county, Organization: "township", SourceSystem: "lis", PatientIdentity: "1", Details: zeng, Entries: []domain.Entry{{
			SourceSystem: "lis", SourceIdentity: code + performer, Kind: domain.KindObservation, Status: "final", Code: code,
			Time: m.GetEffectiveTime().AsTime(), Content: content,
		}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *ordering) order(who authn.Identity, lines ...domain.OrderLine) error {
	_, err := w.Order(w.t.Context(), who, app.NewOrder{
		Request: app.Request{Method: "RecordOrder", ID: id.New()}, Look: app.Look{Patient: w.patient}, Lines: lines,
	})
	return err
}

func (w *ordering) valid(who authn.Identity) (codes []string) {
	w.t.Helper()
	found, err := w.Recognisable(w.t.Context(), who, app.Look{Patient: w.patient})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range found.Valid {
		codes = append(codes, f.Item.Code)
	}
	return codes
}

var countyAdmin = person("county", "COUNTY_ADMIN")

func TestTheCountyOpensTheWayUpAndClosesItAgain(t *testing.T) {
	eachOrdering(t, func(t *testing.T, w *ordering) {
		w.result("4548-4", 3, "township")
		if got := w.valid(desk); len(got) != 0 {
			t.Errorf("as shipped the county recognises %v", got)
		}
		cmd := app.Command{County: county, Account: "admin", Organization: "county", Request: app.Request{Method: "UpdateRecognitionSettings", ID: id.New()}}
		set, err := w.SetDirections(t.Context(), cmd, domain.Directions{Upper: true, Lower: true})
		if err != nil || set.Version != 1 {
			t.Fatal(err)
		}
		if got := w.valid(desk); len(got) != 1 || got[0] != "HBA1C" {
			t.Errorf("with the way up open the county recognises %v", got)
		}
		if _, err := w.Recognisable(t.Context(), stranger, app.Look{Patient: w.patient}); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("a stranger: %v", err)
		}
	})
}

func TestAResultThatWasMadeElsewhereIsNotTheSenders(t *testing.T) {
	eachOrdering(t, func(t *testing.T, w *ordering) {
		made := func(code, elsewhere string) {
			t.Helper()
			m := &patientrecordv1.Observation{
				Codes: []*commonv1.Coding{{System: "http://loinc.org", Code: code}}, Text: code, Status: "final", PerformerName: elsewhere,
				EffectiveTime: timestamppb.New(w.clk.Now().AddDate(0, 0, -1)), Quantity: &patientrecordv1.Quantity{Value: 7},
			}
			content, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			cmd := app.Command{County: county, Account: "feed", Organization: "county"}
			_, err = app.NewFeed(w.deps).AcceptRecords(t.Context(), authn.Identity{County: cmd.County, Organization: cmd.Organization, Subject: cmd.Account}, []app.FeedRecord{{
				SourceSystem: "hl7:1", PatientIdentity: "B1", Details: zeng, Entries: []app.FeedEntry{{Entry: domain.Entry{
					SourceSystem: "hl7:1", SourceIdentity: code, Kind: domain.KindObservation, Status: "final", Code: code, Time: m.GetEffectiveTime().AsTime(), Content: content,
				}}},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		made("4548-4", "")
		made("1558-6", "某检验中心")
		found, err := w.Recognisable(t.Context(), township, app.Look{Patient: w.patient})
		if err != nil || len(found.Valid) != 1 || found.Valid[0].Item.Code != "HBA1C" || found.Valid[0].Performer != "county" {
			t.Fatalf("valid %v, %v", found.Valid, err)
		}
		if len(found.Others) != 1 || found.Others[0].Refusal != domain.Nobodys || found.Others[0].Performer != "" || found.Others[0].Results[0].Elsewhere != "某检验中心" {
			t.Errorf("others %v", found.Others)
		}
	})
}

func TestWhatTwoOrdersRecogniseAtOnceCountsOnce(t *testing.T) {
	eachOrdering(t, func(t *testing.T, w *ordering) {
		w.result("11524-6", 1, "county")
		answers := make([]error, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = w.order(township, domain.OrderLine{ItemCode: "ECG", Decision: domain.Recognised}) })
		}
		all.Wait()
		done := 0
		for _, err := range answers {
			if err == nil {
				done++
			} else if errs.KindOf(err) != errs.KindInvalid {
				t.Error(err)
			}
		}
		if done != 1 {
			t.Errorf("recognised %d times", done)
		}
	})
}

func TestWhatIsNotInTheCatalogueIsNotReset(t *testing.T) {
	eachOrdering(t, func(t *testing.T, w *ordering) {
		cmd := func() app.Command {
			return app.Command{County: county, Account: "admin", Organization: "county", Request: app.Request{Method: "SetRecognitionItem", ID: id.New()}}
		}
		changes := func(code string) int {
			t.Helper()
			list, err := w.Changes(t.Context(), countyAdmin, code)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		_, err := w.SetItem(t.Context(), cmd(), domain.Item{Code: "NOSUCH"}, true)
		w.reason(err, errs.ReasonNotFound)
		if n := changes("NOSUCH"); n != 0 {
			t.Errorf("%d settings of an item that is not there", n)
		}
		own, err := w.Items(t.Context(), countyAdmin, "HBA1C", false)
		if err != nil || len(own) != 1 {
			t.Fatal(len(own), err)
		}
		added := own[0].Item
		added.Code = "OURS"
		if _, err := w.SetItem(t.Context(), cmd(), added, false); err != nil {
			t.Fatal(err)
		}
		reset := cmd()
		for range 2 { // the same request again gets the same answer
			if got, err := w.SetItem(t.Context(), reset, domain.Item{Code: "OURS", Version: 1}, true); err != nil || got.Version != 2 {
				t.Errorf("version %d, %v", got.Version, err)
			}
		}
		_, err = w.SetItem(t.Context(), cmd(), domain.Item{Code: "OURS", Version: 2}, true)
		w.reason(err, errs.ReasonNotFound)
		_, err = w.SetItem(t.Context(), cmd(), domain.Item{Code: "OURS", Version: 1}, true)
		w.reason(err, errs.ReasonStaleVersion)
		if n := changes("OURS"); n != 2 {
			t.Errorf("%d settings", n)
		}
	})
}

func TestFiguresAreWhatTheOrdersSayAndOpenIntoTheirCases(t *testing.T) {
	eachOrdering(t, func(t *testing.T, w *ordering) {
		w.result("4548-4", 3, "county")
		w.result("1558-6", 2, "county")
		w.result("11524-6", 1, "county")
		for _, lines := range [][]domain.OrderLine{
			{{ItemCode: "HBA1C", Decision: domain.Dropped}, {ItemCode: "CBC", Decision: domain.Ordered}},
			{{ItemCode: "GLU", Decision: domain.Repeated, Reason: "RT1", Explained: true}, {ItemCode: "ECG", Decision: domain.Recognised}},
		} {
			if err := w.order(township, lines...); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.order(township, domain.OrderLine{ItemCode: "ECG", Decision: domain.Recognised}); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("recognised twice: %v", err)
		}
		day := w.clk.Now().In(time.FixedZone("UTC+8", 8*60*60))
		q := app.FigureQuery{From: day.Format(time.DateOnly), To: day.AddDate(0, 0, 1).Format(time.DateOnly)}
		got, err := w.Figures(t.Context(), countyAdmin, q)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][2]int64{"IND-MR": {2, 3}, "IND-DUP": {1, 3}, "MR-N": {2, 0}, "AVOIDED": {1, 0}, "REPEATED": {1, 0}}
		for _, f := range got.Rows {
			if n := want[f.Measure]; f.Numerator != n[0] || f.Denominator != n[1] {
				t.Errorf("%s: %d of %d, want %v", f.Measure, f.Numerator, f.Denominator, n)
			}
			for _, part := range []bool{false, true} {
				if part && f.Denominator == 0 {
					continue
				}
				w.cases(q, f, part)
			}
		}
		if got.HasSaving || len(got.Rows) != len(want) {
			t.Errorf("%d figures, money %t", len(got.Rows), got.HasSaving)
		}
		check, err := w.Check(t.Context(), county)
		if err != nil || check.Orders != 2 || check.Cells == 0 || len(check.Differences) != 0 {
			t.Errorf("recomputed: %+v %v", check, err)
		}
		// What was lost comes again from the orders.
		if err := w.db.Update(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), "DELETE FROM statistics_delta")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if check, err = w.Check(t.Context(), county); err != nil || len(check.Differences) == 0 {
			t.Errorf("nothing differs: %v", err)
		}
		mended, err := w.Rebuild(t.Context(), county)
		if err != nil || mended.Orders != 2 || len(mended.Differences) != len(check.Differences) {
			t.Errorf("mended %d of %d, %v", len(mended.Differences), len(check.Differences), err)
		}
		if check, err = w.Check(t.Context(), county); err != nil || len(check.Differences) != 0 {
			t.Errorf("after mending %d differ, %v", len(check.Differences), err)
		}
		again, err := w.Figures(t.Context(), countyAdmin, q)
		if err != nil || len(again.Rows) != len(got.Rows) {
			t.Fatal(err)
		}
		for i, f := range again.Rows {
			if f.Numerator != got.Rows[i].Numerator || f.Denominator != got.Rows[i].Denominator {
				t.Errorf("%s: %d of %d after mending", f.Measure, f.Numerator, f.Denominator)
			}
		}
		if _, err := w.Figures(t.Context(), township, app.FigureQuery{From: q.From, To: q.To, Organization: "county"}); errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("another organisation's figures: %v", err)
		}
	})
}

// cases asks for the cases behind a figure, one to a page.
func (w *ordering) cases(q app.FigureQuery, f app.FigureRow, below bool) {
	w.t.Helper()
	want, n := f.Numerator, int64(0)
	if below {
		want = f.Denominator
	}
	q.Measures = []string{f.Measure}
	for after := (app.Cursor{}); ; {
		page, next, err := w.Cases(w.t.Context(), countyAdmin, app.CaseQuery{FigureQuery: q, OfDenominator: below, After: after, Size: 1})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range page {
			n++
			if c.Order.PatientID != "" {
				w.t.Error("a case names the patient")
			}
		}
		if next.ID == "" {
			break
		}
		after = next
	}
	if n != want {
		w.t.Errorf("%s opens into %d cases, want %d (denominator: %t)", f.Measure, n, want, below)
	}
}

func TestMoneyIsToldOnlyWhenTheCountyEnteredAPrice(t *testing.T) {
	eachOrdering(t, func(t *testing.T, w *ordering) {
		w.result("4548-4", 3, "county")
		w.result("1558-6", 2, "county")
		if err := w.order(township, domain.OrderLine{ItemCode: "HBA1C", Decision: domain.Dropped}, domain.OrderLine{ItemCode: "GLU", Decision: domain.Dropped}); err != nil {
			t.Fatal(err)
		}
		items, err := w.Items(t.Context(), township, "HBA1C", false)
		if err != nil || len(items) != 1 {
			t.Fatal(err)
		}
		item := items[0].Item
		item.Price = 4500
		cmd := app.Command{County: county, Account: "admin", Request: app.Request{Method: "UpdateRecognitionItem", ID: id.New()}}
		if _, err := w.SetItem(t.Context(), cmd, item, false); err != nil {
			t.Fatal(err)
		}
		day := w.clk.Now().In(time.FixedZone("UTC+8", 8*60*60))
		got, err := w.Figures(t.Context(), countyAdmin, app.FigureQuery{From: day.Format("2006-01") + "-01", To: day.AddDate(0, 1, 0).Format("2006-01") + "-01"})
		if err != nil || !got.HasSaving || got.Saving != 4500 || got.Unpriced != 1 {
			t.Errorf("saving %d, unpriced %d: %v", got.Saving, got.Unpriced, err)
		}
	})
}
