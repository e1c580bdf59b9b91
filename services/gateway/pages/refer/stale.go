package refer

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// staleData is what happened to a referral while somebody wrote in its form.
type staleData struct {
	// Since are the transitions, the oldest first.
	Since []*referralv1.HistoryRow
	// Changed are the fields that say something else now.
	Changed []changedField
}

// changedField is one that somebody else changed meanwhile: what it says now, and what is in the form where the visitor changed it too.
type changedField struct{ Label, Now, Yours string }

// several are the fields with more than one value, which are held against each other as one text.
func several() []string { return []string{"diagnosis", "examItem"} }

const between = "；"

// original are the values that the form begins with, with what it needs to find out what somebody else changes meanwhile.
func original(shown url.Values) url.Values {
	values := shell.Original(shown, nil)
	for _, name := range several() {
		values.Set("was."+name, strings.Join(shown[name], between))
	}
	return values
}

// reapply puts what was typed upon the present referral: a field that was not touched shows what stands now, one that was touched keeps what was
// typed, and whoever sends it again has seen what somebody else changed.
func (p *Pages) reapply(r *http.Request, data *formData, referral *referralv1.Referral) {
	present := valuesOf(referral, data.Patient)
	seen, _ := strconv.ParseInt(data.Form.Value("version"), 10, 32)
	for _, name := range several() {
		was, now, typed := data.Form.Original(name), strings.Join(present[name], between), strings.Join(filled(data.Form.Values[name]), between)
		if was != now {
			data.Stale.Changed = append(data.Stale.Changed, p.changed(r, *data, name, now, typed, typed != was))
		}
		if typed == was {
			data.Form.Values[name] = present[name]
		}
		data.Form.Values.Set("was."+name, now)
		present.Del(name)
	}
	touched := map[string]bool{}
	for name := range present {
		touched[name] = !data.Form.Untouched(name)
	}
	data.Form.Rebase(present, nil)
	for name, now := range data.Form.Changed {
		data.Stale.Changed = append(data.Stale.Changed, p.changed(r, *data, name, now, data.Form.Value(name), touched[name]))
	}
	slices.SortFunc(data.Stale.Changed, func(a, b changedField) int { return strings.Compare(a.Label, b.Label) })
	if list, err := p.Referral.ListHistory(r.Context(), &referralv1.ListHistoryRequest{Id: referral.GetId()}); err == nil {
		for _, row := range list.GetHistory() {
			if row.GetKind() == "TRANSITION" && int64(row.GetVersion()) > seen {
				data.Stale.Since = append(data.Stale.Since, row)
			}
		}
	}
	data.Form.Values.Set("version", strconv.Itoa(int(referral.GetVersion())))
	data.RequestID = id.New()
}

// filled leaves out the empty lines of a list.
func filled(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(one string) bool { return strings.TrimSpace(one) == "" })
}

// changed words a field and its values.
func (p *Pages) changed(r *http.Request, data formData, name, now, typed string, touched bool) changedField {
	labels := map[string]string{"diagnosis": "field.diagnoses", "examItem": "field.examItems", "organization": "field.receiver", "department": "field.receiver.departmentCode"}
	key := labels[name]
	if key == "" {
		key = "field." + name
	}
	word := func(value string) string {
		switch name {
		case "organization", "department":
			return data.Choices.name(data.Form.Value("organization"), value)
		case "kind", "urgency", "transport", "consent.method", "modality":
			if value != "" {
				return p.Shell.T(r, name+"."+value)
			}
		case "consent.relation":
			if value != "" {
				return p.Shell.T(r, "relation."+value)
			}
		}
		return strings.ReplaceAll(value, "|", " ")
	}
	out := changedField{Label: p.Shell.T(r, key), Now: word(now)}
	if touched && typed != now {
		out.Yours = word(typed)
	}
	return out
}
