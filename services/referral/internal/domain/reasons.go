package domain

import "slices"

// Reason is one entry of a pick list: administrators count the codes, people read the words.
type Reason struct {
	Code, Text, TextEn string
	NoteRequired       bool
	// Only names the direction whose lists show it; empty: all. What was chosen is valid whatever the direction.
	Only Direction
}

// Reasons lists the reasons of an action in the order shown; nil if the action carries none.
func Reasons(a Action) []Reason {
	list, ok := answerReasons()[a]
	if !ok {
		list, ok = afterwardsReasons()[a]
	}
	if !ok {
		return nil
	}
	return append(list, Reason{"OTHER", "其他", "Other", true, ""})
}

// ReasonsFor are those that a list for a direction shows.
func ReasonsFor(a Action, d Direction) []Reason {
	return slices.DeleteFunc(Reasons(a), func(r Reason) bool { return r.Only != "" && r.Only != d })
}

// checkReason refuses what no county can have. Whether a county made an own code is looked up before, by [ReasonSettings.Knows].
func checkReason(a Action, code, note string) []Field {
	if code == "" {
		return []Field{required("reasonCode")}
	}
	list := Reasons(a)
	i := slices.IndexFunc(list, func(r Reason) bool { return r.Code == CountsAs(code) })
	switch {
	case i < 0 || isOwn(code) && !slices.Contains(ReasonedActions(), a):
		return []Field{unknown("reasonCode")}
	case noteRequired(list[i], code) && note == "":
		return []Field{required("note")}
	}
	return nil
}

// noteRequired: an own reason under OTHER says itself what it is; any other needs a note as the one that it counts as.
func noteRequired(r Reason, code string) bool {
	return r.NoteRequired && (r.Code != always || !isOwn(code))
}

// answerReasons are those of answers and of taking back. The words follow the reason dictionaries in use at county and provincial referral
// portals; OTHER ends every list.
func answerReasons() map[Action][]Reason {
	return map[Action][]Reason{
		ActionReturn: {
			{"MISSING_HISTORY", "病史不完整", "History incomplete", false, Up},
			{"MISSING_RESULTS", "缺少检查检验结果", "Test results missing", false, ""},
			{"MISSING_TREATMENT", "未填写治疗经过", "Treatment so far missing", false, Up},
			{"DIAGNOSIS_UNCLEAR", "初步诊断不明确", "Diagnosis unclear", false, Up},
			{"MISSING_CONSENT", "缺少知情同意", "Consent missing", false, ""},
			{"WRONG_PATIENT_DATA", "患者信息有误", "Patient's data wrong", true, ""},
			{"WRONG_KIND", "转诊类型或紧急程度不当", "Kind or urgency not right", true, Up},
			{"MISSING_PLAN", "下一步治疗方案或康复建议不清楚", "Plan or advice unclear", false, Down},
			{"MISSING_MEDICINE", "用药未落实", "Medicines not settled", false, Down},
		},
		ActionDecline: {
			{"NO_BED", "暂无床位", "No bed", false, ""},
			{"NO_CAPACITY", "号源已满，近期无法接诊", "No capacity soon", false, Up},
			{"TREAT_LOCALLY", "可在基层诊治", "Can be treated locally", true, Up},
			{"WRONG_DEPARTMENT", "科室不符", "Wrong department", false, Up},
			{"NOT_OUR_SCOPE", "超出本院诊疗能力", "Beyond this hospital", true, Up},
			{"DUPLICATE", "重复转诊", "Duplicate", false, ""},
			{"PATIENT_ELSEWHERE", "患者已在他院就诊", "Patient already treated elsewhere", false, ""},
			{"NO_MEDICINE", "本院缺药", "A medicine is lacking", false, Down},
			{"NO_CAPABILITY", "不具备康复或照护条件", "No means for this care", false, Down},
			{"NOT_STABLE", "病情尚不稳定", "Not stable enough", false, Down},
			{"LIVES_ELSEWHERE", "患者不在本辖区", "Lives elsewhere", false, Down},
		},
		ActionRedirect: {
			{"WRONG_DEPARTMENT", "科室不符，转相应科室", "Wrong department", false, Up},
			{"NO_BED", "本科室无床位", "No bed here", false, ""},
			{"NO_CAPACITY", "本科室号源已满", "No capacity here", false, Up},
			{"BETTER_EQUIPPED", "他处更具救治条件", "Better equipped elsewhere", false, ""},
			{"NEARER", "就近就诊", "Nearer to the patient", false, ""},
			{"LIVES_ELSEWHERE", "患者居住地属其他乡镇", "Lives in another township", false, Down},
		},
		ActionCancel: {
			{"PATIENT_DECLINED", "患者或家属放弃转诊", "Patient or family declined", false, ""},
			{"PATIENT_IMPROVED", "病情好转，无需转诊", "Patient better", false, Up},
			{"PATIENT_WENT_ELSEWHERE", "患者自行前往他院", "Patient went elsewhere", false, ""},
			{"PATIENT_DIED", "患者死亡", "Patient died", false, ""},
			{"DUPLICATE", "重复转诊", "Duplicate", false, ""},
			{"ENTERED_IN_ERROR", "填写错误", "Entered in error", false, ""},
			{"PATIENT_WORSE", "病情变化，暂不下转", "Patient worse", false, Down},
		},
	}
}

