package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func (h house) mark(t *testing.T, caller authn.Identity, v app.View, m domain.MarkCommand) app.View {
	t.Helper()
	out, err := h.Mark(t.Context(), by(caller), v.ID, m)
	if err != nil {
		t.Fatalf("%s: %v", m.Action, err)
	}
	if out.Version != v.Version || out.State != v.State {
		t.Errorf("%s made it %s at %d", m.Action, out.State, out.Version)
	}
	return out
}

func (h house) refuseMark(t *testing.T, caller authn.Identity, v app.View, m domain.MarkCommand) error {
	t.Helper()
	_, err := h.Mark(t.Context(), by(caller), v.ID, m)
	if err == nil {
		t.Errorf("%s is taken", m.Action)
	}
	return err
}

func TestTheDeskSeesWhoIsOnTheWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.accept(t, desk(), h.make(t, family(), creation(patient())))
		due, at := v.DueTime, h.clock.Now().Add(time.Hour)
		depart := domain.MarkCommand{Action: domain.MarkDepart, Transport: "ESCORTED", Expected: at, Note: "吸氧"}
		h.mark(t, family(), v, depart)
		got := h.now(t, desk(), v.ID)
		if got.Transport != "ESCORTED" || !got.ExpectedArrival.Equal(at) || !got.DepartTime.Equal(h.clock.Now()) || !got.DueTime.Equal(due) ||
			h.limit(t, v.ID, domain.StepArrival) != "OPEN" || h.told(t, "departed") != 1 {
			t.Errorf("by %s, expected %v", got.Transport, got.ExpectedArrival)
		}
		half := 30 * time.Minute
		h.mark(t, family(), v, domain.MarkCommand{Action: domain.MarkDepart, Transport: "AMBULANCE", Expected: at, ExpectedIn: &half})
		if got = h.now(t, desk(), v.ID); !got.ExpectedArrival.Equal(h.clock.Now().Add(half)) {
			t.Errorf("in half an hour, expected %v", got.ExpectedArrival)
		}
		for want, spoil := range map[string]func(*domain.MarkCommand){
			"transport FIELD_REQUIRED":           func(m *domain.MarkCommand) { m.Transport = "" },
			"transport FIELD_UNKNOWN":            func(m *domain.MarkCommand) { m.Transport = "TRACTOR" },
			"expectedArrival FIELD_OUT_OF_RANGE": func(m *domain.MarkCommand) { m.Expected = h.clock.Now().Add(-time.Second) },
		} {
			wrong := depart
			spoil(&wrong)
			expectFields(t, h.refuseMark(t, family(), v, wrong), want)
		}
		expectReason(t, h.refuseMark(t, desk(), v, depart), errs.ReasonRole)
		v = h.arrive(t, desk(), v)
		expectReason(t, h.refuseMark(t, family(), v, depart), errs.ReasonActionNotAvailable)
	})
}

func TestTheReferringDoctorSeesTheCountysVerdict(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.came(t, patient())
		h.mark(t, specialist(), v, domain.MarkCommand{Action: domain.MarkAssess, Verdict: domain.VerdictNecessary})
		h.mark(t, specialist(), v, domain.MarkCommand{Action: domain.MarkAssess, Verdict: domain.VerdictTooLate, Note: "发病六小时"})
		if got := h.now(t, family(), v.ID); got.Verdict != domain.VerdictTooLate || got.VerdictNote != "发病六小时" {
			t.Errorf("the latest is %s", got.Verdict)
		}
		for want, m := range map[string]domain.MarkCommand{
			"verdict FIELD_REQUIRED": {}, "verdict FIELD_UNKNOWN": {Verdict: "BAD"}, "note FIELD_REQUIRED": {Verdict: domain.VerdictManageable},
		} {
			m.Action = domain.MarkAssess
			expectFields(t, h.refuseMark(t, specialist(), v, m), want)
		}
		expectReason(t, h.refuseMark(t, family(), v, domain.MarkCommand{Action: domain.MarkAssess, Verdict: domain.VerdictNecessary}), errs.ReasonRole)
		waiting := h.make(t, family(), creation(patient()))
		m := domain.MarkCommand{Action: domain.MarkAssess, Verdict: domain.VerdictNecessary}
		expectReason(t, h.refuseMark(t, specialist(), waiting, m), errs.ReasonActionNotAvailable)
	})
}

