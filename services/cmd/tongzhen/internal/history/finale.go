package history

import (
	"context"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
)

// finale leaves open work at the end in every list that somebody may look at first: cases of the last days whose fate is set.
func (m *maker) finale() {
	first := []*centre{m.cast.centres[min(1, len(m.cast.centres)-1)], m.cast.centres[min(3, len(m.cast.centres)-1)]}
	for i, home := range first {
		late := time.Duration(i) * 7 * time.Minute
		m.open(home, "I10", outpatient, routine, 50*time.Minute+late, fate{stop: "draft"})
		m.open(home, "E11", outpatient, routine, 95*time.Minute+late, fate{stop: "sent"})
		m.open(home, "S72", inpatient, urgent, 35*time.Minute+late, fate{stop: "sent"})
		m.open(home, "I10", advice, routine, 3*time.Hour+late, fate{stop: "sent"})
		m.open(home, "J44", outpatient, routine, 5*time.Hour+late, fate{
			how: "return", reason: "MISSING_RESULTS", note: "请补充近一周的血常规、心电图结果。", answer: 40 * time.Minute,
		})
		// For today and for tomorrow.
		m.open(home, "I25", outpatient, routine, 28*time.Hour+late, fate{how: "accept", answer: 30 * time.Minute, stop: "accepted"})
		m.open(home, "I10", outpatient, routine, 4*time.Hour+late, fate{how: "accept", answer: 25 * time.Minute, stop: "accepted"})
		// In the ward, and a reply that nobody has read.
		m.open(home, "I10", inpatient, urgent, 52*time.Hour+late, fate{how: "accept", answer: 20 * time.Minute, comes: true, admit: true, stop: "admitted"})
		m.open(home, "R91", exam, routine, 52*time.Hour+late, fate{how: "accept", answer: 20 * time.Minute, comes: true, reply: time.Hour, stop: "concluded"})
		// Coming home: to be answered, and expected today; in follow-up with a visit today.
		m.stay(home, 0, "down sent")
		m.stay(home, 1, "down accepted")
		m.stay(home, 2, "due today")
		m.stay(home, 3, "candidate")
		m.stay(home, 4, "candidate")
	}
}

// open sends a patient so long before the end, by day.
func (m *maker) open(home *centre, code string, kind commonv1.Kind_Code, urgency commonv1.Urgency_Code, before time.Duration, f fate) {
	t := &trip{maker: m, condition: named(code), share: share{kind, urgency, 100}, home: home, doctor: home.doctors[0], fate: f}
	m.at(lastly(m.options.Until, before), t.send)
}

// lastly is so long before the end, or in the daytime before that.
func lastly(end time.Time, before time.Duration) time.Time {
	t := end.Add(-before)
	switch since := t.Sub(startOfDay(t)); {
	case since < opens:
		return startOfDay(t).Add(-oneDay + 17*time.Hour + since/8)
	case since > closes:
		return startOfDay(t).Add(17*time.Hour + (since-closes)/8)
	}
	return t
}

// stay is a patient who was in the ward and goes down in the last days, to a stage.
func (m *maker) stay(home *centre, n int, stage string) {
	days := map[string]int{"down sent": 9, "down accepted": 10, "due today": 16, "candidate": 12}[stage]
	t := &trip{
		maker: m, condition: named("I25"), share: share{inpatient, urgent, 100}, home: home, doctor: home.doctors[0],
		fate: fate{how: "accept", answer: 30 * time.Minute, comes: true, admit: true, reply: time.Hour, read: 3 * time.Hour, down: stage != "candidate", stop: stage},
	}
	t.condition.stay = [2]int{7, 7}
	if stage == "due today" {
		t.condition.stay = [2]int{5, 5}
	}
	begin := startOfDay(m.options.Until).AddDate(0, 0, -days).Add(9*time.Hour + time.Duration(n)*11*time.Minute)
	village := pick(m, villages()...)
	if home.village != nil {
		village = clinicVillage
	}
	m.at(begin, func(ctx context.Context) (err error) {
		if t.patient, err = m.someone(ctx, t.condition, home, origin{t.doctor, village}); err != nil {
			return err
		}
		return t.send(ctx)
	})
}

func named(code string) condition {
	for _, c := range conditions() {
		if c.code == code {
			return c
		}
	}
	return conditions()[0]
}