// afterwardsReasons are those of what is recorded, undone, corrected and not done.
func afterwardsReasons() map[Action][]Reason {
	return map[Action][]Reason{
		MarkMoved:     cancelledReasons(),
		MarkDisplaced: cancelledReasons(),
		ActionRecordArrival: {
			{"PHONE", "电话联系后前来", "Called before", false, ""},
			{"WECHAT", "微信联系后前来", "Written to before", false, ""},
			{"PAPER", "持纸质转诊单前来", "Came with a paper slip", false, ""},
			{"SELF", "自行前来", "Came alone", false, ""},
			{"AMBULANCE", "120 直接送来", "Brought by ambulance", false, ""},
		},
		ActionRecordOut: {
			{"BEYOND_COUNTY", "超出县域诊疗能力", "Beyond the county's hospitals", false, ""},
			{"NO_BED", "县内无床位", "No bed in the county", false, ""},
			{"DIAGNOSIS_UNCLEAR", "诊断不明需上级确诊", "Diagnosis needs a higher hospital", false, ""},
			{"PATIENT_REQUEST", "患者或家属要求", "Patient or family asked", false, ""},
			{"LIVES_ELSEWHERE", "居住地在县外", "Lives outside", false, ""},
		},
		MarkCorrect: {
			{"TYPING_ERROR", "录入错误", "Typing error", false, ""},
			{"WRONG_PATIENT_DATA", "患者信息有误", "Patient's data wrong", false, ""},
			{"NEW_RESULT", "结果更新", "New result", false, ""},
			{"DIAGNOSIS_REVISED", "诊断修正", "Diagnosis revised", false, ""},
		},
		DismissRegistration: {
			{"NOT_SENT", "自行就诊，无人转诊", "Came alone, nobody sent the patient", false, ""},
			{"PART_OF_EARLIER", "与已有转诊是同一次就诊", "Part of a referral that is known", false, ""},
			{"ENTERED_IN_ERROR", "医院登记有误", "The hospital's registration is wrong", false, ""},
		},
		DismissCandidate: {
			{stillUnstable, "病情尚不稳定", "Not stable yet", false, ""},
			{needsSpecialist, "仍需专科治疗", "Still needs a specialist", false, ""},
			{"PATIENT_DECLINES", "患者或家属不愿下转", "Patient or family declines", false, ""},
			{"TOWNSHIP_CANNOT", "基层不具备条件", "The centre cannot take care of it", false, ""},
			{"NO_MEDICINE", "基层缺少所需药品", "The centre lacks the medicines", false, ""},
			{"LIVES_ELSEWHERE", "居住地不在本县", "Lives outside the county", false, ""},
			{"DIED", "患者死亡", "Died", false, ""},
			{"ALREADY_FOLLOWED", "基层已在管理", "The township follows up already", false, ""},
			{noStay, "住院记录有误或已撤销", "The stay was entered in error", false, ""},
		},
		ActionUndoArrive: {
			{"WRONG_PATIENT", "登记错患者", "Wrong patient", false, ""},
			{"NOT_YET_ARRIVED", "患者尚未到达", "Not here yet", false, ""},
			{"ENTERED_IN_ERROR", "操作失误", "Entered in error", false, ""},
		},
		ActionUndoAdmit: {
			{"WRONG_PATIENT", "登记错患者", "Wrong patient", false, ""},
			{"PATIENT_LEFT", "患者未办理住院", "Patient did not stay", false, ""},
			{"ENTERED_IN_ERROR", "操作失误", "Entered in error", false, ""},
		},
	}
}

// cancelledReasons are why a session was cancelled, as scheduling tells them.
func cancelledReasons() []Reason {
	return []Reason{
		{"HOLIDAY", "节假日停诊", "Public holiday", false, ""},
		{"LEAVE", "医生请假", "The doctor is on leave", false, ""},
		{"TRAINING", "医生外出学习或会议", "Training or conference", false, ""},
		{"EQUIPMENT", "设备故障或检修", "Equipment out of service", false, ""},
		{"EPIDEMIC", "疫情防控", "Epidemic control", false, ""},
	}
}
