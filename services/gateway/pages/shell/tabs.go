package shell

// A tab is one page of a patient's record; its word is the text "tab.<Name>".
type tab struct{ Name, Href string }

// patientTabs are the pages about one patient, in the order in which a doctor reads them. Whether the visitor may open one is decided where
// it is asked for.
func patientTabs(patient string) []tab {
	at := "/patients/" + patient
	return []tab{
		{"summary", at},
		{"record", at + "/record"},
		{"trends", at + "/trends"},
		{"attachments", at + "/attachments"},
		{"identity", at + "/identity"},
		{"orders", at + "/orders"},
		{"consents", at + "/consents"},
		{"copy", at + "/copy"},
	}
}
