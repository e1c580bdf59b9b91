package rules_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/rules"
)

// told is a row without its channels and its text.
type told struct {
	event string
	to    domain.To
	when  domain.When
}

type rung struct {
	step, direction    string
	first, second, top domain.To
}

// standing are the rows as they were when they were code, in their order. What is shipped since comes on top.
func standing() ([]told, []rung) {
	return []told{
			{"submitted", domain.Intake, domain.Always},
			{"submitted", domain.ReceiverDepartment, domain.Emergency},
			{"resubmitted", domain.Intake, domain.Always},
			{"redirected", domain.Intake, domain.Always},
			{"redirected", domain.Originator, domain.Always},
			{"accepted", domain.Originator, domain.Always},
			{"rebooked", domain.Originator, domain.Always},
			{"returned", domain.Originator, domain.Always},
			{"declined", domain.Originator, domain.Always},
			{"answered", domain.Originator, domain.Always},
			{"cancelled", domain.Intake, domain.Sent},
			{"departed", domain.Intake, domain.Always},
			{"arrived", domain.Originator, domain.Always},
			{"admitted", domain.Originator, domain.Always},
			{"no_show", domain.Originator, domain.Always},
			{"concluded", domain.Originator, domain.Always},
			{"acknowledged", domain.Intake, domain.Always},
			{"follow_up_begun", domain.Originator, domain.Always},
			{"escalated", domain.Originator, domain.Always},
			{"completed", domain.Originator, domain.Always},
			{"message_posted", domain.Receiver, domain.ByOriginator},
			{"message_posted", domain.Originator, domain.ByReceiver},
			{"corrected", domain.Receiver, domain.ByOriginator},
			{"corrected", domain.Originator, domain.ByReceiver},
			{"assessed", domain.Originator, domain.Always},
			{"consent_recorded", domain.Intake, domain.Always},
			{"bounce_back_found", domain.Originator, domain.Always},
			{"bounce_back_found", domain.ReceiverHead, domain.Always},
			{"person_merged", domain.Intake, domain.Always},
			{"person_merged", domain.Originator, domain.Always},
			{"candidate_found", domain.CandidateDepartment, domain.Always},
			{domain.GlassBroken, domain.HomeCentre, domain.Always},
			{domain.GlassBroken, domain.Auditors, domain.Always},
			{domain.VisitDeclared, domain.HomeCentre, domain.Always},
			{domain.ConsentWithdrawn, domain.Sides, domain.Always},
			{domain.ConsentWithdrawn, domain.HomeHead, domain.WithoutReferral},
			{domain.ConsentWithdrawn, domain.Holders, domain.WithoutReferral},
			{domain.EncounterOpened, domain.HomeCentre, domain.Always},
			{domain.EncounterClosed, domain.HomeCentre, domain.Always},
			{domain.EncounterCancelled, domain.HomeCentre, domain.Always},
		}, []rung{
			{"ANSWER", domain.Up, domain.Intake, domain.ReceiverHead, domain.CountyAdmin},
			{"ANSWER", domain.Down, domain.ReceiverDoctors, domain.ReceiverHead, domain.CountyAdmin},
			{"MISSING_INFORMATION", domain.Either, domain.Originator, domain.OriginatorHead, domain.CountyAdmin},
			{"REPLY", domain.Either, domain.ReceiverDoctors, domain.ReceiverHead, domain.CountyAdmin},
			{"FIRST_CONTACT", domain.Either, domain.FamilyDoctor, domain.ReceiverHead, domain.CountyAdmin},
			{"VISIT", domain.Either, domain.FamilyDoctor, domain.ReceiverHead, domain.CountyAdmin},
			{"DOWN_DECISION", domain.Either, domain.ReceiverDoctors, domain.ReceiverHead, domain.CountyAdmin},
			{"STAY", domain.Either, domain.ReceiverDoctors, domain.Nobody, domain.Nobody},
			{"CONSENT", domain.Either, domain.Originator, domain.OriginatorHead, domain.Nobody},
			{"NORM_CHECK", domain.Up, domain.Originator, domain.OriginatorHead, domain.Nobody},
			{"NORM_CHECK", domain.Down, domain.FamilyDoctor, domain.ReceiverHead, domain.Nobody},
		}
}

// Invariant 1. The tables became data without a change of what they mean.
func TestTheShippedTableSaysWhatTheCodeSaid(t *testing.T) {
	t.Parallel()
	table, err := rules.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	wantRules, wantLadders := standing()
	var gotRules []told
	for _, r := range table.Rules {
		added := r.To == domain.Patient || slices.Contains([]string{
			domain.AlarmRang, domain.CallDue, domain.BookingMoved, domain.SessionCancelled, domain.WaitlistOffered, domain.WaitlistEnded,
		}, r.Event)
		if !added {
			gotRules = append(gotRules, told{r.Event, r.To, r.When})
		}
		if r.Template == "" || r.County {
			t.Errorf("%+v", r)
		}
	}
	if !slices.Equal(gotRules, wantRules) {
		t.Errorf("rules %v, want %v", gotRules, wantRules)
	}
	var gotLadders []rung
	for _, l := range table.Ladders {
		gotLadders = append(gotLadders, rung{l.Step, l.Direction, l.First, l.Second, l.Top})
	}
	if !slices.Equal(gotLadders, wantLadders) {
		t.Errorf("ladders %v, want %v", gotLadders, wantLadders)
	}
}

