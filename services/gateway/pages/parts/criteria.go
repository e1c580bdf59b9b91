package parts

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// The fields of the panel: "value.<name>" holds a number; "finding" the names of findings that are there, findingNot of those
// that are not, findingAsked of those that were shown, and findingRest says that whatever was shown and not ticked is not there.
const (
	valuePrefix  = "value."
	finding      = "finding"
	findingNot   = "finding.not"
	findingAsked = "finding.asked"
	findingRest  = "finding.rest"
	// folded ends the names of the latter two for what is behind the fold.
	folded = ".more"
	// criterion holds the codes of the rules that were met when the referral was sent.
	criterion = "criterion"
)

// Panel is what criteria.html sees: the referral criteria (转诊指征) held against what was typed and the record. It advises and
// never blocks; only a value that cannot be, of which nobody knows what was meant, is to be mended before sending.
type Panel struct {
	// Asked tells that there was a diagnosis to ask about; Away that nobody answered.
	Asked, Away bool
	// RecordRead tells that the values of the record counted too.
	RecordRead   bool
	Met, Unknown []Rule
	// Sent are the rules that were met when the referral was sent, by values that are not known any more and cannot be judged again.
	Sent []Rule
	// Wanted are the values that rules miss or that were typed, in sight the first ones of what the diagnoses are about; Known those that the record has.
	Wanted, Findings Inputs
	Known            []Input
	// Denied are the findings that were said not to be there.
	Denied []Input
	// Suggest is the urgency that the rules ask for beyond the chosen one; "" for none. Acute tells that it is a diagnosis, not a rule, that speaks for an
	// emergency.
	Suggest string
	Acute   bool
	// Department is the code of the one that usually receives such patients; "" where no table names one. ProposedDepartment is its name where it is
	// proposed.
	Department, ProposedDepartment string
	// Kept are fields that the panel does not show: the rules met at sending, and what was typed when nobody answered.
	Kept []Input
}

// SetCriteria tells a form which rules were met when the referral was sent.
func SetCriteria(form url.Values, r *referralv1.Referral) { form[criterion] = r.GetMatchedCriteria() }

// Rule is a criterion in the visitor's language.
type Rule struct {
	Text, Condition, Urgency, Source, Certainty string
	County                                      bool
	Missing                                     []Missing
	Used                                        []Used
}

// Missing is a value that a rule waits for; Time is when the record's was measured, if it has one that is too old.
type Missing struct {
	Label string
	Time  *timestamppb.Timestamp
}

// Inputs are fields in the order of the rules' values, so that none moves while somebody types.
type Inputs struct{ First, More []Input }

// inSight is how many fields of a sort are shown without being asked for.
const inSight = 8

func (in *Inputs) add(one Input) {
	if len(in.First) < inSight && !one.General {
		in.First = append(in.First, one)
	} else {
		in.More = append(in.More, one)
	}
}

// Open tells that something was typed out of sight.
func (in Inputs) Open() bool {
	return slices.ContainsFunc(in.More, func(one Input) bool { return one.Checked || (one.Field != finding && one.Value != "") })
}

// Input is one field of the panel.
type Input struct {
	// Field is the whole name of the field, Name that of the value.
	Field, Name, Label, Unit, Value string
	Checked                         bool
	// General tells that every patient is asked, whatever the diagnosis: it stays behind the fold.
	General bool
	// NoNumber and OutOfRange tell what is wrong with what was typed.
	NoNumber, OutOfRange bool
	Low, High            float64
}

// Wrong are the values in sight that are no numbers or cannot be, each named by its field.
func (p Panel) Wrong() []errs.Field {
	var out []errs.Field
	for _, in := range slices.Concat(p.Wanted.First, p.Wanted.More) {
		switch {
		case in.NoNumber:
			out = append(out, errs.Bad(in.Field, errs.ReasonFieldInvalid, "cause", "CRITERION", "name", in.Label))
		case in.OutOfRange:
			out = append(out, errs.Bad(in.Field, errs.ReasonFieldOutOfRange, "cause", "CRITERION", "name", in.Label,
				"low", strconv.FormatFloat(in.Low, 'f', -1, 64), "high", strconv.FormatFloat(in.High, 'f', -1, 64)))
		}
	}
	return out
}

// Ask holds a form against the criteria of a direction.
type Ask struct {
	Direction commonv1.Direction_Code
	PatientID string
	// ReplyTo is what a down-referral answers, or its draft; may be empty.
	ReplyTo string
	Form    url.Values
}

