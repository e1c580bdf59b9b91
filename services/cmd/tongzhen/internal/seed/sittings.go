package seed

import schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"

// sitting is a half day of a department that comes back on weekdays.
type sitting struct {
	name     string
	half     half
	weekdays []int32
	doctor   int // of the department
	kind     string
	grade    string
	minutes  int
}

// sittings of the department: in the morning the first doctor on Monday, Wednesday and Friday, as an expert where there is a second, who has the other
// days; in the afternoon they change.
func (d department) sittings() []sitting {
	if d.kind == "" {
		return nil
	}
	odd, even := []int32{1, 3, 5}, []int32{2, 4}
	whole := []int32{1, 2, 3, 4, 5}
	var out []sitting
	if d.kind == exam || d.doctors == 1 {
		out = append(out, sitting{"am", morning(), whole, 0, d.kind, "GENERAL", d.minutes})
		if d.allDay {
			out = append(out, sitting{"pm", afternoon(), whole, 0, d.kind, "GENERAL", d.minutes})
		}
	} else {
		out = append(out, sitting{"am-expert", morning(), odd, 0, d.kind, "EXPERT", d.minutes}, sitting{"am", morning(), even, 1, d.kind, "GENERAL", d.minutes})
		if d.allDay {
			out = append(out, sitting{"pm-expert", afternoon(), even, 0, d.kind, "EXPERT", d.minutes}, sitting{"pm", afternoon(), odd, 1, d.kind, "GENERAL", d.minutes})
		}
	}
	if d.code == endoscopy {
		out = append(out, sitting{"endoscopy", morning(), odd, 1, exam, "GENERAL", 30})
	}
	return out
}

// endoscopy is done by the department of gastroenterology.
const endoscopy = "0302"

// device for examinations, one a department.
type device struct {
	department, modality, name, location string
	preparation, english                 string
}

func devices() []device {
	return []device{
		{"3202", "CT", "64 排螺旋 CT", "医技楼1层CT室",
			"请取下检查部位的金属物品。做增强扫描请空腹 4 小时，并带近期肾功能结果；服用二甲双胍、有造影剂或碘过敏史者请提前告知医生。怀孕或可能怀孕者请事先说明。",
			"Remove metal objects from the part to be examined. For a scan with contrast do not eat for 4 hours and bring recent kidney results; tell the doctor of metformin and of allergies to contrast or iodine. Say beforehand if you are or may be pregnant."},
		{"3203", "MR", "1.5T 磁共振", "医技楼1层磁共振室",
			"体内有心脏起搏器、支架、人工耳蜗、动脉瘤夹或其他金属植入物者请事先说明。勿带手机、手表、钥匙、磁卡、假牙及金属饰品进入。腹部检查请空腹 6 小时。检查约需 30 分钟。",
			"Say beforehand if you have a pacemaker, stent, cochlear implant, aneurysm clip or other metal implant. Leave telephone, watch, keys, cards, dentures and jewellery outside. For the abdomen do not eat for 6 hours. It takes about 30 minutes."},
		{"3205", "US", "彩色多普勒超声", "医技楼2层超声室",
			"肝、胆、胰、脾检查请空腹 8 小时。经腹妇科、膀胱、前列腺检查请提前 1 小时饮水 800～1000 毫升，憋尿后检查。心脏、甲状腺、血管检查无须特殊准备。",
			"For liver, gall bladder, pancreas and spleen do not eat for 8 hours. For the bladder, prostate and gynaecology through the abdomen drink 800–1000 ml one hour before and do not pass water. Heart, thyroid and vessels need no preparation."},
		{endoscopy, "ES", "电子胃肠镜", "门诊楼3层内镜室",
			"胃镜：前一日晚餐吃软食，晚 8 时后禁食，检查前 4 小时禁水。肠镜：前 3 日少渣饮食，按医嘱服泻药清洁肠道。服用阿司匹林、氯吡格雷、华法林等药物者请提前告知医生，勿自行停药。请由家属陪同。",
			"Stomach: a soft supper the day before, nothing to eat after 8 in the evening, nothing to drink for 4 hours before. Bowel: food with little fibre for 3 days, and the laxative as prescribed. Tell the doctor of aspirin, clopidogrel, warfarin and the like; do not stop them yourself. Come with a relative."},
	}
}

// market is a township whose market days a specialist of the hospital visits.
type market struct {
	township int
	login    string
	pattern  schedulingv1.Pattern_Code
	digits   []int32
}

// markets, visited by two who have no clinic at that time: the first township's is on days that end in 1, 4 and 7, the third's goes by the lunar calendar (逢三六九).
func markets() []market {
	return []market{
		{1, "dr20-1", schedulingv1.Pattern_SOLAR_DIGITS, []int32{1, 4, 7}},
		{3, "dr20-2", schedulingv1.Pattern_LUNAR_DIGITS, []int32{3, 6, 9}},
	}
}
