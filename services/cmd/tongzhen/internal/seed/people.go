package seed

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/mozillazg/go-pinyin"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// names gives invented names, no two alike.
type names struct {
	random *rand.Rand
	taken  map[string]bool
}

func newNames(county string, seed int64) *names {
	h := fnv.New64a()
	_, _ = h.Write([]byte(county)) // a hash takes everything
	return &names{rand.New(rand.NewPCG(h.Sum64(), uint64(seed))), map[string]bool{}}
}

func (n *names) next() string {
	surnames := []rune("莫黄李陈秦韦覃梁廖蒋唐刘徐周阳谢林罗邓张王伍毛石肖苏潘赵易容")
	given := strings.Fields(`秀英 桂兰 志强 建国 文华 丽萍 海燕 永福 春梅 国栋 雪梅 少华 玉珍 立新 小红 明辉 晓东 慧敏
		德胜 凤英 振华 雅琴 家乐 素芬 宏伟 美玲 立群 思源 静 勇 敏 磊 洁 军 颖 波 婷 俊 芳 涛 玲 斌 云 欣怡 浩然 子轩
		运来 水生 桂花 荣光`)
	for {
		name := string(surnames[n.random.IntN(len(surnames))]) + given[n.random.IntN(len(given))]
		if !n.taken[name] {
			n.taken[name] = true
			return name
		}
	}
}

// person is an account in the making.
type person struct {
	login        string
	organization string // code
	department   string
	roles        []commonv1.Role_Code
	demo         bool // one of the accounts that the command prints
}

// people are all accounts of the county.
func (p place) people() []person {
	hospital, authority := p.code+"H01", p.code+"A01"
	one, two := p.nth(1), p.nth(3)
	list := []person{
		{"township", one.code, "02", roles(commonv1.Role_TOWNSHIP_DOCTOR), true},
		{"township2", two.code, "02", roles(commonv1.Role_TOWNSHIP_DOCTOR), true},
		{"desk", hospital, "", roles(commonv1.Role_INTAKE_DESK, commonv1.Role_BED_MANAGER), true},
		{"specialist", hospital, "0304", roles(commonv1.Role_SPECIALIST), true},
		{"head", hospital, "0304", roles(commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD), true},
		{"admin", authority, "", roles(commonv1.Role_COUNTY_ADMIN), true},
		{"village", one.code + "V01", "", roles(commonv1.Role_VILLAGE_DOCTOR), true},
		{"security", authority, "", roles(commonv1.Role_SECURITY_ADMIN), true},
		{"system", authority, "", roles(commonv1.Role_SYSTEM_ADMIN), true},
		{"auditor", authority, "", roles(commonv1.Role_AUDITOR), true},
	}
	stems := map[string]int{}
	for _, t := range p.townships {
		stem := t.login()
		if stems[stem]++; stems[stem] > 1 { // two townships that sound alike
			stem += t.code[6:] + "-"
		}
		list = append(list,
			person{stem + "1", t.code, "02", roles(commonv1.Role_TOWNSHIP_DOCTOR, commonv1.Role_CENTRE_HEAD), t.code == one.code},
			person{stem + "2", t.code, "02", roles(commonv1.Role_TOWNSHIP_DOCTOR), false})
	}
	for _, d := range hospitalDepartments() {
		for i := range d.doctors {
			list = append(list, person{d.login(i), hospital, d.code, roles(commonv1.Role_SPECIALIST), false})
		}
	}
	for i := range list {
		list[i].login = p.login(list[i].login)
	}
	return list
}

func roles(r ...commonv1.Role_Code) []commonv1.Role_Code { return r }

// login of the doctor that holds the i-th session of the department.
func (d department) login(i int) string {
	if d.code == "0304" {
		return []string{"specialist", "head"}[i%2]
	}
	return "dr" + d.code + "-" + strconv.Itoa(i%d.doctors+1)
}

// login is the bare one in the demo county.
func (p place) login(bare string) string {
	if p.code == DemoCounty {
		return bare
	}
	return bare + "." + p.code
}

// login is the pinyin of the township's name without what it is: baisha for 白沙镇.
func (t township) login() string {
	short, _ := cutKind(t.name, "街道办事处", "街道", "民族乡", "镇", "乡")
	spelt := strings.Join(pinyin.LazyConvert(short, nil), "")
	if spelt == "" {
		return "t" + t.code[6:]
	}
	return spelt[:min(len(spelt), 24)] // some are named by a whole sentence
}

// accounts as the directory takes them; names go to the people in their order.
func (p place) accounts(opt Options) []*directoryv1.AccountEntry {
	gen := newNames(p.code, opt.Seed)
	var out []*directoryv1.AccountEntry
	for i, who := range p.people() {
		out = append(out, &directoryv1.AccountEntry{
			Account: &directoryv1.Account{
				Id: id.FromFact("seed", "account", p.code, who.login), Login: who.login, Name: gen.next(), County: p.code,
				DepartmentCode: who.department, Roles: who.roles, Phone: phone(i),
				PractitionerId: p.code + "P" + strconv.Itoa(1000+i),
			},
			OrganizationCode: who.organization,
			Password:         opt.Password,
		})
	}
	return out
}

// phone has a prefix that no operator was given.
func phone(i int) string { return "120" + strconv.Itoa(10000000+i*7919) }