// Criteria asks and words the answer. Whatever goes wrong makes a panel that says so: a form is worth more than its criteria.
func Criteria(sh *shell.Shell, r *http.Request, client referralv1.CriteriaServiceClient, ask Ask) Panel {
	request := &referralv1.EvaluateCriteriaRequest{
		Direction: ask.Direction, Diagnoses: Diagnoses(ask.Form), Values: Values(ask.Form), PatientId: ask.PatientID,
		ReplyTo: ask.ReplyTo,
	}
	if len(request.GetDiagnoses()) == 0 {
		return Panel{Kept: kept(ask.Form)}
	}
	answer, err := evaluate(r.Context(), client, request, ask.Form)
	if err != nil {
		return Panel{Asked: true, Away: true, Kept: kept(ask.Form)}
	}
	p := Panel{Asked: true, RecordRead: answer.GetRecordRead(), Kept: keptCriteria(ask.Form)}
	w := words{english: sh.Language(r) == "en", urgent: ask.Direction == commonv1.Direction_UP}
	missing, known := map[string]bool{}, map[string]bool{}
	for _, result := range answer.GetResults() {
		switch result.GetStatus() {
		case "MET":
			p.Met = append(p.Met, w.rule(result))
		case "UNKNOWN":
			if slices.Contains(ask.Form[criterion], result.GetCriterion().GetCode()) {
				p.Sent = append(p.Sent, w.rule(result))
				break
			}
			p.Unknown = append(p.Unknown, w.rule(result))
		}
		for _, m := range result.GetMissing() {
			missing[m.GetName()] = true
		}
		for _, u := range result.GetUsed() {
			known[u.GetName()] = u.GetSource() == "RECORD"
		}
	}
	asked := map[string]bool{}
	for _, definition := range answer.GetInputs() {
		in := w.input(definition, ask.Form)
		in.General = definition.GetGeneral() && ask.Direction == commonv1.Direction_UP
		p.add(in, missing[definition.GetName()] || (!known[definition.GetName()] && shown(ask.Form, definition.GetName())), known[definition.GetName()])
		asked[definition.GetName()] = true
	}
	p.keepUnasked(sh.ClinicalValues(r), w, ask.Form, asked)
	p.Suggest, p.Department = suggested(answer.GetResults(), ask), answer.GetDepartmentCode()
	if answer.GetAcute() && p.Suggest == "" && ask.Form.Get("kind") != commonv1.Kind_EMERGENCY.String() && ask.Form.Get("urgency") != commonv1.Urgency_EMERGENCY.String() {
		p.Suggest, p.Acute = commonv1.Urgency_EMERGENCY.String(), true
	}
	return p
}

// shown tells that the form had a field for a value, filled in or not. Such a field stays when no rule waits for it any more: one rule that is met by
// another value must not take away the box of what else the doctor found, nor move the boxes while they are ticked.
func shown(form url.Values, name string) bool {
	return form.Has(valuePrefix+name) || slices.Contains(form[findingAsked], name) || slices.Contains(form[findingAsked+folded], name)
}

// keepUnasked goes on with what was typed at another diagnosis: behind the fold where it can be worded, else as it is.
func (p *Panel) keepUnasked(known map[string]*referralv1.ValueDefinition, w words, form url.Values, asked map[string]bool) {
	for _, v := range Values(form) {
		name := v.GetName()
		if asked[name] {
			continue
		}
		if d := known[name]; d != nil {
			in := w.input(d, form)
			in.General = true
			p.add(in, false, false)
			continue
		}
		field, value := finding, name
		switch found := v.GetValue().(type) {
		case *referralv1.ClinicalValue_Number:
			field, value = valuePrefix+name, form.Get(valuePrefix+name)
		case *referralv1.ClinicalValue_Finding:
			if !found.Finding {
				field = findingNot
			}
		}
		p.Kept = append(p.Kept, Input{Field: field, Value: value})
	}
}

// evaluate asks; what is refused or cannot be is asked again without, because it must neither count nor hide the field in which
// it is mended.
func evaluate(ctx context.Context, client referralv1.CriteriaServiceClient, request *referralv1.EvaluateCriteriaRequest, form url.Values) (*referralv1.EvaluateCriteriaResponse, error) {
	answer, err := client.EvaluateCriteria(ctx, request)
	if errs.KindOf(err) == errs.KindInvalid && len(request.GetValues()) > 0 {
		request.Values = nil
		answer, err = client.EvaluateCriteria(ctx, request)
	}
	impossible := func(v *referralv1.ClinicalValue) bool {
		return slices.ContainsFunc(answer.GetInputs(), func(d *referralv1.ValueDefinition) bool {
			return d.GetName() == v.GetName() && words{}.input(d, form).OutOfRange
		})
	}
	if err == nil && slices.ContainsFunc(request.GetValues(), impossible) {
		request.Values = slices.DeleteFunc(request.GetValues(), impossible)
		answer, err = client.EvaluateCriteria(ctx, request)
	}
	return answer, err
}

