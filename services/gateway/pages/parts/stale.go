package parts

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Stale is what somebody else did to a referral while its form was filled in.
type Stale struct {
	// Words say what that means for the form.
	Words, ReferralID, Direction string
	// Since are the transitions, the oldest first.
	Since []*referralv1.HistoryRow
	// Changed are the fields that say something else now.
	Changed []Change
}

// Change is a field that somebody else changed meanwhile: what it says now, and what is in the form where the visitor changed it too.
type Change struct{ Label, Now, Yours string }

// Group are fields that are told and taken over together: a list, a table.
type Group struct {
	// Name is that of the hidden field with what it said first, Label its text key.
	Name, Label string
	// Fields are their names; one that ends in a dot stands for all that begin with it.
	Fields []string
	// Text words them.
	Text func(url.Values) string
}

func (g Group) has(name string) bool {
	return slices.ContainsFunc(g.Fields, func(one string) bool {
		return name == one || strings.HasSuffix(one, ".") && strings.HasPrefix(name, one)
	})
}

// List is a group of one field with several values.
func List(name, label string) Group {
	return Group{name, label, []string{name}, func(form url.Values) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(form[name]), func(one string) bool { return strings.TrimSpace(one) == "" }), "；")
	}}
}

// Original are the values with which the form of a referral begins, and what it needs to find out what somebody else changes meanwhile.
func Original(shown url.Values, groups []Group) url.Values {
	alone := url.Values{}
	for name, values := range shown {
		if !slices.ContainsFunc(groups, func(g Group) bool { return g.has(name) }) {
			alone[name] = values
		}
	}
	values := shell.Original(alone, nil)
	for name, list := range shown {
		values[name] = list
	}
	for _, g := range groups {
		values.Set("was."+g.Name, g.Text(shown))
	}
	return values
}

// Renewal is a form that was sent for a referral which somebody else changed.
type Renewal struct {
	Shell  *shell.Shell
	Client referralv1.ReferralServiceClient
	// Referral is it as it stands, Present what its form would show now.
	Referral *referralv1.Referral
	Present  url.Values
	Groups   []Group
	// Word words a value of a field beside the texts that all forms have in common; false for what it does not know.
	Word func(name, value string) (string, bool)
}

// Reapply puts what was typed upon the present referral: a field that was not touched shows what stands now, one that was touched keeps what was typed, and
// whoever sends it again has seen what somebody else changed. The form then names the version on which it stands.
func (n Renewal) Reapply(r *http.Request, form *shell.Form, cause error) *Stale {
	out := &Stale{ReferralID: n.Referral.GetId(), Direction: n.Referral.GetDirection().String(), Words: n.Shell.T(r, "form.stale")}
	if errs.KindOf(cause) == errs.KindWrongState {
		out.Words = n.Shell.ErrorText(r, cause)
	}
	seen, _ := strconv.ParseInt(form.Value("version"), 10, 32)
	alone := url.Values{}
	for name, values := range n.Present {
		if !slices.ContainsFunc(n.Groups, func(g Group) bool { return g.has(name) }) {
			alone[name] = values
		}
	}
	for _, g := range n.Groups {
		was, now, typed := form.Original(g.Name), g.Text(n.Present), g.Text(form.Values)
		if was != now {
			out.Changed = append(out.Changed, n.change(r, g.Name, g.Label, now, typed, typed != was))
		}
		if typed == was {
			g.takeOver(form.Values, n.Present)
		}
		form.Values.Set("was."+g.Name, now)
	}
	touched := map[string]bool{}
	for name := range alone {
		touched[name] = !form.Untouched(name)
	}
	form.Rebase(alone, nil)
	for name, now := range form.Changed {
		out.Changed = append(out.Changed, n.change(r, name, "", now, form.Value(name), touched[name]))
	}
	slices.SortFunc(out.Changed, func(a, b Change) int { return strings.Compare(a.Label, b.Label) })
	out.Since = Since(r.Context(), n.Client, n.Referral.GetId(), seen)
	form.Values.Set("version", strconv.Itoa(int(n.Referral.GetVersion())))
	return out
}

// Since are the transitions of a referral after a version, the oldest first; none when its history cannot be read.
func Since(ctx context.Context, client referralv1.ReferralServiceClient, referralID string, version int64) (out []*referralv1.HistoryRow) {
	list, err := client.ListHistory(ctx, &referralv1.ListHistoryRequest{Id: referralID})
	if err != nil {
		return nil
	}
	for _, row := range list.GetHistory() {
		if row.GetKind() == "TRANSITION" && int64(row.GetVersion()) > version {
			out = append(out, row)
		}
	}
	return out
}

// takeOver replaces the group's fields by those of the present.
func (g Group) takeOver(form, present url.Values) {
	for name := range form {
		if g.has(name) {
			form.Del(name)
		}
	}
	for name, values := range present {
		if g.has(name) {
			form[name] = values
		}
	}
}

// change words a field and its values.
func (n Renewal) change(r *http.Request, name, label, now, typed string, touched bool) Change {
	if label == "" {
		label = map[string]string{"organization": "field.receiver", "department": "field.receiver.departmentCode"}[name]
	}
	word := func(value string) string {
		if said, ok := n.Word(name, value); ok {
			return said
		}
		switch name {
		case "kind", "urgency", "transport", "consent.method", "modality":
			if value != "" {
				return n.Shell.T(r, name+"."+value)
			}
		case "consent.relation":
			if value != "" {
				return n.Shell.T(r, "relation."+value)
			}
		}
		return strings.ReplaceAll(value, "|", " ")
	}
	out := Change{Label: n.Shell.T(r, cmp.Or(label, "field."+name)), Now: word(now)}
	if touched && typed != now {
		out.Yours = word(typed)
	}
	return out
}
