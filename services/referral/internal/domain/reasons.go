package domain

import "slices"

// Reason is one entry of a pick list: administrators count the codes, people read the words.
type Reason struct {
	Code, Text, TextEn string
	NoteRequired       bool
}

// Reasons lists the reasons of an action in the order shown; nil if the action carries none.
func Reasons(a Action) []Reason {
	list, ok := reasons()[a]
	if !ok {
		return nil
	}
	return append(list, Reason{"OTHER", "其他", "Other", true})
}

func checkReason(a Action, code, note string) []Field {
	if code == "" {
		return []Field{required("reasonCode")}
	}
	list := Reasons(a)
	i := slices.IndexFunc(list, func(r Reason) bool { return r.Code == code })
	switch {
	case i < 0:
		return []Field{unknown("reasonCode")}
	case list[i].NoteRequired && note == "":
		return []Field{required("note")}
	}
	return nil
}

// The words follow the reason dictionaries in use at county and provincial referral portals; OTHER ends every list.
func reasons() map[Action][]Reason {
	return map[Action][]Reason{
		ActionReturn: {
			{"MISSING_HISTORY", "病史不完整", "History incomplete", false},
			{"MISSING_RESULTS", "缺少检查检验结果", "Test results missing", false},
			{"MISSING_TREATMENT", "未填写治疗经过", "Treatment so far missing", false},
			{"DIAGNOSIS_UNCLEAR", "初步诊断不明确", "Diagnosis unclear", false},
			{"MISSING_CONSENT", "缺少知情同意", "Consent missing", false},
			{"WRONG_PATIENT_DATA", "患者信息有误", "Patient's data wrong", true},
			{"WRONG_KIND", "转诊类型或紧急程度不当", "Kind or urgency not right", true},
		},
		ActionDecline: {
			{"NO_BED", "暂无床位", "No bed", false},
			{"NO_CAPACITY", "号源已满，近期无法接诊", "No capacity soon", false},
			{"TREAT_LOCALLY", "可在基层诊治", "Can be treated locally", true},
			{"WRONG_DEPARTMENT", "科室不符", "Wrong department", false},
			{"NOT_OUR_SCOPE", "超出本院诊疗能力", "Beyond this hospital", true},
			{"DUPLICATE", "重复转诊", "Duplicate", false},
			{"PATIENT_ELSEWHERE", "患者已在他院就诊", "Patient already treated elsewhere", false},
		},
		ActionRedirect: {
			{"WRONG_DEPARTMENT", "科室不符，转相应科室", "Wrong department", false},
			{"NO_BED", "本科室无床位", "No bed here", false},
			{"NO_CAPACITY", "本科室号源已满", "No capacity here", false},
			{"BETTER_EQUIPPED", "他处更具救治条件", "Better equipped elsewhere", false},
			{"NEARER", "就近就诊", "Nearer to the patient", false},
		},
		ActionCancel: {
			{"PATIENT_DECLINED", "患者或家属放弃转诊", "Patient or family declined", false},
			{"PATIENT_IMPROVED", "病情好转，无需转诊", "Patient better", false},
			{"PATIENT_WENT_ELSEWHERE", "患者自行前往他院", "Patient went elsewhere", false},
			{"PATIENT_DIED", "患者死亡", "Patient died", false},
			{"DUPLICATE", "重复转诊", "Duplicate", false},
			{"ENTERED_IN_ERROR", "填写错误", "Entered in error", false},
		},
		ActionUndoArrive: {
			{"WRONG_PATIENT", "登记错患者", "Wrong patient", false},
			{"NOT_YET_ARRIVED", "患者尚未到达", "Not here yet", false},
			{"ENTERED_IN_ERROR", "操作失误", "Entered in error", false},
		},
		ActionUndoAdmit: {
			{"WRONG_PATIENT", "登记错患者", "Wrong patient", false},
			{"PATIENT_LEFT", "患者未办理住院", "Patient did not stay", false},
			{"ENTERED_IN_ERROR", "操作失误", "Entered in error", false},
		},
	}
}
