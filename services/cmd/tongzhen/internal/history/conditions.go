package history

import (
	"slices"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
)

// condition is why somebody is sent up, with the words that are written on the way and what the county makes of it.
type condition struct {
	code, display, department string
	// weight is the share among what is sent; kinds are drawn by theirs.
	weight      int
	kinds       []share
	sex         commonv1.Sex_Code // or UNSPECIFIED
	young, old  int               // years
	impression  string
	illness     string
	past        string
	treatment   string
	values      []value
	results     []result
	found       string // by the county
	done        string
	next        string
	medicines   []medicine
	stay        [2]int // days on a ward
	down        commonv1.Kind_Code
	downPercent int // of those who had a stay, where the county's criteria do not find them
	advice      string
	examination *commonv1.Coding
	question    string // of an ADVICE
	reply       string // to it
}

type share struct {
	kind    commonv1.Kind_Code
	urgency commonv1.Urgency_Code
	percent int
}

// value is what the doctor finds, for the criteria: a number between two, or a finding (high = 0).
type value struct {
	name      string
	low, high float64
}

// result is what a laboratory or the centre measured.
type result struct {
	code, name, unit string
	low, high        float64
	vital            bool
}

type medicine struct{ name, specification, dosage string }

const (
	outpatient = commonv1.Kind_OUTPATIENT
	inpatient  = commonv1.Kind_INPATIENT
	emergency  = commonv1.Kind_EMERGENCY
	exam       = commonv1.Kind_EXAM
	advice     = commonv1.Kind_ADVICE

	routine = commonv1.Urgency_ROUTINE
	urgent  = commonv1.Urgency_URGENT
	atOnce  = commonv1.Urgency_EMERGENCY

	oneDay = 24 * time.Hour
)

func glucose(low, high float64) result {
	return result{"1558-6", "空腹血糖", "mmol/L", low, high, false}
}
func hba1c(low, high float64) result {
	return result{"4548-4", "糖化血红蛋白", "%", low, high, false}
}
func creatinine(low, high float64) result {
	return result{"2160-0", "肌酐", "umol/L", low, high, false}
}
func saturation(low, high float64) result {
	return result{"2708-6", "血氧饱和度", "%", low, high, true}
}
func pulse(low, high float64) result  { return result{"8867-4", "心率", "/min", low, high, true} }
func warmth(low, high float64) result { return result{"8310-5", "体温", "Cel", low, high, true} }
func bloodCount(low, high float64) result {
	return result{"718-7", "血红蛋白", "g/L", low, high, false}
}

func amlodipine() medicine {
	return medicine{"苯磺酸氨氯地平片", "5mg", "每次5mg，每日1次，口服"}
}
func aspirin() medicine {
	return medicine{"阿司匹林肠溶片", "100mg", "每次100mg，每日1次，口服"}
}
func statin() medicine {
	return medicine{"阿托伐他汀钙片", "20mg", "每次20mg，每晚1次，口服"}
}

func conditions() []condition { return slices.Concat(common(), chronic(), acute()) }

