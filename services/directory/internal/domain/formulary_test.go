package domain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

func formularyData() domain.FormularyData {
	return domain.FormularyData{
		ID: "f-1", County: "450321", OrganizationID: "o-1", Name: "苯磺酸氨氯地平片", Specification: "5mg", ATC: "C08CA01",
		Stock: domain.InStock,
	}
}

func TestAMedicineThatBreaksARuleIsRefusedByField(t *testing.T) {
	t.Parallel()
	rows := []struct {
		change        func(*domain.FormularyData)
		field, reason string
	}{
		{func(d *domain.FormularyData) { d.ID = "" }, "id", domain.ReasonRequired},
		{func(d *domain.FormularyData) { d.OrganizationID = "" }, "organizationId", domain.ReasonRequired},
		{func(d *domain.FormularyData) { d.Name = " " }, "name", domain.ReasonRequired},
		{func(d *domain.FormularyData) { d.Name = strings.Repeat("药", 201) }, "name", domain.ReasonTooLong},
		{func(d *domain.FormularyData) { d.Specification = strings.Repeat("克", 101) }, "specification", domain.ReasonTooLong},
		{func(d *domain.FormularyData) { d.Specification = "5\nmg" }, "specification", domain.ReasonInvalid},
		{func(d *domain.FormularyData) { d.Stock = "" }, "stock", domain.ReasonRequired},
		{func(d *domain.FormularyData) { d.Stock = "PLENTY" }, "stock", domain.ReasonRequired},
		{func(d *domain.FormularyData) { d.RestrictedClass = "EXPENSIVE" }, "restrictedClass", domain.ReasonUnknown},
	}
	for _, r := range rows {
		d := formularyData()
		r.change(&d)
		_, err := domain.NewFormularyItem(d)
		refused(t, err, r.field, r.reason)
	}
}

func TestAClassIsOneOfTheFiveLevelsOfATC(t *testing.T) {
	t.Parallel()
	for class, want := range map[string]string{
		"": "", "c": "C", "C08": "C08", "C08C": "C08C", "c08ca": "C08CA", "C08CA01": "C08CA01",
	} {
		d := formularyData()
		d.ATC = class
		f, err := domain.NewFormularyItem(d)
		if err != nil || f.Data().ATC != want {
			t.Errorf("%q became %q, %v", class, f.Data().ATC, err)
		}
	}
	for _, class := range []string{"C0", "C08CA0", "C08CA011", "8C", "C8CA", "CO8", "C08CAO1", "平"} {
		d := formularyData()
		d.ATC = class
		_, err := domain.NewFormularyItem(d)
		refused(t, err, "atc", domain.ReasonInvalid)
	}
}

func TestEveryRestrictedClassIsTaken(t *testing.T) {
	t.Parallel()
	for _, class := range domain.RestrictedClasses() {
		d := formularyData()
		d.RestrictedClass = class
		if _, err := domain.NewFormularyItem(d); err != nil {
			t.Errorf("%s: %v", class, err)
		}
	}
}

func TestAMedicineKeepsItsIdentityAndChangesByWhatDiffersOnly(t *testing.T) {
	t.Parallel()
	f, err := domain.NewFormularyItem(formularyData())
	if err != nil {
		t.Fatal(err)
	}
	said := formularyData()
	said.ID, said.County, said.OrganizationID, said.Name, said.Specification = "f-2", "450322", "o-2", "another", "1g"
	if same, changed, err := f.Update(said); changed || err != nil || same.Version() != 1 {
		t.Errorf("changed %v, %v", changed, err)
	}
	said.Stock, said.Orderable = domain.OutOfStock, true
	next, changed, err := f.Update(said)
	if err != nil || !changed || next.Version() != 2 || next.String() != "f-1" || next.Data().Name != "苯磺酸氨氯地平片" ||
		next.Data().Stock != domain.OutOfStock || !next.Data().Orderable {
		t.Errorf("changed %v, version %d, %+v, %v", changed, next.Version(), next.Data(), err)
	}
	said.Stock = ""
	_, _, err = f.Update(said)
	refused(t, err, "stock", domain.ReasonRequired)
}

func TestCapabilitiesAreKnownOnesOnceEachInTheOrderOfTheContract(t *testing.T) {
	t.Parallel()
	nothing := domain.RestoreCapabilities("450321", "o-1", nil, 0)
	c, changed, err := nothing.Replace([]domain.Capability{{Code: "TCM"}, {Code: " DIALYSIS ", Note: " 周一至周五 "}})
	want := []domain.Capability{{Code: "DIALYSIS", Note: "周一至周五"}, {Code: "TCM"}}
	if err != nil || !changed || c.Version() != 1 || c.OrganizationID() != "o-1" || c.County() != "450321" || !slices.Equal(c.List(), want) {
		t.Errorf("got %+v, %v", c, err)
	}
	_, _, err = c.Replace([]domain.Capability{{Code: "TCM"}, {Code: "SURGERY"}})
	refused(t, err, "capabilities[1].code", domain.ReasonUnknown)
	_, _, err = c.Replace([]domain.Capability{{Code: "TCM"}, {Code: "TCM"}})
	refused(t, err, "capabilities[1].code", domain.ReasonInvalid)
	_, _, err = c.Replace([]domain.Capability{{Code: "TCM", Note: strings.Repeat("针", 201)}})
	refused(t, err, "capabilities[0].note", domain.ReasonTooLong)
}

func TestSayingTheSameCapabilitiesAgainChangesNothing(t *testing.T) {
	t.Parallel()
	nothing := domain.RestoreCapabilities("450321", "o-1", nil, 0)
	none, changed, err := nothing.Replace(nil)
	if err != nil || !changed || none.Version() != 1 {
		t.Errorf("that there are none is news, but changed %v, %v", changed, err)
	}
	if _, changed, err = none.Replace(nil); err != nil || changed {
		t.Errorf("changed %v, %v", changed, err)
	}
	some, _, err := none.Replace([]domain.Capability{{Code: "ECG"}, {Code: "XRAY"}})
	if err != nil || some.Version() != 2 {
		t.Errorf("version %d, %v", some.Version(), err)
	}
	if same, changed, err := some.Replace([]domain.Capability{{Code: "XRAY"}, {Code: "ECG"}}); err != nil || changed || same.Version() != 2 {
		t.Errorf("changed %v, %v", changed, err)
	}
}
