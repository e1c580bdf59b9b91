package text_test

import (
	"maps"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
)

// accountCodes are what the pages of accounts put into words.
func accountCodes() map[string][]string {
	roles := slices.DeleteFunc(slices.Sorted(maps.Keys(commonv1.Role_Code_value)), func(s string) bool { return s == "UNSPECIFIED" })
	return map[string][]string{
		"role": roles, "field.account": strings.Fields("name place roles phone email"),
		"accounts.role":  strings.Fields("VILLAGE_DOCTOR TOWNSHIP_DOCTOR CENTRE_HEAD INTAKE_DESK SPECIALIST DEPARTMENT_HEAD BED_MANAGER COUNTY_ADMIN SYSTEM_ADMIN INTEGRATION"),
		"accounts.state": strings.Fields("ACTIVE NEW DISABLED"), "accounts.outcome": strings.Fields("CREATED UPDATED"),
		"accounts.ask": strings.Fields("disable reset"), "accounts.do": strings.Fields("disable reset"),
		"accounts.action": strings.Fields("KNOWN CREATE UPDATE DISABLE ENABLE RESET_PASSWORD CHANGE_PASSWORD"),
	}
}