func common() []condition {
	return []condition{
		{
			code: "I10", display: "原发性高血压", department: "0304", weight: 16, young: 45, old: 82,
			kinds:      []share{{outpatient, routine, 55}, {outpatient, urgent, 12}, {inpatient, urgent, 18}, {advice, routine, 15}},
			impression: "高血压病3级 很高危", illness: "反复头晕、头胀半年，加重3天，规律服药后血压仍高，活动后胸闷，无胸痛。",
			past: "高血压病史10年，无糖尿病，无药物过敏。", treatment: "氨氯地平5mg每日1次联合氯沙坦50mg每日1次，监测血压3天控制不佳。",
			values: []value{{"sbp", 168, 192}, {"dbp", 96, 112}, {"severe_dizziness", 1, 0}}, results: []result{pulse(72, 96), creatinine(68, 118), glucose(4.8, 6.4)},
			found: "超声心动图示左室肥厚；动态血压24小时均值158/94mmHg；肾功能、电解质正常。", done: "调整为氨氯地平、缬沙坦、吲达帕胺联合降压，血压降至134/82mmHg。",
			next: "继续三联降压，每周测血压，两周后基层复诊。", stay: [2]int{4, 8}, down: commonv1.Kind_CHRONIC, downPercent: 60,
			medicines: []medicine{amlodipine(), {"缬沙坦胶囊", "80mg", "每次80mg，每日1次，口服"}, {"吲达帕胺片", "2.5mg", "每次2.5mg，每日1次，口服"}},
			advice:    "低盐饮食，每日步行30分钟，家庭自测血压并记录。",
			question:  "三种降压药足量后血压仍在160/95mmHg左右，是否需要上转查继发原因？", reply: "建议先查血钾、肾素醛固酮和肾动脉超声，加螺内酯20mg每日1次，两周后仍不达标请转心内科门诊。",
		},
		{
			code: "E11", display: "2型糖尿病", department: "0307", weight: 13, young: 40, old: 78,
			kinds:      []share{{outpatient, routine, 60}, {inpatient, urgent, 25}, {advice, routine, 15}},
			impression: "2型糖尿病 血糖控制不佳", illness: "多饮、多尿、乏力1月，空腹血糖11至15mmol/L，口服药调整两次仍不达标。",
			past: "2型糖尿病8年，高血压5年。", treatment: "二甲双胍0.5g每日3次联合格列美脲2mg每日1次，饮食指导。",
			values: []value{{"not_at_target_3_months", 1, 0}, {"glucose", 11, 17.5}}, results: []result{glucose(10.5, 16.8), hba1c(8.6, 11.4), creatinine(70, 126)},
			found: "糖化血红蛋白9.8%，尿微量白蛋白轻度升高，眼底未见出血，无酮症。", done: "甘精胰岛素起始12单位睡前皮下注射，联合二甲双胍、达格列净，空腹血糖降至7.2mmol/L。",
			next: "继续基础胰岛素，空腹血糖目标7mmol/L以下，两周后复诊。", stay: [2]int{6, 10}, down: commonv1.Kind_CHRONIC, downPercent: 60,
			medicines: []medicine{
				{"盐酸二甲双胍片", "0.5g", "每次0.5g，每日3次，餐中口服"}, {"达格列净片", "10mg", "每次10mg，每日1次，口服"},
				{"甘精胰岛素注射液", "3ml:300单位", "每晚睡前14单位，皮下注射"},
			},
			advice: "糖尿病饮食，规律运动，学会自测血糖和低血糖处理。", question: "老年患者基础胰岛素如何起始和调整剂量？", reply: "从0.1单位/公斤起，每3天按空腹血糖调整2单位，防低血糖；糖化仍高于9%请转内分泌科门诊。",
		},
	}
}

