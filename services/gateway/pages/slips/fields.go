package slips

// A field is one place of the printed forms, in their order: what stands before and after it on paper.
type field struct {
	// Code is the field's in the list of the national forms.
	Code          string
	Before, After string
	// Block is a field with a paragraph of its own.
	Block bool
	// Break begins a new line.
	Break bool
	// Hand is filled in by hand.
	Hand bool
}

// form is one kind of slip: the stub (存根) stays with the sender, the slip goes with the patient. The order and the wording are those of the
// national forms (国家基本公共卫生服务规范 第三版, 双向转诊单).
type form struct {
	Heading, StubHeading string
	Stub, Slip           []field
}

// out is 双向转诊（转出）单.
func out() form {
	return form{
		Heading: "双向转诊（转出）单", StubHeading: "存　根",
		Stub: []field{
			{Code: "stub.patient_name", Before: "患者姓名"},
			{Code: "stub.sex", Before: "性别"},
			{Code: "stub.age", Before: "年龄"},
			{Code: "stub.health_record_no", Before: "档案编号"},
			{Code: "stub.home_address", Before: "家庭住址", Break: true},
			{Code: "stub.phone", Before: "联系电话"},
			{Code: "stub.date", Before: "于", After: "因病情需要，", Break: true},
			{Code: "stub.to_org", Before: "转入", After: "单位"},
			{Code: "stub.to_dept", After: "科室"},
			{Code: "stub.to_doctor", After: "接诊医生。"},
			{Code: "stub.referring_doctor_sign", Before: "转诊医生（签字）：", Break: true, Hand: true},
			{Code: "stub.sign_date"},
		},
		Slip: []field{
			{Code: "out.addressee", After: "（机构名称）："},
			{Code: "out.patient_name", Before: "现有患者", Break: true},
			{Code: "out.sex", Before: "性别"},
			{Code: "out.age", Before: "年龄", After: "因病情需要，需转入贵单位，请予以接诊。"},
			{Code: "out.initial_impression", Before: "初步印象：", Block: true},
			{Code: "out.present_illness", Before: "主要现病史（转出原因）：", Block: true},
			{Code: "out.past_history", Before: "主要既往史：", Block: true},
			{Code: "out.treatment", Before: "治疗经过：", Block: true},
			{Code: "out.referring_doctor_sign", Before: "转诊医生（签字）：", Break: true, Hand: true},
			{Code: "out.referring_phone", Before: "联系电话：", Break: true},
			{Code: "out.from_org", After: "（机构名称）（盖章）", Break: true},
			{Code: "out.date", Break: true},
		},
	}
}

// back is 双向转诊（回转）单. Its stub has no department, its sentence neither sex nor age; what is kept as three fields is one on paper.
func back() form {
	return form{
		Heading: "双向转诊（回转）单", StubHeading: "存　根",
		Stub: []field{
			{Code: "stub.patient_name", Before: "患者姓名"},
			{Code: "stub.sex", Before: "性别"},
			{Code: "stub.age", Before: "年龄"},
			{Code: "stub.medical_record_no", Before: "病案号"},
			{Code: "stub.home_address", Before: "家庭住址", Break: true},
			{Code: "stub.phone", Before: "联系电话"},
			{Code: "stub.date", Before: "于", After: "因病情需要，", Break: true},
			{Code: "stub.to_org", Before: "转回", After: "单位"},
			{Code: "stub.to_doctor", After: "接诊医生。"},
			{Code: "stub.referring_doctor_sign", Before: "转诊医生（签字）：", Break: true, Hand: true},
			{Code: "stub.sign_date"},
		},
		Slip: []field{
			{Code: "back.addressee", After: "（机构名称）："},
			{Code: "back.patient_name", Before: "现有患者", After: "因病情需要，现转回贵单位，请予以接诊。", Break: true},
			{Code: "back.diagnosis", Before: "诊断结果：", Block: true},
			{Code: "back.inpatient_no", Before: "住院病案号：", Block: true},
			{Code: "back.exam_results", Before: "主要检查结果：", Block: true},
			{Code: "back.treatment_plan", Before: "治疗经过、下一步治疗方案及康复建议：", Block: true},
			{Code: "back.referring_doctor_sign", Before: "转诊医生（签字）：", Break: true, Hand: true},
			{Code: "back.referring_phone", Before: "联系电话：", Break: true},
			{Code: "back.from_org", After: "（机构名称）（盖章）", Break: true},
			{Code: "back.date", Break: true},
		},
	}
}

// A choice is a box to tick, by the system or by hand.
type choice struct {
	Text   string
	Ticked bool
}

// notices are what the patient is told (患者须知). Suggested here.
func notices() []string {
	return []string{
		"请携带本单、身份证（或户口簿）、医保凭证及既往检查资料，在转诊时限内到接收机构就诊。",
		"途中病情加重或出现危险情况，请立即拨打 120，就近就医；急诊先救治，后补手续。",
		"床位和号源可能变动，以接收机构通知为准；不能按时就诊请联系转诊医生。",
		"扫描二维码可核验本单真伪；核验页面不显示病情。",
	}
}
