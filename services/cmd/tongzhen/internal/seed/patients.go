package seed

import (
	"strconv"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// demoPatient is one invented patient. Sequence is the serial number in the identity number, odd for a man.
type demoPatient struct {
	name     string
	birth    string // YYYYMMDD
	sequence int
	township int // in the order of their codes
	village  string
	record   func(*recordBuilder)
}

func demoPatients() []demoPatient { return append(firstPatients(), morePatients()...) }

func firstPatients() []demoPatient {
	return []demoPatient{
		{"莫德昌", "19560312", 1, 1, "竹桥村", func(r *recordBuilder) {
			r.problem("I10", "高血压病 3级 很高危", 11).problem("I25", "慢性缺血性心脏病", 4).problem("E78", "高脂血症", 4)
			r.medication("C08CA01", "苯磺酸氨氯地平片 5mg", "每次5mg，每日1次，口服").
				medication("B01AC06", "阿司匹林肠溶片 100mg", "每次100mg，每日1次，口服").
				medication("C10AA05", "阿托伐他汀钙片 20mg", "每次20mg，每晚1次，口服")
			r.allergy("青霉素", "medication", "high")
			r.pressure(3, 168, 98).result(3, pulse, 88).result(20, ldl, 3.6).result(20, creatinine, 92).result(20, glucose, 5.9)
		}},
		{"黄凤莲", "19631107", 2, 1, "古板村", func(r *recordBuilder) {
			r.problem("E11", "2型糖尿病", 9).problem("I10", "高血压病 2级", 6)
			r.medication("A10BA02", "盐酸二甲双胍片 0.5g", "每次0.5g，每日3次，餐中口服").
				medication("C09CA01", "氯沙坦钾片 50mg", "每次50mg，每日1次，口服")
			r.allergy("磺胺类", "medication", "low")
			r.pressure(5, 152, 90).result(5, glucose, 11.8).result(12, hba1c, 9.4).result(12, creatinine, 104).result(12, potassium, 4.6)
		}},
		{"李欣瑜", "19880229", 14, 3, "渔村", func(r *recordBuilder) {
			r.problem("O24", "妊娠期糖尿病", 0).problem("Z34", "正常妊娠监督", 0)
			r.pressure(7, 126, 82).result(7, glucose, 6.4).result(7, haemoglobin, 104).result(7, weight, 71.5)
		}},
		{"秦朵朵", "20190705", 8, 3, "思的村", func(r *recordBuilder) {
			r.problem("J45", "支气管哮喘", 1)
			r.medication("R03BA02", "布地奈德吸入混悬液 1mg", "每次1mg，每日2次，雾化吸入")
			r.allergy("尘螨", "environment", "low").allergy("花生", "food", "high")
			r.result(2, temperature, 38.4).result(2, oxygen, 95).result(2, whiteCells, 12.6).result(2, weight, 22)
		}},
		{"覃运来", "19490820", 3, 0, "骥马村", func(r *recordBuilder) {
			r.problem("J44", "慢性阻塞性肺疾病", 8).problem("I27", "慢性肺源性心脏病", 2)
			r.medication("R03BB04", "噻托溴铵粉吸入剂 18μg", "每次18μg，每日1次，吸入").
				medication("C03CA01", "呋塞米片 20mg", "每次20mg，每日1次，口服")
			r.pressure(1, 138, 84).result(1, oxygen, 89).result(1, pulse, 104).result(1, temperature, 37.8).result(9, whiteCells, 11.2)
		}},
		{"陈桂花", "19710516", 22, 2, "夏村", func(r *recordBuilder) {
			r.problem("N18", "慢性肾脏病 4期", 5).problem("I10", "高血压病 3级", 7).problem("D63", "肾性贫血", 2)
			r.medication("C08CA01", "苯磺酸氨氯地平片 5mg", "每次10mg，每日1次，口服").
				medication("B03BA", "叶酸片 5mg", "每次5mg，每日3次，口服")
			r.pressure(4, 160, 94).result(15, creatinine, 312).result(15, egfr, 17).result(15, potassium, 5.4).result(15, haemoglobin, 86)
		}},
	}
}

func morePatients() []demoPatient {
	return []demoPatient{
		{"廖志明", "19680102", 11, 4, "葡萄村", func(r *recordBuilder) {
			r.problem("I63", "脑梗死", 0).problem("I69", "脑血管病后遗症", 0).problem("I48", "心房颤动", 3)
			r.medication("B01AC04", "硫酸氢氯吡格雷片 75mg", "每次75mg，每日1次，口服").
				medication("C07AB02", "酒石酸美托洛尔片 25mg", "每次25mg，每日2次，口服").
				medication("C10AA05", "阿托伐他汀钙片 20mg", "每次20mg，每晚1次，口服")
			r.pressure(6, 146, 88).result(6, pulse, 96).result(25, ldl, 2.1)
		}},
		{"韦水生", "19780930", 19, 5, "凤楼村", func(r *recordBuilder) {
			r.problem("S82", "小腿骨折（术后）", 0)
			r.allergy("头孢菌素类", "medication", "high")
			r.pressure(2, 128, 80).result(2, pulse, 82).result(2, haemoglobin, 121)
		}},
		{"唐雪芳", "19930614", 26, 6, "大利村", func(r *recordBuilder) {
			r.problem("E05", "甲状腺毒症", 1)
			r.medication("H03BB02", "甲巯咪唑片 10mg", "每次10mg，每日1次，口服")
			r.pressure(8, 118, 70).result(8, pulse, 112).result(8, weight, 49.5)
		}},
		{"梁永福", "19450408", 5, 7, "留村", func(r *recordBuilder) {
			r.problem("C34", "肺恶性肿瘤", 1).problem("R52", "癌性疼痛", 0)
			r.medication("N02AA01", "硫酸吗啡缓释片 10mg", "每次10mg，每12小时1次，口服")
			r.pressure(3, 112, 68).result(3, weight, 48).result(10, haemoglobin, 98)
		}},
		{"周建军", "19850721", 31, 8, "浪石村", func(r *recordBuilder) {
			r.problem("F20", "精神分裂症", 7)
			r.medication("N05AH03", "奥氮平片 5mg", "每次10mg，每晚1次，口服")
			r.pressure(30, 124, 78).result(30, glucose, 5.6).result(30, weight, 83)
		}},
		{"蒋美玲", "19590925", 28, 1, "旧县村", func(r *recordBuilder) {
			r.problem("I50", "心力衰竭", 2).problem("I11", "高血压性心脏病", 6).problem("M17", "膝关节病", 5)
			r.medication("C03CA01", "呋塞米片 20mg", "每次20mg，每日1次，口服").
				medication("C09AA02", "马来酸依那普利片 10mg", "每次10mg，每日2次，口服").
				medication("C03DA01", "螺内酯片 20mg", "每次20mg，每日1次，口服")
			r.allergy("海虾", "food", "low")
			r.pressure(2, 150, 86).result(2, pulse, 98).result(2, oxygen, 93).result(18, creatinine, 118).result(18, potassium, 3.4)
		}},
	}
}

// IdentityNumber of GB 11643 with region 990122, which is not assigned: never that of a real person.
func IdentityNumber(birth string, sequence int) string {
	n := strconv.Itoa(1000 + sequence)[1:]
	body := "990122" + birth + n
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(body[i]-'0') * weight
	}
	return body + "10X98765432"[sum%11:sum%11+1]
}

