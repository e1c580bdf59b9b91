package store

import (
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/rekey"
)

// Hashed are the tables of this service with hashes that cannot be made anew: nobody keeps in plain who a patient or an entry is in another
// system, nor what was asked.
func Hashed() []rekey.Hashed {
	return []rekey.Hashed{
		{Table: "patient_source", Time: "create_time"}, {Table: "clinical_entry", Time: "create_time"},
		{Table: "feed_message", Time: "receive_time"}, {Table: "request_log", Time: "create_time"},
	}
}

// Sealed are the columns of this service that hold what scope.seal made.
func Sealed() []rekey.Column {
	return []rekey.Column{
		{Table: "patient", Name: "demographics", Key: []string{"county_code", "id"}, Row: joinedKey},
		{Table: "clinical_entry", Name: "content", Key: []string{"county_code", "id", "version"}, Row: joinedKey},
		{Table: "attachment", Name: "content", Key: []string{"county_code", "id", "version"}, Row: joinedKey},
		{
			Table: "attachment_chunk", Name: "content", Key: []string{"county_code", "attachment_id", "part", "number"}, Row: joinedKey,
			// A piece is also sealed for how many there are.
			With: []string{`(SELECT count(*) FROM attachment_chunk n WHERE n.county_code = attachment_chunk.county_code
				AND n.attachment_id = attachment_chunk.attachment_id AND n.part = attachment_chunk.part)`},
		},
		{Table: "patient_match", Name: "reason", Key: []string{"county_code", "id"}, Row: joinedKey},
		{Table: "patient_merge", Name: "reason", Key: []string{"county_code", "id"}, Row: joinedKey},
		{Table: "patient_merge", Name: "undo_reason", Key: []string{"county_code", "id"}, Row: joinedKey},
		{Table: "handover_package", Name: "content", Key: []string{"county_code", "referral_id"}, Row: joinedKey},
		{Table: "handover_version", Name: "content", Key: []string{"county_code", "referral_id", "referral_version"}, Row: joinedKey},
		// The version changes with the content.
		{Table: "glass", Name: "content", Key: []string{"county_code", "id"}, With: []string{"version"}, Row: joinedKey},
		{Table: "consent", Name: "content", Key: []string{"county_code", "id"}, With: []string{"version"}, Row: joinedKey},
		{Table: "export_ledger", Name: "content", Key: []string{"county_code", "id"}, Row: joinedKey},
		{Table: "exam_order", Name: "lines", Key: []string{"county_code", "id"}, Row: joinedKey},
		{Table: "feed_message", Name: "raw", Key: []string{"county_code", "id"}, Row: joinedKey},
		{
			Table: "request_log", Name: "response", Key: []string{"county_code", "account_id", "method", "request_id"},
			Row: func(key []string) string { return key[0] + "/" + key[3] },
		},
	}
}

// joinedKey is scope.row of what seal was given: the key's parts, the county first.
func joinedKey(key []string) string { return strings.Join(key, "/") }
