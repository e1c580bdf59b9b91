package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestWhoKeepsWhichPartOfTheMedicines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	blocking := sampleBlocking()
	blocking.Medicines[0].Name = "替格瑞洛"
	w.always(blockingMethod, blocking)
	body := sound(t, "admin", w.admin().get("/settings/formulary?organization="+townshipID))
	for _, words := range []string{"替格瑞洛片", "莫医生", "Out of stock", "Keeps", `name="organization"`, "/settings/versions/MEDICINE/" + medicineID, "Add a medicine"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	doctor := w.browser("township")
	body = sound(t, "doctor", doctor.get("/settings/formulary"))
	if strings.Contains(body, "Add a medicine") || !strings.Contains(body, "Now in stock") || !strings.Contains(body, `href="/settings/formulary" aria-current="page"`) {
		t.Error("a doctor is offered the list, or not the stock, or no way there")
	}
	if got := doctor.post("/settings/formulary/stock", form("id", medicineID, "version", "4", "stock", "IN_STOCK", "orderable", "1", "requestId", "r", "query", "tg")); got.Code != http.StatusSeeOther ||
		got.Header().Get("Location") != "/settings/formulary?query=tg" {
		t.Error(got.Code, got.Header().Get("Location"))
	}
	sent := called[*directoryv1.SetStockRequest](w, setStockMethod)
	if len(sent) != 1 || sent[0].GetStock() != directoryv1.StockState_IN_STOCK || !sent[0].GetOrderable() || sent[0].GetVersion() != 4 || sent[0].GetRequestId() != "r" {
		t.Errorf("%v", sent)
	}
	w.refuse(setStockMethod, errs.Stale(5, ""))
	if got := doctor.post("/settings/formulary/stock", form("id", medicineID, "version", "4")); got.Code != http.StatusConflict || !strings.Contains(sound(t, "stale", got), "替格瑞洛片") {
		t.Error(got.Code)
	}
}

func TestAMedicineIsAddedChangedTakenOffAndPutBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	at := "/settings/formulary?organization=" + townshipID
	for _, c := range []struct {
		form    url.Values
		version int32
		removed bool
	}{
		{form("item.name", "替格瑞洛片", "item.specification", "90mg", "item.stock", "IN_STOCK", "do", "save"), 0, false},
		{form("id", medicineID, "version", "4", "item.stock", "OUT_OF_STOCK", "do", "remove"), 4, true},
		{form("id", medicineID, "version", "5", "item.stock", "OUT_OF_STOCK", "do", "return"), 5, false},
	} {
		if got := b.post(at, c.form); got.Code != http.StatusSeeOther {
			t.Fatal(got.Code, got.Body)
		}
		sent := called[*directoryv1.SaveMedicineRequest](w, medicineMethod)
		if last := sent[len(sent)-1].GetItem(); last.GetVersion() != c.version || last.GetRemoved() != c.removed || last.GetOrganizationId() != townshipID || last.GetId() != c.form.Get("id") {
			t.Errorf("%v", last)
		}
	}
	w.refuse(medicineMethod, errs.Stale(5, ""))
	now := sampleMedicine()
	now.Version, now.Atc = 5, "B01AC"
	w.always(stockListMethod, &directoryv1.ListMedicinesResponse{Medicines: []*directoryv1.Medicine{{Item: now, UpdateTime: in(0)}}})
	got := b.post(at, form("id", medicineID, "version", "4", "item.stock", "IN_STOCK", "was.item.stock", "OUT_OF_STOCK", "item.atc", "B01AC24", "was.item.atc", "B01AC24", "item.orderable", "1", "was.item.orderable", "1"))
	if body := sound(t, "stale", got); got.Code != http.StatusConflict || hidden(t, body, "version") != "5" || !strings.Contains(body, `value="IN_STOCK" checked`) || strings.Count(body, `class="changed"`) != 1 {
		t.Errorf("%d %s", got.Code, body)
	}
}

func TestATableIsLookedAtBeforeItGoesIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	got := b.sendFile("/settings/tables/organizations", "机构.csv", "机构编码,机构名称,类型\n", "do", "try")
	page := sound(t, "try", got)
	for _, words := range []string{"3 new, 2 changed", "line 4", "Code of the one above", "The same as line 2", "not as many cells", "Import the lines that are right"} {
		if !strings.Contains(strings.ToLower(page), strings.ToLower(words)) {
			t.Errorf("%q is missing", words)
		}
	}
	got = b.post("/settings/tables/organizations", form("content", hidden(t, page, "content"), "name", "机构.csv", "do", "import"))
	if !strings.Contains(sound(t, "import", got), "Imported: 3 new") {
		t.Error(got.Code)
	}
	sent := called[*directoryv1.ImportTableRequest](w, tableMethod)
	if len(sent) != 2 || !sent[0].GetDryRun() || sent[1].GetDryRun() || string(sent[1].GetContent()) != "机构编码,机构名称,类型\n" || sent[1].GetTable() != directoryv1.PlaceTable_ORGANIZATIONS {
		t.Errorf("%v", sent)
	}
	sample := b.get("/settings/tables/formulary/sample.csv")
	if text := sample.Body.String(); !strings.HasPrefix(text, "\ufefforganization_code,") || !strings.Contains(sample.Header().Get("Content-Disposition"), "formulary.csv") {
		t.Errorf("%q", text)
	}
	if got := b.get("/settings/tables/patients"); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
}

func TestVersionsOfAPlaceSayWhatChangedAndCanBeMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "versions", b.get("/settings/versions/PLACE/"+townshipID))
	for _, words := range []string{"<del>0773-1</del>", "<ins>0773-8880001</ins>", "管理员", "Department 50"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	if got := b.post("/settings/versions/PLACE/"+townshipID, form("restore", "6", "version", hidden(t, b.get("/settings/versions/PLACE/"+townshipID+"?restore=6").Body.String(), "version"), "requestId", "r")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	sent := called[*directoryv1.RestorePlaceVersionRequest](w, againMethod)
	if len(sent) != 1 || sent[0].GetRestore() != 6 || sent[0].GetVersion() != 7 || sent[0].GetSubject() != directoryv1.PlaceSubject_PLACE || sent[0].GetId() != townshipID {
		t.Errorf("%v", sent)
	}
	if got := b.get("/settings/versions/PATIENT/" + townshipID); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
}

// told is a bus on which one organisation changes.
type told struct{ quietBus }

func (told) LastSequence(context.Context) (uint64, error) { return 3, nil }

func (told) Tail(ctx context.Context, from uint64, subjects []string, fn func(bus.Msg)) error {
	if from == 4 && subjects[0] == "directory.v1.*.organisation_changed" {
		fn(bus.Msg{Sequence: 4, Subject: "directory.v1.450321.organisation_changed"})
	}
	<-ctx.Done()
	return nil
}

func TestAFactOfAnotherProcessMakesNamesBeReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, told{})
	b := w.admin()
	asked := func() int {
		b.get("/settings/organizations/new")
		return len(called[*directoryv1.ListOrganizationsRequest](w, directoryv1.DirectoryService_ListOrganizations_FullMethodName))
	}
	first := asked()
	if asked() != first {
		t.Fatal("names are not kept")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.service.Run(ctx) }()
	for asked() == first { // until the fact was read
		if ctx.Err() != nil {
			t.Fatal("names are never read again")
		}
	}
	cancel()
	check(t, <-done)
}