func TestACountysFileReplacesAddsAndSwitchesOff(t *testing.T) {
	t.Parallel()
	table, err := rules.New(fstest.MapFS{"own/rules.yaml": {Data: []byte(`
rules:
  - {event: accepted, to: ORIGINATOR, channels: {routine: [SMS]}}
  - {event: accepted, to: ORIGINATOR_HEAD}
  - {event: departed, to: INTAKE, disabled: true}
ladders:
  - {step: STAY, first: RECEIVER_HEAD}
`)}, ".hidden/x": {}})
	if err != nil {
		t.Fatal(err)
	}
	find := func(event string, to domain.To) (domain.Rule, bool) {
		i := slices.IndexFunc(table.Rules, func(r domain.Rule) bool { return r.Event == event && r.To == to })
		if i < 0 {
			return domain.Rule{}, false
		}
		return table.Rules[i], true
	}
	if r, _ := find("accepted", domain.Originator); !r.County || !slices.Equal(r.Channels.Routine, []string{"SMS"}) {
		t.Errorf("replaced: %+v", r)
	}
	if r, ok := find("accepted", domain.OriginatorHead); !ok || !slices.Contains(r.Channels.Urgent, "WECOM_APP") {
		t.Errorf("added: %+v", r)
	}
	if r, ok := find("departed", domain.Intake); ok {
		t.Errorf("switched off: %+v", r)
	}
	for _, l := range table.Ladders {
		if l.Step == "STAY" && (l.First != domain.ReceiverHead || !l.County) {
			t.Errorf("ladder: %+v", l)
		}
	}
}

func TestWhatIsWrongIsNamedWithFileLineAndReason(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"rules:\n  - {event: accepted, to: ORIGINATOR}\n  - {event: unheard_of, to: INTAKE}": "r.yaml:3: there is no fact \"unheard_of\"",
		"rules:\n  - {event: accepted, to: EVERYBODY}":                                       "r.yaml:2: there is no recipient \"EVERYBODY\"",
		"rules:\n  - {event: accepted, to: INTAKE, when: RARELY}":                            "r.yaml:2: there is no condition \"RARELY\"",
		"rules:\n  - {event: accepted, to: INTAKE, channels: {urgent: [PIGEON]}}":            "r.yaml:2: there is no channel \"PIGEON\"",
		"rules:\n  - {event: arrived, to: PATIENT}":                                          "r.yaml:2: a patient is told with a text of its own",
		"rules:\n  - {event: arrived, to: SIDES, disabled: true}":                            "r.yaml:2: arrived to SIDES is switched off, but there is no such row",
		"rules:\n  - {event: arrived, to: SIDES}\n  - {event: arrived, to: SIDES}":           "r.yaml:3: arrived to SIDES is said twice",
		"ladders:\n  - {step: NEVER, first: INTAKE}":                                         "r.yaml:2: there is no step \"NEVER\"",
		"rules:\n  - {event: accepted, whom: INTAKE}":                                        "r.yaml: yaml: unmarshal errors:\n  line 2: field whom not found",
	} {
		_, err := rules.New(fstest.MapFS{"r.yaml": {Data: []byte(content)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	if _, err := rules.New(fstest.MapFS{"r.txt": {}}); err == nil || !strings.HasPrefix(err.Error(), "r.txt:1: ") {
		t.Errorf("another file: %v", err)
	}
}

// An alarm reaches those on duty, then the line behind, then the head and who sent the patient.
func TestAnAlarmClimbs(t *testing.T) {
	t.Parallel()
	f := up(domain.AlarmRang)
	f.Urgency = domain.UrgencyEmergency
	for _, c := range []struct {
		ring  int
		level int32
		want  []domain.To
	}{
		{1, 0, []domain.To{domain.OnDutyIntake, domain.OnDutyDepartment, domain.IntakeGroup, domain.DepartmentGroup}},
		{2, 1, []domain.To{domain.OnDutyIntake, domain.OnDutyDepartment}},
		{3, 1, []domain.To{domain.OnDutyIntake, domain.OnDutyDepartment, domain.SecondLine}},
		{4, 2, []domain.To{domain.OnDutyIntake, domain.OnDutyDepartment, domain.SecondLine, domain.ReceiverHead, domain.Originator}},
	} {
		f.Ring = domain.Ring{AlarmID: "a", Number: c.ring, Level: c.level}
		var got []domain.To
		for _, a := range shipped().Addressed(f) {
			got = append(got, a.To)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("ring %d at level %d: %v, want %v", c.ring, c.level, got, c.want)
		}
	}
}
