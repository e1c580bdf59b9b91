package rpc_test

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// centre imports one and answers its id.
func centre(ctx context.Context, t testing.TB, s *rpc.Server) string {
	t.Helper()
	r, err := s.ImportOrganizations(ctx, &directoryv1.ImportOrganizationsRequest{
		County: county, Organizations: []*directoryv1.OrganizationEntry{{Organization: &directoryv1.Organization{
			Code: "450321101", Name: "白沙镇卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetIds()["450321101"]
}

func TestMedicinesAreListedAsTheyWereSent(t *testing.T) {
	t.Parallel()
	s, ctx := newServer(t)
	home := centre(ctx, t, s)
	item := &directoryv1.FormularyItem{
		Name: "盐酸曲马多缓释片", Specification: "0.1g×10片", Atc: "N02AX02", Stock: directoryv1.StockState_OUT_OF_STOCK, Orderable: true,
		RestrictedClass: "PSYCHOTROPIC",
	}
	r, err := s.ImportFormulary(ctx, &directoryv1.ImportFormularyRequest{
		County: county, Items: []*directoryv1.FormularyEntry{{OrganizationCode: "450321101", Item: item}},
	})
	if err != nil || r.GetCreated() != 1 || r.GetUpdated()+r.GetUnchanged() != 0 {
		t.Fatalf("got %v, %v", r, err)
	}
	doctor := authn.WithIdentity(ctx, authn.Identity{Subject: "a", County: county, Organization: home, Roles: []string{"TOWNSHIP_DOCTOR"}})
	list, err := s.ListFormulary(doctor, &directoryv1.ListFormularyRequest{OrganizationId: home, Query: "qmd"})
	if err != nil || len(list.GetItems()) != 1 || list.GetNextPageToken() != "" {
		t.Fatalf("got %v, %v", list, err)
	}
	item.Id, item.Version, item.OrganizationId = list.GetItems()[0].GetId(), 1, home
	if !proto.Equal(list.GetItems()[0], item) {
		t.Errorf("got %v", list.GetItems()[0])
	}
	got, err := s.SetStock(doctor, &directoryv1.SetStockRequest{Id: item.GetId(), Version: 1, Stock: directoryv1.StockState_IN_STOCK})
	item.Version, item.Stock, item.Orderable = 2, directoryv1.StockState_IN_STOCK, false
	if err != nil || !proto.Equal(got, item) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCapabilitiesAnswerBothFieldsForOneOrganization(t *testing.T) {
	t.Parallel()
	s, ctx := newServer(t)
	home := centre(ctx, t, s)
	_, err := s.ImportCapabilities(ctx, &directoryv1.ImportCapabilitiesRequest{County: county, Entries: []*directoryv1.CapabilityEntry{{
		OrganizationCode: "450321101",
		Capabilities:     []*directoryv1.Capability{{Code: "REHABILITATION"}, {Code: "TCM", Note: "每日"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	doctor := authn.WithIdentity(ctx, authn.Identity{Subject: "a", County: county, Organization: home})
	one, err := s.ListCapabilities(doctor, &directoryv1.ListCapabilitiesRequest{OrganizationId: home})
	if err != nil || len(one.GetCapabilities()) != 2 || one.GetCapabilities()[1].GetNote() != "每日" || len(one.GetOrganizations()) != 1 ||
		one.GetOrganizations()[0].GetOrganizationId() != home || one.GetOrganizations()[0].GetVersion() != 1 ||
		len(one.GetOrganizations()[0].GetCapabilities()) != 2 {
		t.Errorf("got %v, %v", one, err)
	}
	all, err := s.ListCapabilities(ctx, &directoryv1.ListCapabilitiesRequest{})
	if err != nil || len(all.GetCapabilities()) != 0 || len(all.GetOrganizations()) != 1 {
		t.Errorf("got %v, %v", all, err)
	}
}

// FuzzImportFormulary holds the translations of medicines and capabilities to be total.
func FuzzImportFormulary(f *testing.F) {
	f.Add("苯磺酸氨氯地平片", "5mg", "C08CA01", int32(1), "", "TCM")
	f.Add("", "", "", int32(0), "NARCOTIC", "")
	f.Add("x", "\xff", "c08\xff", int32(99), "x", "\xff")
	s, ctx := newServer(f)
	centre(ctx, f, s)
	f.Fuzz(func(t *testing.T, name, specification, class string, stock int32, restricted, capability string) {
		// The context of f ends before that of t begins.
		ctx := context.WithoutCancel(ctx)
		_, err := s.ImportFormulary(ctx, &directoryv1.ImportFormularyRequest{County: county, Items: []*directoryv1.FormularyEntry{{
			OrganizationCode: "450321101", Item: &directoryv1.FormularyItem{
				Name: name, Specification: specification, Atc: class, Stock: directoryv1.StockState_Code(stock), RestrictedClass: restricted,
			},
		}}})
		if k := errs.KindOf(err); k != 0 && k != errs.KindInvalid {
			t.Errorf("medicine: %v", err)
		}
		_, err = s.ListFormulary(ctx, &directoryv1.ListFormularyRequest{Query: name})
		if err != nil {
			t.Errorf("list: %v", err)
		}
		_, err = s.ImportCapabilities(ctx, &directoryv1.ImportCapabilitiesRequest{County: county, Entries: []*directoryv1.CapabilityEntry{{
			OrganizationCode: "450321101", Capabilities: []*directoryv1.Capability{{Code: capability, Note: name}},
		}}})
		if k := errs.KindOf(err); k != 0 && k != errs.KindInvalid {
			t.Errorf("capability: %v", err)
		}
	})
}
