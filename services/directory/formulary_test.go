package directory_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// person is a context of somebody with the role at the organisation.
func (h house) person(t *testing.T, role, organization string) context.Context {
	t.Helper()
	token, err := h.signer.Sign(authn.Identity{
		Subject: "somebody", County: county, Organization: organization, Roles: []string{role},
	}, time.Minute, h.clk.Now())
	if err != nil {
		t.Fatal(err)
	}
	return rpc.WithToken(t.Context(), token)
}

// stocked imports one medicine and one capability of the hospital and answers the hospital's id.
func (h house) stocked(t *testing.T) (hospital string) {
	t.Helper()
	h.imported(t)
	ctx, cli := rpc.WithCounty(t.Context(), county), h.as(t, "cli")
	_, err := cli.ImportFormulary(ctx, &directoryv1.ImportFormularyRequest{County: county, Items: []*directoryv1.FormularyEntry{{
		OrganizationCode: "H01",
		Item:             &directoryv1.FormularyItem{Name: "替格瑞洛片", Specification: "90mg", Atc: "B01AC24", Stock: directoryv1.StockState_IN_STOCK},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = cli.ImportCapabilities(ctx, &directoryv1.ImportCapabilitiesRequest{County: county, Entries: []*directoryv1.CapabilityEntry{{
		OrganizationCode: "H01", Capabilities: []*directoryv1.Capability{{Code: "DIALYSIS"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := cli.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{})
	if err != nil || len(list.GetOrganizations()) != 1 {
		t.Fatalf("got %v, %v", list, err)
	}
	return list.GetOrganizations()[0].GetId()
}

func TestWhoMayReadAndChangeMedicines(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t, directory.Migrations()))
	hospital := h.stocked(t)
	gateway := h.as(t, "gateway")
	ask := &directoryv1.ListFormularyRequest{OrganizationId: hospital}
	list, err := gateway.ListFormulary(h.person(t, "SPECIALIST", hospital), ask)
	if err != nil || len(list.GetItems()) != 1 {
		t.Fatalf("got %v, %v", list, err)
	}
	can, err := gateway.ListCapabilities(h.person(t, "SPECIALIST", hospital), &directoryv1.ListCapabilitiesRequest{OrganizationId: hospital})
	if err != nil || len(can.GetCapabilities()) != 1 {
		t.Errorf("got %v, %v", can, err)
	}
	for service, sees := range map[string]bool{"referral": true, "notification": false, "gateway": false} {
		all, err := h.as(t, service).ListFormulary(t.Context(), &directoryv1.ListFormularyRequest{})
		if sees != (err == nil && len(all.GetItems()) == 1) || !sees && errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("%s sees %v, %v", service, all, err)
		}
	}
	change := &directoryv1.SetStockRequest{Id: list.GetItems()[0].GetId(), Version: 1, Stock: directoryv1.StockState_OUT_OF_STOCK}
	_, err = gateway.SetStock(h.person(t, "SPECIALIST", hospital), change)
	expect(t, err, errs.ReasonRole)
	_, err = gateway.SetStock(h.person(t, "TOWNSHIP_DOCTOR", "elsewhere"), change)
	expect(t, err, errs.ReasonNotFound)
	if got, err := gateway.SetStock(h.person(t, "CENTRE_HEAD", hospital), change); err != nil || got.GetVersion() != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = gateway.SetStock(h.person(t, "TOWNSHIP_DOCTOR", hospital), change)
	expect(t, err, errs.ReasonStaleVersion)
	_, err = gateway.ImportFormulary(h.person(t, "CENTRE_HEAD", hospital), &directoryv1.ImportFormularyRequest{County: county})
	expect(t, err, errs.ReasonRole)
	_, err = gateway.ImportCapabilities(h.person(t, "CENTRE_HEAD", hospital), &directoryv1.ImportCapabilitiesRequest{County: county})
	expect(t, err, errs.ReasonRole)
}

// Invariant 3.
func TestMedicinesAndCapabilitiesReachTheBus(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, directory.Migrations(), func(t *testing.T, db *sqldb.DB) {
		h := open(t, db)
		facts := make(chan bus.Msg, 8)
		subjects := []string{"directory.v1.450321.formulary_changed", "directory.v1.450321.capabilities_changed"}
		bustest.Start(t, h.bus, bus.Consumer{Name: "test-formulary", Subjects: subjects}, func(_ context.Context, m bus.Msg) error {
			facts <- m
			return nil
		})
		hospital := h.stocked(t)
		got := map[string]bus.Msg{}
		for range 2 {
			m := bustest.Receive(t, facts, "fact")
			got[m.Subject] = m
		}
		var formulary directoryv1.FormularyChanged
		if err := proto.Unmarshal(got[subjects[0]].Payload, &formulary); err != nil || formulary.GetOrganizationId() != hospital ||
			formulary.GetMeta().GetAggregateVersion() != 0 || len(formulary.GetItems()) != 1 ||
			formulary.GetItems()[0].GetName() != "替格瑞洛片" || formulary.GetItems()[0].GetVersion() != 1 {
			t.Errorf("got %v, %v", &formulary, err)
		}
		var capabilities directoryv1.CapabilitiesChanged
		if err := proto.Unmarshal(got[subjects[1]].Payload, &capabilities); err != nil ||
			capabilities.GetCapabilities().GetOrganizationId() != hospital || capabilities.GetMeta().GetAggregateVersion() != 1 ||
			capabilities.GetCapabilities().GetVersion() != 1 || len(capabilities.GetCapabilities().GetCapabilities()) != 1 {
			t.Errorf("got %v, %v", &capabilities, err)
		}
	})
}
