package shell

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// Alarm is an emergency that rings at the visitor, with the name of the organisation that sent it.
type Alarm struct {
	*notificationv1.Alarm
	From string
	// Referral tells of whom it is, without a name; nil for whoever may not see the patient, and while it cannot be read.
	Referral *referralv1.Referral
}

// Diagnosis is what the patient is sent for, as its doctor called it first.
func (a Alarm) Diagnosis() string {
	for _, d := range a.Referral.GetDiagnoses() {
		return cmp.Or(d.GetDisplay(), d.GetCode())
	}
	return ""
}

// Rings are what rings at the visitor, how many telephone calls they are to make, and whether they want a sound for urgent messages. Late: it was not
// told in time, and the page asks again as soon as it is there.
type Rings struct {
	Late           bool
	Alarms         []Alarm
	OpenCalls      int32
	SoundForUrgent bool
}

// Rings at the visitor; late without an answer in time: the page is needed, too.
func (s *Shell) Rings(r *http.Request) Rings {
	ctx, cancel := context.WithTimeout(r.Context(), countPatience)
	defer cancel()
	out, err := s.Ringing(r.WithContext(ctx))
	if err != nil {
		return Rings{Late: true}
	}
	return out
}

// Ringing is what rings at the visitor, or why that cannot be read: then what a page shows of it stays.
func (s *Shell) Ringing(r *http.Request) (Rings, error) {
	list, err := s.deps.Alarm.ListAlarms(r.Context(), &notificationv1.ListAlarmsRequest{})
	out := Rings{OpenCalls: list.GetOpenCallCount(), SoundForUrgent: list.GetSoundForUrgent()}
	if err != nil || len(list.GetAlarms()) == 0 {
		return out, err
	}
	county, err := s.deps.Names.County(r.Context())
	ids := make([]string, len(list.GetAlarms()))
	for i, a := range list.GetAlarms() {
		ids[i] = a.GetReferralId()
	}
	// It rings, whoever the patient is.
	known, _ := s.deps.Referral.BatchGetReferrals(r.Context(), &referralv1.BatchGetReferralsRequest{Ids: ids[:min(len(ids), batch)]})
	for _, a := range list.GetAlarms() {
		one := Alarm{Alarm: a}
		if at := slices.IndexFunc(known.GetReferrals(), func(one *referralv1.Referral) bool { return one.GetId() == a.GetReferralId() }); at >= 0 {
			one.Referral = known.GetReferrals()[at]
		}
		if err == nil {
			one.From = county.OrganizationName(s.Language(r), a.GetFromOrganizationId())
		}
		out.Alarms = append(out.Alarms, one)
	}
	return out, nil
}

// MakesCalls tells who picks up the telephone when nobody acknowledges; a doctor does for the own patients, who are few.
func MakesCalls(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_INTAKE_DESK, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_CENTRE_HEAD, commonv1.Role_COUNTY_ADMIN)
}

// CountyRules are what the county wants of messages; nil while they cannot be read in time: a page is needed without them, too.
func (s *Shell) CountyRules(r *http.Request) *notificationv1.CountyRules {
	ctx, cancel := context.WithTimeout(r.Context(), countPatience)
	defer cancel()
	rules, err := s.deps.Alarm.GetCountyRules(ctx, &notificationv1.GetCountyRulesRequest{})
	if err != nil {
		return nil
	}
	return rules
}

// Line is a telephone of the directory, and whose it is.
type Line struct{ Whose, Number string }

// EmergencyDepartment is the national code of 急诊医学科, where an emergency is expected.
const EmergencyDepartment = "20"

// EmergencyLines are the telephones at which an emergency is told at an organisation: those of the department that it goes to and of its emergency
// department, then the organisation's own; none that the directory does not have.
func (s *Shell) EmergencyLines(r *http.Request, organizationID, departmentCode string) []Line {
	return s.Lines(r, organizationID, departmentCode, EmergencyDepartment)
}

// Lines are the telephones of departments of an organisation, then the organisation's own, each once; none that the directory does not have.
func (s *Shell) Lines(r *http.Request, organizationID string, departmentCodes ...string) (out []Line) {
	county, err := s.deps.Names.County(r.Context())
	if err != nil {
		return nil
	}
	language := s.Language(r)
	add := func(whose, number string) {
		if number != "" && !slices.ContainsFunc(out, func(l Line) bool { return l.Number == number }) {
			out = append(out, Line{whose, number})
		}
	}
	for _, code := range departmentCodes {
		add(county.DepartmentName(language, organizationID, code), county.Department(organizationID, code).GetPhone())
	}
	add(county.OrganizationName(language, organizationID), county.Organization(organizationID).GetPhone())
	return out
}
