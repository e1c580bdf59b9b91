package seed

import (
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// organizationID is known before the directory made the organisation, so that the same county gives the same ids.
func (p place) organizationID(code string) string {
	return id.FromFact("seed", "organization", p.code, code)
}

// outside is a hospital to which counties send who they cannot treat: those whose code begins with region.
type outside struct{ region, name, nameEn, city string }

// hospitalsOutside the county that it sends to. Real names: where a referral out goes is nothing to invent.
func (p place) hospitalsOutside() []outside {
	var out []outside
	for _, h := range []outside{
		{"4503", "桂林医学院附属医院", "Affiliated Hospital of Guilin Medical University", "广西壮族自治区桂林市"},
		{"4503", "桂林市人民医院", "Guilin People's Hospital", "广西壮族自治区桂林市"},
		{"45", "广西壮族自治区人民医院", "People's Hospital of Guangxi Zhuang Autonomous Region", "广西壮族自治区南宁市"},
		{"45", "广西医科大学第一附属医院", "First Affiliated Hospital of Guangxi Medical University", "广西壮族自治区南宁市"},
	} {
		if strings.HasPrefix(p.code, h.region) {
			out = append(out, h)
		}
	}
	return out
}

// organizations as the directory takes them: who is above comes before who is below.
func (p place) organizations() []*directoryv1.OrganizationEntry {
	full := p.above + p.name
	out := []*directoryv1.OrganizationEntry{
		p.entry(p.code+"A01", &directoryv1.Organization{
			Name: p.name + "卫生健康局", NameEn: p.english() + " Health Bureau", Type: directoryv1.OrganizationType_AUTHORITY,
			Address: full, Phone: "0000-8820001",
		}, nil),
		p.entry(p.code+"H01", &directoryv1.Organization{
			Name: p.name + "人民医院", NameEn: p.english() + " People's Hospital", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL,
			Address: full + "人民路1号", Phone: "0000-8820120",
		}, hospitalDepartments()),
		p.entry(p.code+"X01", &directoryv1.Organization{
			Name: "上级医院（县外）", NameEn: "Higher-level Hospital (outside the county)", Type: directoryv1.OrganizationType_EXTERNAL,
			Address: p.above,
		}, nil),
	}
	for i, h := range p.hospitalsOutside() {
		out = append(out, p.entry(p.code+"X0"+strconv.Itoa(i+2), &directoryv1.Organization{
			Name: h.name, NameEn: h.nameEn, Type: directoryv1.OrganizationType_EXTERNAL, Address: h.city,
		}, nil))
	}
	for _, t := range p.townships {
		out = append(out, p.entry(t.code, &directoryv1.Organization{
			Name: t.centreName(), NameEn: t.centreEnglish(), Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE,
			Address: full + t.name, Phone: "0000-88" + t.code[4:],
		}, centreDepartments()))
	}
	home := p.nth(1)
	return append(out, p.entry(home.code+"V01", &directoryv1.Organization{
		Name: home.name + "竹桥村卫生室", NameEn: "Zhuqiao Village Clinic, " + home.english(), Type: directoryv1.OrganizationType_VILLAGE_CLINIC,
		Address: full + home.name + "竹桥村", Phone: "0000-8829999", ParentId: p.organizationID(home.code),
	}, nil))
}

func (p place) entry(code string, o *directoryv1.Organization, departments []department) *directoryv1.OrganizationEntry {
	o.Id, o.Code, o.County = p.organizationID(code), code, p.code
	e := &directoryv1.OrganizationEntry{Organization: o}
	for _, d := range departments {
		e.Departments = append(e.Departments, &directoryv1.Department{
			Code: d.code, Name: d.name, NameEn: d.nameEn, Location: d.location, HasBeds: d.beds > 0, Phone: d.phone(),
		})
	}
	return e
}
