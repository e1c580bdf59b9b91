package history

import commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"

func acute() []condition { return append(adults(), others()...) }

func adults() []condition {
	return []condition{
		{
			code: "I63", display: "脑梗死", department: "0303", weight: 10, young: 55, old: 84,
			kinds:      []share{{emergency, atOnce, 45}, {inpatient, urgent, 40}, {outpatient, routine, 15}},
			impression: "急性脑梗死", illness: "晨起左侧肢体无力、言语含糊，持续不缓解。", past: "高血压、心房颤动。", treatment: "测血压、血糖，建立静脉通路，未用抗栓药。",
			values: []value{{"stroke_suspected", 1, 0}, {"onset_hours", 2, 9}}, results: []result{glucose(5.2, 9.8), pulse(70, 104)},
			found: "头颅磁共振示右侧基底节急性梗死，颈动脉斑块形成。", done: "抗血小板、调脂、早期康复，肌力由3级恢复至4级。", next: "二级预防用药，基层康复训练，一周内随访。",
			stay: [2]int{9, 15}, down: commonv1.Kind_REHABILITATION, downPercent: 70,
			medicines: []medicine{aspirin(), {"硫酸氢氯吡格雷片", "75mg", "每次75mg，每日1次，口服"}, statin()}, advice: "左侧肢体功能训练每日两次，吞咽训练，防跌倒。",
		},
		{
			code: "R07", display: "胸痛", department: "20", weight: 7, young: 42, old: 80,
			kinds:      []share{{emergency, atOnce, 100}},
			impression: "胸痛待查 急性冠脉综合征？", illness: "突发胸骨后压榨样疼痛40分钟，伴大汗，含服硝酸甘油不缓解。", past: "高血压、吸烟。", treatment: "吸氧、心电图、阿司匹林300mg嚼服。",
			values: []value{{"chest_pain_minutes", 25, 90}, {"nitroglycerin_no_relief", 1, 0}}, results: []result{pulse(58, 116), saturation(92, 97)},
			found: "心电图下壁导联ST段抬高，肌钙蛋白升高。", done: "急诊介入开通右冠状动脉，术后平稳。", next: "双联抗血小板至少12个月，控制危险因素，一周内随访。",
			stay: [2]int{5, 9}, down: commonv1.Kind_CHRONIC, downPercent: 50,
			medicines: []medicine{aspirin(), {"替格瑞洛片", "90mg", "每次90mg，每日2次，口服"}, statin()}, advice: "心脏康复，逐步增加步行，戒烟。",
		},
		{
			code: "S72", display: "股骨骨折", department: "0403", weight: 9, young: 60, old: 88,
			kinds:      []share{{inpatient, urgent, 60}, {emergency, atOnce, 40}},
			impression: "左股骨颈骨折", illness: "行走时跌倒，左髋疼痛、不能站立3小时。", past: "骨质疏松。", treatment: "患肢制动，止痛，X线示股骨颈骨折。",
			values: []value{{"lacks_equipment", 1, 0}}, results: []result{bloodCount(96, 128), pulse(74, 98)},
			found: "骨盆CT示左股骨颈头下型骨折，凝血功能正常。", done: "人工股骨头置换术，切口甲级愈合，已下地部分负重。", next: "术后两周拆线，抗凝至术后35天，康复训练。",
			stay: [2]int{9, 14}, down: commonv1.Kind_POSTOPERATIVE, downPercent: 35,
			medicines: []medicine{{"塞来昔布胶囊", "0.2g", "每次0.2g，每日2次，口服"}, {"利伐沙班片", "15mg", "每次15mg，每日1次，口服"}}, advice: "助行器行走，防脱位体位，伤口换药每三天一次。",
		},
		{
			code: "K80", display: "胆石症", department: "0401", weight: 6, young: 32, old: 74,
			kinds:      []share{{inpatient, urgent, 55}, {outpatient, routine, 30}, {emergency, atOnce, 15}},
			impression: "胆囊结石伴急性胆囊炎", illness: "右上腹痛12小时，进油腻食物后加重，伴恶心、发热。", past: "既往体检发现胆囊结石。", treatment: "禁食、补液、抗感染。",
			values: []value{{"abdominal_pain", 1, 0}, {"lacks_equipment", 1, 0}}, results: []result{warmth(37.4, 38.8)},
			found: "腹部超声示胆囊多发结石、壁增厚。", done: "腹腔镜胆囊切除术，恢复顺利。", next: "术后一周拆线，低脂饮食。",
			stay: [2]int{5, 8}, down: commonv1.Kind_POSTOPERATIVE, downPercent: 15, medicines: []medicine{{"盐酸二甲双胍片", "0.5g", "每次0.5g，每日2次，口服"}}, advice: "伤口换药，低脂饮食一月。",
		},
		{
			code: "K92", display: "消化道出血", department: "0302", weight: 4, young: 30, old: 78,
			kinds:      []share{{emergency, atOnce, 60}, {inpatient, urgent, 40}},
			impression: "上消化道出血", illness: "黑便2天，今晨呕血一次约150ml，头晕、心慌。", past: "十二指肠溃疡史。", treatment: "禁食、奥美拉唑静注、补液。",
			values: []value{{"gi_bleeding", 1, 0}, {"sbp", 84, 98}}, results: []result{bloodCount(68, 92), pulse(100, 122)},
			found: "胃镜示十二指肠球部溃疡，Forrest IIb。", done: "内镜下止血，质子泵抑制剂治疗，未再出血。", next: "规范抗溃疡治疗六周，复查幽门螺杆菌。",
			stay: [2]int{5, 8}, down: commonv1.Kind_CHRONIC, downPercent: 20, medicines: []medicine{{"奥美拉唑肠溶胶囊", "20mg", "每次20mg，每日2次，口服"}}, advice: "避免非甾体抗炎药、饮酒。",
		},
		{
			code: "M51", display: "椎间盘疾患", department: "3203", weight: 8, young: 30, old: 70,
			kinds:      []share{{exam, routine, 100}},
			impression: "腰椎间盘突出待查", illness: "腰痛伴右下肢放射痛2月，保守治疗效果差。", past: "无特殊。", treatment: "理疗、针灸、口服止痛药。",
			values: []value{{"needs_further_examination", 1, 0}}, examination: &commonv1.Coding{Code: "MR-LUMBAR", Display: "腰椎磁共振平扫"},
			found: "腰4/5椎间盘向右后突出，压迫硬膜囊。", done: "磁共振检查。", next: "继续保守治疗，三个月无效请转骨科。", advice: "腰背肌锻炼。",
		},
		{
			code: "R91", display: "肺诊断性影像异常", department: "3202", weight: 8, young: 40, old: 76,
			kinds:      []share{{exam, routine, 85}, {exam, urgent, 15}},
			impression: "肺部阴影待查", illness: "体检胸片发现右下肺结节影，无咳嗽、咯血。", past: "吸烟20年。", treatment: "未处理。",
			values: []value{{"needs_further_examination", 1, 0}}, examination: &commonv1.Coding{Code: "CT-CHEST", Display: "胸部CT平扫"},
			found: "右下肺8mm磨玻璃结节，建议随访。", done: "胸部CT平扫。", next: "三个月后复查胸部CT。", advice: "戒烟。",
		},
	}
}

