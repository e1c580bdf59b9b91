package store

import (
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/rekey"
)

// Hashed are the tables of this service with hashes that cannot be made anew: of what was asked, and those that were printed on slips.
func Hashed() []rekey.Hashed {
	return []rekey.Hashed{{Table: "request_log", Time: "create_time"}, {Table: "referral", Time: "create_time", Where: "number <> ''"}}
}

// Sealed are the columns of this service that hold what unit.seal made.
func Sealed() []rekey.Column {
	var list []rekey.Column
	add := func(table string, key []string, columns ...string) {
		for _, column := range columns {
			list = append(list, rekey.Column{Table: table, Name: column, Key: key, Row: func(key []string) string { return strings.Join(key[1:], "/") }})
		}
	}
	one := []string{"county_code", "id"}
	add("referral", one, "patient", "content", "result", "plan")
	add("history", []string{"county_code", "referral_id", "version"}, "remark")
	add("note", one, "remark")
	add("candidate", one, "patient", "content")
	add("registration", one, "patient", "note")
	add("follow_up_task", one, "remark")
	return append(list, rekey.Column{
		Table: "request_log", Name: "response", Key: []string{"county_code", "account_id", "method", "request_id"},
		Row: func(key []string) string { return key[3] },
	})
}