// age in years on the day of asOf of somebody born on a day (YYYYMMDD).
func age(birth string, asOf time.Time) int {
	day, err := strconv.Atoi(birth)
	if err != nil {
		return 0
	}
	y, m, d := asOf.In(beijing()).Date()
	return (y*10000 + int(m)*100 + d - day) / 10000
}

const sourceSystem = "urn:tongzhen:demo"

// patients as patient-record takes them. Dates of the record are counted back from asOf.
func (p place) patients(asOf time.Time) []*patientrecordv1.ImportRecordRequest {
	var out []*patientrecordv1.ImportRecordRequest
	for i, d := range demoPatients() {
		home := p.nth(d.township)
		identity := sourceSystem + ":" + p.code + ":patient:" + strconv.Itoa(i+1)
		sex := commonv1.Sex_FEMALE
		if d.sequence%2 == 1 {
			sex = commonv1.Sex_MALE
		}
		r := &recordBuilder{identity: identity, asOf: asOf, male: sex == commonv1.Sex_MALE, age: age(d.birth, asOf), laboratory: p.organizationID(p.code + "H01")}
		d.record(r)
		out = append(out, &patientrecordv1.ImportRecordRequest{
			County: p.code, OrganizationId: p.organizationID(home.code), SourceSystem: sourceSystem, PatientIdentity: identity,
			Patient: &patientrecordv1.Patient{
				Name: d.name, Sex: sex, BirthDate: d.birth[:4] + "-" + d.birth[4:6] + "-" + d.birth[6:],
				DocumentType:   patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD,
				IdentityNumber: IdentityNumber(d.birth, d.sequence), Phone: phone(1000 + i),
				Address: p.above + p.name + home.name + d.village + strconv.Itoa(3*i+1) + "号", Village: d.village,
				HealthRecordNumber: home.code + "001" + strconv.Itoa(100001 + i)[1:],
			},
			Entries: r.entries,
		})
	}
	return out
}
