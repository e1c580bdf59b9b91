package history

import "time"

// fate is what will become of a referral up, drawn when it is sent. Finale sets it itself.
type fate struct {
	// answer after so long; open ones are never answered.
	answer time.Duration
	how    string // accept, return, redirect, decline, cancel, open
	reason string
	note   string
	// resend a returned one after so long; 0 never.
	resend time.Duration
	// comes: whether the patient does.
	comes   bool
	rebooks bool
	late    bool // comes the day after
	calls   bool // cancelled after acceptance
	admit   bool
	reply   time.Duration // after the end of the visit
	read    time.Duration // the reply; 0 leaves it to the seventh day
	asks    bool          // by message
	judged  string        // verdict
	orders  bool
	down    bool // sent down if found
	// stay at a stage: the rest does not happen.
	stop string
}

// Shares in percent. Invented; see the package.
const (
	returned   = 7
	redirected = 4
	declined   = 5
	withdrawn  = 3
	absent     = 8
	tardy      = 9
)

func (m *maker) fate(c condition, s share) fate {
	f := fate{how: "accept", comes: !m.chance(absent), rebooks: m.chance(55), late: m.chance(25), calls: m.chance(2), read: m.between(time.Hour, 40*time.Hour)}
	slow := m.chance(tardy)
	switch s.urgency {
	case atOnce:
		f.answer = m.between(time.Minute, 8*time.Minute)
		if slow {
			f.answer = m.between(12*time.Minute, 38*time.Minute)
		}
		f.comes = true
	case urgent:
		f.answer = m.between(8*time.Minute, 105*time.Minute)
		if slow {
			f.answer = m.between(130*time.Minute, 5*time.Hour)
		}
	default:
		f.answer = m.between(20*time.Minute, 7*time.Hour)
		if slow {
			f.answer = m.between(50*time.Hour, 100*time.Hour)
		}
	}
	if n := m.random.IntN(100); s.urgency != atOnce {
		m.answers(&f, s, n)
	}
	switch s.kind {
	case inpatient:
		f.admit = m.chance(93)
	case emergency:
		f.admit = m.chance(70)
	case outpatient:
		f.admit = c.stay[1] > 0 && m.chance(9)
	}
	f.reply = m.between(40*time.Minute, 5*time.Hour)
	if m.chance(10) {
		f.reply = m.between(30*time.Hour, 60*time.Hour)
	}
	if m.chance(28) {
		f.read = 0
	}
	f.asks, f.orders = m.chance(14), m.chance(60)
	if m.chance(35) {
		f.judged = pick(m, "NECESSARY", "NECESSARY", "NECESSARY", "MANAGEABLE_WITH_ADVICE", "TOO_LATE")
	}
	f.down = m.chance(sentDown(c.department))
	return f
}

// sentDown is how many of a hundred who could go down a department sends: some think of it, some do not.
func sentDown(department string) int {
	return map[string]int{"0303": 85, "0304": 72, "0307": 75, "0301": 60, "20": 50, "15": 60, "19": 45, "0403": 40, "0306": 35, "05": 30}[department]
}

func (m *maker) answers(f *fate, s share, n int) {
	switch {
	case n < returned:
		f.how, f.resend = "return", m.between(90*time.Minute, 20*time.Hour)
		f.reason = pick(m, "MISSING_RESULTS", "MISSING_RESULTS", "MISSING_HISTORY", "MISSING_TREATMENT", "DIAGNOSIS_UNCLEAR")
		f.note = map[string]string{
			"MISSING_RESULTS": "请补充近一周的血常规、心电图结果。", "MISSING_HISTORY": "请补充起病时间和既往用药。",
			"MISSING_TREATMENT": "请写明院内用药和剂量。", "DIAGNOSIS_UNCLEAR": "请说明转诊目的和初步考虑。",
		}[f.reason]
		if m.chance(12) {
			f.resend = 0
		}
	case n < returned+redirected && s.kind == outpatient:
		f.how, f.reason, f.note = "redirect", "WRONG_DEPARTMENT", "建议先到相关科室门诊评估。"
	case n < returned+redirected+declined:
		f.how = "decline"
		f.reason = pick(m, "NO_BED", "NO_CAPACITY", "TREAT_LOCALLY", "TREAT_LOCALLY", "PATIENT_ELSEWHERE")
		f.note = map[string]string{
			"NO_BED": "病区满床，预计三天后有床，请届时再联系。", "NO_CAPACITY": "本周号源已满，可先远程会诊。",
			"TREAT_LOCALLY": "可在基层调整用药两周后复查，如无好转再转。", "PATIENT_ELSEWHERE": "患者已在外院住院。",
		}[f.reason]
	case n < returned+redirected+declined+withdrawn:
		f.how, f.reason = "cancel", pick(m, "PATIENT_DECLINED", "PATIENT_IMPROVED", "PATIENT_WENT_ELSEWHERE")
	}
}
