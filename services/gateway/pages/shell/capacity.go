package shell

import (
	"net/http"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// Preparation is what a patient must do before an examination, in the visitor's language where it is written in it.
func (s *Shell) Preparation(r *http.Request, of interface {
	GetPreparation() string
	GetPreparationEnglish() string
}) string {
	if english := of.GetPreparationEnglish(); english != "" && s.Language(r) == "en" {
		return english
	}
	return of.GetPreparation()
}

// BedSex is what a ward asks of a patient's sex: MALE, FEMALE, or "" where none is stated.
func BedSex(sex commonv1.Sex_Code) string {
	if sex == commonv1.Sex_MALE || sex == commonv1.Sex_FEMALE {
		return sex.String()
	}
	return ""
}

// capacityNav adds the pages of what can be booked to the rail of an account.
func capacityNav(a *directoryv1.Account, add func(name, page, href string)) {
	if IsTownship(a) || IsCounty(a) {
		add("waitlist", "waitlist", "/waitlist")
	}
	if Plans(a) {
		add("sessions", "sessions", "/sessions")
	}
	if has(a, commonv1.Role_INTAKE_DESK, commonv1.Role_SPECIALIST, commonv1.Role_BED_MANAGER, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_COUNTY_ADMIN) {
		add("beds", "beds", "/beds")
	}
}

// deliveryRoles are those who look after what goes out of the house.
func deliveryRoles() []commonv1.Role_Code {
	return []commonv1.Role_Code{
		commonv1.Role_COUNTY_ADMIN, commonv1.Role_SYSTEM_ADMIN, commonv1.Role_CENTRE_HEAD, commonv1.Role_INTAKE_DESK, commonv1.Role_DEPARTMENT_HEAD,
	}
}
