package rpc

import (
	"fmt"
	"slices"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func fromItem(l app.ListedItem) *patientrecordv1.RecognitionItem {
	i := l.Item
	out := &patientrecordv1.RecognitionItem{
		Code: i.Code, Version: i.Version, Name: i.Name, NameEn: i.NameEn, Kind: i.Kind, Codes: i.Codes, Methods: i.Methods, Unit: i.Unit,
		Range: string(i.Range), Mark: i.Mark, OutpatientDays: int32(i.Days[domain.Outpatient]), InpatientDays: int32(i.Days[domain.Inpatient]),
		EmergencyDays: int32(i.Days[domain.Emergency]), NeedsQuality: i.NeedsQuality, QualifiedOrganizationIds: i.Qualified, Price: i.Price,
		Note: i.Note, Source: i.Source, Certainty: i.Certainty, Disabled: i.Disabled, Changed: l.Changed, Shipped: i.Shipped, Initials: l.Initials,
	}
	for _, p := range i.Parts {
		out.Parts = append(out.Parts, strings.Join(p, " "))
	}
	return out
}

func toItem(m *patientrecordv1.RecognitionItem) domain.Item {
	i := domain.Item{
		Code: m.GetCode(), Version: m.GetVersion(), Name: strings.TrimSpace(m.GetName()), NameEn: strings.TrimSpace(m.GetNameEn()), Kind: m.GetKind(),
		Codes: trimmed(m.GetCodes()), Methods: trimmed(m.GetMethods()), Unit: strings.TrimSpace(m.GetUnit()), Range: domain.Reach(m.GetRange()),
		Mark: strings.TrimSpace(m.GetMark()), NeedsQuality: m.GetNeedsQuality(), Qualified: trimmed(m.GetQualifiedOrganizationIds()),
		Price: m.GetPrice(), Note: strings.TrimSpace(m.GetNote()), Disabled: m.GetDisabled(),
		Days: map[domain.Setting]int{
			domain.Outpatient: int(m.GetOutpatientDays()), domain.Inpatient: int(m.GetInpatientDays()), domain.Emergency: int(m.GetEmergencyDays()),
		},
	}
	for _, p := range m.GetParts() {
		if codes := strings.Fields(p); len(codes) > 0 {
			i.Parts = append(i.Parts, codes)
		}
	}
	return i
}

// trimmed leaves out what is empty.
func trimmed(texts []string) []string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}

func fromDirections(d domain.Directions) *patientrecordv1.RecognitionSettings {
	return &patientrecordv1.RecognitionSettings{Version: d.Version, Upper: d.Upper, Lower: d.Lower, Peers: d.Peers, Unknown: d.Unknown}
}

// changeValues is what a change set, for the history.
func changeValues(c app.RecognitionChange) []string {
	var out []string
	add := func(name string, v any) { out = append(out, fmt.Sprintf("%s=%v", name, v)) }
	if d := c.Directions; d != nil {
		add("upper", d.Upper)
		add("lower", d.Lower)
		add("peers", d.Peers)
		add("unknown", d.Unknown)
	}
	if i := c.Item; i != nil {
		add("name", i.Name)
		add("outpatientDays", i.Days[domain.Outpatient])
		add("inpatientDays", i.Days[domain.Inpatient])
		add("emergencyDays", i.Days[domain.Emergency])
		add("mark", i.Mark)
		add("range", i.Range)
		add("needsQuality", i.NeedsQuality)
		add("price", i.Price)
		add("disabled", i.Disabled)
		add("codes", strings.Join(slices.Concat(i.Codes, slices.Concat(i.Parts...)), " "))
	}
	return out
}

func fromRecognisable(r domain.Recognisable) *patientrecordv1.Recognisable {
	out := &patientrecordv1.Recognisable{
		ItemCode: r.Item.Code, ItemName: r.Item.Name, ItemNameEn: r.Item.NameEn, OrganizationId: r.Performer, Time: stamp(r.Time),
		ValidUntil: stamp(r.Until), Mark: r.Item.Mark, PerformerName: elsewhere(r.Results), Direction: string(r.From), Noted: r.Noted, Refusal: string(r.Refusal),
	}
	for _, x := range r.Results {
		out.Results = append(out.Results, &patientrecordv1.RecognisedResult{
			EntryId: x.EntryID, EntryVersion: x.Version, Name: x.Name, Value: x.Value, ReferenceRange: x.Normal, Interpretation: x.Sign,
			Time: stamp(x.Time),
		})
	}
	return out
}

// elsewhere names who made results that nobody in the county made.
func elsewhere(results []domain.Finding) string {
	for _, r := range results {
		if r.Organization == "" {
			return r.Elsewhere
		}
	}
	return ""
}

func fromOrder(o domain.Order, items map[string]domain.Item) *patientrecordv1.ExamOrder {
	out := &patientrecordv1.ExamOrder{
		Id: o.ID, PatientId: o.PatientID, Setting: string(o.Setting), ReferralId: o.ReferralID, OrganizationId: o.Organization,
		AccountId: o.Account, CreateTime: stamp(o.Time),
	}
	for _, l := range o.Lines {
		item := items[l.ItemCode]
		line := &patientrecordv1.OrderLine{
			ItemCode: l.ItemCode, Decision: string(l.Decision), ReasonCode: l.Reason, ReasonText: l.ReasonText, Explained: l.Explained,
			ItemName: item.Name, ItemNameEn: item.NameEn,
		}
		if e := l.Evidence; e != nil {
			line.Recognised = &patientrecordv1.Recognisable{
				ItemCode: l.ItemCode, OrganizationId: e.Performer, Time: stamp(e.Time), ValidUntil: stamp(e.Until), Mark: e.Mark, Direction: string(e.From),
			}
			for _, ref := range e.Entries {
				line.Recognised.Results = append(line.Recognised.Results, &patientrecordv1.RecognisedResult{EntryId: ref.ID, EntryVersion: ref.Version})
			}
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}