func chronic() []condition {
	return []condition{
		{
			code: "J44", display: "慢性阻塞性肺疾病", department: "0301", weight: 10, young: 58, old: 86,
			kinds:      []share{{inpatient, urgent, 50}, {emergency, atOnce, 18}, {outpatient, routine, 32}},
			impression: "慢性阻塞性肺疾病急性加重", illness: "咳嗽、咳黄痰、气促加重5天，夜间不能平卧，抗感染3天无明显好转。",
			past: "慢阻肺9年，吸烟40年。", treatment: "头孢呋辛静滴3天，布地奈德雾化，低流量吸氧。",
			values: []value{{"spo2", 86, 91}, {"resp_rate", 24, 32}, {"initial_treatment_failed", 1, 0}}, results: []result{saturation(85, 92), warmth(36.8, 38.6), pulse(88, 112)},
			found: "胸部CT示慢支、肺气肿伴右下肺感染；血气PaO2 58mmHg。", done: "抗感染、雾化、低流量氧疗，症状缓解，血氧饱和度95%。",
			next: "长期吸入维持，戒烟，接种流感疫苗，一周内基层随访。", stay: [2]int{7, 12}, down: commonv1.Kind_CHRONIC, downPercent: 50,
			medicines: []medicine{{"噻托溴铵粉吸入剂", "18μg", "每次18μg，每日1次，吸入"}, {"布地奈德福莫特罗吸入粉雾剂", "160μg/4.5μg×60吸", "每次1吸，每日2次，吸入"}},
			advice:    "缩唇呼吸训练，家庭氧疗每日15小时，戒烟。",
		},
		{
			code: "I25", display: "慢性缺血性心脏病", department: "0304", weight: 9, young: 50, old: 80,
			kinds:      []share{{outpatient, routine, 60}, {inpatient, urgent, 40}},
			impression: "冠心病 稳定型心绞痛", illness: "活动后胸骨后闷痛2月，每次3至5分钟，休息可缓解，近一周次数增多。",
			past: "高血压、高脂血症。", treatment: "阿司匹林、阿托伐他汀、单硝酸异山梨酯，院内心电图ST段轻度压低。",
			values: []value{{"needs_coronary_evaluation", 1, 0}, {"angina_worse", 1, 0}}, results: []result{pulse(62, 88), glucose(4.9, 6.8), creatinine(70, 110)},
			found: "冠脉CT示前降支中段狭窄50%至60%，左室射血分数58%。", done: "双联抗血小板、强化他汀、β受体阻滞剂，症状缓解。",
			next: "规律服药，一月后复查血脂和肝功能，胸痛加重立即就诊。", stay: [2]int{4, 7}, down: commonv1.Kind_CHRONIC, downPercent: 60,
			medicines: []medicine{aspirin(), {"替格瑞洛片", "90mg", "每次90mg，每日2次，口服"}, statin(), {"琥珀酸美托洛尔缓释片", "47.5mg", "每次47.5mg，每日1次，口服"}},
			advice:    "低脂饮食，避免劳累和受凉，随身带硝酸甘油。",
		},
		{
			code: "N18", display: "慢性肾脏病", department: "0306", weight: 5, young: 42, old: 76,
			kinds:      []share{{outpatient, routine, 70}, {inpatient, urgent, 30}},
			impression: "慢性肾脏病4期", illness: "乏力、夜尿增多3月，复查肌酐进行性升高，双下肢轻度水肿。",
			past: "高血压12年。", treatment: "低盐低蛋白饮食，控制血压。", values: []value{{"egfr", 17, 29}, {"potassium", 4.6, 5.4}},
			results: []result{creatinine(210, 330), bloodCount(86, 108)}, found: "肾脏超声示双肾缩小、皮质回声增强，血红蛋白92g/L。", done: "调整降压方案，纠正贫血与代谢性酸中毒。",
			next: "每月复查肾功能、血钾，避免肾毒性药物。", stay: [2]int{5, 9}, down: commonv1.Kind_CHRONIC, downPercent: 40,
			medicines: []medicine{amlodipine(), {"呋塞米片", "20mg", "每次20mg，每日1次，口服"}}, advice: "优质低蛋白饮食，记录体重和尿量。",
		},
		{
			code: "C34", display: "支气管和肺恶性肿瘤", department: "19", weight: 3, young: 52, old: 78,
			kinds:      []share{{outpatient, routine, 60}, {inpatient, urgent, 40}},
			impression: "右肺占位 肺癌待查", illness: "咳嗽、痰中带血1月，消瘦5公斤。", past: "吸烟30年。", treatment: "抗感染一周无好转，胸片示右上肺团块影。",
			values: []value{{"needs_further_examination", 1, 0}}, results: []result{bloodCount(98, 122)}, found: "胸部增强CT及穿刺病理示肺腺癌。", done: "明确分期，完成一周期治疗，止痛方案确定。",
			next: "三周后回院，期间基层观察血象和疼痛。", stay: [2]int{8, 14}, down: commonv1.Kind_PALLIATIVE, downPercent: 40,
			medicines: []medicine{{"硫酸吗啡缓释片", "10mg", "每次10mg，每12小时1次，口服"}}, advice: "营养支持，疼痛评分每日记录。",
		},
	}
}