func TestACorrectionStandsBesideWhatItCorrects(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.do(t, family(), h.conclude(t, h.came(t, patient()), "IMPROVED"), domain.ActionAcknowledge)
		m := domain.MarkCommand{Action: domain.MarkCorrect, Reason: "TYPING_ERROR", Fields: []string{"reply.treatment", "outcome_code"}, Content: domain.Correction{
			Outcome: "CURED", Reply: domain.Reply{Treatment: "取栓"},
		}}
		cmd := command(specialist(), "r1", "a")
		for range 2 {
			if out, err := h.Mark(t.Context(), cmd, v.ID, m); err != nil || out.Corrections != 1 {
				t.Fatalf("%d corrections, %v", out.Corrections, err)
			}
		}
		if got := h.now(t, family(), v.ID); got.Reply.Treatment != "取栓" || got.Outcome != "CURED" || got.Reply.Diagnosis != "脑梗死恢复期" {
			t.Errorf("now %s, %s", got.Reply.Treatment, got.Outcome)
		}
		notes, err := h.Notes(t.Context(), family(), v.ID, domain.MarkCorrect)
		if err != nil || len(notes) != 1 || notes[0].Reason != "TYPING_ERROR" || notes[0].By.AccountID != specialist().Subject ||
			notes[0].Detail["before.reply.treatment"] != "溶栓" || notes[0].Detail["after.reply.treatment"] != "取栓" ||
			notes[0].Detail["before.outcome_code"] != "IMPROVED" {
			t.Errorf("kept %+v, %v", notes, err)
		}
		m.Reason = ""
		expectFields(t, h.refuseMark(t, specialist(), v, m), "reasonCode FIELD_REQUIRED", "reply.treatment FIELD_COMBINATION", "outcome_code FIELD_COMBINATION")
		// Each side corrects what it wrote.
		m.Reason, m.Fields, m.Content.Form.PastHistory = "NEW_RESULT", []string{"form.past_history"}, "高血压"
		expectFields(t, h.refuseMark(t, specialist(), v, m), "updateMask FIELD_UNKNOWN")
		h.mark(t, family(), h.now(t, family(), v.ID), m)
		if got := h.now(t, desk(), v.ID); got.Corrections != 2 || got.Form.PastHistory != "高血压" || h.told(t, "corrected") != 2 {
			t.Errorf("%d corrections", got.Corrections)
		}
	})
}

func TestAnEmergencysConsentComesLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := green(patient())
		in.Draft.Consent = domain.Consent{DeferredReason: "昏迷"}
		v := h.arrive(t, desk(), h.make(t, family(), in))
		if got := h.limit(t, v.ID, domain.StepConsent); got != "OPEN" {
			t.Fatalf("the reminder is %q", got)
		}
		record := authn.Identity{Subject: "service:patientrecord", Service: "patientrecord", County: county}
		said, err := h.Consent(t.Context(), record, v.ID)
		if err != nil || said.Snapshot.Consent.DeferredReason != "昏迷" || !said.Due.After(h.clock.Now()) {
			t.Errorf("patient-record hears of %q, due %v (%v)", said.Snapshot.Consent.DeferredReason, said.Due, err)
		}
		consent := domain.MarkCommand{Action: domain.MarkConsent, Consent: domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"}}
		expectFields(t, h.refuseMark(t, family(), v, domain.MarkCommand{Action: domain.MarkConsent}),
			"consent.givenBy FIELD_REQUIRED", "consent.relation FIELD_REQUIRED", "consent.method FIELD_REQUIRED")
		expectReason(t, h.refuseMark(t, desk(), v, consent), errs.ReasonRole)
		h.clock.Advance(time.Hour)
		h.mark(t, family(), v, consent)
		got := h.now(t, desk(), v.ID).Consent
		if got.GivenBy != "家属" || !got.At.Equal(h.clock.Now()) || got.TextVersion != domain.ConsentText || got.DeferredReason != "昏迷" {
			t.Errorf("given at %v to %q", got.At, got.TextVersion)
		}
		if got := h.limit(t, v.ID, domain.StepConsent); got != "STOPPED" {
			t.Errorf("the reminder is %q", got)
		}
		if said, err = h.Consent(t.Context(), record, v.ID); err != nil || said.Snapshot.Consent.GivenBy != "家属" || !said.Due.IsZero() {
			t.Errorf("patient-record hears of %v, due %v (%v)", said.Snapshot.Consent, said.Due, err)
		}
		expectReason(t, h.refuseMark(t, family(), v, consent), errs.ReasonActionNotAvailable)
		given := h.make(t, family(), green(patient()))
		if h.limit(t, given.ID, domain.StepConsent) != "" {
			t.Error("one that was given is reminded of")
		}
		taken := h.make(t, family(), func() app.Creation { in.Draft.PatientID = patient(); return in }())
		h.do(t, family(), taken, domain.ActionCancel)
		if got := h.limit(t, taken.ID, domain.StepConsent); got != "STOPPED" {
			t.Errorf("cancelled, and the reminder is %q", got)
		}
	})
}

