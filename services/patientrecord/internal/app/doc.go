// Package app holds the use cases of the patient index and the clinical record, one file each, and in ports.go what they need.
//
// Order of checks: role (the method table), request id, relation and level, content. Nothing of a patient is answered before the
// audit entry about it is written.
package app
