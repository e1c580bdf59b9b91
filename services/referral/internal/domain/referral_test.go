package domain_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func refusedFields(t *testing.T, err error) []string {
	t.Helper()
	var refused *domain.Refusal
	if !errors.As(err, &refused) || refused.Why != domain.Content {
		t.Fatalf("got %v, want a refusal of content", err)
	}
	var out []string
	for _, f := range refused.Fields {
		out = append(out, f.Name+" "+f.Reason)
	}
	return out
}

func create(t *testing.T, d domain.Draft, complete bool) (*domain.Referral, error) {
	t.Helper()
	r := domain.New("r1", "450321")
	return r, r.Decide(domain.Command{
		Action: domain.ActionCreate, Side: domain.Originator, By: doctor(), At: now, Carry: domain.Carry{Draft: &d, Complete: complete},
	}, calendar(t))
}

func TestEverythingThatIsMissingIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := create(t, domain.Draft{Direction: domain.Up, Kind: domain.KindOutpatient, PatientID: "p", Originator: domain.Party{OrganizationID: "o"}}, true)
	got := refusedFields(t, err)
	want := []string{
		"urgency FIELD_REQUIRED", "receiver.organizationId FIELD_REQUIRED", "receiver.departmentCode FIELD_REQUIRED", "diagnoses FIELD_REQUIRED",
		"form.initialImpression FIELD_REQUIRED", "form.presentIllness FIELD_REQUIRED", "consent FIELD_REQUIRED",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestADraftMayBeIncompleteButNotWrong(t *testing.T) {
	t.Parallel()
	if _, err := create(t, domain.Draft{Direction: domain.Up, Kind: domain.KindInpatient, PatientID: "p"}, false); err != nil {
		t.Errorf("an incomplete draft is refused: %v", err)
	}
	for name, c := range map[string]struct {
		spoil func(*domain.Draft)
		field string
	}{
		"urgency that is not the kind's":     {func(d *domain.Draft) { d.Urgency = domain.UrgencyEmergency }, "urgency FIELD_COMBINATION"},
		"kind of another direction":          {func(d *domain.Draft) { d.Kind = domain.KindChronic }, "kind FIELD_COMBINATION"},
		"itself as receiver":                 {func(d *domain.Draft) { d.Receiver.OrganizationID = "township" }, "receiver.organizationId FIELD_COMBINATION"},
		"code that is none":                  {func(d *domain.Draft) { d.Diagnoses[0].Code = "6I" }, "diagnoses[0].code FIELD_INVALID"},
		"diagnosis without code":             {func(d *domain.Draft) { d.Diagnoses[0].Code = "" }, "diagnoses[0].code FIELD_REQUIRED"},
		"transport that is none":             {func(d *domain.Draft) { d.Transport = "TRACTOR" }, "transport FIELD_UNKNOWN"},
		"relation that is none":              {func(d *domain.Draft) { d.Consent.Relation = "x" }, "consent.relation FIELD_UNKNOWN"},
		"method that is none":                {func(d *domain.Draft) { d.Consent.Method = "NOD" }, "consent.method FIELD_UNKNOWN"},
		"deferred consent without emergency": {func(d *domain.Draft) { d.Consent.DeferredReason = "昏迷" }, "consent.deferredReason FIELD_COMBINATION"},
		"department in words":                {func(d *domain.Draft) { d.Receiver.DepartmentCode = "心内科" }, "receiver.departmentCode FIELD_INVALID"},
		"department of three digits":         {func(d *domain.Draft) { d.Receiver.DepartmentCode = "030" }, "receiver.departmentCode FIELD_INVALID"},
		"department of eight digits":         {func(d *domain.Draft) { d.Originator.DepartmentCode = "03040506" }, "originator.departmentCode FIELD_INVALID"},
		"name for a person's id":             {func(d *domain.Draft) { d.Receiver.PractitionerID = "莫医生" }, "receiver.practitionerId FIELD_INVALID"},
		"sentence for a person's id":         {func(d *domain.Draft) { d.Originator.PractitionerID = "ask at the desk" }, "originator.practitionerId FIELD_INVALID"},
		"person's id without end":            {func(d *domain.Draft) { d.Receiver.PractitionerID = strings.Repeat("1", 65) }, "receiver.practitionerId FIELD_INVALID"},
		"name for the family doctor":         {func(d *domain.Draft) { d.FamilyDoctor = "黄医生" }, "familyDoctor FIELD_INVALID"},
		"telephone for the family doctor":    {func(d *domain.Draft) { d.FamilyDoctor = "13800138000" }, "familyDoctor FIELD_INVALID"},
		"no kind":                            {func(d *domain.Draft) { d.Kind = "" }, "kind FIELD_REQUIRED"},
		"no direction":                       {func(d *domain.Draft) { d.Direction = "" }, "direction FIELD_REQUIRED"},
		"no patient":                         {func(d *domain.Draft) { d.PatientID = "" }, "patientId FIELD_REQUIRED"},
	} {
		d := draft(domain.KindOutpatient)
		c.spoil(&d)
		_, err := create(t, d, false)
		if got := refusedFields(t, err); !slices.Contains(got, c.field) {
			t.Errorf("%s: got %q, want %q", name, got, c.field)
		}
	}
}

func TestCodesAndIdsAreTakenAsTheyAreMade(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"03", "0304", "030401"} {
		d := draft(domain.KindOutpatient)
		d.Originator.DepartmentCode, d.Receiver.DepartmentCode = code, code
		d.Receiver.PractitionerID, d.FamilyDoctor = "450321101P1000", account
		if _, err := create(t, d, true); err != nil {
			t.Errorf("department %s: %v", code, err)
		}
	}
}