func TestBothSidesTalkOnTheCase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.came(t, patient())
		post := func(cmd app.Command, text string) app.HistoryRow {
			t.Helper()
			n, err := h.PostMessage(t.Context(), cmd, v.ID, text)
			if err != nil || n.Note != text || n.ID == "" {
				t.Fatalf("%q, %v", n.Note, err)
			}
			h.clock.Advance(time.Second)
			return n
		}
		first := post(command(family(), "r1", "a"), "到了吗")
		post(by(desk()), "到了")
		third := post(command(family(), "r2", "b"), "到了吗")
		if again := post(command(family(), "r1", "a"), "到了吗"); again.ID != first.ID || third.ID == first.ID {
			t.Errorf("the first request again is answered by %s, want %s", again.ID, first.ID)
		}
		for _, who := range []authn.Identity{family(), specialist()} {
			notes, err := h.Notes(t.Context(), who, v.ID, domain.MarkMessage)
			var said []string
			for _, n := range notes {
				said = append(said, n.By.Name+" "+n.Note)
			}
			if err != nil {
				t.Fatal(err)
			}
			expectList(t, "thread", said, []string{"黄医生 到了吗", "韦前台 到了", "黄医生 到了吗"})
		}
		_, err := h.PostMessage(t.Context(), by(family()), v.ID, "")
		expectFields(t, err, "text FIELD_REQUIRED")
		_, err = h.PostMessage(t.Context(), by(stranger()), v.ID, "?")
		expectReason(t, err, errs.ReasonNotFound)
		_, err = h.Notes(t.Context(), stranger(), v.ID, domain.MarkMessage)
		expectReason(t, err, errs.ReasonNotFound)
		if told := h.told(t, "message_posted"); told != 3 {
			t.Errorf("told %d times", told)
		}
	})
}

func TestAFormerReceiverReadsAndMarksNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.make(t, family(), creation(patient()))
		v, err := h.Redirect(t.Context(), by(desk()), app.Step{ID: v.ID, Version: v.Version, Carry: domain.Carry{
			Reason: "NO_BED", Receiver: domain.Party{OrganizationID: second, DepartmentCode: "0304"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range domain.Marks() {
			if m.Action != domain.MarkConvert {
				expectReason(t, h.refuseMark(t, desk(), v, domain.MarkCommand{Action: m.Action, Text: "?"}), errs.ReasonNotFound)
			}
		}
		_, err = h.Convert(t.Context(), by(desk()), v.ID, domain.KindExam)
		expectReason(t, err, errs.ReasonNotFound)
		if _, err = h.MarkSeen(t.Context(), by(desk()), v.ID); err != nil {
			t.Error(err)
		}
		if got := h.timeline(t, desk(), v.ID); !slices.Equal(got, []string{"create", "submit", "redirect"}) {
			t.Errorf("the timeline is %q", got)
		}
	})
}

// A case is over 30 days after its end, whatever is said about it later.
func TestAMessageProlongsNobodysRelation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.do(t, family(), h.conclude(t, h.came(t, patient()), "IMPROVED"), domain.ActionAcknowledge)
		h.clock.Advance(days(29))
		if _, err := h.PostMessage(t.Context(), by(family()), v.ID, "近况"); err != nil {
			t.Fatal(err)
		}
		level := func() string {
			r, err := h.Relation(t.Context(), county, v.PatientID, hospital)
			if err != nil {
				t.Fatal(err)
			}
			return r.Level
		}
		if got := level(); got != "FULL" {
			t.Errorf("within 30 days %s", got)
		}
		h.clock.Advance(days(2))
		if got := level(); got != "NONE" {
			t.Errorf("after them %s", got)
		}
	})
}
