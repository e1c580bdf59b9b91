package history

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

// patient is somebody invented, at home in the township of a centre.
type patient struct {
	id, name, village string
	sex               commonv1.Sex_Code
	born              time.Time
	home              *centre
	gone              bool // is not sent again
}

func (p *patient) age(now time.Time) int { return int(now.Sub(p.born).Hours() / 24 / 365.25) }

// again is how many of a hundred are people who were sent before.
const again = 18

// patient draws who has the condition: somebody who was sent before and has nothing open, or somebody new, whom the doctor registers.
func (m *maker) patient(ctx context.Context, c condition, home *centre, who *directoryv1.Account) (*patient, error) {
	if m.chance(again) {
		for i, p := range m.waiting[home.GetId()] {
			age := p.age(m.world.Now())
			if !p.gone && age >= c.young && age <= c.old && (c.sex == commonv1.Sex_UNSPECIFIED || c.sex == p.sex) {
				m.waiting[home.GetId()] = append(m.waiting[home.GetId()][:i:i], m.waiting[home.GetId()][i+1:]...)
				return p, nil
			}
		}
	}
	return m.someone(ctx, c, home, origin{by: who})
}

// origin of somebody new: who registers, and the village, or any.
type origin struct {
	by      *directoryv1.Account
	village string
}

// someone new who has the condition.
func (m *maker) someone(ctx context.Context, c condition, home *centre, from origin) (*patient, error) {
	p := &patient{home: home, sex: pick(m, commonv1.Sex_MALE, commonv1.Sex_FEMALE), village: from.village}
	if c.sex != commonv1.Sex_UNSPECIFIED {
		p.sex = c.sex
	}
	// The village of the clinic has more: its doctor sees what is due there.
	switch {
	case p.village != "":
	case home.village != nil && m.chance(30):
		p.village = clinicVillage
	default:
		p.village = pick(m, villages()...)
	}
	return p, m.register(ctx, p, c, from.by)
}

// done: the patient has nothing open and may be sent again.
func (m *maker) done(p *patient) {
	m.waiting[p.home.GetId()] = append(m.waiting[p.home.GetId()], p)
}

// clinicVillage is that of the demo county's village clinic.
const clinicVillage = "竹桥村"

func villages() []string {
	return strings.Fields("古板村 渔村 思的村 骥马村 夏村 葡萄村 凤楼村 大利村 留村 旧县村 龙潭村 木山村")
}

func (m *maker) register(ctx context.Context, p *patient, c condition, who *directoryv1.Account) error {
	now := m.world.Now()
	years := c.young + m.random.IntN(c.old-c.young+1)
	p.born = startOfDay(now).AddDate(-years, 0, -1-m.random.IntN(300))
	p.name = m.name(p.sex)
	number := m.identityNumber(p)
	m.report.Patients++
	request := &patientrecordv1.RegisterPatientRequest{
		RequestId: m.request(), Name: p.name, Sex: p.sex, BirthDate: p.born.Format(time.DateOnly),
		DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD, IdentityNumber: number,
		Phone: fmt.Sprintf("07730%07d", m.random.IntN(10_000_000)), Village: p.village,
		Address: fmt.Sprintf("%s%s%d号", strings.TrimSuffix(p.home.GetName(), "卫生院"), p.village, 1+m.random.IntN(180)),
	}
	if years < 14 {
		request.GuardianName, request.GuardianPhone = string([]rune(p.name)[:1])+pick(m, "建国", "丽萍", "海燕", "志强"), request.GetPhone()
	}
	return m.by(ctx, who, func(ctx context.Context) error {
		r, err := m.Patients.RegisterPatient(ctx, request)
		p.id = r.GetId()
		return err
	})
}

func (m *maker) name(sex commonv1.Sex_Code) string {
	surnames := []rune("莫黄李陈秦韦覃梁廖蒋唐刘徐周阳谢林罗邓张王伍毛石肖苏潘赵易容")
	first, second := []rune("桂秀凤春雪玉美丽素彩月小兰金"), []rune("英兰萍燕梅珍玲芬花莲香娟芳琼")
	if sex == commonv1.Sex_MALE {
		first, second = []rune("志建文永国少立明德振荣家水运"), []rune("强华福栋辉东胜军林生发平光旺")
	}
	return string([]rune{pick(m, surnames...), pick(m, first...), pick(m, second...)})
}

// identityNumber is none that was given before; odd for men.
func (m *maker) identityNumber(p *patient) string {
	for {
		serial := 2 * (50 + m.random.IntN(450))
		if p.sex == commonv1.Sex_MALE {
			serial--
		}
		if n := seed.IdentityNumber(p.born.Format("20060102"), serial); !m.numbers[n] {
			m.numbers[n] = true
			return n
		}
	}
}

// measure draws a value to one place after the point.
func (m *maker) measure(low, high float64) float64 {
	return math.Round((low+m.random.Float64()*(high-low))*10) / 10
}

// examine writes what the doctor measured, and what the centre's laboratory found, into the record.
func (m *maker) examine(ctx context.Context, p *patient, c condition, who *directoryv1.Account) error {
	if len(c.results) == 0 {
		return nil
	}
	now := timestamppb.New(m.world.Now().Add(-20 * time.Minute))
	request := &patientrecordv1.RecordEntriesRequest{RequestId: m.request(), PatientId: p.id}
	for _, r := range c.results {
		category := "laboratory"
		if r.vital {
			category = "vital-signs"
		}
		request.Entries = append(request.Entries, &patientrecordv1.EntryDraft{Content: &patientrecordv1.ClinicalEntry{
			Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
				Codes: []*commonv1.Coding{{System: "http://loinc.org", Code: r.code, Display: r.name}}, Text: r.name, Category: category, Status: "final",
				EffectiveTime: now, Quantity: &patientrecordv1.Quantity{Value: m.measure(r.low, r.high), Unit: r.unit},
			}},
		}})
	}
	return m.by(ctx, who, func(ctx context.Context) error {
		_, err := m.Records.RecordEntries(ctx, request)
		return err
	})
}
