package seed

// department of the county hospital. Codes are those of 医疗机构诊疗科目名录.
type department struct {
	code, name, nameEn, location string
	beds                         int
	// doctors hold the sessions, in turn. 0: no sessions.
	doctors int
	kind    string // of the sessions
	minutes int    // of one slot
	allDay  bool   // also in the afternoon
}

// phone is kept for the department at which emergencies are told.
func (d department) phone() string {
	if d.code != "20" {
		return ""
	}
	return "0000-8820119"
}

const (
	clinic = "CLINIC"
	exam   = "EXAM"
)

func hospitalDepartments() []department {
	return []department{
		{"20", "急诊医学科", "Emergency", "急诊楼1层", 12, 2, "", 0, false},
		{"0301", "呼吸内科", "Respiratory Medicine", "门诊楼3层东", 40, 2, clinic, 20, true},
		{"0302", "消化内科", "Gastroenterology", "门诊楼3层西", 36, 2, clinic, 20, true},
		{"0303", "神经内科", "Neurology", "门诊楼3层东", 42, 2, clinic, 20, true},
		{"0304", "心血管内科", "Cardiology", "门诊楼3层西", 45, 0, clinic, 20, true},
		{"0306", "肾病内科", "Nephrology", "门诊楼3层东", 24, 1, clinic, 20, false},
		{"0307", "内分泌科", "Endocrinology", "门诊楼3层西", 28, 2, clinic, 20, true},
		{"0401", "普通外科", "General Surgery", "门诊楼4层东", 40, 2, clinic, 15, true},
		{"0402", "神经外科", "Neurosurgery", "门诊楼4层东", 24, 1, clinic, 20, false},
		{"0403", "骨科", "Orthopaedics", "门诊楼4层西", 45, 2, clinic, 15, true},
		{"0404", "泌尿外科", "Urology", "门诊楼4层西", 22, 1, clinic, 15, false},
		{"05", "妇产科", "Obstetrics and Gynaecology", "门诊楼2层东", 40, 2, clinic, 15, true},
		{"07", "儿科", "Paediatrics", "门诊楼2层西", 36, 2, clinic, 15, true},
		{"10", "眼科", "Ophthalmology", "门诊楼5层东", 12, 1, clinic, 15, false},
		{"11", "耳鼻咽喉科", "Otorhinolaryngology", "门诊楼5层东", 12, 1, clinic, 15, false},
		{"15", "精神科", "Psychiatry", "门诊楼5层西", 20, 1, clinic, 20, false},
		{"17", "结核病科", "Tuberculosis", "感染楼1层", 16, 1, clinic, 20, false},
		{"19", "肿瘤科", "Oncology", "门诊楼5层西", 30, 1, clinic, 20, false},
		{"21", "康复医学科", "Rehabilitation", "康复楼1层", 40, 1, clinic, 20, true},
		{"28", "重症医学科", "Intensive Care", "住院楼2层", 12, 1, "", 0, false},
		{"30", "医学检验科", "Laboratory", "门诊楼1层东", 0, 0, "", 0, false},
		{"32", "医学影像科", "Medical Imaging", "医技楼1层", 0, 0, "", 0, false},
		{"3202", "CT室", "CT", "医技楼1层CT室", 0, 1, exam, 15, true},
		{"3203", "磁共振室", "MRI", "医技楼1层磁共振室", 0, 1, exam, 30, true},
		{"3205", "超声科", "Ultrasound", "医技楼2层超声室", 0, 1, exam, 15, true},
		{"50", "中医科", "Traditional Chinese Medicine", "门诊楼5层西", 30, 1, clinic, 15, true},
	}
}

// centreDepartments are those of a township centre.
func centreDepartments() []department {
	return []department{
		{code: "02", name: "全科医疗科", nameEn: "General Practice", location: "门诊1层", beds: 20},
		{code: "01", name: "预防保健科", nameEn: "Prevention and Health Care", location: "公卫楼1层"},
		{code: "21", name: "康复医学科", nameEn: "Rehabilitation", location: "门诊2层"},
		{code: "50", name: "中医科", nameEn: "Traditional Chinese Medicine", location: "门诊1层"},
	}
}
