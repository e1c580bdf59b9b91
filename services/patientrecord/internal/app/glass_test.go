package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var (
	auditor   = person("bureau", "AUDITOR")
	homeHead  = person("township", "CENTRE_HEAD")
	otherHead = person("elsewhere", "CENTRE_HEAD")
)

func breaking(patient string) app.Break {
	return app.Break{
		Request: app.Request{Method: "BreakGlass", ID: id.New()}, PatientID: patient, Reason: domain.GlassConsultation, Note: "多学科会诊需要既往史",
	}
}

func (w *world) breakGlass(in app.Break) domain.Glass {
	w.t.Helper()
	g, err := w.BreakGlass(w.t.Context(), desk, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func TestABrokenGlassShowsTheRecordToOneAccountForADay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		_, err := w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
		in := breaking(patient)
		g := w.breakGlass(in)
		if again := w.breakGlass(in); again.ID != g.ID {
			t.Error("a double click broke it twice")
		}
		if g.Home != "township" || !g.Open() || !g.To.Equal(g.From.Add(app.DefaultGlass)) {
			t.Errorf("%+v", g.Home)
		}
		w.peer.away = true // an emergency does not wait for the referral service
		shown, err := w.Summary(t.Context(), desk, patient)
		if err != nil || shown.Patient.Level != domain.LevelFull || shown.Withheld.Count != 1 {
			t.Errorf("level %d, withheld %+v: %v", shown.Patient.Level, shown.Withheld, err)
		}
		w.peer.away = false
		colleague := desk
		colleague.Subject = "colleague"
		_, err = w.Summary(t.Context(), colleague, patient)
		w.reason(err, errs.ReasonNotFound)
		_, err = w.BreakGlass(t.Context(), desk, breaking(patient))
		w.reason(err, errs.ReasonActionNotAvailable)
		w.clk.Advance(app.DefaultGlass)
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestAnEmergencyShowsWhatIsSensitiveToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		in := breaking("")
		in.IdentityNumber, in.Reason, in.Note = zeng.IdentityNumber, domain.GlassEmergency, "昏迷送来急救室"
		w.breakGlass(in)
		shown, err := w.Summary(t.Context(), desk, patient)
		if err != nil || shown.Withheld.Count != 0 || shown.Patient.Level != domain.LevelSensitive {
			t.Errorf("withheld %+v: %v", shown.Withheld, err)
		}
	})
}

func TestAGlassNeedsAReason(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		for reason, change := range map[string]func(*app.Break){
			errs.ReasonFieldRequired: func(b *app.Break) { b.Reason = "" },
			errs.ReasonFieldUnknown:  func(b *app.Break) { b.Reason = "CURIOSITY" },
			errs.ReasonFieldInvalid:  func(b *app.Break) { b.Note = "看看" },
		} {
			in := breaking(patient)
			change(&in)
			_, err := w.BreakGlass(t.Context(), desk, in)
			w.reason(err, reason)
		}
	})
}