// add puts a field where it belongs: asked for when a rule misses it, it was asked for before or it was typed, else offered if the record has it.
func (p *Panel) add(in Input, asked, known bool) {
	switch {
	case in.Field == findingNot:
		p.Denied = append(p.Denied, in)
	case in.Field == finding && (asked || in.Checked):
		p.Findings.add(in)
	case in.Field != finding && (asked || in.Value != ""):
		p.Wanted.add(in)
	case in.Field != finding && known:
		p.Known = append(p.Known, in)
	}
}

// keptCriteria carries which rules were met when the referral was sent.
func keptCriteria(form url.Values) []Input {
	var out []Input
	for _, code := range form[criterion] {
		out = append(out, Input{Field: criterion, Value: code})
	}
	return out
}

// kept carries what was typed over an answer that did not come.
func kept(form url.Values) []Input {
	out := keptCriteria(form)
	for _, field := range slices.Sorted(maps.Keys(form)) {
		if !strings.HasPrefix(field, valuePrefix) && field != finding && field != findingNot {
			continue
		}
		for _, value := range form[field] {
			out = append(out, Input{Field: field, Value: value})
		}
	}
	return out
}

// suggested is the most urgent that a met rule of an up-referral asks for, if the form chose less.
func suggested(results []*referralv1.CriterionResult, ask Ask) string {
	if ask.Direction != commonv1.Direction_UP {
		return ""
	}
	most := commonv1.Urgency_ROUTINE
	for _, result := range results {
		if u := result.GetCriterion().GetUrgency(); result.GetStatus() == "MET" && u != commonv1.Urgency_UNSPECIFIED {
			most = min(most, u)
		}
	}
	chosen := cmp.Or(commonv1.Urgency_Code(commonv1.Urgency_Code_value[ask.Form.Get("urgency")]), commonv1.Urgency_ROUTINE)
	switch {
	case ask.Form.Get("kind") == commonv1.Kind_EMERGENCY.String(), most == commonv1.Urgency_ROUTINE:
		return ""
	case most == commonv1.Urgency_EMERGENCY, most < chosen:
		return most.String()
	default:
		return ""
	}
}

// words picks the language of data; urgent tells whether the urgency of a rule is of interest.
type words struct{ english, urgent bool }

func (w words) of(chinese, english string) string {
	if w.english && english != "" {
		return english
	}
	return chinese
}

func (w words) rule(result *referralv1.CriterionResult) Rule {
	c := result.GetCriterion()
	rule := Rule{
		Text: w.of(c.GetText(), c.GetTextEn()), Condition: w.of(c.GetConditionName(), c.GetConditionNameEn()),
		Source: c.GetSource(), Certainty: c.GetCertainty(), County: c.GetCountyRule(),
	}
	if w.urgent && c.GetUrgency() != commonv1.Urgency_UNSPECIFIED {
		rule.Urgency = c.GetUrgency().String()
	}
	for _, m := range result.GetMissing() {
		one := Missing{Label: w.of(m.GetLabel(), m.GetLabelEn())}
		if m.GetTooOld() {
			one.Time = m.GetTime()
		}
		rule.Missing = append(rule.Missing, one)
	}
	for _, u := range result.GetUsed() {
		one := Used{Label: w.of(u.GetLabel(), u.GetLabelEn()), Unit: u.GetUnit(), Number: u.GetNumber(), Present: u.GetFinding()}
		_, one.Finding = u.GetValue().(*referralv1.UsedValue_Finding)
		if u.GetSource() == "RECORD" {
			one.Time = u.GetTime()
		}
		if !one.repeats(rule.Text) {
			rule.Used = append(rule.Used, one)
		}
	}
	return rule
}

func (w words) input(d *referralv1.ValueDefinition, form url.Values) Input {
	in := Input{Field: valuePrefix + d.GetName(), Name: d.GetName(), Label: w.of(d.GetLabel(), d.GetLabelEn()), Unit: d.GetUnit(), Low: d.GetLow(), High: d.GetHigh()}
	if d.GetType() == "FINDING" {
		in.Field, in.Value = finding, d.GetName()
		in.Checked = slices.Contains(form[finding], d.GetName())
		if slices.Contains(denied(form), d.GetName()) {
			in.Field = findingNot
		}
		return in
	}
	if in.Value = strings.TrimSpace(form.Get(in.Field)); in.Value == "" {
		return in
	}
	v, err := Number(in.Value)
	in.NoNumber = err != nil
	in.OutOfRange = err == nil && in.Low < in.High && (v < in.Low || v > in.High)
	return in
}
