package seed_test

import (
	"slices"
	"testing"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// at is what an organisation has, by name and specification.
func (r *recorder) at(organization string) map[string]*directoryv1.FormularyItem {
	out := map[string]*directoryv1.FormularyItem{}
	for _, e := range r.medicines {
		if e.GetOrganizationCode() == organization {
			out[e.GetItem().GetName()+" "+e.GetItem().GetSpecification()] = e.GetItem()
		}
	}
	return out
}

// instead are the medicines of the same class (ATC, fourth level) that are in stock.
func instead(list map[string]*directoryv1.FormularyItem, atc string) (out []string) {
	for name, item := range list {
		if len(item.GetAtc()) == 7 && item.GetAtc()[:5] == atc[:5] && item.GetStock() == directoryv1.StockState_IN_STOCK {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func TestEveryCentreHasTheEssentialMedicinesAndTheHospitalMore(t *testing.T) {
	t.Parallel()
	r, report := built(t, options(demo))
	hospital := r.at("450321H01")
	centres, sizes := 0, map[int]bool{}
	for _, e := range r.organizations {
		if e.GetOrganization().GetType() != directoryv1.OrganizationType_TOWNSHIP_CENTRE {
			continue
		}
		centres++
		list := r.at(e.GetOrganization().GetCode())
		sizes[len(list)] = true
		if len(list) < 60 || len(list)+40 > len(hospital) {
			t.Errorf("%s has %d medicines, the hospital %d", e.GetOrganization().GetName(), len(list), len(hospital))
		}
		for name := range list {
			if hospital[name] == nil {
				t.Errorf("%s has %s, the hospital has not", e.GetOrganization().GetName(), name)
			}
		}
	}
	if centres != 9 || len(sizes) < 3 || report.Medicines != len(r.medicines) {
		t.Errorf("%d centres, sizes %v, %d medicines of %d", centres, sizes, report.Medicines, len(r.medicines))
	}
}

func TestBaishaLacksSomeOfWhatAPatientTakesHomeAfterAHeartAttack(t *testing.T) {
	t.Parallel()
	r, _ := built(t, options(demo))
	hospital, baisha := r.at("450321H01"), r.at("450321101")
	for _, name := range []string{"阿司匹林肠溶片 100mg", "硫酸氢氯吡格雷片 75mg", "阿托伐他汀钙片 20mg"} {
		if baisha[name].GetStock() != directoryv1.StockState_IN_STOCK {
			t.Errorf("%s: %v", name, baisha[name])
		}
	}
	for _, name := range []string{"替格瑞洛片 90mg", "盐酸伊伐布雷定片 5mg", "依折麦布片 10mg"} {
		if hospital[name] == nil || baisha[name] != nil {
			t.Errorf("%s: the hospital has %v, the centre %v", name, hospital[name], baisha[name])
		}
	}
	for _, name := range []string{"盐酸伊伐布雷定片 5mg", "依折麦布片 10mg", "沙库巴曲缬沙坦钠片 100mg"} {
		if other := instead(baisha, hospital[name].GetAtc()); len(other) != 0 {
			t.Errorf("instead of %s there is %v", name, other)
		}
	}
	if order := baisha["沙库巴曲缬沙坦钠片 100mg"]; order.GetStock() != directoryv1.StockState_OUT_OF_STOCK || !order.GetOrderable() {
		t.Errorf("got %v", order)
	}
	out := baisha["琥珀酸美托洛尔缓释片 47.5mg"]
	if out.GetStock() != directoryv1.StockState_OUT_OF_STOCK || out.GetOrderable() ||
		!slices.Equal(instead(baisha, out.GetAtc()), []string{"富马酸比索洛尔片 5mg", "酒石酸美托洛尔片 25mg"}) {
		t.Errorf("got %v, instead %v", out, instead(baisha, out.GetAtc()))
	}
}

func TestWhatACentreCanDoDiffersAndOnlyTheFirstHasDialysis(t *testing.T) {
	t.Parallel()
	r, _ := built(t, options(demo))
	can := map[string][]string{}
	for _, e := range r.capabilities {
		for _, c := range e.GetCapabilities() {
			can[c.GetCode()] = append(can[c.GetCode()], e.GetOrganizationCode())
		}
	}
	if len(r.capabilities) != 10 || len(can["REHABILITATION"]) != 10 || !slices.Equal(can["DIALYSIS"], []string{"450321H01", "450321100"}) ||
		!slices.Contains(can["PALLIATIVE"], "450321101") || slices.Contains(can["XRAY"], "450321101") {
		t.Errorf("got %v", can)
	}
}

func TestCountiesSendOutToHospitalsOfTheirRegion(t *testing.T) {
	t.Parallel()
	for county, want := range map[string][]string{
		demo:     {"上级医院（县外）", "桂林医学院附属医院", "桂林市人民医院", "广西壮族自治区人民医院", "广西医科大学第一附属医院"},
		"450123": {"上级医院（县外）", "广西壮族自治区人民医院", "广西医科大学第一附属医院"},
		"110101": {"上级医院（县外）"},
	} {
		r, _ := built(t, options(county))
		var got []string
		for _, e := range r.organizations {
			if e.GetOrganization().GetType() == directoryv1.OrganizationType_EXTERNAL {
				got = append(got, e.GetOrganization().GetName())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", county, got)
		}
	}
}