func others() []condition {
	return []condition{
		{
			code: "O14", display: "子痫前期", department: "05", weight: 5, sex: commonv1.Sex_FEMALE, young: 21, old: 40,
			kinds:      []share{{emergency, atOnce, 30}, {inpatient, urgent, 70}},
			impression: "孕34周 子痫前期", illness: "产检血压158/104mmHg，尿蛋白2+，双下肢水肿，无头痛眼花。", past: "初产妇。", treatment: "休息，拉贝洛尔口服，胎心监护正常。",
			values: []value{{"risk_orange", 1, 0}, {"sbp", 150, 168}, {"dbp", 98, 112}}, results: []result{bloodCount(96, 118), pulse(80, 100)},
			found: "胎儿超声符合孕周，血小板、肝功能正常。", done: "降压、硫酸镁解痉，血压稳定后出院待产。", next: "每周产检两次，血压超过160/110mmHg立即返院。",
			stay: [2]int{4, 8}, down: commonv1.Kind_CHRONIC, downPercent: 30, medicines: []medicine{{"盐酸拉贝洛尔片", "50mg", "每次100mg，每日3次，口服"}}, advice: "左侧卧位，自数胎动。",
		},
		{
			code: "Z35", display: "高危妊娠监督", department: "05", weight: 6, sex: commonv1.Sex_FEMALE, young: 20, old: 42,
			kinds:      []share{{outpatient, routine, 80}, {advice, routine, 20}},
			impression: "高危妊娠 孕28周", illness: "孕期糖筛异常，瘢痕子宫，拟县级医院系统产检。", past: "剖宫产一次。", treatment: "饮食指导，监测血糖。",
			values: []value{{"risk_yellow", 1, 0}}, results: []result{glucose(5.3, 6.9), bloodCount(95, 120)},
			found: "糖耐量试验符合妊娠期糖尿病，胎儿发育正常。", done: "营养处方，血糖监测方案确定。", next: "两周一次产检，基层监测血糖血压。", advice: "控制饮食，餐后散步。",
			question: "妊娠期糖尿病患者餐后血糖8.5mmol/L左右，饮食控制一周，是否需要用胰岛素？", reply: "继续饮食加运动一周，餐后2小时仍高于6.7mmol/L请转产科门诊启动胰岛素。",
		},
		{
			code: "J18", display: "肺炎", department: "07", weight: 9, young: 1, old: 12,
			kinds:      []share{{inpatient, urgent, 55}, {emergency, atOnce, 20}, {outpatient, routine, 25}},
			impression: "支气管肺炎", illness: "发热、咳嗽4天，最高39.6℃，精神差，进食少，口服抗生素无效。", past: "按时接种疫苗，无过敏。", treatment: "头孢克洛口服3天，退热、雾化。",
			values: []value{{"temperature", 39.1, 40.1}, {"spo2", 89, 94}}, results: []result{warmth(38.4, 39.8), saturation(89, 95), pulse(110, 145)},
			found: "胸片示双下肺斑片影，支原体抗体阳性。", done: "阿奇霉素序贯治疗，热退，肺部啰音消失。", next: "完成疗程，一周后基层复查。",
			stay: [2]int{5, 8}, down: commonv1.Kind_CHRONIC, downPercent: 10, medicines: []medicine{{"阿奇霉素干混悬剂", "0.1g", "每次0.2g，每日1次，口服"}}, advice: "多饮水，注意休息。",
		},
		{
			code: "H25", display: "老年性白内障", department: "10", weight: 5, young: 62, old: 86,
			kinds:      []share{{outpatient, routine, 100}},
			impression: "双眼老年性白内障", illness: "双眼视物模糊两年，渐加重，右眼明显。", past: "高血压。", treatment: "无。", values: []value{{"lacks_equipment", 1, 0}},
			found: "右眼晶状体混浊4级，视力0.1。", done: "右眼超声乳化白内障摘除加人工晶体植入。", next: "滴眼液四周，术后一周复查。", advice: "避免揉眼、用力。",
		},
		{
			code: "F20", display: "精神分裂症", department: "15", weight: 3, young: 20, old: 58,
			kinds:      []share{{outpatient, routine, 60}, {inpatient, urgent, 40}},
			impression: "精神分裂症 病情波动", illness: "自行停药两周，失眠、多疑、言语增多。", past: "精神分裂症6年。", treatment: "恢复奥氮平，家属看护。", values: []value{{"psychotic_symptoms", 1, 0}},
			found: "精神检查存在被害妄想，无冲动。", done: "恢复并调整奥氮平剂量，症状缓解。", next: "按时服药，基层每两周随访。",
			stay: [2]int{14, 24}, down: commonv1.Kind_CHRONIC, downPercent: 40, medicines: []medicine{{"奥氮平片", "5mg", "每次10mg，每晚1次，口服"}}, advice: "家属监督服药，规律作息。",
		},
	}
}

// condition draws one by its share.
func (m *maker) condition() condition {
	all := conditions()
	total := 0
	for _, c := range all {
		total += c.weight
	}
	n := m.random.IntN(total)
	for _, c := range all {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	return all[0]
}

func (m *maker) kind(c condition) share {
	n := m.random.IntN(100)
	for _, s := range c.kinds {
		if n -= s.percent; n < 0 {
			return s
		}
	}
	return c.kinds[0]
}