func TestAUseIsReviewedByAuditorsAndTheHomeCentre(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		g := w.breakGlass(breaking(patient))
		if _, err := w.Summary(t.Context(), desk, patient); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Glasses(t.Context(), desk, false, app.Cursor{}, 0); errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("a clinician lists them: %v", err)
		}
		if page, err := w.Glasses(t.Context(), otherHead, false, app.Cursor{}, 0); err != nil || len(page.Uses) != 0 {
			t.Errorf("another centre's head sees %d: %v", len(page.Uses), err)
		}
		if _, _, err := w.Glass(t.Context(), otherHead, g.ID); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("another centre's head reads it: %v", err)
		}
		for _, who := range []struct {
			name string
			see  func() (app.GlassPage, error)
		}{
			{"auditor", func() (app.GlassPage, error) { return w.Glasses(t.Context(), auditor, true, app.Cursor{}, 0) }},
			{"home", func() (app.GlassPage, error) { return w.Glasses(t.Context(), homeHead, true, app.Cursor{}, 0) }},
		} {
			if page, err := who.see(); err != nil || len(page.Uses) != 1 || page.Uses[0].Note == "" {
				t.Errorf("%s sees %d: %v", who.name, len(page.Uses), err)
			}
		}
		_, reads, err := w.Glass(t.Context(), auditor, g.ID)
		if err != nil || len(reads) < 2 || reads[len(reads)-1].Action != "record.summary" {
			t.Errorf("reads %v: %v", reads, err)
		}
		w.clk.Advance(domain.ReviewWithin + time.Second)
		if late, _, err := w.Glass(t.Context(), auditor, g.ID); err != nil || !late.Overdue(w.Now()) {
			t.Errorf("not overdue: %v", err)
		}
		judge := app.Judgement{Request: app.Request{Method: "ReviewGlass", ID: id.New()}, ID: g.ID, Version: 1, Verdict: domain.Asks}
		_, err = w.Review(t.Context(), auditor, judge)
		w.reason(err, errs.ReasonFieldRequired)
		judge.Note = "当时为什么不联系卫生院？"
		asked, err := w.Review(t.Context(), auditor, judge)
		if err != nil || !asked.Open() || asked.Version != 2 {
			t.Fatalf("%v", err)
		}
		if again, err := w.Review(t.Context(), auditor, judge); err != nil || again.Version != 2 {
			t.Errorf("a double click judged twice: %v", err)
		}
		late := app.Judgement{ID: g.ID, Version: 1, Verdict: domain.Justified}
		_, err = w.Review(t.Context(), homeHead, late)
		w.reason(err, errs.ReasonStaleVersion)
		late.Version = 2
		done, err := w.Review(t.Context(), homeHead, late)
		if err != nil || done.Open() || len(done.Reviews) != 2 {
			t.Errorf("%v", err)
		}
		if page, err := w.Glasses(t.Context(), auditor, true, app.Cursor{}, 0); err != nil || len(page.Uses) != 0 {
			t.Errorf("still open: %d %v", len(page.Uses), err)
		}
		if w.looks("glass.review", patient) != 2 || w.looks("glass.break", patient) != 1 {
			t.Error("the audit misses a use or a verdict")
		}
	})
}

func TestNobodyReviewsTheOwnUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		head := person("elsewhere", "CENTRE_HEAD")
		g, err := w.BreakGlass(t.Context(), head, breaking(patient))
		if err != nil {
			t.Fatal(err)
		}
		head.Roles = []string{"AUDITOR"}
		_, err = w.Review(t.Context(), head, app.Judgement{ID: g.ID, Version: 1, Verdict: domain.Justified})
		w.reason(err, errs.ReasonRole)
	})
}

func TestAVisitNeedsTheCardAndEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		patient := w.withSecret(zeng)
		in := app.Arrive{Request: app.Request{Method: "DeclareVisit", ID: id.New()}, PatientID: patient, IdentityNumber: "990122196311070023"}
		_, err := w.Visit(t.Context(), desk, in)
		w.reason(err, errs.ReasonNotFound)
		in.IdentityNumber, in.Request.ID = zeng.IdentityNumber, id.New()
		g, err := w.Visit(t.Context(), desk, in)
		if err != nil || g.Open() || g.Way != domain.Visit {
			t.Fatalf("%v", err)
		}
		if again, err := w.Visit(t.Context(), desk, in); err != nil || again.ID != g.ID {
			t.Errorf("a double click: %v", err)
		}
		colleague := desk
		colleague.Subject = "colleague"
		if got, err := w.Patient(t.Context(), colleague, patient); err != nil || got.Home != "township" {
			t.Errorf("the desk's colleague: %v", err)
		}
		w.clk.Advance(app.DefaultVisit)
		_, err = w.Patient(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestAVisitWithoutANumberOpensNobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		baby := w.register(township, nameless)
		for number, want := range map[string]string{
			"-": errs.ReasonFieldRequired, " ": errs.ReasonFieldRequired, "": errs.ReasonFieldRequired, "990122196311070023": errs.ReasonNotFound,
		} {
			_, err := w.Visit(t.Context(), desk, app.Arrive{PatientID: baby.ID, IdentityNumber: number})
			w.reason(err, want)
			in := breaking("")
			in.IdentityNumber = number
			_, err = w.BreakGlass(t.Context(), desk, in)
			w.reason(err, want)
		}
		_, err := w.Patient(t.Context(), desk, baby.ID)
		w.reason(err, errs.ReasonNotFound)
	})
}
