package text_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func catalogue(t *testing.T) *text.Catalogue {
	t.Helper()
	c, err := text.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	templateKey = regexp.MustCompile(`\bt "([^"]+)"`)
	argumentKey = regexp.MustCompile(`"(?:Label|Help|Empty)" "([^"]+)"`)
	composed    = regexp.MustCompile(`\bt \(print "([^"]+)\." `)
	labelled    = regexp.MustCompile(`\blabel "([^"]+)"`)
	goKey       = regexp.MustCompile(`(?:\bT\(r, |Flash\(w, |Title: |flash :?= |title :?= |flash, )"([^"]+)"`)
)

// Keys that stand in templates and in code in one piece.
func TestEveryKeyThatAPageNamesHasAText(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	seen := 0
	err := filepath.WalkDir("../pages", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		patterns := map[string][]*regexp.Regexp{".html": {templateKey, argumentKey}, ".go": {goKey}}[filepath.Ext(path)]
		if patterns == nil {
			return nil
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, p := range patterns {
			for _, m := range p.FindAllStringSubmatch(string(body), -1) {
				seen++
				if !c.Has(m[1]) && !strings.HasSuffix(m[1], ".") {
					t.Errorf("%s: no text for %q", path, m[1])
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 200 {
		t.Errorf("only %d keys were found; the patterns do not fit the templates any more", seen)
	}
}

// Keys that templates put together from a prefix and a code: every code has a text, and every prefix is listed here.
func TestEveryCodeThatAPageWordsHasAText(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	codes := codes()
	for prefix, names := range codes {
		for _, name := range names {
			if !c.Has(prefix + "." + name) {
				t.Errorf("no text for %s.%s", prefix, name)
			}
		}
	}
	err := filepath.WalkDir("../pages", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" {
			return err
		}
		body, err := os.ReadFile(path)
		for _, p := range []*regexp.Regexp{composed, labelled} {
			for _, m := range p.FindAllStringSubmatch(string(body), -1) {
				if codes[m[1]] == nil {
					t.Errorf("%s composes %s.…, whose codes this test does not know", path, m[1])
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// changed are what the history of the calendar is about.
var changed = strings.Fields("templates exceptions sessions equipment wards policy")

// desks are the parts of a queue, as a county and as a township calls them.
var desks = strings.Fields(`county.waiting county.returned county.expected county.inside county.ended
	township.waiting township.returned township.expected township.inside township.followed township.ended`)

// acted are the actions of the life cycle with a form of their own, and those with a reason among them.
var (
	acted = strings.Fields(`accept rebook return resubmit redirect decline cancel arrive undo_arrive no_show admit undo_admit conclude acknowledge answer
		begin_follow_up record_visit revise_plan escalate complete depart message assess correct record_consent convert`)
	reasoned = strings.Fields("return redirect decline cancel undo_arrive undo_admit correct")
)

func codes() map[string][]string {
	all := lifeCodes()
	maps.Copy(all, map[string][]string{
		"village.part": {"AWAY", "BACK"}, "village.none": {"AWAY", "BACK"},
		"village.up":   strings.Fields("SUBMITTED RETURNED ACCEPTED NO_SHOW ARRIVED ADMITTED"),
		"village.down": strings.Fields("SUBMITTED RETURNED ACCEPTED NO_SHOW ARRIVED"),
	})
	maps.Copy(all, capacityCodes())
	maps.Copy(all, guideCodes())
	maps.Copy(all, accountCodes())
	maps.Copy(all, placeCodes())
	return all
}

// placeCodes are those of organisations and medicines.
func placeCodes() map[string][]string {
	return map[string][]string{
		"places.kind": strings.Fields("COUNTY_HOSPITAL TOWNSHIP_CENTRE VILLAGE_CLINIC EXTERNAL AUTHORITY"), "places.table": strings.Fields("organizations departments capabilities formulary"),
		"places.table.help":   strings.Fields("organizations departments capabilities formulary"),
		"places.table.reason": strings.Fields("FIELD_REQUIRED FIELD_INVALID FIELD_TOO_LONG FIELD_OUT_OF_RANGE FIELD_UNKNOWN FIELD_COMBINATION DUPLICATE COLUMN_MISSING NOT_TEXT CUT_OFF"),
		"places.column":       strings.Fields("code organization_code name name_en type parent_code phone address location has_beds closed capability note specification stock atc orderable restricted_class removed"),
		"formulary.stock":     strings.Fields("IN_STOCK OUT_OF_STOCK"), "formulary.state": strings.Fields("all IN_STOCK OUT_OF_STOCK REMOVED"),
		"formulary.class": strings.Fields("ANTIMICROBIAL NARCOTIC PSYCHOTROPIC TOXIC RADIOACTIVE PRECURSOR SPECIAL_STORAGE"),
	}
}

func lifeCodes() map[string][]string {
	enum := func(values map[string]int32) []string {
		return slices.DeleteFunc(slices.Sorted(maps.Keys(values)), func(s string) bool { return s == "UNSPECIFIED" })
	}
	kinds := strings.Fields("invalid unauthenticated denied not_found stale conflict wrong_state limited unavailable internal")
	states := enum(referralv1.State_Code_value)
	return map[string][]string{
		"state": states, "actions.none": append(slices.Clone(states), strings.Fields("SUBMITTED.DOWN RETURNED.DOWN ACCEPTED.DOWN NO_SHOW.DOWN ARRIVED.DOWN")...),
		"clock": strings.Fields("SUBMITTED RETURNED ACCEPTED NO_SHOW ARRIVED ADMITTED CONCLUDED FOLLOW_UP"),
		"kind":  enum(commonv1.Kind_Code_value), "urgency": enum(commonv1.Urgency_Code_value), "sex": enum(commonv1.Sex_Code_value),
		"direction": enum(commonv1.Direction_Code_value), "error": append(enum(commonv1.ErrorReason_Code_value), kinds...),
		"failure": kinds, "remedy": kinds, "statistics.span": strings.Fields("minutes hours"),
		"outcome":        strings.Fields("CURED IMPROVED UNCHANGED WORSE REFERRED_OUT DIED OTHER"),
		"transport":      strings.Fields("OWN ESCORTED AMBULANCE"),
		"consent.method": strings.Fields("SIGNED VERBAL_WITNESSED ELECTRONIC"),
		"relation":       strings.Split("0123456789", ""),
		"document":       strings.Fields("RESIDENT_IDENTITY_CARD PASSPORT OTHER NONE"),
		"no-document":    strings.Fields("NEWBORN LOST NEVER_ISSUED UNCONSCIOUS OTHER"),
		"notice":         strings.Fields("submitted resubmitted redirected accepted returned declined cancelled arrived arrival_undone no_show rebooked admitted admission_undone concluded acknowledged answered follow_up_begun visit_recorded escalated completed recorded_out departed message_posted assessed corrected consent_recorded deadline_passed candidate_found candidate_dismissed candidate_rested candidate_resumed bounce_back_found person_merged glass_broken visit_declared consent_withdrawn encounter_opened encounter_closed encounter_cancelled booking_moved session_cancelled waitlist_offered waitlist_ended alarm_rang booking_reminder"),
		"stay.way":       strings.Fields("1 2 3 4 5 9"),
		"action":         append(slices.Clone(acted), "create", "edit", "submit", "seen", "record_arrival", "record_out", "deadline_passed"),
		"action.do":      append(slices.Clone(acted), "submit", "accept.DOWN", "decline.DOWN", "redirect.DOWN", "arrive.DOWN"), "done": acted,
		"action.help": append(slices.Clone(reasoned), "conclude", "acknowledge", "answer", "complete", "depart", "assess", "convert", "decline.DOWN", "redirect.DOWN"), "action.note": reasoned,
		"depart.in":  strings.Fields("0 30 60"),
		"rung.way":   strings.Fields("SENT PENDING SENDING SKIPPED DEAD CANCELLED"),
		"rung.where": strings.Fields("INBOX LINK CALL"),
		"ladder":     strings.Fields("desk head admin specialist doctor centre centre-head"),
		"verdict":    strings.Fields("NECESSARY MANAGEABLE_WITH_ADVICE TOO_LATE WRONG_DEPARTMENT"),
		"link":       strings.Fields("ANSWERS ANSWERED_BY WORSENED ESCALATED_TO CONVERTED CONVERTED_TO BOUNCE_BACK_OF BOUNCED_BY"),
		"correct": strings.Fields(`form.initial_impression form.present_illness form.past_history form.treatment form.diagnosis form.inpatient_number
			form.examination_results form.next_plan form.rehabilitation_advice reply.diagnosis reply.findings reply.treatment reply.next_steps reply.answer`),
		"availability": strings.Fields("IN_STOCK UNCONFIRMED SUBSTITUTE ORDERABLE MISSING UNKNOWN"),
		"visit.result": strings.Fields("STABLE IMPROVED WORSE NOT_REACHED DIED"), "visit.taking": strings.Fields("REGULAR IRREGULAR NONE"),
		"measure": strings.Fields("sbp dbp heart_rate resp_rate spo2 temperature weight glucose fasting_glucose hba1c ldl egfr creatinine potassium fetal_heart_rate pain barthel danger_level"),
		"nav":     strings.Fields("reviews patients referrals sent desk received arrivals candidates followups overview statistics settings inbox audit feeds consents exports waitlist sessions beds deliveries rosters calls formulary"),
		"purpose": strings.Fields("TREATMENT EMERGENCY FOLLOW_UP CONSULTATION PUBLIC_HEALTH"), "glass.way": strings.Fields("BREAK_GLASS VISIT"),
		"glass.reason": strings.Fields("EMERGENCY UNCONSCIOUS CONSULTATION PUBLIC_HEALTH OTHER"), "glass.verdict": strings.Fields("JUSTIFIED NOT_JUSTIFIED ASKS"),
		"desk.tab": desks, "desk.empty": desks,
		"referrals.tab": strings.Fields("open mine county replied draft ended"), "referrals.empty": strings.Fields("open mine county replied draft ended"),
		"home.part": strings.Fields("returned back replies followups notices waiting drafts"), "home.service": strings.Fields("referral notification"),
		"track": strings.Fields("submitted answered appointment arrived replied read taken reported followed following closed returned declined cancelled missed"), "track.state": strings.Fields("done now late stopped next"),
		"suggest": strings.Fields("slot bed now days"), "keys": strings.Fields("j k enter a r d n u slash question"),
		"refer.urgency": strings.Fields("ROUTINE URGENT EMERGENCY"), "down.urgency": strings.Fields("ROUTINE URGENT"), "language": strings.Fields("zh-CN en"),
		"demo":            strings.Fields("township desk specialist head township2 baisha1 village admin auditor"),
		"refer.exam":      strings.Fields("CT CT_CONTRAST MRI XRAY ULTRASOUND ECHO ECG HOLTER ABPM GASTROSCOPY COLONOSCOPY LUNG_FUNCTION BONE_DENSITY PATHOLOGY LABORATORY"),
		"refer.suggest":   strings.Fields("EMERGENCY URGENT"),
		"refer.certainty": strings.Fields("FOUND FOUND_MIRROR OWN_HIGH OWN_MEDIUM OWN_LOW SUGGESTED"),
		"field": strings.Fields(`diagnoses examItems modality urgency receiver.departmentCode form.initialImpression form.presentIllness form.pastHistory form.treatment
			form.diagnosis form.inpatientNumber form.examinationResults form.nextPlan form.rehabilitationAdvice medicines plan consent transport transferNote originatorPhone`),
		"worse":           strings.Fields("RESULT_WORSE BP_VERY_HIGH BP_HIGH_IN_PREGNANCY GLUCOSE_VERY_HIGH GLUCOSE_LOW TACHYCARDIA FEVER BREATHING EGFR_LOW POTASSIUM_HIGH DANGER_LEVEL_HIGH PAIN_SEVERE NOT_CONTROLLED_TWICE ADVERSE_REACTION_TWICE"),
		"down.stock":      strings.Fields("IN_STOCK UNCONFIRMED SUBSTITUTE ORDERABLE MISSING UNKNOWN"),
		"down.long":       strings.Fields("OVER_4_WEEKS OVER_12_WEEKS EXCLUDED_CLASS"),
		"down.decision":   strings.Fields("SUBSTITUTED CENTRAL_ORDER COUNTY_DISPENSES PATIENT_BUYS STOPPED OTHER"),
		"down.capability": strings.Fields("REHABILITATION DIALYSIS WOUND_CARE TCM LABORATORY ECG ULTRASOUND XRAY INFUSION HOME_VISIT PALLIATIVE"),
		"down.mode":       strings.Fields("CLINIC HOME PHONE"),
		"down.item": strings.Fields(`SYMPTOMS BP HEART_RATE TEMPERATURE SPO2 WEIGHT GLUCOSE HBA1C LIPIDS KIDNEY POTASSIUM ECG MEDICATION ADVERSE_REACTION LIFESTYLE
			FEET EYES SWALLOWING REHABILITATION INHALER SPUTUM MENTAL_STATE DANGER_LEVEL SOCIAL_FUNCTION FETUS UTERUS BREASTFEEDING NEWBORN WOUND
			SUTURES PAIN NUTRITION MOOD`),
		"down.line": strings.Fields("medicines plan.visits"), "record.about": strings.Fields("arrival out"),
		"followups.tab": strings.Fields("today overdue week done all"), "followups.empty": strings.Fields("today overdue week done all"),
		"followups.norm":   strings.Fields("HYPERTENSION_REFERRAL_CHECK DIABETES_REFERRAL_CHECK SMD_REFERRAL_CHECK TB_SUSPICION_CHECK TB_NOTICE_VISIT SMD_STABLE_VISIT"),
		"followups.result": strings.Fields("WENT NOT_GONE NOT_REACHED DIED"),
		"candidates.tab":   strings.Fields("OPEN DISMISSED CLOSED"), "candidates.empty": strings.Fields("OPEN DISMISSED CLOSED"),
		"feeds.state": strings.Fields("QUARANTINED STORED SETTLED"), "feeds.empty": strings.Fields("QUARANTINED STORED SETTLED"),
		"feeds.settle": strings.Fields("RESENT ENTERED_BY_HAND TEST NOT_OURS"),
		"feeds.reason": strings.Fields(`HL7_HEADER HL7_CHARSET HL7_TOO_LARGE HL7_EVENT HL7_MISSING HL7_TIME HL7_CODE HL7_DEPARTMENT HL7_MERGE HL7_NO_CONTROL_ID
			HL7_SENDER CONTROL_ID_REUSED ALREADY_REGISTERED FIELD_REQUIRED FIELD_INVALID FIELD_TOO_LONG FIELD_OUT_OF_RANGE FIELD_UNKNOWN
			FIELD_IDENTITY_NUMBER FIELD_COMBINATION`),
		"candidates.origin":    strings.Fields("CONCLUDED DISCHARGED LENGTH_OF_STAY"),
		"statistics.period":    strings.Fields("month last-month quarter year custom"),
		"statistics.section":   strings.Fields("up down time quality apart reasons absent"),
		"statistics.by":        strings.Fields("organization centre hospital department doctor condition urgency kind"),
		"statistics.certainty": strings.Fields("FOUND MIRROR KNOWN SUGGESTED"), "statistics.direction": strings.Fields("HIGHER_BETTER LOWER_BETTER NEUTRAL"),
		"statistics.part":         strings.Fields("NUMERATOR DENOMINATOR MISSED EXCLUDED"),
		"statistics.place":        strings.Fields("COUNTED MISSED EXCLUDED"),
		"statistics.fact":         strings.Fields(`DOWN_SENT DOWN_NEVER DOWN_WITHDRAWN DOWN_DECLINED DOWN_UNARRIVED CAME_BACK NO_DOWN LEFT_FOR_CENTRE DIED SENT_FURTHER NOT_CONCLUDED CONCLUDED UNANSWERED ANSWER_OVERDUE ANSWER_AHEAD WITHDRAWN INFORMATION_AHEAD DAY_AHEAD CARE_AHEAD REPLY_AHEAD CONTACT_AHEAD WITHOUT_LIMIT ANSWERED_IN_TIME ANSWERED_LATE FIRST_ACCEPT FIRST_RETURN FIRST_REDIRECT FIRST_DECLINE FIRST_ARRIVE FIRST_ANSWER STANDS CANCELLED DECLINED STAYED_AWAY NOT_ARRIVED ARRIVED ADMITTED NOT_TAKEN_IN SHOWED_UP BOUNCED NOT_BOUNCED CRITERIA_MET CRITERIA_NONE NOT_REPLIED REPLY_NOTED REPLY_UNNOTED FOLLOWED_UP NO_FOLLOW_UP VISITS NO_VERDICT VERDICT_NECESSARY VERDICT_MANAGEABLE_WITH_ADVICE VERDICT_TOO_LATE VERDICT_WRONG_DEPARTMENT HANDOVER_WHOLE HANDOVER_GAPS CANDIDATE_SENT CANDIDATE_DISMISSED CANDIDATE_WAITS RECORDED_AFTERWARDS SENT_BEFORE`),
		"statistics.link":         strings.Fields("SENT_DOWN ANSWERS SENT_UP_AGAIN BOUNCED_BY BOUNCE_OF"),
		"overview.silent.centres": strings.Fields("month last-month quarter year custom"), "overview.silent.departments": strings.Fields("month last-month quarter year custom"),
		"moved.by":         strings.Fields("department centre"),
		"overview.section": strings.Fields("now trend stages reasons flows medicines recognition"),
		"overview.part":    strings.Fields("before months candidates flows stages reasons late medicines recognition quiet"), "overview.role": strings.Fields("INTAKE_DESK SPECIALIST TOWNSHIP_DOCTOR"),
		"overview.stage":    strings.Fields("STAGE-UP-ANSWERED STAGE-UP-ARRIVED STAGE-UP-ENDED STAGE-UP-SENT-DOWN STAGE-UP-TAKEN-OVER STAGE-DN-ANSWERED STAGE-DN-ARRIVED STAGE-DN-FOLLOWED-UP"),
		"overview.medicine": strings.Fields("MISSING ORDERABLE"), "export.unit": strings.Fields("PERCENT PERMILLE RATIO MEAN COUNT DURATION"),
		"settings.index":   strings.Fields("targets limits reasons criteria organizations formulary recognition rosters sessions rules deliveries"),
		"settings.indexed": strings.Fields("targets limits reasons criteria organizations formulary recognition rosters sessions rules deliveries"),
		"settings.subject": strings.Fields("SETTINGS TARGETS REASONS"), "field.targets": strings.Fields("measure place fromMonth toMonth value"),
		"field.reasons": strings.Fields("text textEn"), "reasons.action": strings.Fields("return decline redirect cancel dismiss_candidate record_arrival record_out dismiss_registration"),
		"settings.step":  strings.Fields("ANSWER MISSING_INFORMATION ARRIVAL REPLY FIRST_CONTACT VISIT ACKNOWLEDGE CONSENT DOWN_DECISION NORM_CHECK STAY"),
		"settings.given": strings.Fields("VISIT NORM_CHECK STAY"), "settings.unit": strings.Fields("MINUTES HOURS DAYS WORKING"),
		"tab":            strings.Fields("summary record trends attachments identity orders consents copy"),
		"consents.scope": strings.Fields("REFERRAL SENSITIVE SMS"), "consents.state": strings.Fields("DEFERRED GIVEN WITHDRAWN EXPIRED"),
		"consents.behalf": strings.Fields("MINOR UNABLE AUTHORISED"), "consents.effect": strings.Fields("REFERRAL SENSITIVE SMS"),
		"consents.withdrawn": {"SENSITIVE"},
		"copy.by":            strings.Fields("PATIENT GUARDIAN AUTHORISED"), "copy.purpose": strings.Fields("SELF TREATMENT INSURANCE LEGAL OTHER"),
		"copy.check":   strings.Fields("IDENTITY_CARD OTHER_DOCUMENT KINSHIP_PROOF AUTHORISATION_LETTER"),
		"exports.kind": strings.Fields("OWN_COPY AUDIT STATISTICS"), "exports.form": strings.Fields("FHIR PRINT CSV JSONL XLSX"),
		"audit.group":   strings.Fields("reading referral sign-in directory notification audit"),
		"audit.service": strings.Fields("directory patientrecord referral scheduling notification"),
		"audit.problem": strings.Fields("MISSING CHANGED END HEAD SIGNATURE LOST"),
		"audit.object":  strings.Fields("patient record referral organization account candidate audit consent export blank_form alarm call delivery address"),
		"downtime.form": strings.Fields("OUT BACK EMERGENCY"), "downtime.state": strings.Fields("OUTSTANDING USED VOID"),
		"downtime.reason": strings.Fields("LOST SPOILED EXPIRED OTHER"),
		"calls.state":     strings.Fields("OPEN DONE OBSOLETE"), "calls.as": strings.Fields("ON_DUTY SECOND_LINE HEAD SWITCHBOARD"),
		"calls.outcome": strings.Fields("REACHED NO_ANSWER BUSY WRONG_NUMBER TELEPHONED"), "rosters.line": strings.Fields("0 1 2"),
		"accept.short": strings.Fields("bed slot full"), "queue.short": strings.Fields("bed slot full"),
		"rosters.history.did":       strings.Fields("BEFORE SET HAND_OVER TAKE_BACK"),
		"schedules.history.did":     strings.Fields("BEFORE SAVED REMOVED SUBSTITUTED CANCELLED RESTORED BLOCKED UNBLOCKED"),
		"schedules.history.back":    changed,
		"schedules.history.help":    changed,
		"schedules.history.would":   changed,
		"schedules.exception.for":   strings.Fields("substitute holiday workday"),
		"schedules.history.do":      strings.Fields("restore cancellation unblock block"),
		"schedules.history.confirm": strings.Fields("cancellation unblock block"),
		"channel":                   strings.Fields("WECOM_APP EMAIL SMS WECOM_ROBOT DINGTALK_ROBOT WEBHOOK"),
		"to": strings.Fields(`INTAKE RECEIVER RECEIVER_DOCTORS RECEIVER_HEAD RECEIVER_DEPARTMENT FAMILY_DOCTOR ORIGINATOR ORIGINATOR_HEAD CANDIDATE_DEPARTMENT
			COUNTY_ADMIN HOME_CENTRE HOME_HEAD HOLDERS AUDITORS SIDES ON_DUTY_INTAKE ON_DUTY_DEPARTMENT SECOND_LINE INTAKE_GROUP DEPARTMENT_GROUP
			ORIGINATOR_GROUP PATIENT`),
		"when": strings.Fields("EMERGENCY SENT BY_ORIGINATOR BY_RECEIVER BOOKED WITH_REFERRAL WITHOUT_REFERRAL FIRST_RING THIRD_RING SECOND_LEVEL"),
		"audit.action": strings.Fields(`patient.read patient.find patient.find_number patient.find_audited patient.snapshot patient.registered patient.register record.summary record.results
			record.values record.package record.write relation.set package.assemble sign_in sign_out sign_in.fail sign_in.lock account.create
			account.update organization.create organization.update capabilities.import capabilities.set formulary.import formulary.set_stock formulary.save formulary.remove capacity.add
			notification.acknowledge notification.acknowledge_link delivery.replay address.set address.remove patient.contact notification.set_preferences
			notification.set_rules alarm.acknowledge call.record roster.set roster.hand_over roster.take_back
			referral.submit referral.accept referral.conclude referral.arrive referral.admit referral.update_settings referral.update_targets referral.update_reasons referral.allot_blank_forms referral.void_blank_form
			audit.search audit.export audit.archive attachment.add attachment.correct attachment.entered_in_error attachment.list attachment.metadata
			attachment.read attachment.thumbnail feed.quarantine feed.read feed.replay feed.settle glass.break glass.list glass.read
			glass.review hold.attach hold.confirm hold.expire hold.free hold.keep hold.release hold.settle hold.take match.different
			match.list match.merge match.read order.record patient.corrected patient.find_alike patient.merged patient.merges patient.reveal
			patient.unmerged recognition.set record.amended record.corrected record.entered_in_error record.entries record.entry record.orders
			record.recognisable record.recorded record.trends record.versions referral.acknowledge referral.answer referral.answered_by
			referral.answered_by_undone referral.assess referral.begin_follow_up referral.bounce_back referral.bounce_back_undone
			referral.bounced_by referral.cancel referral.candidate.read referral.close_candidate referral.complete referral.convert
			referral.correct referral.create referral.deadline_passed referral.decline referral.depart referral.dismiss_candidate
			referral.edit referral.escalate referral.find_candidate referral.merge_candidate referral.message referral.no_show
			referral.norm_check referral.read referral.village_list referral.rebook referral.record_arrival referral.record_consent referral.record_out
			referral.record_visit referral.redirect referral.refer_candidate referral.reopen_candidate referral.rest_candidate referral.resume_candidate referral.discharged referral.resubmit referral.return
			referral.revise_plan referral.seen referral.undo_admit referral.undo_arrive sensitive.open
			consent.defer consent.give consent.withdraw consent.list consent.read consent.deferred copy.read export.record export.list
			referral.dismiss_registration referral.person_merged referral.registration.dismiss`),
		"weekday":              strings.Fields("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
		"clinical.form":        strings.Fields("values problem allergy medication result note encounter procedure immunization report"),
		"clinical.kind":        strings.Fields("PROBLEM ALLERGY MEDICATION OBSERVATION REPORT NOTE ENCOUNTER PROCEDURE IMMUNIZATION"),
		"clinical.change":      strings.Fields("RECORDED AMENDED CORRECTED ENTERED_IN_ERROR IMPORTED"),
		"relative":             {"MOTHER", "CHILD"},
		"clinical.reason":      strings.Fields("WRONG_VALUE WRONG_PATIENT WRONG_TIME INCOMPLETE NEW_FINDING DUPLICATE OTHER ARRIVAL_UNDONE"),
		"clinical.status":      strings.Fields("active recurrence relapse inactive remission resolved on-hold stopped completed not-done final preliminary in-progress finished entered-in-error"),
		"clinical.class":       strings.Fields("AMB EMER IMP OBSENC HH VR"),
		"clinical.called":      strings.Fields("note report procedure immunization"),
		"clinical.do":          strings.Fields("new amend correct withdraw"),
		"clinical.done":        strings.Fields("amend correct withdraw"),
		"clinical.allergy":     strings.Fields("medication food environment biologic"),
		"clinical.criticality": strings.Fields("high low unknown"),
		"clinical.note":        strings.Fields("VISIT PROGRESS DISCHARGE CONSULTATION OTHER"),
		"clinical.report":      strings.Fields("imaging laboratory ecg pathology endoscopy"),
		"slip.print":           strings.Fields("UP DOWN"),
		"attachments.kind":     strings.Fields("LAB_REPORT EXAM_REPORT IMAGE ECG MEDICAL_RECORD CONSENT OTHER"),
		"matches.by":           strings.Fields("name sound birthDate sex phone guardianName guardianPhone village healthRecordNumber insuranceNumber identityNumber merged"),
		"matches.state":        strings.Fields("MERGED DIFFERENT LAPSED"),
		"reveal.purpose":       strings.Fields("CONTACT INSURANCE IDENTIFY OTHER"),
		"recognition.setting":  strings.Fields("OUTPATIENT INPATIENT EMERGENCY"), "recognition.repeat": strings.Fields("RT1 RT2 RT3 RT4 RT5 RT6"),
		"recognition.decision":  strings.Fields("ORDER DROP REPEAT RECOGNISE"),
		"recognition.direction": strings.Fields("OWN UPPER LOWER PEER OUTSIDE UNKNOWN"),
		"recognition.refusal":   strings.Fields("STATUS UNDATED UNIT METHOD UNKNOWN_ORGANIZATION DIRECTION RANGE QUALITY NEVER EXPIRED"),
		"recognition.kind":      strings.Fields("LAB EXAM"), "recognition.range": strings.Fields("NATIONAL PROVINCE CITY COUNTY"),
		"recognition.by": strings.Fields("organization item reason performer direction month none"),
	}
}

func TestTheDocumentTypesOfTheFormExist(t *testing.T) {
	t.Parallel()
	for _, name := range codes()["document"] {
		if _, ok := patientrecordv1.DocumentType_Code_value[name]; !ok {
			t.Errorf("%s is no document type", name)
		}
	}
}

func TestEveryKindOfErrorIsWorded(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	for kind := errs.KindInvalid; kind <= errs.KindInternal; kind++ {
		for _, prefix := range []string{"error.", "failure.", "remedy."} {
			if !c.Has(prefix + kind.String()) {
				t.Errorf("no text for %s%s", prefix, kind)
			}
		}
	}
}

// Words that are the same in both languages.
var foreign = regexp.MustCompile(`\{[a-zA-Z]+\}|ICD-10|tongzhen-demo|English|中文|IT|CT|CSV|Excel|iCalendar|https|X|lgy|zs|PDF|API|JSON|JPG|PNG|HEIC|MB|OpenAPI|Bearer|Ctrl|Esc|ATC|C08CA01|B01AC24|5mg|90mg`)

func TestNoTextIsInTheOtherLanguage(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"zh-CN", "en"} {
		for key, words := range entries(t, language) {
			words = foreign.ReplaceAllString(words, "")
			for _, c := range words {
				if language == "en" && unicode.Is(unicode.Han, c) {
					t.Errorf("en: %s has Chinese in it: %q", key, words)
					break
				}
				if language == "zh-CN" && unicode.Is(unicode.Latin, c) && key != "reason-text" && len(words) > 1 {
					t.Errorf("zh-CN: %s has English in it: %q", key, words)
					break
				}
			}
		}
	}
}

func TestAFieldIsCalledAsItsFormCallsIt(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	if got := c.Field("en", errs.Required("diagnoses[0].code")); got != "Please choose “diagnosis”" {
		t.Error(got)
	}
	if got := c.Field("en", errs.Bad("somethingNew", errs.ReasonFieldInvalid)); got != "“somethingNew” is not right" {
		t.Error(got)
	}
	if got := c.Field("en", errs.Bad("identityNumber", errs.ReasonFieldIdentityNumber, "cause", "LENGTH")); got != "The identity number has 18 characters; please check" {
		t.Error(got)
	}
}