func TestAnEmergencyMayDeferConsentAndIsUrgentByItself(t *testing.T) {
	t.Parallel()
	d := draft(domain.KindEmergency)
	d.Urgency, d.Consent = "", domain.Consent{DeferredReason: "患者昏迷，家属在路上"}
	r, err := create(t, d, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Snapshot().Urgency; got != domain.UrgencyEmergency {
		t.Errorf("urgency %q", got)
	}
}

func TestConsentIsDatedAndNamesTheTextShown(t *testing.T) {
	t.Parallel()
	r, err := create(t, draft(domain.KindOutpatient), true)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Snapshot().Consent; !c.At.Equal(now) || c.TextVersion != domain.ConsentText {
		t.Errorf("got %v, %q", c.At, c.TextVersion)
	}
}

func TestVersionIsAskedBeforeStateAndStateBeforeContent(t *testing.T) {
	t.Parallel()
	why := func(s domain.Snapshot, spoil func(*domain.Command)) domain.Why {
		r := domain.Restore(s)
		c := command(r, domain.ActionAccept, domain.Receiver)
		spoil(&c)
		var refused *domain.Refusal
		if err := r.Decide(c, calendar(t)); !errors.As(err, &refused) {
			t.Fatalf("got %v", err)
		}
		return refused.Why
	}
	closed, submitted := inState(domain.KindOutpatient, domain.StateClosed), inState(domain.KindOutpatient, domain.StateSubmitted)
	bare := func(c *domain.Command) { c.Carry = domain.Carry{} }
	if got := why(closed, func(c *domain.Command) { c.Version = 0; bare(c) }); got != domain.NoVersion {
		t.Errorf("got %d, want NoVersion", got)
	}
	if got := why(closed, func(c *domain.Command) { c.Version--; bare(c) }); got != domain.Stale {
		t.Errorf("got %d, want Stale", got)
	}
	if got := why(closed, bare); got != domain.NotAvailable {
		t.Errorf("got %d, want NotAvailable", got)
	}
	if got := why(submitted, bare); got != domain.Content {
		t.Errorf("got %d, want Content", got)
	}
}

func TestAnArrivalIsTakenBackWithinADayOnly(t *testing.T) {
	t.Parallel()
	s := inState(domain.KindInpatient, domain.StateArrived)
	for after, want := range map[time.Duration]bool{24 * time.Hour: true, 24*time.Hour + 1: false} {
		r := domain.Restore(s)
		c := command(r, domain.ActionUndoArrive, domain.Receiver)
		c.At = s.ArriveTime.Add(after)
		if err := r.Decide(c, calendar(t)); (err == nil) != want {
			t.Errorf("after %v: %v", after, err)
		}
	}
}

func TestAnArrivalOnWhichSomethingStandsIsNotTakenBack(t *testing.T) {
	t.Parallel()
	for name, stands := range map[string]func(*domain.Snapshot){
		"a down-referral that answers it": func(s *domain.Snapshot) { s.DownReferral = "d1" },
		"a verdict":                       func(s *domain.Snapshot) { s.Verdict = domain.VerdictTooLate },
	} {
		s := inState(domain.KindInpatient, domain.StateArrived)
		stands(&s)
		r := domain.Restore(s)
		var refused *domain.Refusal
		err := r.Decide(command(r, domain.ActionUndoArrive, domain.Receiver), calendar(t))
		if !errors.As(err, &refused) || refused.Why != domain.NotAvailable {
			t.Errorf("%s: %v", name, err)
		}
		if slices.ContainsFunc(r.Actions(domain.Receiver, now), func(row domain.Row) bool { return row.Action == domain.ActionUndoArrive }) {
			t.Errorf("%s: it is offered", name)
		}
	}
}

func TestWhatIsGivenUpIsNamedByTheFactAndForgotten(t *testing.T) {
	t.Parallel()
	submitted := inState(domain.KindOutpatient, domain.StateSubmitted)
	submitted.HoldID = "h1"
	returned := inState(domain.KindOutpatient, domain.StateReturned)
	returned.HoldID = "h1"
	accepted := inState(domain.KindOutpatient, domain.StateAccepted)
	green := inState(domain.KindEmergency, domain.StateSubmitted)
	green.HoldID = "h1"
	for _, c := range []struct {
		s       domain.Snapshot
		action  domain.Action
		side    domain.Side
		booking string
	}{
		{submitted, domain.ActionDecline, domain.Receiver, ""},
		{submitted, domain.ActionRedirect, domain.Receiver, ""},
		{submitted, domain.ActionCancel, domain.Originator, ""},
		{returned, domain.ActionCancel, domain.Originator, ""},
		{green, domain.ActionArrive, domain.Receiver, ""},
		{accepted, domain.ActionCancel, domain.Originator, "b1"},
		{accepted, domain.ActionNoShow, domain.System, "b1"},
	} {
		r := domain.Restore(c.s)
		if err := r.Decide(command(r, c.action, c.side), calendar(t)); err != nil {
			t.Errorf("%s: %v", c.action, err)
			continue
		}
		change := r.Changes()[0]
		if change.HoldID != "h1" || change.BookingID != c.booking {
			t.Errorf("%s frees %q, %q", c.action, change.HoldID, change.BookingID)
		}
		if open, settled := r.Snapshot().Holds("h1"); open || settled {
			t.Errorf("after %s the referral still names the hold", c.action)
		}
	}
}

func TestAcceptSettlesItsOwnHoldAndAWalkInFreesTheAttachedOne(t *testing.T) {
	t.Parallel()
	s := inState(domain.KindOutpatient, domain.StateSubmitted)
	s.HoldID = "h1"
	r := domain.Restore(s)
	if err := r.Decide(command(r, domain.ActionAccept, domain.Receiver), calendar(t)); err != nil {
		t.Fatal(err)
	}
	if c := r.Changes()[0]; c.HoldID != "h2" || c.BookingID != "b2" {
		t.Errorf("settles %q, %q", c.HoldID, c.BookingID)
	}
	if _, settled := r.Snapshot().Holds("h2"); !settled {
		t.Error("the booked hold is not named")
	}

	r = domain.Restore(s)
	c := command(r, domain.ActionAccept, domain.Receiver)
	c.Carry.WalkIn, c.Carry.Booking = true, domain.Booking{}
	if err := r.Decide(c, calendar(t)); err != nil {
		t.Fatal(err)
	}
	if c := r.Changes()[0]; c.HoldID != "h1" || c.BookingID != "" {
		t.Errorf("a walk-in frees %q, %q", c.HoldID, c.BookingID)
	}
}

// Invariant 7: a return asks, it does not answer. The patient keeps the slot until accept, decline, redirect or cancel.
func TestTheHoldOutlastsAReturnAndTheSecondSubmission(t *testing.T) {
	t.Parallel()
	s := inState(domain.KindInpatient, domain.StateSubmitted)
	s.HoldID = "h1"
	r := domain.Restore(s)
	for _, c := range []struct {
		action domain.Action
		side   domain.Side
	}{{domain.ActionReturn, domain.Receiver}, {domain.ActionEdit, domain.Originator}, {domain.ActionResubmit, domain.Originator}} {
		if err := r.Decide(command(r, c.action, c.side), calendar(t)); err != nil {
			t.Fatalf("%s: %v", c.action, err)
		}
		if open, settled := r.Snapshot().Holds("h1"); !open || settled || r.Snapshot().HoldID != "h1" {
			t.Errorf("after %s the hold is open: %v, booked: %v", c.action, open, settled)
		}
	}
	for _, change := range r.Changes() {
		if change.HoldID != "" || change.BookingID != "" {
			t.Errorf("%s names %q, %q", change.Action, change.HoldID, change.BookingID)
		}
	}
}

// Invariant 7.
func TestAnotherDepartmentGivesUpTheHoldOfAReturnedReferral(t *testing.T) {
	t.Parallel()
	s := inState(domain.KindOutpatient, domain.StateReturned)
	s.HoldID = "h1"
	r := domain.Restore(s)
	c := command(r, domain.ActionEdit, domain.Originator)
	c.Carry.Fields, c.Carry.Draft.Receiver.DepartmentCode = []string{"receiver"}, other(s.Receiver.DepartmentCode)
	if err := r.Decide(c, calendar(t)); err != nil {
		t.Fatal(err)
	}
	if change := r.Changes()[0]; change.HoldID != "h1" {
		t.Errorf("the fact names %q", change.HoldID)
	}
	if open, _ := r.Snapshot().Holds("h1"); open {
		t.Error("the referral still names the hold")
	}
}

func TestAnotherDeviceGivesUpTheHoldOfAReturnedReferral(t *testing.T) {
	t.Parallel()
	s := inState(domain.KindExam, domain.StateReturned)
	s.HoldID, s.Modality = "h1", "CT"
	r := domain.Restore(s)
	c := command(r, domain.ActionEdit, domain.Originator)
	c.Carry.Fields, c.Carry.Draft.Modality = []string{"modality"}, "MR"
	if err := r.Decide(c, calendar(t)); err != nil {
		t.Fatal(err)
	}
	if after := r.Snapshot(); after.Modality != "MR" || after.HoldID != "" {
		t.Errorf("asks for %q, holds %q", after.Modality, after.HoldID)
	}
	c = command(r, domain.ActionEdit, domain.Originator)
	c.Carry.Fields, c.Carry.Draft.Modality = []string{"modality"}, "XRAY"
	if got := refusedFields(t, r.Decide(c, calendar(t))); !slices.Equal(got, []string{"modality FIELD_UNKNOWN"}) {
		t.Errorf("got %q", got)
	}
	s = inState(domain.KindOutpatient, domain.StateDraft)
	r = domain.Restore(s)
	c = command(r, domain.ActionEdit, domain.Originator)
	c.Carry.Fields, c.Carry.Draft.Modality = []string{"modality"}, "CT"
	if got := refusedFields(t, r.Decide(c, calendar(t))); !slices.Equal(got, []string{"modality FIELD_COMBINATION"}) {
		t.Errorf("got %q", got)
	}
}

func TestAReturnedReferralKeepsItsKindAndReceiver(t *testing.T) {
	t.Parallel()
	r := domain.Restore(inState(domain.KindOutpatient, domain.StateReturned))
	c := command(r, domain.ActionEdit, domain.Originator)
	c.Carry.Fields = []string{"kind", "receiver", "form.present_illness"}
	c.Carry.Draft.Kind, c.Carry.Draft.Receiver.OrganizationID = domain.KindInpatient, "elsewhere"
	got := refusedFields(t, r.Decide(c, calendar(t)))
	if want := []string{"kind FIELD_COMBINATION", "receiver.organizationId FIELD_COMBINATION"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	c.Carry.Fields = []string{"patient_id"}
	if got := refusedFields(t, r.Decide(c, calendar(t))); !slices.Equal(got, []string{"updateMask FIELD_UNKNOWN"}) {
		t.Errorf("got %q", got)
	}
}

func TestADraftAndWhatBecameOfItConcernsItsOriginatorAlone(t *testing.T) {
	t.Parallel()
	s := inState(domain.KindOutpatient, domain.StateDraft)
	r := domain.Restore(s)
	if s.Side("hospital") != "" || s.Side("township") != domain.Originator {
		t.Error("a draft is seen by its receiver")
	}
	if err := r.Decide(command(r, domain.ActionCancel, domain.Originator), calendar(t)); err != nil {
		t.Fatal(err)
	}
	if r.Snapshot().Side("hospital") != "" {
		t.Error("a cancelled draft is seen by its receiver")
	}
	if s.Side("") != "" {
		t.Error("nobody's organisation is a side")
	}
}

func TestEveryReasonListEndsInOtherWhichNeedsANote(t *testing.T) {
	t.Parallel()
	for _, row := range domain.Lifecycle() {
		carries := slices.Contains(row.Carries, "reason_code")
		list := domain.Reasons(row.Action)
		if carries != (len(list) > 1) {
			t.Errorf("%s has %d reasons", row.Action, len(list))
		}
		if !carries {
			continue
		}
		if last := list[len(list)-1]; last.Code != "OTHER" || !last.NoteRequired {
			t.Errorf("%s ends in %q", row.Action, last.Code)
		}
		for _, r := range list {
			if r.Text == "" || r.TextEn == "" {
				t.Errorf("%s %s has no words", row.Action, r.Code)
			}
		}
	}
	r := domain.Restore(inState(domain.KindOutpatient, domain.StateSubmitted))
	c := command(r, domain.ActionDecline, domain.Receiver)
	c.Carry.Note = ""
	if got := refusedFields(t, r.Decide(c, calendar(t))); !slices.Equal(got, []string{"note FIELD_REQUIRED"}) {
		t.Errorf("got %q", got)
	}
	c.Carry.Reason = "BECAUSE"
	if got := refusedFields(t, r.Decide(c, calendar(t))); !slices.Equal(got, []string{"reasonCode FIELD_UNKNOWN"}) {
		t.Errorf("got %q", got)
	}
}

func TestNothingPersonalPrints(t *testing.T) {
	t.Parallel()
	r := domain.Restore(inState(domain.KindOutpatient, domain.StateSubmitted))
	d := draft(domain.KindOutpatient)
	for _, v := range []any{r, r.Snapshot(), d.Patient, d.Form, d.Consent, d, domain.Reply{Diagnosis: "秦"}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			text := fmt.Sprintf(verb, v)
			if strings.Contains(text, "秦") || strings.Contains(text, "肢体") {
				t.Errorf("%T prints %q with %s", v, text, verb)
			}
		}
	}
}
