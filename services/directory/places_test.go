package directory_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func (h house) places(t *testing.T, service string) directoryv1.PlaceServiceClient {
	t.Helper()
	conn, err := h.network.Dial(t.Context(), service, "directory", rpc.ClientConfig{Signer: h.signer, Clock: h.clk, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return directoryv1.NewPlaceServiceClient(conn)
}

// Invariant 12.
func TestTheCountyLooksAfterItsPlaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, directory.Migrations(), func(t *testing.T, db *sqldb.DB) {
		h := open(t, db)
		hospital := h.stocked(t)
		facts := make(chan bus.Msg, 16)
		bustest.Start(t, h.bus, bus.Consumer{Name: "test-places", Subjects: []string{"directory.v1.450321.organisation_changed"}}, func(_ context.Context, m bus.Msg) error {
			facts <- m
			return nil
		})
		admin, gateway := h.person(t, "COUNTY_ADMIN", "office"), h.places(t, "gateway")
		made, err := gateway.SavePlace(admin, &directoryv1.SavePlaceRequest{RequestId: id.New(), Organization: &directoryv1.Organization{
			Code: "450321101", Name: "白沙镇卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE, ParentId: hospital, Phone: "1", Address: "白沙镇", NameEn: "Baisha",
		}})
		if err != nil || made.GetVersion() != 1 || made.GetCounty() != county || made.GetParentId() != hospital || made.GetNameEn() != "Baisha" {
			t.Fatalf("got %v, %v", made, err)
		}
		sent := &directoryv1.Department{OrganizationId: made.GetId(), Code: "50", Name: "中医科", NameEn: "TCM", Location: "1层", Phone: "2", HasBeds: true, Disabled: true}
		place, err := gateway.SaveDepartment(admin, &directoryv1.SaveDepartmentRequest{OrganizationId: made.GetId(), Version: 1, Department: sent, Adds: true})
		if err != nil || len(place.GetDepartments()) != 1 || !proto.Equal(place.GetDepartments()[0], sent) || place.GetOpenDepartments() != 0 {
			t.Fatalf("got %v, %v", place, err)
		}
		can, err := gateway.SetCapabilities(admin, &directoryv1.SetCapabilitiesRequest{OrganizationId: made.GetId(), Capabilities: []*directoryv1.Capability{{Code: "TCM", Note: "每日"}}})
		if err != nil || can.GetVersion() != 1 || can.GetCapabilities()[0].GetNote() != "每日" {
			t.Errorf("got %v, %v", can, err)
		}
		list, err := gateway.ListPlaces(admin, &directoryv1.ListPlacesRequest{})
		if err != nil || len(list.GetPlaces()) != 2 || list.GetPlaces()[1].GetAccounts() != 1 || list.GetPlaces()[1].GetBelow() != 1 || list.GetPlaces()[1].GetMedicines() != 1 {
			t.Errorf("got %v, %v", list, err)
		}
		versions, err := gateway.ListPlaceVersions(admin, &directoryv1.ListPlaceVersionsRequest{Subject: directoryv1.PlaceSubject_PLACE, Id: made.GetId()})
		if err != nil || len(versions.GetVersions()) != 2 || len(versions.GetVersions()[0].GetDepartments()) != 1 || versions.GetVersions()[1].GetOrganization().GetName() != "白沙镇卫生院" {
			t.Errorf("got %v, %v", versions, err)
		}
		back, err := gateway.RestorePlaceVersion(admin, &directoryv1.RestorePlaceVersionRequest{Subject: directoryv1.PlaceSubject_ABILITIES, Id: made.GetId(), Restore: 1, Version: 1})
		if err != nil || back.GetVersion() != 1 {
			t.Errorf("got %v, %v", back, err)
		}
		for {
			var fact directoryv1.OrganisationChanged
			if err := proto.Unmarshal(bustest.Receive(t, facts, "fact").Payload, &fact); err != nil {
				t.Fatal(err)
			}
			if fact.GetOrganization().GetId() == made.GetId() && fact.GetMeta().GetAggregateVersion() == 2 {
				if len(fact.GetDepartments()) != 1 || !fact.GetDepartments()[0].GetDisabled() {
					t.Errorf("got %v", &fact)
				}
				break
			}
		}
	})
}

func TestWhoMayLookAfterWhichPlaces(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t, directory.Migrations()))
	hospital := h.stocked(t)
	gateway := h.places(t, "gateway")
	head, doctor := h.person(t, "CENTRE_HEAD", hospital), h.person(t, "TOWNSHIP_DOCTOR", hospital)
	_, err := gateway.ListPlaces(head, &directoryv1.ListPlacesRequest{})
	expect(t, err, errs.ReasonRole)
	_, err = gateway.GetPlace(doctor, &directoryv1.GetPlaceRequest{Id: hospital})
	expect(t, err, errs.ReasonRole)
	_, err = gateway.SavePlace(head, &directoryv1.SavePlaceRequest{Organization: &directoryv1.Organization{Code: "x"}})
	expect(t, err, errs.ReasonRole)
	list, err := gateway.ListMedicines(doctor, &directoryv1.ListMedicinesRequest{OrganizationId: hospital, Query: "tgrl", Stock: directoryv1.StockState_IN_STOCK})
	if err != nil || len(list.GetMedicines()) != 1 || list.GetMedicines()[0].GetStockTime() == nil || list.GetMedicines()[0].GetUpdateTime() == nil {
		t.Fatalf("got %v, %v", list, err)
	}
	item := list.GetMedicines()[0].GetItem()
	item.Removed = true
	_, err = gateway.SaveMedicine(doctor, &directoryv1.SaveMedicineRequest{Item: item})
	expect(t, err, errs.ReasonRole)
	_, err = gateway.SaveMedicine(h.person(t, "CENTRE_HEAD", "elsewhere"), &directoryv1.SaveMedicineRequest{Item: item})
	expect(t, err, errs.ReasonNotFound)
	if got, err := gateway.SaveMedicine(head, &directoryv1.SaveMedicineRequest{Item: item}); err != nil || !got.GetRemoved() || got.GetVersion() != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	table := &directoryv1.ImportTableRequest{Table: directoryv1.PlaceTable_FORMULARY, Content: []byte("机构编码,药名,规格,库存\nH01,替格瑞洛片,90mg,有货\nnone,x,,有货\n")}
	done, err := gateway.ImportTable(head, table)
	if err != nil || done.GetUpdated() != 1 || len(done.GetProblems()) != 1 || done.GetProblems()[0].GetLine() != 3 || done.GetProblems()[0].GetField() != "organization_code" {
		t.Errorf("got %v, %v", done, err)
	}
	_, err = gateway.ImportTable(doctor, table)
	expect(t, err, errs.ReasonRole)
	table.County = county
	if done, err = h.places(t, "cli").ImportTable(rpc.WithCounty(t.Context(), county), table); err != nil || done.GetUnchanged() != 1 {
		t.Errorf("got %v, %v", done, err)
	}
	if _, err := h.places(t, "referral").ListPlaces(t.Context(), &directoryv1.ListPlacesRequest{}); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("another service: %v", err)
	}
}
