package slips

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// source is everything that a slip is filled from.
type source struct {
	referral *referralv1.Referral
	slip     *referralv1.Slip
	// booking is nil when there is none.
	booking *schedulingv1.Booking
	// from, to and department are names in Chinese.
	from, to, department string
	// reply: it is filled from what came back, with from and to exchanged.
	reply bool
	now   time.Time
	zone  *time.Location
}

// filled is a field with what stands in it.
type filled struct {
	field
	Value string
}

// fill puts the values into the fields of a form, in their order.
func (s source) fill(fields []field) []filled {
	values := s.values()
	list := make([]filled, len(fields))
	for i, f := range fields {
		_, name, _ := strings.Cut(f.Code, ".")
		list[i] = filled{f, values[name]}
	}
	return list
}

// values of the fields by the last part of their codes, which stand for the same on the stub and on the slip.
func (s source) values() map[string]string {
	r, p, f := s.referral, s.referral.GetPatient(), s.referral.GetForm()
	if s.reply {
		back := r.GetReply()
		// The telephone is that of the doctor who writes, whom the referral does not name by number.
		r = &referralv1.Referral{}
		f = &referralv1.Form{
			Diagnosis: back.GetDiagnosis(), InpatientNumber: f.GetInpatientNumber(), ExaminationResults: back.GetFindings(),
			Treatment: back.GetTreatment(), NextPlan: back.GetNextSteps(),
		}
	}
	on := s.day(s.sent())
	return map[string]string{
		"patient_name": p.GetName(), "sex": sex(p.GetSex()), "age": s.age(p.GetBirthDate()),
		"health_record_no": p.GetHealthRecordNumber(), "medical_record_no": f.GetInpatientNumber(),
		"home_address": p.GetAddress(), "phone": p.GetPhone(), "date": on, "sign_date": on,
		"to_org": s.to, "addressee": s.to, "to_dept": s.department, "from_org": s.from,
		"initial_impression": f.GetInitialImpression(), "present_illness": f.GetPresentIllness(), "past_history": f.GetPastHistory(),
		"treatment": f.GetTreatment(), "diagnosis": f.GetDiagnosis(), "inpatient_no": f.GetInpatientNumber(), "exam_results": f.GetExaminationResults(),
		"treatment_plan":  joined(f.GetTreatment(), f.GetNextPlan(), f.GetRehabilitationAdvice()),
		"referring_phone": r.GetOriginatorPhone(),
	}
}

func joined(parts ...string) string {
	var there []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, "\n")
}

// answer is the source of the slip that goes back.
func (s source) answer() source {
	s.from, s.to, s.department, s.reply = s.to, s.from, "", true
	return s
}

// sent is when the referral was submitted, or concluded; of a draft, now.
func (s source) sent() time.Time {
	if s.reply {
		return s.referral.GetConcludeTime().AsTime()
	}
	if t := s.referral.GetSubmitTime(); t != nil {
		return t.AsTime()
	}
	return s.now
}

func (s source) day(t time.Time) string { return t.In(s.zone).Format("2006年1月2日") }

func (s source) minute(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(s.zone).Format("2006年1月2日15时04分")
}

func sex(code commonv1.Sex_Code) string {
	switch code {
	case commonv1.Sex_MALE:
		return "男"
	case commonv1.Sex_FEMALE:
		return "女"
	case commonv1.Sex_UNKNOWN:
		return "未知"
	case commonv1.Sex_NOT_STATED:
		return "未说明"
	case commonv1.Sex_UNSPECIFIED:
	}
	return ""
}

// age on the day of the submission: in months below two years. Of an estimated birth date only the year or month is known: the age is about.
func (s source) age(birth string) string {
	on := s.sent().In(s.zone)
	if year, err := time.Parse("2006", birth[:min(len(birth), len("2006"))]); err == nil && len(birth) < len(time.DateOnly) {
		return fmt.Sprintf("约%d岁", max(0, on.Year()-year.Year()))
	}
	born, err := time.ParseInLocation(time.DateOnly, birth, s.zone)
	if err != nil {
		return ""
	}
	months := (on.Year()-born.Year())*12 + int(on.Month()-born.Month())
	if on.Day() < born.Day() {
		months--
	}
	const baby = 24
	switch {
	case months < 1:
		return fmt.Sprintf("%d天", max(0, int(on.Sub(born).Hours()/24)))
	case months < baby:
		return fmt.Sprintf("%d个月", months)
	}
	return fmt.Sprintf("%d岁", months/12)
}

// payments (支付方式) are ticked by hand: the system does not know them.
func payments() []choice {
	return []choice{{Text: "医保"}, {Text: "公费"}, {Text: "新农合"}, {Text: "自费"}, {Text: "其他"}}
}

// patients is 病人性质.
func (s source) patients() []choice {
	kind := s.referral.GetKind()
	emergency, clinic := kind == commonv1.Kind_EMERGENCY, kind == commonv1.Kind_OUTPATIENT
	ward := kind == commonv1.Kind_INPATIENT
	return []choice{{"急诊", emergency}, {"门诊", clinic}, {"住院", ward}, {"其他", !emergency && !clinic && !ward}}
}

// transports is 转送方式.
func (s source) transports() []choice {
	way := s.referral.GetTransport()
	return []choice{{"转诊单位护送", way == "ESCORTED"}, {"患者自理", way == "OWN"}, {"120", way == "AMBULANCE"}}
}

// consent is who agreed and how; empty when that is still to come.
func (s source) consent() string {
	c := s.referral.GetConsent()
	if c.GetGivenBy() == "" {
		return ""
	}
	how := map[string]string{"SIGNED": "书面", "VERBAL_WITNESSED": "口头（有见证）", "ELECTRONIC": "电子"}[c.GetMethod()]
	whose := relation(c.GetRelation())
	if c.GetGivenBy() == whose {
		return whose + "，" + how
	}
	return c.GetGivenBy() + "（" + whose + "）" + how
}

// relation by GB/T 4761, as the forms offer it.
func relation(code string) string {
	words := []string{"本人", "配偶", "子", "女", "孙子女/外孙子女", "父母", "祖父母/外祖父母", "兄弟姐妹", "同事同学", "其他"}
	if len(code) == 1 && code[0] >= '0' && code[0] <= '9' {
		return words[code[0]-'0']
	}
	return "—"
}
