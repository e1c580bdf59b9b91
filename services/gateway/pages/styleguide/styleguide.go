// Package styleguide holds the page that shows every component of the pages with what it is for, in a demo system only.
//
// It is drawn by the same templates and the same style sheet as the pages, so that the two cannot differ; its samples are made up here and its words are
// in the catalogue. The page needs no sign-in and asks no service.
package styleguide

import (
	"embed"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/chart"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/style"
)

//go:embed *.html
var files embed.FS

// Pages serves the page.
type Pages struct {
	shell  *shell.Shell
	set    *shell.Set
	tokens []style.Token
	pairs  []style.Pair
}

// New reads the colours of the style sheet and parses the page.
func New(sh *shell.Shell) (*Pages, error) {
	tokens, err := style.Tokens()
	if err != nil {
		return nil, err
	}
	pairs, err := style.Pairs(tokens)
	if err != nil {
		return nil, err
	}
	set, err := sh.Parse(chart.With(files), "styleguide.html", "chart.html")
	if err != nil {
		return nil, err
	}
	return &Pages{shell: sh, set: set, tokens: tokens, pairs: pairs}, nil
}

// Routes adds the page to a mux.
func (p *Pages) Routes(mux shell.Mux) { mux.Handle("GET /style-guide", p.shell.Open(p.page)) }

// data is what styleguide.html sees.
type data struct {
	Tokens []style.Token
	Pairs  []style.Pair
	Sizes  []string
	Form   shell.Form
	Rows   []shell.Row
	States []referralv1.State_Code
	Alarms []shell.Alarm
	Steps  []step
	// Soon, Late and Far are limits; Sent is a moment that has passed.
	Soon, Late, Far, Sent *timestamppb.Timestamp
	Drawing               chart.Drawing
	Points                []chart.Point
	Bars                  []bar
}

// step is a line of a timeline.
type step struct {
	Kind, Action, Place string
	Time                *timestamppb.Timestamp
	Late                bool
}

// bar is one month of a bar chart, in the units of its drawing.
type bar struct {
	Label, Shown        string
	Y, Text, Width, End int
	Filling             bool
}

func (p *Pages) page(w http.ResponseWriter, r *http.Request) error {
	now := p.shell.Now()
	at := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(d)) }
	word := func(key string) string { return p.shell.T(r, key) }
	d := data{
		Tokens: p.tokens, Pairs: p.pairs, Sizes: strings.Fields("title heading body list small tiny"),
		Form: shell.Form{
			Values: url.Values{"guide.name": {word("guide.sample.name")}, "guide.text": {word("guide.sample.text")}},
			Errors: []shell.FieldError{{Name: "guide.wrong", Text: word("guide.sample.error")}},
		},
		Rows: []shell.Row{
			p.row(r, commonv1.Urgency_EMERGENCY, referralv1.State_SUBMITTED, at(-8*time.Minute)),
			p.row(r, commonv1.Urgency_URGENT, referralv1.State_ACCEPTED, at(12*time.Minute)),
			p.row(r, commonv1.Urgency_ROUTINE, referralv1.State_CONCLUDED, at(50*time.Hour)),
		},
		Alarms: []shell.Alarm{{Alarm: &notificationv1.Alarm{Id: "sample", ReferralId: "sample", ReferralNumber: "450321-26-0000001-0", Rings: 2, CreateTime: at(-2 * time.Minute)}, From: word("guide.sample.centre")}},
		Steps: []step{
			{"TRANSITION", "submit", word("guide.sample.centre"), at(-26 * time.Hour), false},
			{"MARK", "seen", word("guide.sample.hospital"), at(-25 * time.Hour), false},
			{"MARK", "deadline_passed", "", at(-24 * time.Hour), true},
			{"TRANSITION", "accept", word("guide.sample.hospital"), at(-time.Hour), false},
		},
		Soon: at(12 * time.Minute), Late: at(-8 * time.Minute), Far: at(26 * time.Hour), Sent: at(-2 * time.Hour),
		Bars: []bar{
			{Label: now.AddDate(0, -2, 0).Format("2006-01"), Shown: "61 %", Y: 4, Text: 16, Width: 92, End: 160},
			{Label: now.AddDate(0, -1, 0).Format("2006-01"), Shown: "74 %", Y: 28, Text: 40, Width: 111, End: 179},
			{Label: now.Format("2006-01"), Shown: "70 %", Y: 52, Text: 64, Width: 105, End: 173, Filling: true},
		},
	}
	for _, code := range slices.Sorted(maps.Keys(referralv1.State_Code_name)) {
		if state := referralv1.State_Code(code); state != referralv1.State_UNSPECIFIED {
			d.States = append(d.States, state)
		}
	}
	low, high := 90.0, 140.0
	for i, v := range []float64{158, 151, 146, 139, 142, 134} {
		d.Points = append(d.Points, chart.Point{At: now.AddDate(0, 0, 7*i-35), Value: v})
	}
	d.Drawing, _ = chart.Draw(chart.Plot{Lines: []chart.Line{{Name: word("measure.sbp"), Points: d.Points, Low: &low, High: &high}}})
	return p.shell.Render(w, r, p.set, shell.Page{Title: "guide.title", Data: d})
}

func (p *Pages) row(r *http.Request, urgency commonv1.Urgency_Code, state referralv1.State_Code, due *timestamppb.Timestamp) shell.Row {
	return shell.Row{
		Referral: &referralv1.Referral{
			Id: "sample", Direction: commonv1.Direction_UP, Kind: commonv1.Kind_OUTPATIENT, Urgency: urgency, State: state, DueTime: due, UpdateTime: due,
			Patient: &referralv1.PatientSummary{Name: p.shell.T(r, "guide.sample.name"), Sex: commonv1.Sex_MALE, BirthDate: "1957-05-01"},
		},
		From: p.shell.T(r, "guide.sample.centre"), To: p.shell.T(r, "guide.sample.hospital"), Department: p.shell.T(r, "guide.sample.department"),
		Diagnosis: p.shell.T(r, "guide.sample.diagnosis"), Others: 1,
	}
}
